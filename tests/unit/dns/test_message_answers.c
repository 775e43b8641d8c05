/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is gathered of an answer: addresses, what leads on, names expanded on the way; and the
 * short ways on which most answers, and the OPT behind them, are read.
 */
#include "sensor/dns/message.h"

#include "tests/support/dns_build.h"
#include "tests/unit/dns/captures.h"
#include "tests/unit/dns/decoded.h"

#include <criterion/criterion.h>

static struct dns_build b;
static struct dns_message m;

static void expect_address(unsigned number, const char *expected, uint32_t ttl)
{
	char text[IP_TEXT_MAX];

	cr_assert_lt(number, m.address_count, "%s", expected);
	cr_expect_str_eq(ip_format(&m.address[number].ip, text), expected);
	cr_expect_eq(m.address[number].ttl, ttl);
}

Test(message_answers, answers_and_their_addresses)
{
	decoded_sample(&m, &b, "response_three");
	cr_expect(dns_is_response(&m));
	cr_assert_eq(m.record_count, 4);
	cr_expect_eq(m.address_count, 3);
	expect_address(0, "192.0.2.1", 300);
	expect_address(2, "192.0.2.3", 300);
	cr_expect_eq(m.record[0].ttl, 300);
	cr_expect_eq(m.record[0].section, DNS_ANSWER);
	cr_expect_eq(m.record[0].owner_at, 33);
	cr_expect_eq(m.record[3].section, DNS_ADDITIONAL);
	cr_expect_eq(m.record[3].type, DNS_TYPE_OPT);
	decoded_expect_name(&m, m.record[1].owner_at, "www.example.com");
}

/* What was gathered of the answer section is what its records say. */
static void expect_gathered(const char *from)
{
	unsigned addresses = 0, leading = 0;

	for (unsigned i = 0; i < m.record_count && m.record[i].section == DNS_ANSWER; i++) {
		const struct dns_record *r = &m.record[i];
		const uint8_t *rdata = m.wire + r->rdata_at;
		leading += dns_leads_on(r);
		if (r->rdata_len == 0 || (r->type != DNS_TYPE_A && r->type != DNS_TYPE_AAAA))
			continue;
		struct ip ip = r->type == DNS_TYPE_A ? ip_from_v4(rdata) : ip_from_v6(rdata);
		if (addresses < DNS_ADDRESSES_MAX) {
			cr_expect(ip_equal(&m.address[addresses].ip, &ip), "%s: %u", from, i);
			cr_expect_eq(m.address[addresses].ttl, r->ttl, "%s: %u", from, i);
		}
		addresses++;
	}
	cr_expect_eq(m.leading_count, leading, "%s", from);
	cr_expect_eq(m.addresses_omitted, addresses > DNS_ADDRESSES_MAX, "%s", from);
	cr_expect_eq(m.address_count,
		addresses < DNS_ADDRESSES_MAX ? addresses : DNS_ADDRESSES_MAX, "%s", from);
}

/* What was expanded on the way is what is there, the first of what leads on. */
static void expect_expanded(const char *from)
{
	unsigned n = 0;

	for (unsigned i = 0; i < m.record_count && n < m.expanded_count; i++) {
		struct dns_name name;
		if (m.record[i].target_at != m.expanded_at[n])
			continue;
		cr_expect(dns_leads_on(&m.record[i]), "%s", from);
		dns_message_name(&m, m.expanded_at[n], &name);
		cr_expect(dns_name_equal(&m.expanded[n], &name), "%s: %u", from, n);
		cr_expect_eq(m.expanded[n].label_count, name.label_count, "%s: %u", from, n);
		n++;
	}
	cr_expect_eq(n, m.expanded_count, "%s", from);
}

Test(message_answers, what_answers_say_is_gathered)
{
	unsigned gathered = 0, expanded = 0;

	for (size_t i = 0; i < dns_samples_count; i++) {
		dns_samples[i].make(&b);
		cr_assert_eq(decoded_built(&m, &b), DNS_OK, "%s", dns_samples[i].name);
		expect_gathered(dns_samples[i].name);
		expect_expanded(dns_samples[i].name);
		gathered += m.address_count;
		expanded += m.expanded_count;
	}
	cr_expect(gathered > 0 && expanded > 0);
}

