/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/dns/present.h"

#include "tests/support/dns_build.h"
#include "tests/unit/dns/captures.h"

#include <criterion/criterion.h>
#include <ldns/ldns.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static struct dns_build b;
static struct dns_message m;

static void expect_rdata(const char *name, const struct dns_record *r, const char *expected)
{
	struct text text = { 0 };

	present_rdata(&text, &m, r);
	cr_expect_str_eq(text.at ? text.at : "", expected, "%s: %s", name, text.at);
	text_deinit(&text);
}

Test(present, samples_of_every_type)
{
	static const struct {
		const char *sample;
		unsigned record;
		const char *text;
	} rows[] = {
		{ "response_three", 0, "192.0.2.1" },
		{ "response_cname", 0, "edge7.cdn.example" },
		{ "response_cname", 1, "2001:db8::" },
		{ "response_cname", 2, "2001:db8::1" },
		{ "nxdomain_soa", 0,
			"ns1.example.com hostmaster.example.com 1800 3600 5400 7200 9000" },
		{ "mail", 0, "10 mx1.example.org" },
		{ "mail", 1, "ns.example.net" },
		{ "text_strings", 0, "\"v=spf1 \\\"a\\\" -all\" \"a\\\\\\001\\255\" \"\"" },
		{ "service", 0, "0 100 389 dc1.corp.example" },
		{ "https_params", 0,
			"1 . alpn=\"h2,h3\" port=443 ipv4hint=192.0.2.1,192.0.2.2 ech=AQID/w== "
			"ipv6hint=2001:db8::1 key4660=\"a\\\"b\"" },
		{ "svcb_alias", 0, "0 dns.example.net" },
		{ "signed_answer", 0, "12345 13 2 deadbeef" },
		{ "signed_answer", 1,
			"DS 13 2 300 20231114221320 20231030191200 12345 net "
			"c2lnbmF0dXJlIG9jdGV0cw==" },
		{ "signed_answer", 2, "b.example.net A MX RRSIG NSEC" },
		{ "unknown_type", 0, "\\# 4 0a000001" },
		{ "unknown_type", 1, "1 2 \"u\" \"sip\" \"\" sip.example.net" },
		{ "unknown_type", 2, "0 issue \"ca.example\"" },
		{ "extended_rcode", 0, "" },
		{ "query_edns", 0, "\\# 12 000a00080102030405060708" },
		{ "update_unsigned", 1, "" },
		{ "update_tsig", 6,
			"hmac-sha256 1700000000 300 32 "
			"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8= "
			"3542 0 0" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		dns_sample_make(&b, rows[i].sample);
		cr_assert_eq(dns_message_decode(&m, b.at, b.len), DNS_OK, "%s", rows[i].sample);
		cr_assert_lt(rows[i].record, m.record_count, "%s", rows[i].sample);
		expect_rdata(rows[i].sample, &m.record[rows[i].record], rows[i].text);
	}
}

/* Decode a response of one record and present it. */
static void expect_one(
	const char *name, unsigned type, const void *rdata, size_t len, const char *expected)
{
	build_start(&b, 1, 0x8180);
	build_question(&b, "q.example", type, 1);
	build_record(&b, BUILD_ANSWER, NULL, type, 1, 1);
	build_octets(&b, rdata, len);
	build_record_end(&b);
	cr_assert_eq(dns_message_decode(&m, b.at, b.len), DNS_OK, "%s", name);
	expect_rdata(name, &m.record[0], expected);
}

Test(present, service_parameters)
{
	static const struct {
		const char *name, *params;
		size_t len;
		const char *text;
	} rows[] = {
		{ "none", "", 0, "1 ." },
		{ "mandatory", "\0\0\0\4\0\1\x02\x9a", 8, "1 . mandatory=alpn,key666" },
		{ "no value", "\0\2\0\0", 4, "1 . no-default-alpn" },
		{ "unwanted value", "\0\2\0\1x", 5, "1 . key2=\"x\"" },
		{ "alpn with comma and backslash", "\0\1\0\4\3a,\\", 8,
			"1 . alpn=\"a\\\\,\\\\\\\\\"" },
		{ "alpn overrun", "\0\1\0\2\3a", 6, "1 . key1=\"\\003a\"" },
		{ "port of one octet", "\0\3\0\1\1", 5, "1 . key3=\"\\001\"" },
		{ "half an address", "\0\4\0\5\1\2\3\4\5", 9,
			"1 . key4=\"\\001\\002\\003\\004\\005\"" },
		{ "ech of one", "\0\5\0\1\xff", 5, "1 . ech=/w==" },
		{ "ech of two", "\0\5\0\2\xff\xfe", 6, "1 . ech=//4=" },
		{ "dohpath", "\0\7\0\x10/dns-query{?dns}", 20,
			"1 . dohpath=\"/dns-query{?dns}\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t rdata[64] = { 0, 1, 0 };
		memcpy(rdata + 3, rows[i].params, rows[i].len);
		expect_one(rows[i].name, 64, rdata, 3 + rows[i].len, rows[i].text);
	}
}

Test(present, ipv6_is_written_as_inet_ntop_does)
{
	static const char *const rows[] = { "::", "::1", "::192.0.2.1", "::ffff:192.0.2.1",
		"2001:db8::", "2001:db8:0:1:1:1:1:1", "2001:0:0:1::1",
		"1::", "1:0:0:2::", "fe80::1", "1:2:3:4:5:6:7:8",
		"abcd:ef01:2345:6789:abcd:ef01:2345:6789", "64:ff9b::c000:201" };
	uint8_t octets[16];
	char expected[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_assert_eq(inet_pton(AF_INET6, rows[i], octets), 1, "%s", rows[i]);
		inet_ntop(AF_INET6, octets, expected, sizeof(expected));
		expect_one(rows[i], 28, octets, 16, expected);
	}
	srand(3);
	for (int i = 0; i < 5000; i++) {
		for (int k = 0; k < 16; k++)
			octets[k] = rand() % 3 ? 0 : (uint8_t)rand();
		inet_ntop(AF_INET6, octets, expected, sizeof(expected));
		expect_one("random", 28, octets, 16, expected);
	}
}

Test(present, opaque_rdata_that_libldns_cannot_read_is_written_in_hexadecimal)
{
	static const struct {
		const char *name;
		unsigned type;
		const char *rdata;
		size_t len;
		const char *text;
	} rows[] = {
		{ "cut", 43, "\7", 1, "\\# 1 07" },
		{ "fields missing", 46, "\0\1\5\1\0\0\0\1", 8, "\\# 8 0001050100000001" },
		{ "octets left over", 13, "\1a\1bx", 5, "\\# 5 0161016278" },
		{ "a name that points forward", 17, "\xff\xff\0", 3, "\\# 3 ffff00" },
		{ "compressed names", 17, "\xc0\x0c\xc0\x0e", 4, "q.example example" },
		{ "strings", 13, "\3a\"b\1\x07", 6, "\"a\\\"b\" \"\\007\"" },
		{ "NULL", 10, "ab", 2, "\\# 2 6162" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect_one(
			rows[i].name, rows[i].type, rows[i].rdata, rows[i].len, rows[i].text);
}

/* --- all captures against libldns ------------------------------------------------------------ */

/*
 * Text without case, quotes, double blanks, the final dot of names and the escapes that only a zone
 * file needs: in these the two differ.
 */
static void plain(char *out, const char *text, size_t size)
{
	size_t len = 0;

	for (; *text && len < size - 1; text++) {
		bool final_dot = *text == '.' && (text[1] == ' ' || text[1] == '\0') &&
				 len > 0 && out[len - 1] != ' ';
		bool again = *text == ' ' && text[1] == ' ';
		bool zone_escape = *text == '\\' && text[1] && strchr("();@$\"", text[1]);
		if (*text != '"' && !final_dot && !again && !zone_escape)
			out[len++] = *text >= 'A' && *text <= 'Z' ? *text + 32 : *text;
	}
	while (len > 0 && out[len - 1] == ' ')
		len--;
	out[len] = '\0';
}

static void compare_text(void *context, const uint8_t *wire, size_t wire_len, const char *from)
{
	static char ours[70000 * 4];
	static char theirs[70000 * 4];
	size_t *compared = context;
	struct text text = { 0 };

	if (dns_message_decode(&m, wire, wire_len))
		return;
	for (size_t i = 0; i < m.record_count; i++) {
		const struct dns_record *r = &m.record[i];
		size_t pos = r->owner_at;
		ldns_rr *rr;
		/* libldns has no options in OPT and, as Debian builds it, no SVCB. */
		if (r->type == DNS_TYPE_OPT || r->type == DNS_TYPE_SVCB ||
			r->type == DNS_TYPE_HTTPS)
			continue;
		if (ldns_wire2rr(&rr, wire, wire_len, &pos, LDNS_SECTION_ANSWER) !=
			LDNS_STATUS_OK)
			continue;
		char *full = ldns_rr2str(rr);
		size_t fields = ldns_rr_rd_count(rr);
		ldns_rr_free(rr);
		cr_assert_not_null(full);
		/* owner, TTL, class, type, RDATA, separated by tabs; a comment may follow. */
		char *rdata = full;
		for (int tab = 0; tab < 4 && rdata; tab++) {
			rdata = strchr(rdata, '\t');
			rdata = rdata ? rdata + 1 : NULL;
		}
		if (rdata && fields > 0) {
			char *comment = strstr(rdata, " ;{");
			rdata[comment ? (size_t)(comment - rdata) : strcspn(rdata, "\n")] =
				'\0';
			text_clear(&text);
			present_rdata(&text, &m, r);
			plain(ours, text.at, sizeof(ours));
			plain(theirs, rdata, sizeof(theirs));
			cr_assert_str_eq(ours, theirs, "%s: type %u: \"%s\", libldns: \"%s\"",
				from, r->type, ours, theirs);
			(*compared)++;
		}
		free(full);
	}
	text_deinit(&text);
}

Test(present, captured_records_read_as_libldns_prints_them)
{
	size_t compared = 0;

	for (size_t i = 0; i < dns_samples_count; i++) {
		dns_samples[i].make(&b);
		compare_text(&compared, b.at, b.len, dns_samples[i].name);
	}
	cr_expect_gt(compared, 100);
	captures_each(compare_text, &compared);
	cr_log_info("%zu records", compared);
}
