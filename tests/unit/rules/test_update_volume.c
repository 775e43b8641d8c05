/* SPDX-License-Identifier: BSD-2-Clause */
/* update.spike and update.mass_delete. */
#include "tests/unit/rules/updates.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#define MINUTE_MS 60000
#define DAY_MS    (24 * 60 * MINUTE_MS)

static struct rig *acme(void)
{
	struct world *w = world_new();
	struct policy *p = world_tenant(w, "acme", "10.0.0.0/8");

	world_zone(p, "corp.example", "10.1.0.53", true);
	return rig_new(&update_family, w);
}

static const struct update_spec signed_ = {
	.signature = true,
	.tsig = { "hmac-sha256", "ddns", 32, { 1, 2, 3 }, 0, 0, 0 },
};

/* `count` updates of as many hosts, evenly over one minute. */
static void burst(struct rig *r, int64_t at_ms, const char *client, unsigned count)
{
	static uint16_t id;
	char name[64];

	for (unsigned i = 0; i < count; i++) {
		struct update_spec s = signed_;
		snprintf(name, sizeof(name), "pc%u.corp.example", i);
		s.at_ms = at_ms + (int64_t)i * MINUTE_MS / (int64_t)count;
		s.client = client;
		s.id = ++id ? id : ++id;
		s.add[0].name = name;
		updates_send(r, &s, DNS_RCODE_NOERROR);
	}
}

/* --- update.spike ------------------------------------------------------------------------- */

Test(update_volume, the_floor_decides_until_a_baseline_is_learned)
{
	struct rig *r = acme();

	burst(r, 0, NULL, 119);
	cr_assert_eq(r->alerts.count, 0);
	burst(r, 5 * MINUTE_MS, NULL, 150);
	const struct alert *a = alerts_first(&r->alerts, RULE_UPDATE_SPIKE);
	cr_assert_eq(a->count, 120);
	cr_assert_eq(alerts_why(a, "updates_per_minute")->threshold.number, 120);
	cr_assert_eq(alerts_why(a, "updates_per_minute")->baseline.kind, ALERT_VALUE_NONE);
	cr_assert_str_eq(alert_get(a, a->key), "update.spike|acme|10.1.0.7|corp.example");
	cr_assert_eq(rig_count(r, RULE_UPDATE_SPIKE), 1, "once a minute");
	rig_free(r);
}

Test(update_volume, a_learned_baseline_decides_alone)
{
	struct world *w = world_new();
	struct policy *p = world_tenant(w, "acme", "10.0.0.0/8");
	world_option(p, RULE_UPDATE_SPIKE, "learn", "1h");
	struct rig *r = rig_new(&update_family, w);

	for (unsigned minute = 0; minute < 70; minute++)
		burst(r, minute * MINUTE_MS, NULL, 10);
	cr_assert_eq(r->alerts.count, 0);
	burst(r, 71 * MINUTE_MS, NULL, 29);
	cr_assert_eq(r->alerts.count, 0, "fewer than min_updates");
	burst(r, 75 * MINUTE_MS, NULL, 80);
	const struct alert *a = alerts_first(&r->alerts, RULE_UPDATE_SPIKE);
	cr_assert(alerts_why(a, "updates_per_minute")->baseline.number > 5);
	cr_assert(
		alerts_why(a, "updates_per_minute")->threshold.number >= 58, "twice the peak");
	rig_free(r);
}

Test(update_volume, a_daily_peak_is_usual_on_the_second_day)
{
	struct rig *r = acme();

	for (unsigned day = 0; day < 3; day++)
		burst(r, day * (int64_t)DAY_MS + 1000, NULL, 100);
	cr_assert_eq(r->alerts.count, 0);
	rig_free(r);
}

Test(update_volume, many_hosts_of_a_zone_are_told_as_the_zone)
{
	struct world *w = world_new();
	struct policy *p = world_tenant(w, "acme", "10.0.0.0/8");
	world_option(p, RULE_UPDATE_SPIKE, "floor", "10");
	world_option(p, RULE_UPDATE_SPIKE, "min_updates", "5");
	struct rig *r = rig_new(&update_family, w);
	char client[32];

	for (unsigned i = 0; i < 120; i++) {
		struct update_spec s = signed_;
		snprintf(client, sizeof(client), "10.1.7.%u", i + 1);
		s.at_ms = i * 300;
		s.client = client;
		s.add[0].name = "pc7.corp.example";
		updates_send(r, &s, DNS_RCODE_NOERROR);
	}
	const struct alert *a = alerts_first(&r->alerts, RULE_UPDATE_SPIKE);
	cr_assert_eq(rig_count(r, RULE_UPDATE_SPIKE), 1, "and not its subnet besides");
	cr_assert_str_eq(
		alert_get(a, alerts_why(a, "counted_for")->value.text), "zone corp.example");
	cr_assert_eq(a->count, 100);
	rig_free(r);
}

