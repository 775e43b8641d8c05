/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/dns/message.h"

#include "tests/support/dns_build.h"
#include "tests/support/guard.h"
#include "tests/unit/dns/captures.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

static struct dns_build b;
static struct dns_message m;

static enum dns_error decode_built(void)
{
	return dns_message_decode(&m, b.at, b.len);
}

static void decode_sample(const char *name)
{
	dns_sample_make(&b, name);
	cr_assert_eq(decode_built(), DNS_OK, "%s", name);
}

static void expect_name(uint16_t at, const char *expected)
{
	char text[DNS_NAME_TEXT_MAX];
	struct dns_name name;

	dns_message_name(&m, at, &name);
	dns_name_format(&name, text);
	cr_expect_str_eq(text, expected);
}

static void expect_address(unsigned number, const char *expected, uint32_t ttl)
{
	char text[IP_TEXT_MAX];

	cr_assert_lt(number, m.address_count, "%s", expected);
	cr_expect_str_eq(ip_format(&m.address[number].ip, text), expected);
	cr_expect_eq(m.address[number].ttl, ttl);
}

Test(message, query_header_and_question)
{
	char text[DNS_NAME_TEXT_MAX];

	decode_sample("query");
	cr_expect_eq(m.wire, b.at);
	cr_expect_eq(m.wire_len, b.len);
	cr_expect_eq(m.id, 0x1a2b);
	cr_expect_not(dns_is_response(&m));
	cr_expect_eq(m.opcode, DNS_OPCODE_QUERY);
	cr_expect(m.flags & DNS_FLAG_RD);
	cr_expect(m.has_question);
	cr_expect_eq(m.count[0], 1);
	cr_expect_eq(m.qtype, DNS_TYPE_A);
	cr_expect_eq(m.qclass, DNS_CLASS_IN);
	dns_name_format(&m.qname, text);
	cr_expect_str_eq(text, "www.example.com");
	cr_expect_eq(m.record_count, 0);
	cr_expect_not(m.edns.present);
}

Test(message, answers_and_their_addresses)
{
	decode_sample("response_three");
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
	expect_name(m.record[1].owner_at, "www.example.com");
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

Test(message, what_answers_say_is_gathered)
{
	unsigned gathered = 0, expanded = 0;

	for (size_t i = 0; i < dns_samples_count; i++) {
		dns_samples[i].make(&b);
		cr_assert_eq(decode_built(), DNS_OK, "%s", dns_samples[i].name);
		expect_gathered(dns_samples[i].name);
		expect_expanded(dns_samples[i].name);
		gathered += m.address_count;
		expanded += m.expanded_count;
	}
	cr_expect(gathered > 0 && expanded > 0);
}

Test(message, addresses_of_both_families_in_their_order)
{
	decode_sample("response_cname");
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
	cr_assert_eq(decode_built(), DNS_OK);
	cr_expect_eq(m.address_count, 3, "none of another section");
	expect_address(0, "255.255.255.255", 1);
	expect_address(1, "2001:db8:ffff:ffff:ffff:ffff:ffff:fffe", 2);
	expect_address(2, "0.0.0.0", 3);
}

Test(message, more_addresses_than_are_kept)
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
		cr_assert_eq(decode_built(), DNS_OK);
		expect_gathered("many");
	}
}

/* A chain: each leads to a name that ends within the one before. */
Test(message, chains_are_expanded_as_far_as_there_is_room)
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
		cr_assert_eq(decode_built(), DNS_OK);
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
Test(message, targets_of_every_length)
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
				cr_assert_eq(decode_built(), DNS_OK, "%u octets", len);
				cr_expect_eq(m.leading_count, 1, "%u octets", len);
				if (len >= 16) /* shorter ones stand too near to the end */
					cr_expect_eq(
						m.expanded_count, len < 64, "%u octets", len);
				expect_expanded(text);
				size_t whole = b.len;
				for (b.len--; b.len > whole - 20; b.len--)
					cr_expect_neq(decode_built(), DNS_OK, "%u octets, %zu",
						len, b.len);
			}
		}
	}
}