Test(message_answers, addresses_of_both_families_in_their_order)
{
	decoded_sample(&m, &b, "response_cname");
	expect_address(0, "2001:db8::", 20);
	expect_address(1, "2001:db8::1", 20);

	build_start(&b, 1, DNS_FLAG_QR);
	build_question(&b, "both.example", DNS_TYPE_ANY, DNS_CLASS_IN);
	build_record(&b, BUILD_ANSWER, NULL, DNS_TYPE_A, DNS_CLASS_IN, 1);
	build_octets(&b, "\xff\xff\xff\xff", 4);
	build_record_end(&b);
	build_record(&b, BUILD_ANSWER, NULL, DNS_TYPE_AAAA, DNS_CLASS_IN, 2);
	build_octets(&b, "\x20\1\x0d\xb8\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe", 16);
	build_record_end(&b);
	build_record(&b, BUILD_ANSWER, "another.example", DNS_TYPE_A, DNS_CLASS_IN, 3);
	build_octets(&b, "\0\0\0\0", 4);
	build_record_end(&b);
	build_record(&b, BUILD_ADDITIONAL, NULL, DNS_TYPE_A, DNS_CLASS_IN, 4);
	build_octets(&b, "\1\2\3\4", 4);
	build_record_end(&b);
	cr_assert_eq(decoded_built(&m, &b), DNS_OK);
	cr_expect_eq(m.address_count, 3, "none of another section");
	expect_address(0, "255.255.255.255", 1);
	expect_address(1, "2001:db8:ffff:ffff:ffff:ffff:ffff:fffe", 2);
	expect_address(2, "0.0.0.0", 3);
}

Test(message_answers, more_addresses_than_are_kept)
{
	for (unsigned count = DNS_ADDRESSES_MAX - 1; count <= DNS_ADDRESSES_MAX + 2; count++) {
		build_start(&b, 1, DNS_FLAG_QR);
		build_question(&b, "many.example", DNS_TYPE_A, DNS_CLASS_IN);
		for (unsigned i = 0; i < count; i++) {
			/* every third is not read the short way */
			build_record(&b, BUILD_ANSWER, i % 3 ? NULL : "many.example",
				DNS_TYPE_A, DNS_CLASS_IN, i);
			build_u32(&b, i);
			build_record_end(&b);
		}
		cr_assert_eq(decoded_built(&m, &b), DNS_OK);
		expect_gathered("many");
	}
}

/* A chain: each leads to a name that ends within the one before. */
Test(message_answers, chains_are_expanded_as_far_as_there_is_room)
{
	static const char *const ends[] = { "a", "edge7", "x.y.z",
		"a-label-that-together-with-another-one.is-longer-than-what-is-expanded" };

	for (unsigned count = 1; count <= 5; count++) {
		unsigned before = 12;
		build_start(&b, 1, DNS_FLAG_QR);
		build_question(&b, "www.example", DNS_TYPE_A, DNS_CLASS_IN);
		for (unsigned i = 0; i < count; i++) {
			build_record(&b, BUILD_ANSWER, NULL, DNS_TYPE_CNAME, DNS_CLASS_IN, 60);
			unsigned at = (unsigned)b.len;
			build_labels(&b, ends[(i + count) % ARRAY_LEN(ends)]);
			build_pointer(&b, before);
			build_record_end(&b);
			before = at;
		}
		cr_assert_eq(decoded_built(&m, &b), DNS_OK);
		cr_expect_eq(m.leading_count, count);
		cr_expect_leq(m.expanded_count, DNS_EXPANDED_MAX);
		expect_gathered("chain");
		expect_expanded("chain");
	}
}

/* Labels that take `len` octets with their lengths, none of more than `most`; "" for 0. */
static void labels_of(char *text, unsigned len, unsigned most)
{
	char *at = text;

	*at = '\0';
	while (len > 0) {
		/* nothing is left that could not be a label */
		unsigned label = len <= most + 1 ? len - 1 : len == most + 2 ? most - 1 : most;
		if (at > text)
			*at++ = '.';
		for (unsigned i = 0; i < label; i++)
			*at++ = "aBcDeFgHiJ"[i % 10];
		*at = '\0';
		len -= label + 1;
	}
}

