/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/rules/ledger_rig.h"

#include <string.h>

#include <criterion/criterion.h>

#define HOUR_MS INT64_C(3600000)

/* --- update.takeover ---------------------------------------------------------------------- */

static struct ledger_rig *taken(struct world *w)
{
	struct ledger_rig *g = ledger_rig_new(&ownership_family, w);

	ledger_rig_update(
		g, &(struct ledger_spec){
			   .records = "add a A 10.1.0.7\nadd b A 10.1.0.7", .key = "one" });
	ledger_rig_update(
		g, &(struct ledger_spec){ .at_ms = 1000,
			   .client = "10.1.0.66",
			   .records = "del a\ndel b\nadd a A 10.1.0.66\nadd b A 10.1.0.66",
			   .key = "two" });
	return g;
}

Test(ownership, one_alert_for_all_names_that_an_update_took)
{
	struct ledger_rig *g = taken(NULL);

	cr_assert_eq(rig_count(g->rig, RULE_UPDATE_TAKEOVER), 1);
	const struct alert *a = alerts_first(&g->rig->alerts, RULE_UPDATE_TAKEOVER);
	cr_expect_eq(a->severity, SEVERITY_HIGH);
	cr_expect_eq(a->count, 2);
	cr_expect_str_eq(alert_get(a, a->qname), "a.corp.example");
	cr_expect_str_eq(alert_get(a, a->zone), "corp.example");
	cr_expect_str_eq(alert_get(a, a->key_name), "two");
	const struct alert_why *why = alerts_why(a, "owner");
	cr_assert_not_null(why);
	cr_expect_str_eq(alert_get(a, why->value.text), "key two");
	cr_expect_str_eq(alert_get(a, why->baseline.text), "key one");
	why = alerts_why(a, "value");
	cr_assert_not_null(why);
	cr_expect_str_eq(alert_get(a, why->value.text), "10.1.0.66");
	cr_expect_str_eq(alert_get(a, why->baseline.text), "10.1.0.7");
	cr_expect_str_eq(alert_get(a, a->allow_hint),
		"tenants:\n"
		"  - id: acme\n"
		"    exclude:\n"
		"      - {rule: update.takeover, clients: [10.1.0.66], names: [a.corp.example]}\n");
	ledger_rig_free(g);
}

Test(ownership, the_lines_of_the_hint_silence_a_takeover)
{
	struct world *w = world_new();
	struct policy *acme = world_tenant(w, "acme", "10.1.0.0/16");

	world_exclude(acme, RULE_UPDATE_TAKEOVER, "10.1.0.66", "a.corp.example");
	struct ledger_rig *g = taken(w);
	cr_expect_eq(rig_count(g->rig, RULE_UPDATE_TAKEOVER), 0);
	ledger_rig_free(g);
}

static size_t roam(struct world *w, const struct alert **alert, struct ledger_rig **g)
{
	*g = ledger_rig_new(&ownership_family, w);
	ledger_rig_update(*g, &(struct ledger_spec){ .records = "add laptop A 10.1.0.7" });
	ledger_rig_update(*g, &(struct ledger_spec){ .at_ms = HOUR_MS,
				      .client = "10.1.0.8",
				      .records = "del laptop A\nadd laptop A 10.1.0.8" });
	size_t count = rig_count((*g)->rig, RULE_UPDATE_TAKEOVER);
	*alert = count ? alerts_first(&(*g)->rig->alerts, RULE_UPDATE_TAKEOVER) : NULL;
	return count;
}

Test(ownership,
	an_unsigned_client_that_may_only_have_moved_is_less_severe_and_can_be_switched_off)
{
	const struct alert *a;
	struct ledger_rig *g;
	struct world *w = world_new();

	cr_assert_eq(roam(NULL, &a, &g), 1);
	cr_expect_eq(a->severity, SEVERITY_MEDIUM);
	cr_expect_not_null(alerts_why(a, "roaming"));
	cr_expect_str_eq(alert_get(a, a->allow_hint), "tenants:\n  - id: acme\n    rules:\n    "
						      "  update.takeover: {roaming: false}\n");
	ledger_rig_free(g);

	struct policy *acme = world_tenant(w, "acme", "10.1.0.0/16");
	world_option(acme, RULE_UPDATE_TAKEOVER, "roaming", "false");
	cr_expect_eq(roam(w, &a, &g), 0);
	ledger_rig_free(g);
}