/* Every octet of the question's name as an owner: where a label starts it is a name, else it may be none. */
Test(message, pointers_into_the_question)
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
		cr_assert_eq(decode_built(), expected, "octet %u", at);
		if (expected == DNS_OK)
			cr_expect_eq(m.address_count, 1, "octet %u", at);
	}
}

Test(message, targets_of_rdata)
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
		decode_sample(rows[i].sample);
		const struct dns_record *r = &m.record[rows[i].record];
		expect_name(r->owner_at, rows[i].owner);
		cr_expect_eq(r->target_at != 0, rows[i].target != NULL, "%s", rows[i].sample);
		if (rows[i].target)
			expect_name(r->target_at, rows[i].target);
	}
}

Test(message, sections_of_an_update_are_prerequisites_and_updates)
{
	decode_sample("update_tsig");
	cr_expect_eq(m.opcode, DNS_OPCODE_UPDATE);
	cr_expect_eq(m.qtype, DNS_TYPE_SOA);
	cr_expect_eq(m.record_count, 7);
	cr_expect_eq(m.record[0].section, DNS_ANSWER);
	cr_expect_eq(m.record[0].class, DNS_CLASS_NONE);
	cr_expect_eq(m.record[1].section, DNS_AUTHORITY);
	cr_expect(m.has_tsig);
	decode_sample("update_sig0");
	cr_expect(m.has_tsig);
	decode_sample("update_unsigned");
	cr_expect_not(m.has_tsig);
	/* The struct is reused: nothing of the message before may show through. */
	decode_sample("query");
	cr_expect_not(m.has_tsig);
	cr_expect_eq(m.record_count, 0);
}

Test(message, an_rrsig_is_no_signature_of_the_message)
{
	build_start(&b, 1, 0x8180);
	build_record(&b, BUILD_ADDITIONAL, "example", 24, 1, 0);
	build_octets(&b, "\0\1\5\1", 4); /* covers A */
	build_record_end(&b);
	cr_assert_eq(decode_built(), DNS_OK);
	cr_expect_not(m.has_tsig);
}

Test(message, records_beyond_the_maximum_are_walked_and_counted)
{
	decode_sample("many_records");
	cr_expect_eq(m.record_count, DNS_RECORDS_MAX);
	cr_expect_eq(m.records_omitted, 151 - DNS_RECORDS_MAX);

	struct dns_records it = dns_records_start(&m);
	const struct dns_record *r;
	unsigned count = 0;
	for (; (r = dns_records_next(&it)); count++) {
		if (count < 150) {
			cr_assert_eq(r->ttl, count);
			cr_assert_eq(r->section, DNS_ANSWER);
			cr_assert_eq(m.wire[r->rdata_at + 3], count);
		} else {
			cr_assert_eq(r->section, DNS_AUTHORITY);
			expect_name(r->target_at, "ns.example");
		}
	}
	cr_expect_eq(count, 151);
	/* A broken record that would not be kept is still found. */
	b.len--;
	cr_expect_eq(decode_built(), DNS_RECORD_TRUNCATED);
}

Test(message, no_question_is_the_root)
{
	decode_sample("no_question");
	cr_expect_not(m.has_question);
	cr_expect_eq(m.qname.wire_len, 1);
	cr_expect_eq(m.qtype, 0);
	expect_name(m.record[0].owner_at, "stray.example");
}

Test(message, first_of_two_questions)
{
	decode_sample("two_questions");
	cr_expect_eq(m.count[0], 2);
	cr_expect_eq(m.qtype, DNS_TYPE_A);
	cr_expect_eq(m.qname.wire[1], 'o');
}

