/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/changelog.h"

#include "rules/observation.h"
#include "sensor/dns/update.h"
#include "tests/unit/output/sample.h"

#include <criterion/criterion.h>
#include <jansson.h>

#include <string.h>

/* Every key, in order. */
static const char *const keys[] = { "ts", "sensor", "tenant", "result", "reason", "zone",
	"name", "type", "verb", "old", "new", "cut", "ttl", "owner", "previous_owner", "source",
	"source_port", "server", "transport", "signature", "key", "algorithm", "rcode",
	"tsig_error", "latency_us", "dns_id", "number", "records", "id" };

/* A line about which nothing is known but its tenant. */
static void start_bare(struct alert *a)
{
	sample_tick(a, SAMPLE_NOON_NS);
	a->kind = ALERT_CHANGE;
	a->tenant_id = alert_put(a, "acme");
	a->change.result = ALERT_UNANSWERED;
	a->change.latency_ns = -1;
}

static void start_full(struct alert *a)
{
	sample_full(a);
	a->kind = ALERT_CHANGE;
	a->rcode = DNS_RCODE_NOTAUTH;
	a->change = (struct alert_change){
		.result = ALERT_FAILED,
		.verb = ALERT_ADD,
		.signature = UPDATE_TSIG,
		.has_signature = true,
		.has_record = true,
		.has_ttl = true,
		.ttl = 300,
		.dns_id = 4711,
		.tsig_error = DNS_TSIG_BADSIG,
		.number = 2,
		.record_count = 3,
		.latency_ns = 1234567,
		.old_value = alert_put(a, "10.1.4.8"),
		.new_value = alert_put(a, "10.1.4.9"),
		.owner = alert_put(a, "key ddns-key"),
		.previous_owner = alert_put(a, "source 10.1.0.7"),
		.algorithm = alert_put(a, "hmac-sha256"),
		.reason = alert_put(a, "wrong_secret"),
	};
}

static json_t *written(const struct alert *a, char id[CHANGELOG_ID_LEN + 1])
{
	struct text out = { 0 };

	changelog_write(&out, a, "edge-1", id);
	cr_assert_not(out.failed);
	json_t *line = json_loads(out.at, 0, NULL);
	cr_assert_not_null(line, "%s", out.at);
	cr_expect_null(strchr(out.at, '\n'));
	text_deinit(&out);
	return line;
}

Test(changelog, every_key_is_there_in_order_whatever_is_known)
{
	struct alert a;
	char id[CHANGELOG_ID_LEN + 1];

	for (int full = 0; full <= 1; full++) {
		if (full)
			start_full(&a);
		else
			start_bare(&a);
		json_t *line = written(&a, id);
		size_t i = 0;
		const char *key;
		json_t *value;
		json_object_foreach(line, key, value)
		{
			cr_assert_lt(i, ARRAY_LEN(keys));
			cr_expect_str_eq(key, keys[i++]);
		}
		cr_expect_eq(i, ARRAY_LEN(keys));
		json_decref(line);
	}
}

Test(changelog, what_is_known_is_written)
{
	struct alert a;
	char id[CHANGELOG_ID_LEN + 1];

	start_full(&a);
	json_t *line = written(&a, id);
	json_t *expected = json_pack(
		"{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:i,s:s,s:s,s:s,s:i,s:s,s:s,"
		"s:s,s:s,s:s,s:s,s:s,s:i,s:i,s:i,s:i,s:s}",
		"ts", "2026-11-22T12:00:00.123456789Z", "sensor", "edge-1", "tenant", "acme",
		"result", "failed", "reason", "wrong_secret", "zone", "corp.example", "name",
		"www.shop.example", "type", "A", "verb", "add", "old", "10.1.4.8", "new",
		"10.1.4.9", "cut", 0, "ttl", 300, "owner", "key ddns-key", "previous_owner",
		"source 10.1.0.7", "source", "10.1.0.9", "source_port", 40000, "server",
		"2001:db8::53", "transport", "tcp", "signature", "tsig", "key", "ddns-key",
		"algorithm", "hmac-sha256", "rcode", "NOTAUTH", "tsig_error", "BADSIG",
		"latency_us", 1234, "dns_id", 4711, "number", 2, "records", 3, "id", id);
	cr_assert_not_null(expected);
	char *got = json_dumps(line, JSON_SORT_KEYS),
	     *want = json_dumps(expected, JSON_SORT_KEYS);
	cr_expect_str_eq(got, want);
	free(got);
	free(want);
	json_decref(expected);
	json_decref(line);
}

Test(changelog, what_is_not_known_is_null)
{
	static const char *const nulls[] = { "reason", "zone", "name", "type", "verb", "old",
		"new", "ttl", "owner", "previous_owner", "source", "source_port", "server",
		"signature", "key", "algorithm", "rcode", "tsig_error", "latency_us" };
	struct alert a;
	char id[CHANGELOG_ID_LEN + 1];

	start_bare(&a);
	json_t *line = written(&a, id);
	for (size_t i = 0; i < ARRAY_LEN(nulls); i++)
		cr_expect(json_is_null(json_object_get(line, nulls[i])), "%s", nulls[i]);
	json_decref(line);
}

Test(changelog, equal_lines_have_equal_ids_and_others_have_not)
{
	struct alert a;
	char id[3][CHANGELOG_ID_LEN + 1];

	start_full(&a);
	json_decref(written(&a, id[0]));
	json_decref(written(&a, id[1]));
	a.change.number++;
	json_decref(written(&a, id[2]));
	cr_expect_str_eq(id[0], id[1]);
	cr_expect_str_neq(id[0], id[2]);
	cr_expect_eq(strlen(id[0]), CHANGELOG_ID_LEN);
}

Test(changelog, hostile_texts_stay_texts)
{
	struct alert a;
	char id[CHANGELOG_ID_LEN + 1];

	start_bare(&a);
	a.change.new_value = alert_put(&a, "\"}\n{\"ts\":\"\xff\x01");
	json_t *line = written(&a, id);
	cr_expect_str_eq(
		json_string_value(json_object_get(line, "new")), "\"}\n{\"ts\":\"\xc3\xbf\x01");
	json_decref(line);
}
