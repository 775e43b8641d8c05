/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/summary.h"

#include "sensor/base/attribute.h"
#include "tests/unit/output/sample.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAIRS(list) ((struct summary_pairs){ list, ARRAY_LEN(list) })

static const struct summary_pair rejected[] = { { "fragment", 3, "IP fragment" },
	{ "tunnel", 0, "encapsulated" }, { "snaplen", 1234, "cut by the snapshot length" } };
static const struct summary_pair opcodes[] = { { "QUERY", 90, NULL }, { "NOTIFY", 0, NULL },
	{ "UPDATE", 10, NULL } };
static const struct summary_pair rcodes[] = { { "NOERROR", 40, NULL } };
static const struct summary_pair update_faults[] = { { "zone_count", 3, "no zone" } };
static const struct summary_pair malformed[] = { { "name_too_long", 2, "longer than 255" } };
static const struct summary_pair by_rule[] = { { "lookup.malicious", 5, "a malicious name" },
	{ "churn.ddns", 0, "moves" } };
static const struct summary_table tables[] = { { "pairs", 1, 64, 0 },
	{ "clients", 2, 128, 9 } };
static const struct summary_tenant tenants[] = { { "unmapped", 20, 0 }, { "acme", 80, 5 } };

static struct summary full(void)
{
	return (struct summary){
		.packets = { 1500, 100000, 102, 161, 4, 7, PAIRS(rejected) },
		.dns = { 100, 60, 40, 1, 6, PAIRS(opcodes), PAIRS(rcodes), PAIRS(malformed),
			PAIRS(update_faults) },
		.streams = { 3, 1460, 2, 1 },
		.pairs = { 38, 20, 2, 2 },
		.table = tables,
		.table_count = ARRAY_LEN(tables),
		.alerts = { 9, 5, 5, 1, PAIRS(by_rule) },
		.tenant = tenants,
		.tenant_count = ARRAY_LEN(tenants),
		.pending = 3,
		.has_packets = true,
		.first_ns = SAMPLE_NOON_NS,
		.last_ns = SAMPLE_NOON_NS + 5 * SAMPLE_S,
		.elapsed_s = 0.25,
		.cpu_s = 0.375,
		.packets_per_s = 6000,
		.load_s = 0.125,
		.peak_rss_bytes = 12345678,
		.alerts_path = "alerts.jsonl",
		.summary_path = "summary.json",
		.unmapped_id = "unmapped",
	};
}

static const char *json_of(const struct summary *s)
{
	static struct text out;

	text_clear(&out);
	summary_json(&out, s);
	cr_assert(!out.failed);
	return out.at;
}

Test(summary, a_tenants_updates_stand_with_it_and_others_have_no_name)
{
	struct tally_row row[] = {
		{ .tenant = 1,
			.kind = TALLY_ZONE,
			.name = "corp.example",
			.counts = { .updates = 8,
				.accepted = 4,
				.unanswered = 1,
				.signed_ = 6,
				.unsigned_ = 2,
				.has_success = true,
				.last_success_ns = SAMPLE_NOON_NS,
				.authoritative = { 3, SAMPLE_S / 2, SAMPLE_S,
					2 * SAMPLE_S } } },
		{ .tenant = 1, .kind = TALLY_ZONE, .others = true, .counts = { .updates = 1 } },
		{ .tenant = 1, .kind = TALLY_KEY, .name = "k", .counts = { .updates = 6 } },
	};
	struct summary s = full();

	row[0].counts.rcode[DNS_RCODE_NOERROR] = 4;
	row[0].counts.rcode[DNS_RCODE_NOTAUTH] = 2;
	row[0].counts.rcode[TALLY_RCODES - 1] = 1;
	row[0].counts.tsig_error[0] = 1;
	row[0].counts.tsig_error[TALLY_TSIG_ERRORS - 1] = 1;
	s.update = row;
	s.update_count = ARRAY_LEN(row);
	static const char want[] =
		"\"tenants\":{\"unmapped\":{\"messages\":20},\"acme\":{\"messages\":80,"
		"\"updates\":{\"zones\":[{\"zone\":\"corp.example\",\"updates\":8,"
		"\"accepted\":4,\"unanswered\":1,\"failures\":{\"NOTAUTH\":2,\"other\":1},"
		"\"tsig_errors\":{\"BADSIG\":1,\"other\":1},"
		"\"last_success\":\"2026-11-22T12:00:00.000000000Z\",\"since_success_s\":5,"
		"\"unsigned\":2,\"unsigned_share\":0.25,\"propagation\":{\"authoritative\":"
		"{\"count\":3,\"p50_s\":0.5,\"p95_s\":1,\"max_s\":2},\"resolved\":null}},"
		"{\"zone\":null,\"updates\":1,\"accepted\":0,\"unanswered\":0,\"failures\":{},"
		"\"tsig_errors\":{},\"last_success\":null,\"since_success_s\":null,"
		"\"unsigned\":0,\"unsigned_share\":null,\"propagation\":{\"authoritative\":"
		"null,"
		"\"resolved\":null}}],"
		"\"keys\":[{\"key\":\"k\",\"updates\":6,\"accepted\":0,\"unanswered\":0,"
		"\"failures\":{},\"tsig_errors\":{},\"last_success\":null,"
		"\"since_success_s\":null}]}}},";
	cr_expect(strstr(json_of(&s), want), "%s", json_of(&s));
}

