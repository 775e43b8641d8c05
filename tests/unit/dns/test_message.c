/* SPDX-License-Identifier: BSD-2-Clause */
/* What is read of a message: its header, questions, records and EDNS; and what is refused. */
#include "sensor/dns/message.h"

#include "tests/support/dns_build.h"
#include "tests/unit/dns/decoded.h"

#include <criterion/criterion.h>

#include <string.h>

static struct dns_build b;
static struct dns_message m;

Test(message, query_header_and_question)
{
	char text[DNS_NAME_TEXT_MAX];

	decoded_sample(&m, &b, "query");
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

Test(message, sections_of_an_update_are_prerequisites_and_updates)
{
	decoded_sample(&m, &b, "update_tsig");
	cr_expect_eq(m.opcode, DNS_OPCODE_UPDATE);
	cr_expect_eq(m.qtype, DNS_TYPE_SOA);
	cr_expect_eq(m.record_count, 7);
	cr_expect_eq(m.record[0].section, DNS_ANSWER);
	cr_expect_eq(m.record[0].class, DNS_CLASS_NONE);
	cr_expect_eq(m.record[1].section, DNS_AUTHORITY);
	cr_expect(m.has_tsig);
	decoded_sample(&m, &b, "update_sig0");
	cr_expect(m.has_tsig);
	decoded_sample(&m, &b, "update_unsigned");
	cr_expect_not(m.has_tsig);
	/* The struct is reused: nothing of the message before may show through. */
	decoded_sample(&m, &b, "query");
	cr_expect_not(m.has_tsig);
	cr_expect_eq(m.record_count, 0);
}

Test(message, an_rrsig_is_no_signature_of_the_message)
{
	build_start(&b, 1, 0x8180);
	build_record(&b, BUILD_ADDITIONAL, "example", 24, 1, 0);
	build_octets(&b, "\0\1\5\1", 4); /* covers A */
	build_record_end(&b);
	cr_assert_eq(decoded_built(&m, &b), DNS_OK);
	cr_expect_not(m.has_tsig);
}

Test(message, records_beyond_the_maximum_are_walked_and_counted)
{
	decoded_sample(&m, &b, "many_records");
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
			decoded_expect_name(&m, r->target_at, "ns.example");
		}
	}
	cr_expect_eq(count, 151);
	/* A broken record that would not be kept is still found. */
	b.len--;
	cr_expect_eq(decoded_built(&m, &b), DNS_RECORD_TRUNCATED);
}

Test(message, no_question_is_the_root)
{
	decoded_sample(&m, &b, "no_question");
	cr_expect_not(m.has_question);
	cr_expect_eq(m.qname.wire_len, 1);
	cr_expect_eq(m.qtype, 0);
	decoded_expect_name(&m, m.record[0].owner_at, "stray.example");
}

Test(message, first_of_two_questions)
{
	decoded_sample(&m, &b, "two_questions");
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
	decoded_sample(&m, &b, "trailing_octets");
	cr_expect_eq(m.trailing_len, 7);
	decoded_sample(&m, &b, "session");
	cr_expect_eq(m.opcode, DNS_OPCODE_DSO);
	cr_expect_eq(m.trailing_len, 12);
}

Test(message, edns_fields_and_extended_rcode)
{
	decoded_sample(&m, &b, "query_edns");
	cr_expect(m.edns.present);
	cr_expect(m.edns.do_bit);
	cr_expect_eq(m.edns.udp_size, 1232);
	cr_expect_eq(m.edns.version, 0);
	cr_expect_not(m.edns.has_client_subnet);
	decoded_sample(&m, &b, "extended_rcode");
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
	decoded_sample(&m, &b, "query_subnet_v4");
	expect_subnet("198.51.100.0", 24);
	decoded_sample(&m, &b, "query_subnet_v6");
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
		cr_assert_eq(decoded_built(&m, &b), DNS_OK, "%s", rows[i].name);
		cr_expect_eq(m.edns.has_client_subnet, rows[i].taken, "%s", rows[i].name);
	}
	build_start(&b, 1, 0x0100);
	build_opt(&b, 512, 0, rows[1].option, rows[1].len);
	cr_assert_eq(decoded_built(&m, &b), DNS_OK);
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
		enum dns_error error = decoded_built(&m, &b);
		cr_expect_eq(
			error, rows[i].error, "%s: %s", rows[i].name, dns_error_name(error));
	}
}

