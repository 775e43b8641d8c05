/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/dns_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	QUERY = 0x0100,
	RESPONSE = 0x8180,
	NXDOMAIN = 0x8183,
	UPDATE = 0x2800,
	NOTIFY = 0x2400,
	IN = 1,
	NONE = 254,
	ANY = 255,
};

static void a_record(struct dns_build *b, const char *owner, uint32_t ttl, unsigned last)
{
	build_record(b, BUILD_ANSWER, owner, 1, IN, ttl);
	build_octets(b, "\xc0\x00\x02", 3);
	build_u8(b, last);
	build_record_end(b);
}

static void query(struct dns_build *b)
{
	build_start(b, 0x1a2b, QUERY);
	build_question(b, "www.Example.COM", 1, IN);
}

static void query_edns(struct dns_build *b)
{
	build_start(b, 0x1a2c, QUERY);
	build_question(b, "cdn.assets.example.net", 28, IN);
	/* A cookie and nothing else. */
	build_opt(b, 1232, 0x8000, "\0\x0a\0\x08\1\2\3\4\5\6\7\x08", 12);
}

static void query_subnet_v4(struct dns_build *b)
{
	build_start(b, 0x1a2d, QUERY);
	build_question(b, "geo.example.org", 1, IN);
	build_opt(b, 4096, 0, "\0\x08\0\7\0\1\x18\0\xc6\x33\x64", 11);
}

static void query_subnet_v6(struct dns_build *b)
{
	build_start(b, 0x1a2e, QUERY);
	build_question(b, "geo.example.org", 28, IN);
	build_opt(b, 4096, 0, "\0\x08\0\x0b\0\2\x38\0\x20\1\x0d\xb8\0\1\2", 15);
}

static void response_three(struct dns_build *b)
{
	build_start(b, 0x1a2b, RESPONSE);
	build_question(b, "www.example.com", 1, IN);
	a_record(b, NULL, 300, 1);
	a_record(b, NULL, 300, 2);
	a_record(b, NULL, 300, 3);
	build_opt(b, 1232, 0, NULL, 0);
}

static void response_cname(struct dns_build *b)
{
	build_start(b, 0x4d01, RESPONSE);
	build_question(b, "www.shop.example", 28, IN);
	build_record(b, BUILD_ANSWER, NULL, 5, IN, 60);
	size_t target = b->len;
	build_labels(b, "edge7.cdn");
	build_pointer(b, 21); /* example */
	build_record_end(b);
	for (unsigned i = 0; i < 2; i++) {
		build_pointer(b, (unsigned)target);
		build_u16(b, 28);
		build_u16(b, IN);
		build_u32(b, 20);
		build_u16(b, 16);
		build_octets(b, "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0", 15);
		build_u8(b, i);
	}
	build_set_count(b, BUILD_ANSWER, 3);
}

static void nxdomain_soa(struct dns_build *b)
{
	build_start(b, 0x4d02, NXDOMAIN);
	build_question(b, "kq3v9z7.example.com", 1, IN);
	build_record(b, BUILD_AUTHORITY, "example.com", 6, IN, 900);
	build_labels(b, "ns1");
	build_pointer(b, 20); /* example.com of the question */
	build_labels(b, "hostmaster");
	build_pointer(b, 20);
	for (uint32_t i = 1; i <= 5; i++)
		build_u32(b, i * 1800);
	build_record_end(b);
}

static void mail(struct dns_build *b)
{
	build_start(b, 0x4d03, RESPONSE);
	build_question(b, "example.org", 15, IN);
	build_record(b, BUILD_ANSWER, NULL, 15, IN, 3600);
	build_u16(b, 10);
	build_labels(b, "mx1");
	build_pointer(b, 12);
	build_record_end(b);
	build_record(b, BUILD_AUTHORITY, NULL, 2, IN, 3600);
	build_name(b, "ns.example.net");
	build_record_end(b);
}

static void text_strings(struct dns_build *b)
{
	build_start(b, 0x4d04, RESPONSE);
	build_question(b, "example.org", 16, IN);
	build_record(b, BUILD_ANSWER, NULL, 16, IN, 300);
	build_u8(b, 15);
	build_octets(b, "v=spf1 \"a\" -all", 15);
	build_u8(b, 4);
	build_octets(b, "a\\\x01\xff", 4);
	build_u8(b, 0);
	build_record_end(b);
}

static void service(struct dns_build *b)
{
	build_start(b, 0x4d05, RESPONSE);
	build_question(b, "_ldap._tcp.corp.example", 33, IN);
	build_record(b, BUILD_ANSWER, NULL, 33, IN, 600);
	build_u16(b, 0);
	build_u16(b, 100);
	build_u16(b, 389);
	build_labels(b, "dc1");
	build_pointer(b, 23); /* compressed, against RFC 2782, as seen in the wild */
	build_record_end(b);
}