Test(summary, of_nothing_has_every_key)
{
	struct summary s = { .has_packets = false };

	cr_expect_str_eq(json_of(&s),
		"{\"packets\":{\"read\":0,\"bytes\":0,\"dns\":0,\"other\":0,\"rejected\":{},"
		"\"checksum_wrong\":0,\"dropped\":0},"
		"\"dns\":{\"messages\":0,\"queries\":0,\"responses\":0,\"tcp\":0,\"not_logged\":0,"
		"\"opcodes\":{},\"rcodes\":{},\"malformed\":{},\"update_faults\":{}},"
		"\"streams\":{\"gaps\":0,\"lost_bytes\":0,\"resyncs\":0,\"junk\":0},"
		"\"pairs\":{\"matched\":0,\"unanswered\":0,\"unsolicited\":0,\"pending\":0},"
		"\"tables\":{},"
		"\"alerts\":{\"raised\":0,\"suppressed\":0,\"written\":0,\"lost\":0,"
		"\"by_rule\":{},\"by_tenant\":{}},"
		"\"tenants\":{},\"pending\":0,\"first_packet\":null,\"last_packet\":null,"
		"\"elapsed_s\":0,\"cpu_s\":0,\"packets_per_s\":0,\"peak_rss_bytes\":0,\"load_"
		"s\":0}");
}

Test(summary, lists_what_is_not_zero)
{
	struct summary s = full();

	cr_expect_str_eq(json_of(&s),
		"{\"packets\":{\"read\":1500,\"bytes\":100000,\"dns\":102,\"other\":161,"
		"\"rejected\":{\"fragment\":3,\"snaplen\":1234},\"checksum_wrong\":4,"
		"\"dropped\":7},"
		"\"dns\":{\"messages\":100,\"queries\":60,\"responses\":40,\"tcp\":1,"
		"\"not_logged\":6,\"opcodes\":{\"QUERY\":90,\"UPDATE\":10},\"rcodes\":{\"NOERROR\":40},"
		"\"malformed\":{\"name_too_long\":2},"
		"\"update_faults\":{\"zone_count\":3}},"
		"\"streams\":{\"gaps\":3,\"lost_bytes\":1460,\"resyncs\":2,\"junk\":1},"
		"\"pairs\":{\"matched\":38,\"unanswered\":20,\"unsolicited\":2,\"pending\":2},"
		"\"tables\":{\"pairs\":{\"used\":1,\"capacity\":64,\"evicted\":0},"
		"\"clients\":{\"used\":2,\"capacity\":128,\"evicted\":9}},"
		"\"alerts\":{\"raised\":9,\"suppressed\":5,\"written\":5,\"lost\":1,"
		"\"by_rule\":{\"lookup.malicious\":5},\"by_tenant\":{\"acme\":5}},"
		"\"tenants\":{\"unmapped\":{\"messages\":20},\"acme\":{\"messages\":80}},"
		"\"pending\":3,\"first_packet\":\"2026-11-22T12:00:00.000000000Z\","
		"\"last_packet\":\"2026-11-22T12:00:05.000000000Z\",\"elapsed_s\":0.25,"
		"\"cpu_s\":0.375,\"packets_per_s\":6000,\"peak_rss_bytes\":12345678,\"load_s\":"
		"0.125}");
	json_t *root = json_loads(json_of(&s), JSON_REJECT_DUPLICATES, NULL);
	cr_expect_not_null(root);
	json_decref(root);
}

