/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/rules/ledger_rig.h"

#include <string.h>

#include <criterion/criterion.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

/* Time goes on without a tick a second: a fortnight of those takes too long. */
static void leap(struct ledger_rig *g, int64_t at_ms)
{
	g->rig->tick_ns = WORLD_START_NS + at_ms * NS_PER_MS - NS_PER_S;
}

static void update(struct ledger_rig *g, int64_t at_ms, const char *records)
{
	leap(g, at_ms);
	ledger_rig_update(g, &(struct ledger_spec){ .at_ms = at_ms, .records = records });
}

static void ask(struct ledger_rig *g, int64_t at_ms, const char *address, bool aa)
{
	leap(g, at_ms);
	rig_exchange(g->rig, &(struct message){ .at_ms = at_ms - 20,
				     .client = "10.1.0.30",
				     .qname = "host.corp.example",
				     .rcode = address ? DNS_RCODE_NOERROR : DNS_RCODE_NXDOMAIN,
				     .aa = aa,
				     .address = { { .ip = address, .ttl = 1200 } } });
}

/* --- record.stale ------------------------------------------------------------------------- */

Test(aging, a_record_that_still_answers_after_both_intervals_is_stale_once)
{
	struct ledger_rig *g = ledger_rig_new(&aging_family, NULL);

	update(g, 0, "add host A 10.1.0.7");
	ask(g, 14 * DAY_MS, "10.1.0.7", true);
	cr_expect_eq(rig_count(g->rig, RULE_RECORD_STALE), 0);
	ask(g, 14 * DAY_MS + HOUR_MS, "10.1.0.7", false);
	ask(g, 14 * DAY_MS + 2 * HOUR_MS, "10.1.0.7", true);
	cr_assert_eq(rig_count(g->rig, RULE_RECORD_STALE), 1);
	const struct alert *a = alerts_first(&g->rig->alerts, RULE_RECORD_STALE);
	const struct alert_why *why = alerts_why(a, "unrefreshed_s");
	cr_assert_not_null(why);
	cr_expect_eq(why->threshold.number, 14 * 86400);
	cr_expect_eq(why->value.number, 14 * 86400 + 3600);
	cr_expect_eq(a->start_ns, WORLD_START_NS);
	cr_expect(strstr(alert_get(a, a->message), "since 2026-08-01T12:00:00"), "%s",
		alert_get(a, a->message));

	update(g, 15 * DAY_MS, "add host A 10.1.0.7");
	ask(g, 16 * DAY_MS, "10.1.0.7", true);
	cr_expect_eq(rig_count(g->rig, RULE_RECORD_STALE), 1);
	ask(g, 30 * DAY_MS, "10.1.0.7", true);
	cr_expect_eq(rig_count(g->rig, RULE_RECORD_STALE), 2, "refreshed, and stale again");
	ledger_rig_free(g);
}

Test(aging, what_a_dhcp_server_keeps_is_not_stale)
{
	struct ledger_rig *g = ledger_rig_new(&aging_family, NULL);

	update(g, 0, "add host A 10.1.0.7\nadd host DHCID AAIBY2/AuCccgoJbsaxcQc9TUapptP69");
	ask(g, 40 * DAY_MS, "10.1.0.7", true);
	cr_expect_eq(rig_count(g->rig, RULE_RECORD_STALE), 0);
	ledger_rig_free(g);
}

Test(aging, another_value_of_the_name_is_not_stale)
{
	struct ledger_rig *g = ledger_rig_new(&aging_family, NULL);

	update(g, 0, "add host A 10.1.0.7");
	ask(g, 1000, "10.1.0.7", true);
	ask(g, 40 * DAY_MS, "10.1.0.99", true);
	cr_expect_eq(rig_count(g->rig, RULE_RECORD_STALE), 0);
	ledger_rig_free(g);
}

Test(aging, a_deleted_record_that_still_answers_is_an_orphan)
{
	struct ledger_rig *g = ledger_rig_new(&aging_family, NULL);

	update(g, 0, "add host A 10.1.0.7");
	update(g, HOUR_MS, "del host");
	ask(g, 2 * HOUR_MS, "10.1.0.7", true);
	cr_expect_eq(rig_count(g->rig, RULE_RECORD_STALE), 0, "caches may have it");
	ask(g, 5 * HOUR_MS, "10.1.0.7", true);
	ask(g, 6 * HOUR_MS, "10.1.0.7", true);
	cr_assert_eq(rig_count(g->rig, RULE_RECORD_STALE), 1);
	cr_expect_not_null(
		alerts_why(alerts_first(&g->rig->alerts, RULE_RECORD_STALE), "deleted_s"));
	ledger_rig_free(g);
}

