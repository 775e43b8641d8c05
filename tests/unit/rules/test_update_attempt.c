/* SPDX-License-Identifier: BSD-2-Clause */
/* update.unsigned_attempt: refused without a signature, and no signed update in time. */
#include "tests/unit/rules/acme.h"
#include "tests/unit/rules/updates.h"

#include <stdio.h>

#include <criterion/criterion.h>

Test(update_attempt, a_refused_unsigned_update_without_a_signed_one_is_told_later)
{
	struct rig *r = acme_update_rig();
	updates_send(r, &acme_one_host, DNS_RCODE_REFUSED);
	rig_wait(r, 60000);
	cr_assert_eq(r->alerts.count, 0, "it was refused at 5 ms");
	rig_wait(r, 61000);
	const struct alert *a = alerts_first(&r->alerts, RULE_UPDATE_UNSIGNED_ATTEMPT);

	cr_assert_eq(r->alerts.count, 1);
	cr_assert_eq(a->severity, SEVERITY_LOW);
	cr_assert_eq(a->start_ns, WORLD_START_NS + 5 * NS_PER_MS);
	cr_assert_eq(a->ts_ns, WORLD_START_NS + 61 * NS_PER_S);
	cr_assert_str_eq(alert_get(a, a->qname), "pc7.corp.example");
	cr_assert_str_eq(alert_get(a, a->zone), "corp.example");
	cr_assert_str_eq(
		alert_get(a, a->key), "update.unsigned_attempt|acme|10.1.0.7|corp.example");
	cr_assert(a->has_rcode && a->rcode == DNS_RCODE_REFUSED);
	cr_assert(a->has_destination && a->destination_port == 53);
	cr_assert_str_eq(alert_get(a, a->message),
		"10.1.0.7 tried to change pc7.corp.example in zone corp.example at 10.1.0.53 "
		"without a signature; it was refused, and no signed attempt followed within "
		"1m");
	rig_wait(r, 200000);
	cr_assert_eq(r->alerts.count, 1);
	rig_free(r);
}