Test(message, every_question_is_walked)
{
	static const char *const names[] = { "a.example", "b.example", "c.b.example" };
	char text[DNS_NAME_TEXT_MAX];

	for (unsigned count = 0; count <= ARRAY_LEN(names); count++) {
		build_start(&b, 1, 0);
		for (unsigned i = 0; i < count; i++)
			build_question(&b, names[i], 10 + i, 1);
		cr_assert_eq(dns_message_decode(&m, b.at, b.len), DNS_OK);
		struct dns_questions it = dns_questions_start(&m);
		for (unsigned i = 0; i < count; i++) {
			cr_assert(dns_questions_next(&it), "%u of %u", i, count);
			dns_name_format(&it.qname, text);
			cr_assert_str_eq(text, names[i]);
			cr_assert_eq(it.qtype, 10 + i, "%s", names[i]);
		}
		cr_assert_not(dns_questions_next(&it), "%u are all", count);
	}
}

Test(message, trailing_octets_are_counted)
{
	decode_sample("trailing_octets");
	cr_expect_eq(m.trailing_len, 7);
	decode_sample("session");
	cr_expect_eq(m.opcode, DNS_OPCODE_DSO);
	cr_expect_eq(m.trailing_len, 12);
}

Test(message, edns_fields_and_extended_rcode)
{
	decode_sample("query_edns");
	cr_expect(m.edns.present);
	cr_expect(m.edns.do_bit);
	cr_expect_eq(m.edns.udp_size, 1232);
	cr_expect_eq(m.edns.version, 0);
	cr_expect_not(m.edns.has_client_subnet);
	decode_sample("extended_rcode");
	cr_expect_eq(m.rcode, DNS_RCODE_BADVERS);
}

static void expect_subnet(const char *expected, unsigned bits)
{
	char text[IP_TEXT_MAX];

	cr_assert(m.edns.has_client_subnet, "%s", expected);
	cr_expect_str_eq(ip_format(&m.edns.client_subnet, text), expected);
	cr_expect_eq(m.edns.client_subnet_bits, bits, "%s", expected);
}

Test(message, client_subnet_of_both_families)
{
	decode_sample("query_subnet_v4");
	expect_subnet("198.51.100.0", 24);
	decode_sample("query_subnet_v6");
	expect_subnet("2001:db8:1:200::", 56);
}