/* Names of every length that are not read the same way: of one piece, of two, whole or cut. */
Test(message_answers, targets_of_every_length)
{
	char text[256];

	for (unsigned most = 3; most <= DNS_LABEL_MAX; most += 20) {
		for (unsigned len = 2; len <= 90; len++) {
			labels_of(text, len, most);
			for (int pointer = 0; pointer <= 1; pointer++) {
				build_start(&b, 1, DNS_FLAG_QR);
				build_question(&b, "www.example", DNS_TYPE_A, DNS_CLASS_IN);
				build_record(&b, BUILD_ANSWER, NULL, DNS_TYPE_CNAME,
					DNS_CLASS_IN, 60);
				build_labels(&b, text);
				if (pointer)
					build_pointer(&b, DNS_HEADER_LEN);
				else
					build_octets(&b, "", 1);
				build_record_end(&b);
				cr_assert_eq(decoded_built(&m, &b), DNS_OK, "%u octets", len);
				cr_expect_eq(m.leading_count, 1, "%u octets", len);
				if (len >= 16) /* shorter ones stand too near to the end */
					cr_expect_eq(
						m.expanded_count, len < 64, "%u octets", len);
				expect_expanded(text);
				size_t whole = b.len;
				for (b.len--; b.len > whole - 20; b.len--)
					cr_expect_neq(decoded_built(&m, &b), DNS_OK,
						"%u octets, %zu", len, b.len);
			}
		}
	}
}

/* Every octet of the question's name as an owner: where a label starts it is a name, else it may be none. */
Test(message_answers, pointers_into_the_question)
{
	static const char qname[] = "a.bc.def.example.com";

	for (unsigned at = 0; at < sizeof(qname) + 4; at++) {
		build_start(&b, 1, DNS_FLAG_QR);
		build_question(&b, qname, DNS_TYPE_A, DNS_CLASS_IN);
		build_pointer(&b, DNS_HEADER_LEN + at);
		build_u16(&b, DNS_TYPE_A);
		build_u16(&b, DNS_CLASS_IN);
		build_u32(&b, 60);
		build_u16(&b, 4);
		build_u32(&b, 0x7f000001);
		build_set_count(&b, BUILD_ANSWER, 1);

		struct cursor c = cursor_init(b.at + DNS_HEADER_LEN + sizeof(qname) + 1 + 4, 2);
		enum dns_error expected = dns_name_skip(&c, b.at);
		cr_assert_eq(decoded_built(&m, &b), expected, "octet %u", at);
		if (expected == DNS_OK)
			cr_expect_eq(m.address_count, 1, "octet %u", at);
	}
}

