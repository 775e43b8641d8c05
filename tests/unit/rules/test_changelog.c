/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/changelog.h"

#include "tests/unit/rules/observations.h"
#include "tests/unit/rules/update_sample.h"

#include <criterion/criterion.h>

#include <string.h>

struct bench {
	struct world *world;
	struct emit *emit;
	struct alerts lines;
	struct update_sample sample;
};

static void bench_init(struct bench *b, unsigned kinds)
{
	*b = (struct bench){ .world = world_new() };
	world_tenant(b->world, "acme", "10.1.0.0/16");
	world_freeze(b->world);
	b->emit = emit_new(alerts_keep, &b->lines);
	cr_assert_not_null(b->emit);
	emit_adopt(b->emit, &b->world->known);
	emit_listen(b->emit, kinds);
	update_sample_start(&b->sample);
}

static void bench_deinit(struct bench *b)
{
	emit_free(b->emit);
	alerts_clear(&b->lines);
	world_free(b->world);
}

static void tell(struct bench *b, const struct ledger_report *report)
{
	struct exchange x = {
		.tenant = &b->world->known.policies->tenant[1],
		.tenant_number = 1,
		.seq = 7,
		.ts_ns = b->sample.t.asked_ns + 5,
	};

	update_sample_finish(&b->sample);
	changelog_tell(b->emit, &x, &b->sample.t, report);
}

static const char *get(const struct alert *a, alert_text at)
{
	return alert_get(a, at);
}

Test(changelog, nothing_is_made_for_nobody)
{
	struct bench b;

	bench_init(&b, 1u << ALERT_RAISED);
	update_sample_add(&b.sample, "pc1.corp.example", "10.1.4.9");
	update_sample_answer(&b.sample, DNS_RCODE_NOERROR, 0);
	tell(&b, NULL);
	cr_expect_eq(b.lines.count, 0);
	bench_deinit(&b);
}

Test(changelog, each_change_that_the_ledger_has_is_a_line_and_a_refresh_is_none)
{
	const struct ledger_change change[] = {
		{ .effect = LEDGER_REPLACED,
			.type = DNS_TYPE_A,
			.name = "pc1.corp.example",
			.old_value = "10.1.4.8",
			.new_value = "10.1.4.9",
			.new_ttl = 300,
			.old_owner = { .kind = LEDGER_OWNER_DHCID, .dhcid = "AAIB" },
			.new_owner = { .kind = LEDGER_OWNER_KEY, .key = "ddns-key" } },
		{ .effect = LEDGER_REFRESHED, .name = "pc2.corp.example" },
		{ .effect = LEDGER_DELETED,
			.type = DNS_TYPE_TXT,
			.name = "pc3.corp.example",
			.new_owner = { .kind = LEDGER_OWNER_SOURCE,
				.source = ip_from_v4((const uint8_t[]){ 10, 1, 0, 9 }) } },
	};
	const struct ledger_report report = { .change = change, .change_count = 3 };
	struct bench b;

	bench_init(&b, 1u << ALERT_CHANGE);
	update_sample_add(&b.sample, "pc1.corp.example", "10.1.4.9");
	update_sample_sign(&b.sample);
	update_sample_answer(&b.sample, DNS_RCODE_NOERROR, 0);
	tell(&b, &report);
	cr_assert_eq(b.lines.count, 2);
	const struct alert *a = b.lines.alert[0];
	cr_expect_eq(a->kind, ALERT_CHANGE);
	cr_expect_eq(a->seq, 7);
	cr_expect_eq(a->ts_ns, b.sample.t.asked_ns + 5);
	cr_expect_str_eq(get(a, a->tenant_id), "acme");
	cr_expect_str_eq(get(a, a->zone), "corp.example");
	cr_expect_str_eq(get(a, a->qname), "pc1.corp.example");
	cr_expect_eq(a->qtype, DNS_TYPE_A);
	cr_expect_str_eq(get(a, a->key_name), "ddns-key");
	cr_expect_str_eq(get(a, a->change.algorithm), "hmac-sha256");
	cr_expect(a->has_rcode && a->rcode == DNS_RCODE_NOERROR);
	cr_expect_eq(a->change.result, ALERT_CHANGED);
	cr_expect_eq(a->change.verb, ALERT_REPLACE);
	cr_expect(a->change.has_ttl && a->change.ttl == 300);
	cr_expect_str_eq(get(a, a->change.old_value), "10.1.4.8");
	cr_expect_str_eq(get(a, a->change.new_value), "10.1.4.9");
	cr_expect_str_eq(get(a, a->change.owner), "key ddns-key");
	cr_expect_str_eq(get(a, a->change.previous_owner), "dhcid AAIB");
	cr_expect_eq(a->change.number, 1);
	a = b.lines.alert[1];
	cr_expect_eq(a->change.result, ALERT_ACCEPTED); /* did it delete anything? */
	cr_expect_eq(a->change.verb, ALERT_DELETE);
	cr_expect_not(a->change.has_ttl);
	cr_expect_eq(a->change.old_value, 0);
	cr_expect_eq(a->change.previous_owner, 0);
	cr_expect_str_eq(get(a, a->change.owner), "source 10.1.0.9");
	cr_expect_eq(a->change.number, 2);
	bench_deinit(&b);
}