static void https_params(struct dns_build *b)
{
	build_start(b, 0x4d06, RESPONSE);
	build_question(b, "app.example", 65, IN);
	build_record(b, BUILD_ANSWER, NULL, 65, IN, 300);
	build_u16(b, 1);
	build_name(b, "");
	build_octets(b, "\0\1\0\6\2h2\2h3", 10);
	build_octets(b, "\0\3\0\2\x01\xbb", 6);
	build_octets(b, "\0\4\0\x08\xc0\0\2\1\xc0\0\2\2", 12);
	build_octets(b, "\0\5\0\4\1\2\3\xff", 8);
	build_octets(b, "\0\6\0\x10\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 20);
	build_octets(b, "\x12\x34\0\3a\"b", 7);
	build_record_end(b);
}

static void svcb_alias(struct dns_build *b)
{
	build_start(b, 0x4d07, RESPONSE);
	build_question(b, "_dns.example", 64, IN);
	build_record(b, BUILD_ANSWER, NULL, 64, IN, 300);
	build_u16(b, 0);
	build_name(b, "dns.example.net");
	build_record_end(b);
}

static void delegation_name(struct dns_build *b)
{
	build_start(b, 0x4d08, RESPONSE);
	build_question(b, "a.old.example", 1, IN);
	build_record(b, BUILD_ANSWER, "old.example", 39, IN, 300);
	build_name(b, "new.example");
	build_record_end(b);
	build_record(b, BUILD_ADDITIONAL, "4.3.2.1.in-addr.arpa", 12, IN, 300);
	build_pointer(b, 12);
	build_record_end(b);
}

static void signed_answer(struct dns_build *b)
{
	build_start(b, 0x4d09, 0x81a0);
	build_question(b, "example.net", 43, IN);
	build_record(b, BUILD_ANSWER, NULL, 43, IN, 300);
	build_octets(b, "\x30\x39\x0d\2\xde\xad\xbe\xef", 8);
	build_record_end(b);
	build_record(b, BUILD_ANSWER, NULL, 46, IN, 300);
	build_octets(b, "\0\x2b\x0d\2\0\0\1\x2c\x65\x53\xf1\0\x65\x40\0\0\x30\x39", 18);
	build_name(b, "net");
	build_octets(b, "signature octets", 16);
	build_record_end(b);
	build_record(b, BUILD_AUTHORITY, NULL, 47, IN, 300);
	build_name(b, "b.example.net");
	build_octets(b, "\0\6\x40\1\0\0\0\3", 8);
	build_record_end(b);
}

static void unknown_type(struct dns_build *b)
{
	build_start(b, 0x4d0a, RESPONSE);
	build_question(b, "example.net", 65280, IN);
	build_record(b, BUILD_ANSWER, NULL, 65280, 3, 1);
	build_octets(b, "\x0a\0\0\1", 4);
	build_record_end(b);
	/* Naming authority pointer and certification authority: libldns knows them, we do not.
	 */
	build_record(b, BUILD_ANSWER, NULL, 35, IN, 1);
	build_octets(b, "\0\1\0\2\1u\3sip\0", 11);
	build_name(b, "sip.example.net");
	build_record_end(b);
	build_record(b, BUILD_ANSWER, NULL, 257, IN, 1);
	build_octets(b, "\0\5issueca.example", 17);
	build_record_end(b);
}

static void extended_rcode(struct dns_build *b)
{
	build_start(b, 0x4d0b, 0x8100);
	build_question(b, "example.net", 1, IN);
	build_opt(b, 512, 0x01000000, NULL, 0); /* BADVERS */
}

static void no_question(struct dns_build *b)
{
	build_start(b, 0x4d0c, 0x8180);
	a_record(b, "stray.example", 5, 9);
}

static void two_questions(struct dns_build *b)
{
	build_start(b, 0x4d0d, QUERY);
	build_question(b, "one.example", 1, IN);
	build_question(b, "two.example", 28, IN);
}

static void truncated_response(struct dns_build *b)
{
	build_start(b, 0x4d0e, 0x8380);
	build_question(b, "big.example", 16, IN);
}

static void trailing_octets(struct dns_build *b)
{
	query(b);
	build_octets(b, "padding", 7);
}

static void odd_name(struct dns_build *b)
{
	build_start(b, 0x4d0f, QUERY);
	build_u8(b, 8);
	build_octets(b, "a.b\\c\"\x01\xff", 8);
	build_name(b, "example");
	build_u16(b, 1);
	build_u16(b, IN);
	build_set_count(b, BUILD_QUESTION, 1);
}

static void many_records(struct dns_build *b)
{
	build_start(b, 0x4d10, RESPONSE);
	build_question(b, "many.example", 1, IN);
	for (unsigned i = 0; i < 150; i++)
		a_record(b, NULL, i, i);
	build_record(b, BUILD_AUTHORITY, "example", 2, IN, 7);
	build_name(b, "ns.example");
	build_record_end(b);
}

static void notify(struct dns_build *b)
{
	build_start(b, 0x4d11, NOTIFY);
	build_question(b, "example.org", 6, IN);
}

static void session(struct dns_build *b)
{
	/* DSO (RFC 8490): counts are zero, TLVs follow the header. */
	build_start(b, 0, 0x3000);
	build_octets(b, "\0\1\0\x08\0\0\x3a\x98\0\0\x3a\x98", 12);
}

static void update_body(struct dns_build *b)
{
	build_start(b, 0x0dd5, UPDATE);
	build_question(b, "corp.example", 6, IN);
	/* No CNAME there; then delete AAAA, delete the name, add A, delete one A, delete MX. */
	build_record(b, BUILD_ANSWER, "pc7.corp.example", 5, NONE, 0);
	build_record_end(b);
	build_record(b, BUILD_AUTHORITY, "pc7.corp.example", 28, ANY, 0);
	build_record_end(b);
	build_record(b, BUILD_AUTHORITY, "old.corp.example", ANY, ANY, 0);
	build_record_end(b);
	build_record(b, BUILD_AUTHORITY, "PC7.corp.example", 1, IN, 1200);
	build_octets(b, "\x0a\1\0\7", 4);
	build_record_end(b);
	build_record(b, BUILD_AUTHORITY, "pc7.corp.example", 1, NONE, 0);
	build_octets(b, "\x0a\1\0\6", 4);
	build_record_end(b);
	build_record(b, BUILD_AUTHORITY, "corp.example", 15, ANY, 0);
	build_record_end(b);
}

static void tsig(struct dns_build *b, const char *key, const char *algorithm, unsigned mac_len)
{
	build_record(b, BUILD_ADDITIONAL, key, 250, ANY, 0);
	build_name(b, algorithm);
	build_u16(b, 0);
	build_u32(b, 1700000000);
	build_u16(b, 300);
	build_u16(b, mac_len);
	for (unsigned i = 0; i < mac_len; i++)
		build_u8(b, i);
	build_u16(b, 0x0dd6);
	build_u16(b, 0);
	build_u16(b, 0);
	build_record_end(b);
}

static void update_tsig(struct dns_build *b)
{
	update_body(b);
	tsig(b, "Key.example", "hmac-sha256", 32);
}

static void update_gss(struct dns_build *b)
{
	update_body(b);
	tsig(b, "1068-ms-7.328-2f02", "gss-tsig", 28);
}

static void update_gss_microsoft(struct dns_build *b)
{
	update_body(b);
	tsig(b, "615736564.sig-dc1", "gss.microsoft.com", 28);
}

static void update_sig0(struct dns_build *b)
{
	update_body(b);
	build_record(b, BUILD_ADDITIONAL, "", 24, ANY, 0);
	build_octets(b, "\0\0\x0d\0\0\0\0\0\x65\x53\xf1\0\x65\x53\xf0\0\x30\x39", 18);
	build_name(b, "host.corp.example");
	build_octets(b, "0123456789abcdef", 16);
	build_record_end(b);
}

const struct dns_sample dns_samples[] = {
	{ "query", query },
	{ "query_edns", query_edns },
	{ "query_subnet_v4", query_subnet_v4 },
	{ "query_subnet_v6", query_subnet_v6 },
	{ "response_three", response_three },
	{ "response_cname", response_cname },
	{ "nxdomain_soa", nxdomain_soa },
	{ "mail", mail },
	{ "text_strings", text_strings },
	{ "service", service },
	{ "https_params", https_params },
	{ "svcb_alias", svcb_alias },
	{ "delegation_name", delegation_name },
	{ "signed_answer", signed_answer },
	{ "unknown_type", unknown_type },
	{ "extended_rcode", extended_rcode },
	{ "no_question", no_question },
	{ "two_questions", two_questions },
	{ "truncated_response", truncated_response },
	{ "trailing_octets", trailing_octets },
	{ "odd_name", odd_name },
	{ "many_records", many_records },
	{ "notify", notify },
	{ "session", session },
	{ "update_unsigned", update_body },
	{ "update_tsig", update_tsig },
	{ "update_gss", update_gss },
	{ "update_gss_microsoft", update_gss_microsoft },
	{ "update_sig0", update_sig0 },
};

const size_t dns_samples_count = sizeof(dns_samples) / sizeof(dns_samples[0]);

void dns_sample_make(struct dns_build *b, const char *name)
{
	for (size_t i = 0; i < dns_samples_count; i++) {
		if (strcmp(dns_samples[i].name, name) == 0) {
			dns_samples[i].make(b);
			return;
		}
	}
	fprintf(stderr, "no DNS sample is called %s\n", name);
	abort();
}