Test(aging, the_lines_of_the_hint_silence_it)
{
	struct world *w = world_new();
	struct policy *acme = world_tenant(w, "acme", "10.1.0.0/16");

	/* What allow_hint says: the owner as client, the record as name. */
	world_exclude(acme, RULE_RECORD_STALE, "10.1.0.7", "host.corp.example");
	struct ledger_rig *g = ledger_rig_new(&aging_family, w);
	update(g, 0, "add host A 10.1.0.7");
	ask(g, 40 * DAY_MS, "10.1.0.7", true);
	cr_expect_eq(rig_count(g->rig, RULE_RECORD_STALE), 0);
	ledger_rig_free(g);

	g = ledger_rig_new(&aging_family, NULL);
	update(g, 0, "add host A 10.1.0.7");
	ask(g, 40 * DAY_MS, "10.1.0.7", true);
	const struct alert *a = alerts_first(&g->rig->alerts, RULE_RECORD_STALE);
	cr_expect_str_eq(alert_get(a, a->allow_hint),
		"tenants:\n  - id: acme\n    exclude:\n      - {rule: record.stale, clients: "
		"[10.1.0.7], names: [host.corp.example]}\n");
	ledger_rig_free(g);
}

/* --- record.not_visible ------------------------------------------------------------------- */

Test(aging, an_accepted_update_that_the_server_does_not_show_is_told_once)
{
	struct ledger_rig *g = ledger_rig_new(&aging_family, NULL);

	update(g, 0, "add host A 10.1.0.7");
	ask(g, HOUR_MS, NULL, true);
	cr_expect_eq(rig_count(g->rig, RULE_RECORD_NOT_VISIBLE), 0);
	ask(g, HOUR_MS + MINUTE_MS, NULL, true);
	ask(g, HOUR_MS + 2 * MINUTE_MS, "10.1.0.99", true);
	cr_assert_eq(rig_count(g->rig, RULE_RECORD_NOT_VISIBLE), 1);
	const struct alert_why *why = alerts_why(
		alerts_first(&g->rig->alerts, RULE_RECORD_NOT_VISIBLE), "accepted_s");
	cr_assert_not_null(why);
	cr_expect_eq(why->threshold.number, 3600);
	ledger_rig_free(g);
}

Test(aging, what_showed_before_is_not_missed_later)
{
	struct ledger_rig *g = ledger_rig_new(&aging_family, NULL);

	update(g, 0, "add host A 10.1.0.7");
	ask(g, 1000, "10.1.0.7", true);
	ask(g, 5 * HOUR_MS, NULL, true);
	cr_expect_eq(rig_count(g->rig, RULE_RECORD_NOT_VISIBLE), 0);
	ledger_rig_free(g);
}

Test(aging, caches_may_keep_for_long_that_there_was_nothing)
{
	struct ledger_rig *g = ledger_rig_new(&aging_family, NULL);

	update(g, 0, "add host A 10.1.0.7");
	ask(g, 2 * HOUR_MS, NULL, false);
	cr_expect_eq(rig_count(g->rig, RULE_RECORD_NOT_VISIBLE), 0);
	ask(g, 4 * HOUR_MS, NULL, false);
	cr_expect_eq(rig_count(g->rig, RULE_RECORD_NOT_VISIBLE), 1);
	ledger_rig_free(g);
}

Test(aging, somebody_elses_server_need_not_know)
{
	struct ledger_rig *g = ledger_rig_new(&aging_family, NULL);

	update(g, 0, "add host A 10.1.0.7");
	rig_exchange(g->rig, &(struct message){ .at_ms = 2000,
				     .server = "192.0.2.53",
				     .qname = "host.corp.example",
				     .rcode = DNS_RCODE_NXDOMAIN });
	leap(g, 9 * HOUR_MS);
	rig_exchange(g->rig, &(struct message){ .at_ms = 9 * HOUR_MS,
				     .server = "192.0.2.53",
				     .qname = "host.corp.example",
				     .rcode = DNS_RCODE_NXDOMAIN });
	cr_expect_eq(rig_count(g->rig, RULE_RECORD_NOT_VISIBLE), 0);
	ledger_rig_free(g);
}