Test(message, client_subnet_that_breaks_the_rules_is_left_out)
{
	static const struct {
		const char *name, *option;
		size_t len;
		bool taken;
	} rows[] = {
		{ "no prefix", "\0\x08\0\4\0\1\0\0", 8, true },
		{ "bits beyond the prefix", "\0\x08\0\6\0\1\x0c\0\x0a\xff", 10, true },
		{ "family 3", "\0\x08\0\5\0\3\x08\0\x0a", 9, false },
		{ "IPv4 of 33 bits", "\0\x08\0\x09\0\1\x21\0\1\2\3\4\5", 13, false },
		{ "too few octets", "\0\x08\0\5\0\1\x18\0\x0a", 9, false },
		{ "too many octets", "\0\x08\0\6\0\1\x08\0\x0a\0", 10, false },
		{ "no header", "\0\x08\0\2\0\1", 6, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		build_start(&b, 1, 0x0100);
		build_question(&b, "x.example", 1, 1);
		build_opt(&b, 512, 0, rows[i].option, rows[i].len);
		cr_assert_eq(decode_built(), DNS_OK, "%s", rows[i].name);
		cr_expect_eq(m.edns.has_client_subnet, rows[i].taken, "%s", rows[i].name);
	}
	build_start(&b, 1, 0x0100);
	build_opt(&b, 512, 0, rows[1].option, rows[1].len);
	cr_assert_eq(decode_built(), DNS_OK);
	expect_subnet("10.240.0.0", 12);
}

/* Build a response of one record with this RDATA. */
static void one_record(
	unsigned type, unsigned class_, enum build_count section, const void *rdata, size_t len)
{
	build_start(&b, 1, 0x8180);
	build_question(&b, "a.example", type, 1);
	build_record(&b, section, NULL, type, class_, 1);
	build_octets(&b, rdata, len);
	build_record_end(&b);
}

Test(message, rdata_of_known_types_must_fit)
{
	static const struct {
		const char *name;
		unsigned type;
		const char *rdata;
		size_t len;
		enum dns_error error;
	} rows[] = {
		{ "A of 3", 1, "\1\2\3", 3, DNS_RDATA_LENGTH },
		{ "A of 5", 1, "\1\2\3\4\5", 5, DNS_RDATA_LENGTH },
		{ "A of 0", 1, "", 0, DNS_RDATA_LENGTH },
		{ "AAAA of 4", 28, "\1\2\3\4", 4, DNS_RDATA_LENGTH },
		{ "AAAA of 17", 28, "0123456789abcdefg", 17, DNS_RDATA_LENGTH },
		{ "CNAME with a rest", 5, "\1a\0x", 4, DNS_RDATA_NAME },
		{ "CNAME cut", 5, "\3ab", 3, DNS_RDATA_NAME },
		{ "CNAME of nothing", 5, "", 0, DNS_RDATA_NAME },
		{ "NS that points forward", 2, "\xc0\xff", 2, DNS_RDATA_NAME },
		{ "MX without a name", 15, "\0\1", 2, DNS_RDATA_NAME },
		{ "MX of one octet", 15, "\0", 1, DNS_RDATA_LENGTH },
		{ "SRV of five octets", 33, "\0\0\0\0\0", 5, DNS_RDATA_LENGTH },
		{ "SRV to the root", 33, "\0\0\0\0\0\0\0", 7, DNS_OK },
		{ "SOA cut", 6, "\0\0\0\0\0\1", 6, DNS_RDATA_LENGTH },
		{ "SOA with a rest", 6,
			"\0\0"
			"0123456789"
			"0123456789"
			"x",
			23, DNS_RDATA_LENGTH },
		{ "SOA", 6,
			"\0\0"
			"0123456789"
			"0123456789",
			22, DNS_OK },
		{ "TXT of nothing", 16, "", 0, DNS_RDATA_LENGTH },
		{ "TXT of an empty string", 16, "\0", 1, DNS_OK },
		{ "TXT string overruns", 16, "\2a\5abcd", 7, DNS_RDATA_LENGTH },
		{ "SPF string overruns", 99, "\5abcd", 5, DNS_RDATA_LENGTH },
		{ "SVCB of one octet", 64, "\0", 1, DNS_RDATA_LENGTH },
		{ "SVCB alias", 64, "\0\0\1a\0", 5, DNS_OK },
		{ "SVCB value overruns", 64, "\0\1\0\0\3\0\2\1", 8, DNS_RDATA_LENGTH },
		{ "SVCB key cut", 64, "\0\1\0\0", 4, DNS_RDATA_LENGTH },
		{ "HTTPS with a broken name", 65, "\0\1\3ab", 5, DNS_RDATA_NAME },
		{ "unknown type, nothing", 65280, "", 0, DNS_OK },
		{ "RRSIG is opaque", 46, "\1", 1, DNS_OK },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		one_record(rows[i].type, 1, BUILD_ANSWER, rows[i].rdata, rows[i].len);
		enum dns_error error = decode_built();
		cr_expect_eq(
			error, rows[i].error, "%s: %s", rows[i].name, dns_error_name(error));
	}
}

Test(message, a_name_may_not_leave_its_rdata)
{
	one_record(5, 1, BUILD_ANSWER, "\3abc", 4);
	build_u8(&b, 0); /* would end the name, but lies behind RDATA */
	cr_expect_eq(decode_built(), DNS_RDATA_NAME);
}

Test(message, empty_rdata_is_for_updates_and_classes_any_and_none)
{
	static const unsigned types[] = { 1, 28, 5, 15, 6, 33, 16, 64 };

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		one_record(types[i], DNS_CLASS_ANY, BUILD_AUTHORITY, "", 0);
		cr_expect_eq(decode_built(), DNS_OK, "type %u class ANY", types[i]);
		cr_expect_eq(m.record[0].target_at, 0);
		one_record(types[i], DNS_CLASS_NONE, BUILD_ANSWER, "", 0);
		cr_expect_eq(decode_built(), DNS_OK, "type %u class NONE", types[i]);
		one_record(types[i], 1, BUILD_AUTHORITY, "", 0);
		cr_expect_neq(decode_built(), DNS_OK, "type %u class IN", types[i]);
		b.at[2] = 0x28;
		cr_expect_eq(decode_built(), DNS_OK, "type %u in an UPDATE", types[i]);
		one_record(types[i], DNS_CLASS_ANY, BUILD_AUTHORITY, "\1", 1);
		b.at[2] = 0x28;
		cr_expect_neq(decode_built(), DNS_OK, "type %u of one octet", types[i]);
	}
}