Test(message, a_name_may_not_leave_its_rdata)
{
	one_record(5, 1, BUILD_ANSWER, "\3abc", 4);
	build_u8(&b, 0); /* would end the name, but lies behind RDATA */
	cr_expect_eq(decoded_built(&m, &b), DNS_RDATA_NAME);
}

Test(message, empty_rdata_is_for_updates_and_classes_any_and_none)
{
	static const unsigned types[] = { 1, 28, 5, 15, 6, 33, 16, 64 };

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		one_record(types[i], DNS_CLASS_ANY, BUILD_AUTHORITY, "", 0);
		cr_expect_eq(decoded_built(&m, &b), DNS_OK, "type %u class ANY", types[i]);
		cr_expect_eq(m.record[0].target_at, 0);
		one_record(types[i], DNS_CLASS_NONE, BUILD_ANSWER, "", 0);
		cr_expect_eq(decoded_built(&m, &b), DNS_OK, "type %u class NONE", types[i]);
		one_record(types[i], 1, BUILD_AUTHORITY, "", 0);
		cr_expect_neq(decoded_built(&m, &b), DNS_OK, "type %u class IN", types[i]);
		b.at[2] = 0x28;
		cr_expect_eq(decoded_built(&m, &b), DNS_OK, "type %u in an UPDATE", types[i]);
		one_record(types[i], DNS_CLASS_ANY, BUILD_AUTHORITY, "\1", 1);
		b.at[2] = 0x28;
		cr_expect_neq(decoded_built(&m, &b), DNS_OK, "type %u of one octet", types[i]);
	}
}

Test(message, opt_has_its_place_and_its_form)
{
	build_start(&b, 1, 0x0100);
	build_opt(&b, 512, 0, NULL, 0);
	build_opt(&b, 512, 0, NULL, 0);
	cr_expect_eq(decoded_built(&m, &b), DNS_OPT_MISPLACED, "two");
	one_record(41, 512, BUILD_ANSWER, "", 0);
	cr_expect_eq(decoded_built(&m, &b), DNS_OPT_MISPLACED, "in the answer");
	one_record(41, 512, BUILD_AUTHORITY, "", 0);
	cr_expect_eq(decoded_built(&m, &b), DNS_OPT_MISPLACED, "in the authority section");
	one_record(41, 512, BUILD_ADDITIONAL, "\0\x0a\0\5abcd", 8);
	cr_expect_eq(decoded_built(&m, &b), DNS_OPT_OPTIONS, "an option overruns");
	one_record(41, 512, BUILD_ADDITIONAL, "\0\x0a\0", 3);
	cr_expect_eq(decoded_built(&m, &b), DNS_OPT_OPTIONS, "an option's header is cut");
	one_record(41, 512, BUILD_ADDITIONAL, "\0\x0a\0\4abcd\0\x0c\0\0", 12);
	cr_expect_eq(decoded_built(&m, &b), DNS_OK, "two options");
}

Test(message, what_is_known_of_a_broken_message)
{
	build_start(&b, 0x7777, 0x8183);
	build_set_count(&b, BUILD_QUESTION, 1);
	cr_expect_eq(decoded_built(&m, &b), DNS_QUESTION_TRUNCATED);
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
		enum dns_error error = decoded_built(&m, &b);
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
		cr_expect_eq(decoded_built(&m, &b), extra ? DNS_NAME_TOO_LONG : DNS_OK,
			"%d more", extra);
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
	cr_expect_eq(decoded_built(&m, &b), DNS_NAME_TOO_LONG);
	/* Now they end, each name at its own place, after up to 254 octets. */
	for (size_t at = labels_at; at + 254 < labels_at + 12000; at += 254)
		b.at[at + 252] = 0;
	enum dns_error error = decoded_built(&m, &b);
	cr_expect_eq(error, DNS_WORK_LIMIT, "%s", dns_error_name(error));
}