Test(update_volume, many_hosts_of_a_subnet_are_told_as_the_subnet)
{
	struct world *w = world_new();
	struct policy *p = world_tenant(w, "acme", "10.0.0.0/8");
	world_option(p, RULE_UPDATE_SPIKE, "floor", "10");
	world_option(p, RULE_UPDATE_SPIKE, "min_updates", "5");
	struct rig *r = rig_new(&update_family, w);
	char client[32], zone[32], name[48];

	for (unsigned i = 0; i < 120; i++) {
		struct update_spec s = signed_;
		snprintf(client, sizeof(client), "10.1.7.%u", i + 1);
		snprintf(zone, sizeof(zone), "z%u.example", i);
		snprintf(name, sizeof(name), "pc7.%s", zone);
		s.at_ms = i * 300;
		s.client = client;
		s.zone = zone;
		s.add[0].name = name;
		updates_send(r, &s, DNS_RCODE_NOERROR);
	}
	const struct alert *a = alerts_first(&r->alerts, RULE_UPDATE_SPIKE);
	cr_assert_str_eq(
		alert_get(a, alerts_why(a, "counted_for")->value.text), "hosts of 10.1.7.0/24");
	rig_free(r);
}

Test(update_volume, a_controller_that_starts_is_no_spike)
{
	struct rig *r = acme();
	char name[64];

	for (unsigned i = 0; i < 300; i++) {
		struct update_spec s = signed_;
		snprintf(name, sizeof(name), "_ldap._tcp.site%u._sites.corp.example", i);
		s.at_ms = i * 100;
		s.id = (uint16_t)(i + 1);
		s.client = "10.1.0.53";
		s.add[0] = (struct update_record){ name, DNS_TYPE_SRV, UPDATE_ADD, NULL };
		updates_send(r, &s, DNS_RCODE_NOERROR);
	}
	cr_assert_eq(r->alerts.count, 0);
	rig_free(r);
}

Test(update_volume, a_dhcp_server_speaks_for_many)
{
	struct rig *r = acme();
	char name[64];

	for (unsigned i = 0; i < 1000; i++) {
		struct update_spec s = signed_;
		snprintf(name, sizeof(name), "pc%u.corp.example", i);
		s.at_ms = i * 50;
		s.id = (uint16_t)(i + 1);
		s.add[0].name = name;
		s.add[1] = (struct update_record){ name, DNS_TYPE_DHCID, UPDATE_ADD, NULL };
		updates_send(r, &s, DNS_RCODE_NOERROR);
	}
	cr_assert_eq(r->alerts.count, 0);
	rig_free(r);
}

Test(update_volume, one_name_that_never_rests)
{
	struct rig *r = acme();
	char address[32];

	for (unsigned i = 0; i < 70; i++) {
		struct update_spec s = signed_;
		snprintf(address, sizeof(address), "10.1.7.%u", i % 2 + 1);
		s.at_ms = i * 45000;
		s.id = (uint16_t)(i + 1);
		s.add[0] = (struct update_record){ "vip.corp.example", 0, UPDATE_ADD, address };
		updates_send(r, &s, DNS_RCODE_NOERROR);
	}
	const struct alert *a = alerts_first(&r->alerts, RULE_UPDATE_SPIKE);
	cr_assert_eq(alerts_why(a, "changes_per_hour")->value.number, 61);
	cr_assert_str_eq(alert_get(a, a->key), "update.spike|acme|10.1.0.7|vip.corp.example");
	rig_free(r);
}

Test(update_volume, a_name_that_is_refreshed_rests)
{
	struct rig *r = acme();

	for (unsigned i = 0; i < 200; i++) {
		struct update_spec s = signed_;
		s.at_ms = i * 10000;
		s.id = (uint16_t)(i + 1);
		s.add[0].name = "pc7.corp.example";
		updates_send(r, &s, DNS_RCODE_NOERROR);
	}
	cr_assert_eq(r->alerts.count, 0);
	rig_free(r);
}

/* --- update.mass_delete ------------------------------------------------------------------- */

/* One UPDATE that deletes host number i in the given way. */
struct deletion {
	const char *name;
	enum update_verb verb;
	uint16_t type;
	bool add_again;
	struct update_condition_record prerequisite; /* of the name itself */
	bool is_reverse, with_dhcid;                 /* the source registers by DHCID, too */
	const char *client;
	uint16_t rcode;
	size_t expected;
};