Test(message, opt_has_its_place_and_its_form)
{
	build_start(&b, 1, 0x0100);
	build_opt(&b, 512, 0, NULL, 0);
	build_opt(&b, 512, 0, NULL, 0);
	cr_expect_eq(decode_built(), DNS_OPT_MISPLACED, "two");
	one_record(41, 512, BUILD_ANSWER, "", 0);
	cr_expect_eq(decode_built(), DNS_OPT_MISPLACED, "in the answer");
	one_record(41, 512, BUILD_AUTHORITY, "", 0);
	cr_expect_eq(decode_built(), DNS_OPT_MISPLACED, "in the authority section");
	one_record(41, 512, BUILD_ADDITIONAL, "\0\x0a\0\5abcd", 8);
	cr_expect_eq(decode_built(), DNS_OPT_OPTIONS, "an option overruns");
	one_record(41, 512, BUILD_ADDITIONAL, "\0\x0a\0", 3);
	cr_expect_eq(decode_built(), DNS_OPT_OPTIONS, "an option's header is cut");
	one_record(41, 512, BUILD_ADDITIONAL, "\0\x0a\0\4abcd\0\x0c\0\0", 12);
	cr_expect_eq(decode_built(), DNS_OK, "two options");
}

Test(message, what_is_known_of_a_broken_message)
{
	build_start(&b, 0x7777, 0x8183);
	build_set_count(&b, BUILD_QUESTION, 1);
	cr_expect_eq(decode_built(), DNS_QUESTION_TRUNCATED);
	cr_expect_eq(m.id, 0x7777);
	cr_expect_eq(m.rcode, DNS_RCODE_NXDOMAIN);
	cr_expect_eq(m.flags, 0x8183);
	cr_expect_eq(dns_message_decode(&m, b.at, 11), DNS_HEADER_TRUNCATED);
	cr_expect_eq(m.id, 0);
	cr_expect_eq(m.flags, 0);
	cr_expect_eq(m.rcode, 0);
	cr_expect_eq(dns_message_decode(&m, b.at, 0), DNS_HEADER_TRUNCATED);
}

Test(message, counts_that_lie)
{
	for (int which = BUILD_QUESTION; which <= BUILD_ADDITIONAL; which++) {
		dns_sample_make(&b, "query");
		build_set_count(&b, (enum build_count)which, 65535);
		enum dns_error error = decode_built();
		cr_expect_eq(error,
			which == BUILD_QUESTION ? DNS_NAME_TRUNCATED : DNS_RECORD_TRUNCATED,
			"%d: %s", which, dns_error_name(error));
	}
}

Test(message, a_pointer_to_a_known_place_still_counts_its_length)
{
	build_start(&b, 1, 0x8180);
	build_question(&b, "a.example", 1, 1);
	/* 240 octets, then a pointer to eleven: 251 fit; with one label more, 256 do not. */
	static char labels[256];
	for (int i = 0; i < 240; i += 60) {
		memset(labels + i, 'x', 59);
		labels[i + 59] = '.';
	}
	for (int extra = 0; extra <= 4; extra += 4) {
		size_t before = b.len;
		build_labels(&b, extra ? "xxxx" : "");
		build_labels(&b, labels);
		build_pointer(&b, 12);
		build_octets(&b, "\0\x0a\0\1\0\0\0\1\0\0", 10);
		build_set_count(&b, BUILD_ANSWER, 1);
		cr_expect_eq(
			decode_built(), extra ? DNS_NAME_TOO_LONG : DNS_OK, "%d more", extra);
		b.len = before;
	}
}