Test(changelog, what_the_ledger_cannot_tell_is_a_line_as_it_was_asked_for)
{
	struct bench b;

	bench_init(&b, 1u << ALERT_CHANGE);
	update_sample_add(&b.sample, "pc1.corp.example", "10.1.4.9");
	update_sample_delete(&b.sample, UPDATE_DELETE_RECORD, "pc2.corp.example");
	update_sample_delete(&b.sample, UPDATE_DELETE_NAME, "pc3.corp.example");
	update_sample_answer(&b.sample, DNS_RCODE_NOERROR, 0);
	tell(&b, NULL);
	cr_assert_eq(b.lines.count, 3);
	const struct alert *const *a = (const struct alert *const *)b.lines.alert;
	for (unsigned i = 0; i < 3; i++) {
		cr_expect_eq(a[i]->change.result, ALERT_ACCEPTED, "%u", i);
		cr_expect_eq(a[i]->change.number, i + 1, "%u", i);
		cr_expect_eq(a[i]->change.record_count, 3, "%u", i);
	}
	cr_expect_str_eq(get(a[0], a[0]->change.new_value), "10.1.4.9");
	cr_expect_str_eq(get(a[1], a[1]->change.old_value), "192.0.2.9");
	cr_expect_eq(a[2]->qtype, DNS_TYPE_ANY);
	cr_expect_eq(a[2]->change.verb, ALERT_DELETE);
	bench_deinit(&b);
}

static void is_refused(struct update_sample *s)
{
	update_sample_answer(s, DNS_RCODE_REFUSED, 0);
}

static void is_unanswered(struct update_sample *s)
{
	s->t.answered = false;
}

static void is_accepted_unread(struct update_sample *s)
{
	update_sample_answer(s, DNS_RCODE_NOERROR, 0);
	s->t.request = NULL;
	s->t.request_lost = true;
}

static void only_tests_and_passes(struct update_sample *s)
{
	s->request.change_count = 0;
	update_sample_answer(s, DNS_RCODE_NOERROR, 0);
}

static void only_tests_and_fails(struct update_sample *s)
{
	s->request.change_count = 0;
	update_sample_answer(s, DNS_RCODE_YXDOMAIN, 0);
}

static void only_tests_with_a_wrong_key(struct update_sample *s)
{
	s->request.change_count = 0;
	update_sample_sign(s);
	update_sample_answer(s, DNS_RCODE_NOTAUTH, DNS_RCODE_BADKEY);
}