Test(update_attempt, refused_and_not_authorised_are_attempts_and_nothing_else_is)
{
	static const struct {
		uint16_t rcode;
		size_t alerts;
	} rows[] = {
		{ DNS_RCODE_REFUSED, 1 },
		{ DNS_RCODE_NOTAUTH, 1 },
		{ DNS_RCODE_FORMERR, 0 },
		{ DNS_RCODE_SERVFAIL, 0 },
		{ DNS_RCODE_NOTIMP, 0 },
		{ DNS_RCODE_NXDOMAIN, 0 },
		{ DNS_RCODE_YXDOMAIN, 0 },
		{ DNS_RCODE_YXRRSET, 0 },
		{ DNS_RCODE_NXRRSET, 0 },
		{ DNS_RCODE_NOTZONE, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = acme_update_rig();
		updates_send(r, &acme_one_host, rows[i].rcode);
		rig_wait(r, 130000);
		cr_assert_eq(r->alerts.count, rows[i].alerts, "rcode %u", rows[i].rcode);
		rig_free(r);
	}
}

Test(update_attempt, prerequisites_alone_are_no_attempt)
{
	struct rig *r = acme_update_rig();
	updates_send(r, &(struct update_spec){ .at_ms = 0 }, DNS_RCODE_REFUSED);
	rig_wait(r, 130000);
	cr_assert_eq(r->alerts.count, 0);
	rig_free(r);
}

Test(update_attempt, windows_tries_unsigned_and_then_signs)
{
	struct rig *r = acme_update_rig();
	struct update_spec s = acme_one_host;

	updates_send(r, &s, DNS_RCODE_REFUSED);
	s.at_ms = 300;
	s.id = 2;
	s.port = 40001;
	s.signature = true;
	updates_send(r, &s, DNS_RCODE_NOERROR);
	cr_assert_eq(rig_stats(r).pending, 0);
	rig_wait(r, 200000);
	cr_assert_eq(r->alerts.count, 0);
	rig_free(r);
}

Test(update_attempt, only_a_signed_update_of_the_same_thing_in_time_clears)
{
	static const struct {
		const char *name;
		struct update_spec s;
		uint16_t rcode;
		bool clears;
	} rows[] = {
		{ "in time", { .at_ms = 60004, .add = { { "pc7.corp.example", 0 } } }, 0,
			true },
		{ "too late", { .at_ms = 60005, .add = { { "pc7.corp.example", 0 } } }, 0,
			false },
		{ "refused by policy", { .at_ms = 900, .add = { { "pc7.corp.example", 0 } } },
			DNS_RCODE_REFUSED, true },
		{ "signature not verified",
			{ .at_ms = 900, .add = { { "pc7.corp.example", 0 } } },
			DNS_RCODE_NOTAUTH, false },
		{ "other name", { .at_ms = 900, .add = { { "pc8.corp.example", 0 } } }, 0,
			false },
		{ "more names",
			{ .at_ms = 900,
				.add = { { "pc8.corp.example", 0 },
					{ "pc7.corp.example", 0 } } },
			0, true },
		{ "other zone",
			{ .at_ms = 900,
				.zone = "b.example",
				.add = { { "pc7.corp.example", 0 } } },
			0, false },
		{ "other client",
			{ .at_ms = 900,
				.client = "10.1.0.8",
				.add = { { "pc7.corp.example", 0 } } },
			0, false },
		{ "other server",
			{ .at_ms = 900,
				.server = "10.1.0.54",
				.add = { { "pc7.corp.example", 0 } } },
			0, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = acme_update_rig();
		struct update_spec s = rows[i].s;
		updates_send(r, &acme_one_host, DNS_RCODE_REFUSED);
		s.id = 2;
		s.signature = true;
		updates_send(r, &s, rows[i].rcode);
		rig_wait(r, 200000);
		cr_assert_eq(rig_count(r, RULE_UPDATE_UNSIGNED_ATTEMPT), !rows[i].clears, "%s",
			rows[i].name);
		rig_free(r);
	}
}

Test(update_attempt, a_signed_update_whose_response_is_not_seen_clears)
{
	struct rig *r = acme_update_rig();
	struct update_spec s = acme_one_host;

	updates_send(r, &s, DNS_RCODE_REFUSED);
	s.at_ms = 500;
	s.id = 2;
	s.signature = true;
	updates_see(r, &s);
	rig_wait(r, 200000);
	cr_assert_eq(r->alerts.count, 0);
	rig_free(r);
}

Test(update_attempt, follow_up_is_an_option)
{
	static const struct {
		const char *follow_up;
		int64_t silent_ms, told_ms;
	} rows[] = {
		{ "5s", 5000, 6000 },
		{ "10m", 600000, 601000 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = world_new();
		world_option(acme_add(w), RULE_UPDATE_UNSIGNED_ATTEMPT, "follow_up",
			rows[i].follow_up);
		struct rig *r = rig_new(&update_family, w);
		updates_send(r, &acme_one_host, DNS_RCODE_REFUSED);
		rig_wait(r, rows[i].silent_ms);
		cr_assert_eq(r->alerts.count, 0, "%s", rows[i].follow_up);
		rig_wait(r, rows[i].told_ms);
		cr_assert_eq(r->alerts.count, 1, "%s", rows[i].follow_up);
		rig_free(r);
	}
}

Test(update_attempt, each_name_has_its_own_time)
{
	struct rig *r = acme_update_rig();
	struct update_spec s = acme_one_host;

	/* One host registers, and again with another name when its minute is nearly over. */
	updates_send(r, &s, DNS_RCODE_REFUSED);
	s = (struct update_spec){
		.at_ms = 300, .id = 2, .signature = true, .add = { { "pc7.corp.example", 0 } }
	};
	updates_send(r, &s, DNS_RCODE_NOERROR);
	s = (struct update_spec){ .at_ms = 59900, .id = 3, .add = { { "b.corp.example", 0 } } };
	updates_send(r, &s, DNS_RCODE_REFUSED);
	s.at_ms = 61000;
	s.id = 4;
	s.signature = true;
	updates_send(r, &s, DNS_RCODE_NOERROR);
	rig_wait(r, 300000);
	cr_assert_eq(r->alerts.count, 0);
	rig_free(r);
}

Test(update_attempt, names_refused_one_after_another_are_told_together)
{
	static const struct {
		unsigned names;
		enum severity severity;
	} rows[] = {
		{ 4, SEVERITY_LOW },
		{ 5, SEVERITY_MEDIUM },
		{ 6, SEVERITY_MEDIUM },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = acme_update_rig();
		char name[32];
		for (unsigned n = 0; n < rows[i].names; n++) {
			snprintf(name, sizeof(name), "h%u.corp.example", n);
			updates_send(r,
				&(struct update_spec){ .at_ms = n * 2000,
					.id = (uint16_t)(n + 1),
					.add = { { name, 0 } } },
				DNS_RCODE_REFUSED);
		}
		rig_wait(r, 200000);
		const struct alert *a = alerts_first(&r->alerts, RULE_UPDATE_UNSIGNED_ATTEMPT);
		cr_assert_eq(r->alerts.count, 1);
		cr_assert_eq(a->severity, rows[i].severity, "%u names", rows[i].names);
		cr_assert_eq(a->count, rows[i].names);
		cr_assert_eq(a->host_count, rows[i].names);
		cr_assert_eq(alerts_why(a, "names")->value.number, rows[i].names);
		cr_assert_eq(alerts_why(a, "names")->threshold.number, 5);
		rig_free(r);
	}
}

Test(update_attempt, names_that_were_signed_are_not_in_the_alert)
{
	struct rig *r = acme_update_rig();
	struct update_spec s = { .add = { { "a.corp.example", 0 }, { "b.corp.example", 0 } } };

	updates_send(r, &s, DNS_RCODE_REFUSED);
	s = (struct update_spec){
		.at_ms = 500, .id = 2, .signature = true, .add = { { "a.corp.example", 0 } }
	};
	updates_send(r, &s, DNS_RCODE_NOERROR);
	rig_wait(r, 130000);
	const struct alert *a = alerts_first(&r->alerts, RULE_UPDATE_UNSIGNED_ATTEMPT);
	cr_assert_str_eq(alert_get(a, a->qname), "b.corp.example");
	cr_assert_eq(a->host_count, 1);
	rig_free(r);
}

Test(update_attempt, new_names_do_not_put_the_alert_off_for_ever)
{
	struct rig *r = acme_update_rig();
	char name[32];

	for (unsigned n = 0; n < 20; n++) {
		snprintf(name, sizeof(name), "h%u.corp.example", n);
		updates_send(r,
			&(struct update_spec){ .at_ms = n * 30000,
				.id = (uint16_t)(n + 1),
				.add = { { name, 0 } } },
			DNS_RCODE_REFUSED);
	}
	cr_assert_geq(r->alerts.count, 4);
	cr_assert_leq(r->alerts.alert[0]->ts_ns, WORLD_START_NS + 122 * NS_PER_S);
	rig_wait(r, 900000);
	double names = 0;
	for (size_t i = 0; i < r->alerts.count; i++)
		names += alerts_why(r->alerts.alert[i], "names")->value.number;
	cr_assert_eq(names, 20, "each name once");
	cr_assert_eq(rig_stats(r).pending, 0);
	rig_free(r);
}

Test(update_attempt, an_attempt_from_outside_is_medium)
{
	struct rig *r = acme_update_rig();
	struct update_spec s = acme_one_host;

	s.client = "203.0.113.9";
	updates_send(r, &s, DNS_RCODE_REFUSED);
	rig_wait(r, 130000);
	cr_assert_eq(r->alerts.alert[0]->severity, SEVERITY_MEDIUM);
	cr_assert_not_null(alerts_why(r->alerts.alert[0], "source"));
	rig_free(r);
}

Test(update_attempt, more_names_than_are_kept_are_an_attempt_and_one_signed_update_clears_them)
{
	for (int cleared = 0; cleared <= 1; cleared++) {
		struct rig *r = acme_update_rig();
		static char name[39][32];
		struct update_spec s = { .at_ms = 0 };
		for (size_t i = 0; i < 39; i++) {
			snprintf(name[i], sizeof(name[i]), "h%zu.corp.example", i);
			s.add[i].name = name[i];
		}
		updates_send(r, &s, DNS_RCODE_REFUSED);
		s.at_ms = 100;
		s.id = 2;
		s.signature = true;
		if (cleared)
			updates_send(r, &s, DNS_RCODE_NOERROR);
		rig_wait(r, 130000);
		cr_assert_eq(r->alerts.count, 1 - cleared);
		if (!cleared)
			cr_assert_eq(r->alerts.alert[0]->host_count, ALERT_HOSTS_MAX);
		rig_free(r);
	}
}

Test(update_attempt, an_attempt_is_excluded_by_client_and_zone)
{
	struct world *w = world_new();
	world_exclude(acme_add(w), RULE_UPDATE_UNSIGNED_ATTEMPT, "10.1.0.7", "corp.example");
	struct rig *r = rig_new(&update_family, w);
	struct update_spec s = acme_one_host;

	updates_send(r, &s, DNS_RCODE_REFUSED);
	s.client = "10.1.0.8";
	updates_send(r, &s, DNS_RCODE_REFUSED);
	rig_wait(r, 130000);
	cr_assert_eq(r->alerts.count, 1);
	rig_free(r);
}

Test(update_attempt, an_undecided_attempt_is_pending)
{
	struct rig *r = acme_update_rig();
	updates_send(r, &acme_one_host, DNS_RCODE_REFUSED);
	rig_wait(r, 30000);
	cr_assert_eq(rig_stats(r).pending, 1);
	cr_assert_eq(r->alerts.count, 0);
	cr_assert_geq(rig_stats(r).table_count, 3);
	rig_free(r);
}