static void delete_hosts(struct rig *r, const struct deletion *d, unsigned count)
{
	char name[64];

	for (unsigned i = 0; i < count; i++) {
		struct update_spec s = signed_;
		snprintf(name, sizeof(name),
			d->is_reverse ? "%u.1.10.in-addr.arpa" : "pc%u.corp.example", i);
		s.at_ms = 1000 + i * 1000;
		s.id = (uint16_t)(i + 1);
		s.client = d->client;
		s.zone = d->is_reverse ? "1.10.in-addr.arpa" : NULL;
		s.add[0] = (struct update_record){ name, d->type, d->verb, NULL };
		if (d->add_again)
			s.add[1].name = name;
		if (d->prerequisite.type) {
			s.prerequisite[0] = d->prerequisite;
			s.prerequisite[0].name = name;
		}
		updates_send(r, &s, d->rcode);
	}
}

Test(update_volume, deletions_that_count_and_that_do_not)
{
	static const struct deletion rows[] = {
		{ .name = "names", .verb = UPDATE_DELETE_NAME, .expected = 1 },
		{ .name = "RRsets", .verb = UPDATE_DELETE_RRSET, .expected = 1 },
		{ .name = "records", .verb = UPDATE_DELETE_RECORD, .expected = 1 },
		{ .name = "refused", .verb = UPDATE_DELETE_NAME, .rcode = 5 },
		{ .name = "replaced", .verb = UPDATE_DELETE_RRSET, .add_again = true },
		{ .name = "leases of Kea",
			.verb = UPDATE_DELETE_RRSET,
			.prerequisite = { UPDATE_RRSET_EQUALS, "", DNS_TYPE_DHCID, NULL } },
		{ .name = "leases of ISC dhcpd",
			.verb = UPDATE_DELETE_RECORD,
			.prerequisite = { UPDATE_RRSET_EQUALS, "", DNS_TYPE_TXT, "31a0b1" } },
		{ .name = "reverse names",
			.verb = UPDATE_DELETE_RRSET,
			.type = DNS_TYPE_PTR,
			.is_reverse = true,
			.expected = 1 },
		{ .name = "reverse names by a DHCP server",
			.verb = UPDATE_DELETE_RRSET,
			.type = DNS_TYPE_PTR,
			.is_reverse = true,
			.with_dhcid = true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = acme();
		struct update_spec s = signed_;
		s.add[0] = (struct update_record){ "a.corp.example", DNS_TYPE_DHCID, UPDATE_ADD,
			NULL };
		s.add[1] = s.add[0];
		if (rows[i].with_dhcid) {
			updates_send(r, &s, 0);
			s.id = 2;
			updates_send(r, &s, 0);
		}
		delete_hosts(r, &rows[i], 19);
		cr_expect_eq(rig_count(r, RULE_UPDATE_MASS_DELETE), 0, "%s: 19", rows[i].name);
		delete_hosts(r, &rows[i], 30);
		cr_expect_eq(rig_count(r, RULE_UPDATE_MASS_DELETE) > 0, rows[i].expected, "%s",
			rows[i].name);
		rig_free(r);
	}
}

Test(update_volume, one_message_that_deletes_all_is_enough)
{
	struct rig *r = acme();
	static char name[25][32];
	struct update_spec s = signed_;

	for (unsigned i = 0; i < 25; i++) {
		snprintf(name[i], sizeof(name[i]), "pc%u.corp.example", i);
		s.add[i] = (struct update_record){ name[i], 0, UPDATE_DELETE_NAME, NULL };
	}
	updates_send(r, &s, DNS_RCODE_NOERROR);
	const struct alert *a = alerts_first(&r->alerts, RULE_UPDATE_MASS_DELETE);
	cr_assert_eq(a->severity, SEVERITY_HIGH);
	cr_assert_eq(alerts_why(a, "names_deleted")->value.number, 25);
	cr_assert_eq(alerts_why(a, "names_deleted")->threshold.number, 20);
	cr_assert_str_eq(alert_get(a, a->message),
		"10.1.0.7 deleted 25 names within 5m, the last "
		"ones in zone corp.example");
	rig_free(r);
}

Test(update_volume, the_same_names_again_and_slow_ones_are_no_mass)
{
	struct rig *r = acme();
	const struct deletion again = { .verb = UPDATE_DELETE_NAME };
	char name[64];

	delete_hosts(r, &again, 10);
	delete_hosts(r, &again, 10);
	delete_hosts(r, &again, 10);
	for (unsigned i = 0; i < 60; i++) {
		struct update_spec s = signed_;
		snprintf(name, sizeof(name), "old%u.corp.example", i);
		s.at_ms = 600000 + i * 20000;
		s.id = (uint16_t)(i + 1);
		s.add[0] = (struct update_record){ name, 0, UPDATE_DELETE_NAME, NULL };
		updates_send(r, &s, DNS_RCODE_NOERROR);
	}
	cr_assert_eq(r->alerts.count, 0);
	rig_free(r);
}