Test(changelog, one_line_for_each_that_changed_nothing_known)
{
	static const struct {
		const char *name;
		void (*make)(struct update_sample *s);
		int result; /* -1: no line */
		const char *reason;
	} rows[] = {
		{ "refused", is_refused, ALERT_FAILED, "missing_signature" },
		{ "unanswered", is_unanswered, ALERT_UNANSWERED, "unanswered" },
		{ "unread", is_accepted_unread, ALERT_ACCEPTED, "content_unknown" },
		{ "passes", only_tests_and_passes, -1, "" },
		{ "fails", only_tests_and_fails, -1, "" },
		{ "key", only_tests_with_a_wrong_key, ALERT_FAILED, "unknown_key" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bench b;
		bench_init(&b, 1u << ALERT_CHANGE);
		update_sample_add(&b.sample, "pc1.corp.example", "10.1.4.9");
		update_sample_add(&b.sample, "pc2.corp.example", "10.1.4.9");
		update_sample_finish(&b.sample);
		rows[i].make(&b.sample);
		tell(&b, NULL);
		cr_assert_eq(b.lines.count, rows[i].result >= 0, "%s", rows[i].name);
		if (rows[i].result >= 0) {
			const struct alert *a = b.lines.alert[0];
			cr_expect_eq(a->change.result, rows[i].result, "%s", rows[i].name);
			cr_expect_str_eq(
				get(a, a->change.reason), rows[i].reason, "%s", rows[i].name);
			cr_expect_eq(a->change.number, 0, "%s", rows[i].name);
		}
		bench_deinit(&b);
	}
}

Test(changelog, unanswered_is_dated_when_it_was_asked)
{
	struct bench b;

	bench_init(&b, 1u << ALERT_CHANGE);
	update_sample_add(&b.sample, "pc1.corp.example", "10.1.4.9");
	tell(&b, NULL);
	cr_assert_eq(b.lines.count, 1);
	cr_expect_eq(b.lines.alert[0]->ts_ns, b.sample.t.asked_ns);
	cr_expect_not(b.lines.alert[0]->has_rcode);
	bench_deinit(&b);
}

Test(changelog, long_values_are_cut_and_marked_and_all_texts_find_room)
{
	struct bench b;
	char value[8000], name[DNS_NAME_TEXT_MAX];

	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	const struct ledger_change change = {
		.effect = LEDGER_REPLACED,
		.name = name,
		.old_value = value,
		.new_value = value,
		.old_owner = { .kind = LEDGER_OWNER_KEY, .key = name },
		.new_owner = { .kind = LEDGER_OWNER_KEY, .key = name },
	};
	const struct ledger_report report = { .change = &change, .change_count = 1 };
	bench_init(&b, 1u << ALERT_CHANGE);
	update_sample_add(&b.sample, name, value);
	update_sample_sign(&b.sample);
	b.sample.request.zone = b.sample.request.key_name = b.sample.request.algorithm = name;
	update_sample_answer(&b.sample, DNS_RCODE_NOERROR, 0);
	tell(&b, &report);
	cr_assert_eq(b.lines.count, 1);
	const struct alert *a = b.lines.alert[0];
	cr_expect(a->change.is_cut);
	cr_expect_gt(strlen(get(a, a->change.old_value)), 1000);
	cr_expect_eq(strlen(get(a, a->change.previous_owner)), strlen("key ") + strlen(name));
	bench_deinit(&b);
}

Test(changelog, an_explanation_travels_whole)
{
	struct bench b;

	bench_init(&b, 1u << ALERT_EXPLANATION);
	update_sample_add(&b.sample, "pc1.corp.example", "10.1.4.9");
	update_sample_answer(&b.sample, DNS_RCODE_REFUSED, 0);
	tell(&b, NULL);
	cr_assert_eq(b.lines.count, 1);
	const struct alert *a = b.lines.alert[0];
	cr_expect_eq(a->kind, ALERT_EXPLANATION);
	cr_expect(strstr(get(a, a->message), "acme: UPDATE of corp.example\n"));
	cr_expect(strstr(get(a, a->message), "\n  cause     missing signature: "));
	bench_deinit(&b);
}
