/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_dnslog_lines.c -- every line of the DNS log is as the JSON writer and the general presentation
 * of names and RDATA would write it. Apart from test_dnslog.c, which reads with jansson: both have
 * functions of the same names.
 */
#include "sensor/output/dnslog.h"

#include "sensor/base/clock.h"
#include "sensor/base/json.h"
#include "sensor/dns/present.h"
#include "tests/support/dns_build.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TS_NS (INT64_C(1763818536) * NS_PER_S)

static struct dns_build b;
static struct dns_message m;

static void json_name(struct json *j, const char *key, const struct dns_name *name)
{
	char text[DNS_NAME_TEXT_MAX];

	dns_name_format(name, text);
	json_string(j, key, text);
}

static void json_flags(struct json *j, uint16_t flags)
{
	static const struct {
		uint16_t bit;
		const char *name;
	} rows[] = { { 0x400, "AA" }, { 0x200, "TC" }, { 0x100, "RD" }, { 0x80, "RA" },
		{ 0x20, "AD" }, { 0x10, "CD" } };

	json_array(j, "flags");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (flags & rows[i].bit)
			json_string(j, NULL, rows[i].name);
	}
	json_array_end(j);
}

static void json_record(struct json *j, const struct dns_record *r)
{
	char mnemonic[DNS_MNEMONIC_MAX];
	struct text data = { 0 };
	struct dns_name owner;

	dns_message_name(&m, r->owner_at, &owner);
	present_rdata(&data, &m, r);
	json_object(j, NULL);
	json_name(j, "name", &owner);
	json_string(j, "type", dns_type_name(r->type, mnemonic));
	json_string(j, "class", dns_class_name(r->class, mnemonic));
	json_unsigned(j, "ttl", r->ttl);
	json_string(j, "data", data.at ? data.at : "");
	json_object_end(j);
	text_deinit(&data);
}

static void json_question(struct json *j)
{
	char mnemonic[DNS_MNEMONIC_MAX];

	if (!m.has_question) {
		json_null(j, "qname");
		json_null(j, "qtype");
		json_null(j, "qclass");
		return;
	}
	json_name(j, "qname", &m.qname);
	json_string(j, "qtype", dns_type_name(m.qtype, mnemonic));
	json_string(j, "qclass", dns_class_name(m.qclass, mnemonic));
}

static void json_entry(struct json *j, const struct dnslog_entry *e)
{
	static const char *const section[] = { "answers", "authority", "additional" };
	char text[CLOCK_TEXT_MAX + IP_TEXT_MAX];

	json_object(j, NULL);
	json_string(j, "ts", clock_format(e->ts_ns, text));
	json_string(j, "src", ip_format(&e->src, text));
	json_unsigned(j, "sport", e->sport);
	json_string(j, "dst", ip_format(&e->dst, text));
	json_unsigned(j, "dport", e->dport);
	json_string(j, "proto", e->tcp ? "tcp" : "udp");
	json_array(j, "vlan");
	for (size_t i = 0; i < e->vlan_count; i++)
		json_unsigned(j, NULL, e->vlan[i]);
	json_array_end(j);
	json_string(j, "tenant", e->tenant);
	json_unsigned(j, "id", m.id);
	json_bool(j, "response", dns_is_response(&m));
	json_string(j, "opcode", dns_opcode_name(m.opcode, text));
	if (dns_is_response(&m))
		json_string(j, "rcode", dns_rcode_name(m.rcode, text));
	else
		json_null(j, "rcode");
	json_flags(j, m.flags);
	json_question(j);
	struct dns_records it = dns_records_start(&m);
	const struct dns_record *r = dns_records_next(&it);
	for (uint8_t s = DNS_ANSWER; s <= DNS_ADDITIONAL; s++) {
		json_array(j, section[s]);
		for (; r && r->section == s; r = dns_records_next(&it))
			json_record(j, r);
		json_array_end(j);
	}
	json_object_end(j);
	text_putc(j->out, '\n');
}

/* Any change of a message that leaves it well-formed, in a packet of any kind. */
static bool any_entry(struct dnslog_entry *e, size_t sample)
{
	static const char *const tenants[] = { "t1", "default", "", "two \"words\"", "b\\",
		"\x7f", "\xc3\xa9",
		"an-id-of-more-than-sixty-four-characters-is-written-by-another-function-"
		"altogether" };
	static uint16_t vlan[300];

	dns_samples[sample].make(&b);
	for (int changes = rand() % 4; changes > 0; changes--)
		b.at[(unsigned)rand() % b.len] = (uint8_t)rand();
	*e = (struct dnslog_entry){
		.ts_ns = TS_NS + rand() % 3 * NS_PER_S + rand(),
		.sport = (uint16_t)rand(),
		.dport = rand() % 2 ? 53 : (uint16_t)rand(),
		.tcp = rand() % 2,
		.vlan = vlan,
		.vlan_count = rand() % 2 ? 0 : (size_t)rand() % ARRAY_LEN(vlan),
		.tenant = tenants[(unsigned)rand() % ARRAY_LEN(tenants)],
		.message = &m,
	};
	for (size_t i = 0; i < e->vlan_count; i++)
		vlan[i] = (uint16_t)rand() % 4096;
	for (size_t i = 0; i < 16; i++) {
		e->src.bytes[i] = (uint8_t)rand();
		e->dst.bytes[i] = i < 10 ? 0 : i < 12 ? 0xff : (uint8_t)rand();
	}
	return dns_message_decode(&m, b.at, b.len) == DNS_OK;
}

Test(dnslog_lines, every_line_is_as_the_json_writer_would_write_it)
{
	char path[] = "/tmp/test_dnslog.XXXXXX";
	int fd = mkstemp(path);
	cr_assert_neq(fd, -1);
	close(fd);
	struct dnslog *log = dnslog_open(path, 0);
	cr_assert(log);
	struct text expected = { 0 };
	size_t lines = 0;

	srand(5);
	for (int i = 0; i < 20000; i++) {
		struct dnslog_entry e;
		if (!any_entry(&e, (unsigned)i % dns_samples_count))
			continue;
		struct json j = json_start(&expected);
		json_entry(&j, &e);
		dnslog_write(log, &e);
		lines++;
	}
	cr_assert_eq(dnslog_close(log), 0);
	char *text = calloc(1, expected.len + 2);
	FILE *file = fopen(path, "rb");
	cr_assert(file && text);
	cr_assert_eq(fread(text, 1, expected.len + 1, file), expected.len);
	fclose(file);
	unlink(path);
	size_t same = 0;
	while (text[same] && text[same] == expected.at[same])
		same++;
	size_t from = same < 200 ? 0 : same - 200;
	cr_expect(text[same] == expected.at[same], "got:      %.300s\nexpected: %.300s",
		text + from, expected.at + from);
	cr_expect_gt(lines, 10000);
	text_deinit(&expected);
	free(text);
}