/* Thousands of names of up to 255 octets, none led to before: more than any message needs. */
Test(message, work_is_bounded)
{
	build_start(&b, 1, 0x8180);
	/* Opaque RDATA full of labels of one octet; where a name starts in it is up to the pointer. */
	build_record(&b, BUILD_ANSWER, "", 10, 1, 1);
	size_t labels_at = b.len;
	for (unsigned i = 0; i < 6000; i++)
		build_octets(&b, "\1a", 2);
	build_record_end(&b);
	unsigned count = 1;
	/* Each owner is a pointer to another place, so that none is known. */
	for (; b.len < 60000; count++) {
		size_t at = labels_at + (count * 2) % 8000;
		build_pointer(&b, (unsigned)at);
		build_octets(&b, "\0\x0a\0\1\0\0\0\1\0\0", 10);
	}
	build_set_count(&b, BUILD_ANSWER, count);
	/* The label rows never end within 255 octets. */
	cr_expect_eq(decode_built(), DNS_NAME_TOO_LONG);
	/* Now they end, each name at its own place, after up to 254 octets. */
	for (size_t at = labels_at; at + 254 < labels_at + 12000; at += 254)
		b.at[at + 252] = 0;
	enum dns_error error = decode_built();
	cr_expect_eq(error, DNS_WORK_LIMIT, "%s", dns_error_name(error));
}

struct prefixes {
	struct guard guard;
	size_t decoded;
};

/* Every cut of a message, with nothing readable behind it; of a large one, every 61st. */
static void cut_everywhere(
	void *context, const uint8_t *wire, size_t wire_len, const char *from)
{
	struct prefixes *p = context;
	size_t step = wire_len > 2048 ? 61 : 1;

	for (size_t len = 0; len < wire_len; len += step) {
		enum dns_error error =
			dns_message_decode(&m, guard_place(&p->guard, wire, len), len);
		cr_assert_lt(error, DNS_ERROR_COUNT, "%s at %zu", from, len);
		p->decoded++;
	}
	enum dns_error whole =
		dns_message_decode(&m, guard_place(&p->guard, wire, wire_len), wire_len);
	if (whole)
		return;
	size_t needed = wire_len - m.trailing_len;
	for (size_t cut = 1; cut <= needed && cut <= 16; cut++)
		cr_assert_neq(dns_message_decode(&m, wire, needed - cut), DNS_OK,
			"%s: %zu octets missing", from, cut);
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

Test(message, records_that_take_a_short_way_are_those_of_the_long_one)
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
Test(message, an_opt_says_the_same_with_and_without_a_short_way)
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
		cr_expect_eq(decode_built(), rows[i].error, "%s", rows[i].name);
		if (rows[i].error)
			continue;
		cr_expect(m.edns.present && m.edns.do_bit, "%s", rows[i].name);
		cr_expect_eq(m.edns.udp_size, 1232, "%s", rows[i].name);
		cr_expect_eq(m.rcode, 16, "%s", rows[i].name);
		cr_expect_eq(m.edns.has_client_subnet, rows[i].subnet, "%s", rows[i].name);
		cr_expect_eq(m.record_count, 1, "%s", rows[i].name);
	}
}

/* --- messages that the capture cut ----------------------------------------------------------- */

/* What a beginning says is what the whole says, as far as it goes. */
static void expect_beginning(const struct dns_message *whole, const struct dns_message *part,
	const char *from, size_t len)
{
	cr_assert_eq(part->id, whole->id, "%s at %zu", from, len);
	cr_assert_eq(part->flags, whole->flags, "%s at %zu", from, len);
	cr_assert_eq(part->qtype, whole->qtype, "%s at %zu", from, len);
	cr_assert_eq(part->qname.wire_len, whole->qname.wire_len, "%s at %zu", from, len);
	cr_assert_arr_eq(part->qname.wire, whole->qname.wire, whole->qname.wire_len);
	cr_assert_arr_eq(part->count, whole->count, sizeof(whole->count));
	cr_assert_leq(part->record_count, whole->record_count);
	cr_assert_eq(part->trailing_len, 0);
	for (unsigned i = 0; i < part->record_count; i++) {
		cr_assert_eq(part->record[i].owner_at, whole->record[i].owner_at);
		cr_assert_eq(part->record[i].rdata_at, whole->record[i].rdata_at);
		cr_assert_eq(part->record[i].type, whole->record[i].type);
		cr_assert_leq(part->record[i].rdata_at + part->record[i].rdata_len, len);
	}
	struct dns_records it = dns_records_start(part);
	unsigned walked = 0;
	while (dns_records_next(&it))
		walked++;
	cr_assert_eq(walked, part->record_count + part->records_omitted);
}