Test(message_answers, targets_of_rdata)
{
	static const struct {
		const char *sample;
		unsigned record;
		const char *owner, *target;
	} rows[] = {
		{ "response_cname", 0, "www.shop.example", "edge7.cdn.example" },
		{ "response_cname", 2, "edge7.cdn.example", NULL },
		{ "nxdomain_soa", 0, "example.com", "ns1.example.com" },
		{ "mail", 0, "example.org", "mx1.example.org" },
		{ "mail", 1, "example.org", "ns.example.net" },
		{ "service", 0, "_ldap._tcp.corp.example", "dc1.corp.example" },
		{ "https_params", 0, "app.example", "." },
		{ "svcb_alias", 0, "_dns.example", "dns.example.net" },
		{ "delegation_name", 0, "old.example", "new.example" },
		{ "delegation_name", 1, "4.3.2.1.in-addr.arpa", "a.old.example" },
		{ "text_strings", 0, "example.org", NULL },
		{ "signed_answer", 1, "example.net", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		decoded_sample(&m, &b, rows[i].sample);
		const struct dns_record *r = &m.record[rows[i].record];
		decoded_expect_name(&m, r->owner_at, rows[i].owner);
		cr_expect_eq(r->target_at != 0, rows[i].target != NULL, "%s", rows[i].sample);
		if (rows[i].target)
			decoded_expect_name(&m, r->target_at, rows[i].target);
	}
}

/* --- short ways ------------------------------------------------------------------------------ */

/* Most records are taken a short way; one that was not kept is walked the long one. */
static void compare_ways(void *context, const uint8_t *wire, size_t wire_len, const char *from)
{
	size_t *compared = context;
	static struct dns_message taken, walked;

	if (dns_message_decode(&taken, wire, wire_len))
		return;
	walked = taken;
	walked.record_count = 0;
	walked.records_omitted = (uint16_t)(taken.record_count + taken.records_omitted);
	struct dns_questions questions = dns_questions_start(&taken);
	while (dns_questions_next(&questions))
		continue;
	struct dns_records it = { .message = &walked, .rest = questions.rest };
	for (unsigned i = 0; i < taken.record_count; i++, ++*compared) {
		const struct dns_record *one = &taken.record[i];
		const struct dns_record *other = dns_records_next(&it);
		cr_assert(other, "%s: record %u", from, i);
		cr_assert_eq(one->ttl, other->ttl, "%s: record %u", from, i);
		cr_assert_eq(one->class, other->class, "%s: record %u", from, i);
		cr_assert_eq(one->type, other->type, "%s: record %u", from, i);
		cr_assert_eq(one->rdata_len, other->rdata_len, "%s: record %u", from, i);
		cr_assert_eq(one->rdata_at, other->rdata_at, "%s: record %u", from, i);
		cr_assert_eq(one->owner_at, other->owner_at, "%s: record %u", from, i);
		cr_assert_eq(one->target_at, other->target_at, "%s: record %u", from, i);
		cr_assert_eq(one->section, other->section, "%s: record %u", from, i);
	}
}

Test(message_answers, records_that_take_a_short_way_are_those_of_the_long_one)
{
	size_t compared = 0;

	for (size_t i = 0; i < dns_samples_count; i++) {
		dns_samples[i].make(&b);
		compare_ways(&compared, b.at, b.len, dns_samples[i].name);
	}
	corpus_each("tests/fuzz/corpus/fuzz_message", compare_ways, &compared);
	captures_each(compare_ways, &compared);
	cr_expect_gt(compared, 100);
}

/* What stands in an OPT, byte by byte: no option, one that fills it, and all that is neither. */
Test(message_answers, an_opt_says_the_same_with_and_without_a_short_way)
{
	static const struct {
		const char *name, *options;
		size_t len;
		enum dns_error error;
		bool subnet;
	} rows[] = {
		{ "no option", "", 0, DNS_OK, false },
		{ "a cookie",
			"\0\x0a\0\x08"
			"12345678",
			12, DNS_OK, false },
		{ "an empty option", "\0\x0a\0\0", 4, DNS_OK, false },
		{ "a subnet", "\0\x08\0\x07\0\1\x18\0\xc0\0\2", 11, DNS_OK, true },
		{ "a cookie and a subnet", "\0\x0a\0\0\0\x08\0\x07\0\1\x18\0\xc0\0\2", 15,
			DNS_OK, true },
		{ "three octets", "\0\x0a\0", 3, DNS_OPT_OPTIONS, false },
		{ "one octet too few",
			"\0\x0a\0\x08"
			"1234567",
			11, DNS_OPT_OPTIONS, false },
		{ "one octet too many",
			"\0\x0a\0\x08"
			"123456789",
			13, DNS_OPT_OPTIONS, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		build_start(&b, 1, 0x8180);
		build_question(&b, "a.example", 1, 1);
		build_opt(&b, 1232, 0x01008000, rows[i].options, rows[i].len);
		cr_expect_eq(decoded_built(&m, &b), rows[i].error, "%s", rows[i].name);
		if (rows[i].error)
			continue;
		cr_expect(m.edns.present && m.edns.do_bit, "%s", rows[i].name);
		cr_expect_eq(m.edns.udp_size, 1232, "%s", rows[i].name);
		cr_expect_eq(m.rcode, 16, "%s", rows[i].name);
		cr_expect_eq(m.edns.has_client_subnet, rows[i].subnet, "%s", rows[i].name);
		cr_expect_eq(m.record_count, 1, "%s", rows[i].name);
	}
}