static const char *content_of(const char *path)
{
	static char text[8192];
	FILE *f = fopen(path, "r");

	cr_assert_not_null(f, "%s", path);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	return text;
}

Test(summary, file_is_replaced_as_a_whole)
{
	char dir[] = "/tmp/test_summary.XXXXXX", path[64], aside[72];
	struct summary s = full();
	struct err_ctx why;

	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/summary.json", dir);
	snprintf(aside, sizeof(aside), "%s.new", path);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(summary_write(&s, path, &why), ERR_OK);
	const char *got = content_of(path);
	cr_expect_eq(strncmp(got, json_of(&s), strlen(json_of(&s))), 0);
	cr_expect_str_eq(got + strlen(json_of(&s)), "\n");
	cr_expect_eq(access(aside, F_OK), -1);
	unlink(path);
	rmdir(dir);
	cr_expect_eq(summary_write(&s, path, &why), ERR_FAILED);
	cr_expect(strstr(why.text, path), "%s", why.text);
}

Test(summary, pipes_are_written_to_as_they_are)
{
	char path[64] = "/tmp/test_summary_pipe.XXXXXX";
	struct summary s = full();
	struct err_ctx why = { "" };
	struct stat st;

	cr_assert_not_null(mkdtemp(path));
	strcat(path, "/p");
	cr_assert_eq(mkfifo(path, 0600), 0);
	FILE *reader = fopen(path, "r+");
	cr_assert_eq(summary_write(&s, path, &why), ERR_OK, "%s", why.text);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect(S_ISFIFO(st.st_mode));
	cr_expect_eq(fgetc(reader), '{');
	fclose(reader);
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
}

static const char *printed(const struct summary *s)
{
	static char text[8192];
	FILE *f = tmpfile();

	cr_assert_not_null(f);
	summary_print(f, s);
	rewind(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	return text;
}

Test(summary, tells_people_the_figures_and_where_to_look)
{
	struct summary s = full();

	cr_expect_str_eq(printed(&s),
		"Packets   1,500 read: 102 DNS, 161 other, 1,237 not decoded; 7 dropped before "
		"they could be read\n"
		"DNS       100 messages: 60 queries, 40 responses; 2 malformed; 6 NOT in the "
		"DNS log\n"
		"Time      2026-11-22T12:00:00Z to 2026-11-22T12:00:05Z\n"
		"Speed     6,000 packets/s, 0.25 s\n"
		"Not decoded\n"
		"             3  fragment                   IP fragment\n"
		"         1,234  snaplen                    cut by the snapshot length\n"
		"Malformed DNS\n"
		"             2  name_too_long              longer than 255\n"
		"Faulty UPDATEs\n"
		"             3  zone_count                 no zone\n"
		"Alerts    5 written, 5 repeats held back and counted, 1 LOST on the way out\n"
		"Alerts by rule\n"
		"             5  lookup.malicious           a malicious name\n"
		"Alerts by tenant\n"
		"             5  acme\n"
		"Where to look next\n"
		"  jq -r '[.\"@timestamp\", .dynwatch.severity, .message] | @tsv' "
		"alerts.jsonl\n"
		"  dynwatch rules: what each rule means; an alert's dynwatch.why says what "
		"made "
		"it,\n  its dynwatch.allow_hint how to silence it\n"
		"  20 messages are of no tenant: add the clients' networks to `tenants`\n"
		"  packets were dropped: a larger capture.buffer_mb or more sensor.inputs "
		"helps\n"
		"  all figures: summary.json\n");
}

Test(summary, says_so_when_there_was_no_dns)
{
	struct summary s = { .packets = { .read = 5, .other = 5 } };

	cr_expect(
		strstr(printed(&s), "no packet went to or from a DNS port"), "%s", printed(&s));
	s.packets.dns = s.dns.messages = s.dns.queries = 1;
	cr_expect(strstr(printed(&s), "1 message: 1 query, 0 responses\n"), "%s", printed(&s));
	cr_expect(strstr(printed(&s), "nothing was found"), "%s", printed(&s));
}