static void keep_zone(void *arg, const struct ledger_zone_stats *zone)
{
	*(struct ledger_zone_stats *)arg = *zone;
}

Test(aging, measures_how_long_a_change_takes_to_show)
{
	struct ledger_rig *g = ledger_rig_new(&aging_family, NULL);
	struct ledger_zone_stats zone = { .updates = 0 };

	update(g, 0, "add host A 10.1.0.7");
	ask(g, 2000, "10.1.0.7", true);
	ask(g, 60000, "10.1.0.7", false);
	ask(g, 90000, "10.1.0.7", false);
	ledger_zone_stats(g->rig->ledger, keep_zone, &zone);
	cr_expect_str_eq(zone.zone, "corp.example");
	cr_expect_eq(zone.updates, 1);
	cr_expect_eq(zone.authoritative.count, 1);
	cr_expect_eq(zone.authoritative.max_ns, 2 * NS_PER_S);
	cr_expect_eq(zone.resolved.count, 1);
	cr_expect_eq(zone.resolved.max_ns, 60 * NS_PER_S);
	cr_expect_leq(zone.resolved.p50_ns, zone.resolved.max_ns);
	cr_expect_geq(zone.resolved.p50_ns, zone.resolved.max_ns / 100 * 93);
	ledger_rig_free(g);
}

/* --- client.overdue ----------------------------------------------------------------------- */

static void update_daily(
	struct ledger_rig *g, const char *client, const char *records, int days)
{
	for (int day = 0; day < days; day++) {
		leap(g, day * DAY_MS);
		ledger_rig_update(g,
			&(struct ledger_spec){
				.at_ms = day * DAY_MS, .client = client, .records = records });
	}
}

/* Look at everything at this time, as the first tick of a ten-minute turn does. */
static void look(struct ledger_rig *g, int64_t at_ms)
{
	leap(g, at_ms);
	rig_wait(g->rig, at_ms);
}

Test(aging, a_host_that_stops_updating_is_overdue_after_twice_its_interval)
{
	struct ledger_rig *g = ledger_rig_new(&aging_family, NULL);

	update_daily(g, "10.1.0.7", "add host A 10.1.0.7\nadd alias A 10.1.0.7", 8);
	look(g, 9 * DAY_MS);
	cr_expect_eq(rig_count(g->rig, RULE_CLIENT_OVERDUE), 0);
	look(g, 9 * DAY_MS + HOUR_MS);
	look(g, 10 * DAY_MS);
	cr_assert_eq(rig_count(g->rig, RULE_CLIENT_OVERDUE), 1, "one word for all its names");
	const struct alert *a = alerts_first(&g->rig->alerts, RULE_CLIENT_OVERDUE);
	const struct alert_why *why = alerts_why(a, "silent_s");
	cr_assert_not_null(why);
	cr_expect_eq(why->baseline.number, 86400);
	cr_expect_eq(why->threshold.number, 2 * 86400);
	cr_expect_str_eq(alert_get(a, a->allow_hint),
		"tenants:\n"
		"  - id: acme\n"
		"    exclude:\n"
		"      - {rule: client.overdue, clients: [10.1.0.7]}\n");
	ledger_rig_free(g);
}

Test(aging, a_host_is_not_overdue_when)
{
	static const struct {
		const char *name, *client, *records;
		int days;
		const char *then_client, *then;
	} rows[] = {
		{ "it was watched for too short a time", NULL, "add host A 10.1.0.7", 4 },
		{ "its records were deleted", NULL, "add host A 10.1.0.7", 8, NULL,
			"del host" },
		{ "it goes on with other names", NULL, "add host A 10.1.0.7", 8, NULL,
			"add other A 10.1.0.7" },
		{ "it only keeps up other records", NULL, "add host PTR x.corp.example", 8 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ledger_rig *g = ledger_rig_new(&aging_family, NULL);
		update_daily(g, rows[i].client, rows[i].records, rows[i].days);
		if (rows[i].then)
			ledger_rig_update(g, &(struct ledger_spec){ .at_ms = 8 * DAY_MS,
						     .records = rows[i].then });
		look(g, 12 * DAY_MS);
		cr_expect_eq(rig_count(g->rig, RULE_CLIENT_OVERDUE), 0, "%s", rows[i].name);
		ledger_rig_free(g);
	}
}