/* --- record.mismatch ---------------------------------------------------------------------- */

static const struct {
	const char *name;
	struct ledger_spec update[4];
	unsigned alerts;
	const char *says; /* in the message */
} rows[] = {
	{ "forward and reverse agree",
		{ { .records = "add host A 10.1.0.7" },
			{ .zone = "10.in-addr.arpa",
				.records =
					"add 7.0.1.10.in-addr.arpa. PTR host.corp.example" } },
		0, "" },
	{ "the address points to another name",
		{ { .records = "add host A 10.1.0.7" },
			{ .zone = "10.in-addr.arpa",
				.records =
					"add 7.0.1.10.in-addr.arpa. PTR other.corp.example" } },
		1,
		"host.corp.example has the address 10.1.0.7, which points to "
		"other.corp.example" },
	{ "the name that it points to has another address",
		{ { .records = "add host A 10.1.0.8" },
			{ .zone = "10.in-addr.arpa",
				.records =
					"add 7.0.1.10.in-addr.arpa. PTR host.corp.example" } },
		1, "10.1.0.7 points to host.corp.example, which has other addresses" },
	{ "IPv6 as well",
		{ { .records = "add host AAAA 2001:db8::8" },
			{ .zone = "ip6.arpa",
				.records =
					"add "
					"7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1."
					"0.0.2.ip6.arpa. PTR host.corp.example" } },
		1, "2001:db8::7 points to host.corp.example, which has other addresses" },
	{ "what was deleted left its reverse record behind",
		{ { .records = "add host A 10.1.0.7" },
			{ .zone = "10.in-addr.arpa",
				.records = "add 7.0.1.10.in-addr.arpa. PTR host.corp.example" },
			{ .at_ms = HOUR_MS, .records = "del host" } },
		1, "10.1.0.7 points to host.corp.example, which was deleted" },
	{ "forward and reverse are deleted",
		{ { .records = "add host A 10.1.0.7" },
			{ .zone = "10.in-addr.arpa",
				.records = "add 7.0.1.10.in-addr.arpa. PTR host.corp.example" },
			{ .at_ms = HOUR_MS, .records = "del host" },
			{ .at_ms = HOUR_MS,
				.zone = "10.in-addr.arpa",
				.records = "del 7.0.1.10.in-addr.arpa. PTR" } },
		0, "" },
	{ "two names of one owner share an address",
		{ { .records = "add one A 10.1.0.7", .key = "k" },
			{ .records = "add two A 10.1.0.7", .key = "k" } },
		0, "" },
	{ "two owners share an address",
		{ { .records = "add one A 10.1.0.7", .key = "k" },
			{ .records = "add two A 10.1.0.7", .key = "l" } },
		1, "two.corp.example and one.corp.example have the same address 10.1.0.7" },
	{ "the first owner has left it",
		{ { .records = "add one A 10.1.0.7", .key = "k" },
			{ .records = "add two A 10.1.0.7", .key = "l" },
			{ .at_ms = 60000, .records = "del one", .key = "k" } },
		0, "" },
};

Test(ownership, compares_forward_and_reverse_records_once_they_have_settled)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ledger_rig *g = ledger_rig_new(&ownership_family, NULL);
		for (size_t k = 0; k < ARRAY_LEN(rows[i].update) && rows[i].update[k].records;
			k++)
			ledger_rig_update(g, &rows[i].update[k]);
		rig_wait(g->rig, 3 * HOUR_MS);
		size_t count = rig_count(g->rig, RULE_RECORD_MISMATCH);
		cr_expect_eq(
			count > 0, rows[i].alerts > 0, "%s: %zu alerts", rows[i].name, count);
		if (count > 0 && rows[i].alerts > 0) {
			const struct alert *a =
				alerts_first(&g->rig->alerts, RULE_RECORD_MISMATCH);
			cr_expect(strstr(alert_get(a, a->message), rows[i].says), "%s: %s",
				rows[i].name, alert_get(a, a->message));
			cr_expect_eq(a->severity, SEVERITY_INFO);
		}
		ledger_rig_free(g);
	}
}