static void capture_cut_everywhere(
	void *arg, const uint8_t *wire, size_t wire_len, const char *from)
{
	struct prefixes *p = arg;
	static struct dns_message whole;

	if (dns_message_decode(&whole, wire, wire_len))
		return;
	size_t needed = wire_len - whole.trailing_len;
	bool beyond = false; /* the question */
	for (size_t len = 0; len <= wire_len; len++) {
		enum dns_error error =
			dns_message_decode_cut(&m, guard_place(&p->guard, wire, len), len);
		if (len >= needed) {
			cr_assert_eq(error, DNS_OK, "%s at %zu: %s", from, len,
				dns_error_name(error));
		} else if (beyond || error == DNS_SNAPLEN) {
			cr_assert_eq(error, DNS_SNAPLEN, "%s at %zu of %zu: %s", from, len,
				wire_len, dns_error_name(error));
			beyond = true;
			expect_beginning(&whole, &m, from, len);
		} else {
			cr_assert(error == DNS_HEADER_TRUNCATED ||
					  error == DNS_QUESTION_TRUNCATED ||
					  error == DNS_NAME_TRUNCATED,
				"%s at %zu: %s", from, len, dns_error_name(error));
		}
		p->decoded++;
	}
}

Test(message, of_a_message_that_the_capture_cut_its_beginning_is_known)
{
	struct prefixes p = { 0 };

	for (size_t i = 0; i < dns_samples_count; i++) {
		dns_samples[i].make(&b);
		capture_cut_everywhere(&p, b.at, b.len, dns_samples[i].name);
	}
	captures_each(capture_cut_everywhere, &p);
	guard_deinit(&p.guard);
	cr_expect_gt(p.decoded, 1000);
}

Test(message, what_is_wrong_before_the_cut_is_still_wrong)
{
	build_start(&b, 1, DNS_FLAG_QR);
	build_question(&b, "www.example.com", DNS_TYPE_A, DNS_CLASS_IN);
	build_record(&b, BUILD_ANSWER, NULL, DNS_TYPE_A, DNS_CLASS_IN, 300);
	build_octets(&b, "abc", 3); /* an address of 3 octets */
	build_record_end(&b);
	build_set_count(&b, BUILD_ANSWER, 2);
	cr_assert_eq(dns_message_decode_cut(&m, b.at, b.len), DNS_RDATA_LENGTH);
	cr_assert_eq(dns_message_decode(&m, b.at, b.len), DNS_RDATA_LENGTH);
	cr_assert_eq(dns_message_decode_cut(&m, b.at, b.len - 1), DNS_SNAPLEN);
	cr_assert_eq(dns_message_decode(&m, b.at, b.len - 1), DNS_RECORD_TRUNCATED);
}

Test(message, every_cut_of_every_sample)
{
	struct prefixes p = { 0 };

	for (size_t i = 0; i < dns_samples_count; i++) {
		dns_samples[i].make(&b);
		cut_everywhere(&p, b.at, b.len, dns_samples[i].name);
	}
	corpus_each("tests/fuzz/corpus/fuzz_message", cut_everywhere, &p);
	guard_deinit(&p.guard);
	cr_expect_gt(p.decoded, 1000);
}

Test(message, every_cut_of_every_captured_message)
{
	struct prefixes p = { 0 };

	size_t count = captures_each(cut_everywhere, &p);
	guard_deinit(&p.guard);
	cr_log_info("%zu messages, %zu cuts", count, p.decoded);
	cr_expect_geq(p.decoded, count);
}
