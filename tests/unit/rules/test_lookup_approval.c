/* SPDX-License-Identifier: BSD-2-Clause */
/* lookup.unapproved and lookup.update_host: services that the tenant may or may not use. */
#include "tests/unit/rules/acme.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#define DAY_MS (24 * 3600 * INT64_C(1000))

/* --- lookup.unapproved -------------------------------------------------------------------- */

Test(lookup_approval, an_unapproved_name_is_told_in_plain_words)
{
	struct rig *r = acme_lookup_rig();
	rig_see(r, &(struct message){ .qname = "a.cam9.ddns.net" });
	const struct alert *a = alerts_first(&r->alerts, RULE_LOOKUP_UNAPPROVED);

	cr_assert_str_eq(alert_get(a, a->message), "10.1.0.7 asked for the dynamic-DNS name "
						   "cam9.ddns.net (provider no-ip), which acme "
						   "has not approved");
	cr_assert_str_eq(alert_get(a, a->key), "lookup.unapproved|acme|10.1.0.7|cam9.ddns.net");
	cr_assert_str_eq(alert_get(a, a->allow_hint), "tenants:\n"
						      "  - id: acme\n"
						      "    ddns:\n"
						      "      approved:\n"
						      "        - name: cam9.ddns.net\n");
	cr_assert_eq(a->severity, SEVERITY_MEDIUM);
	cr_assert(a->score > 0 && a->score <= 100);
	cr_assert_str_eq(alert_get(a, a->indicator), "cam9.ddns.net");
	cr_assert_str_eq(alert_get(a, a->indicator_provider), "no-ip");
	cr_assert_str_eq(alert_get(a, alerts_why(a, "provider")->value.text), "no-ip");
	cr_assert_str_eq(alert_get(a, alerts_why(a, "tier")->value.text), "A");
	cr_assert_not_null(alerts_why(a, "first_in_tenant"));
	rig_free(r);
}

Test(lookup_approval, a_name_with_escapes_is_told_as_it_is)
{
	static const struct {
		const char *qname, *key;
	} rows[] = {
		{ "w\\.x.cam9.ddns.net", "cam9.ddns.net" },
		{ "www.c\\.m.ddns.net", "c\\.m.ddns.net" },
		{ "c\\001m.ddns.net", "c\\001m.ddns.net" },
		{ "cam9.ddns.net", "cam9.ddns.net" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = acme_lookup_rig();
		rig_see(r, &(struct message){ .qname = rows[i].qname });
		const struct alert *a = alerts_first(&r->alerts, RULE_LOOKUP_UNAPPROVED);
		cr_assert_not_null(a, "%s", rows[i].qname);
		cr_expect_str_eq(alert_get(a, a->indicator), rows[i].key);
		cr_expect_str_eq(alert_get(a, a->qname), rows[i].qname);
		cr_expect_not_null(strstr(alert_get(a, a->message), rows[i].key));
		rig_free(r);
	}
}

Test(lookup_approval, clients_of_one_name_are_counted)
{
	struct rig *r = acme_lookup_rig();
	char client[32];

	for (int i = 1; i <= 9; i++) {
		snprintf(client, sizeof(client), "10.1.3.%d", i);
		rig_see(r, &(struct message){ .qname = "cam9.ddns.net", .client = client });
		const struct alert *a = alerts_last(&r->alerts, RULE_LOOKUP_UNAPPROVED);
		const struct alert_why *why = alerts_why(a, "clients");
		cr_assert_eq(alerts_why(a, "first_in_tenant") != NULL, i == 1);
		if (i < 8)
			cr_assert_eq(why->value.number, i);
		else
			cr_assert_str_eq(alert_get(a, why->value.text), "8 or more");
	}
	rig_free(r);
}

Test(lookup_approval, tiers_b_and_v_alert_when_they_are_asked_for)
{
	static const struct {
		const char *option, *qname;
	} rows[] = {
		{ "freedns", "x.shared.example" },
		{ "vendors", "box.myfritz.net" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = acme_lookup_world();
		world_option(acme_add(w), RULE_LOOKUP_UNAPPROVED, rows[i].option, "true");
		struct rig *r = rig_new(&lookup_family, w);
		for (size_t k = 0; k < ARRAY_LEN(rows); k++)
			rig_see(r, &(struct message){ .qname = rows[k].qname });
		cr_assert_eq(r->alerts.count, 1, "%s", rows[i].option);
		rig_free(r);
	}
}

Test(lookup_approval, approval_holds_for_names_providers_clients_and_days)
{
	static const struct {
		const char *why, *name, *provider, *clients, *until;
		size_t alerts;
	} rows[] = {
		{ "name", "cam9.ddns.net", NULL, NULL, NULL, 0 },
		{ "other name", "cam8.ddns.net", NULL, NULL, NULL, 1 },
		{ "name below", "a.cam9.ddns.net", NULL, NULL, NULL, 0 },
		{ "whole suffix", "ddns.net", NULL, NULL, NULL, 0 },
		{ "provider", NULL, "no-ip", NULL, NULL, 0 },
		{ "other provider", NULL, "duckdns", NULL, NULL, 1 },
		{ "for this client", "cam9.ddns.net", NULL, "10.1.0.0/24", NULL, 0 },
		{ "for another client", "cam9.ddns.net", NULL, "10.1.9.0/24", NULL, 1 },
		{ "provider for another client", NULL, "no-ip", "10.1.9.0/24", NULL, 1 },
		{ "until yesterday", "cam9.ddns.net", NULL, NULL, "2026-07-31", 1 },
		{ "until today", "cam9.ddns.net", NULL, NULL, "2026-08-01", 0 },
		{ "provider until yesterday", NULL, "no-ip", NULL, "2026-07-31", 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = acme_lookup_world();
		world_approve(w, acme_add(w), rows[i].name, rows[i].provider, rows[i].clients,
			rows[i].until);
		struct rig *r = rig_new(&lookup_family, w);
		rig_see(r, &(struct message){ .qname = "a.cam9.ddns.net" });
		cr_assert_eq(r->alerts.count, rows[i].alerts, "%s", rows[i].why);
		rig_free(r);
	}
}

Test(lookup_approval, an_approval_ends_with_its_last_day)
{
	struct world *w = acme_lookup_world();
	world_approve(w, acme_add(w), "cam9.ddns.net", NULL, NULL, "2026-08-01");
	struct rig *r = rig_new(&lookup_family, w);

	/* The world begins at noon. */
	rig_see(r, &(struct message){ .at_ms = DAY_MS / 2 - 1, .qname = "cam9.ddns.net" });
	cr_assert_eq(r->alerts.count, 0);
	rig_see(r, &(struct message){ .at_ms = DAY_MS / 2, .qname = "cam9.ddns.net" });
	cr_assert_eq(r->alerts.count, 1);
	rig_free(r);
}

Test(lookup_approval, what_one_tenant_approves_is_not_approved_for_another)
{
	struct world *w = acme_lookup_world();
	world_approve(w, acme_add(w), "cam9.ddns.net", NULL, NULL, NULL);
	world_approve(
		w, world_tenant(w, "beta", "10.2.0.0/16"), "cam8.ddns.net", NULL, NULL, NULL);
	struct rig *r = rig_new(&lookup_family, w);

	rig_see(r, &(struct message){ .qname = "cam9.ddns.net", .tenant = 1 });
	cr_assert_eq(r->alerts.count, 0);
	rig_see(r, &(struct message){ .qname = "cam9.ddns.net", .tenant = 2 });
	cr_assert_eq(r->alerts.count, 1);
	rig_free(r);
}

Test(lookup_approval, approval_silences_tunnels_too)
{
	struct world *w = acme_lookup_world();
	struct policy *p = acme_add(w);
	world_approve(w, p, "abc.ngrok.io", NULL, NULL, NULL);
	struct rig *r = rig_new(&lookup_family, w);

	rig_see(r, &(struct message){ .qname = "abc.ngrok.io" });
	cr_assert_eq(r->alerts.count, 0);
	rig_see(r, &(struct message){ .qname = "def.ngrok.io" });
	cr_assert_eq(rig_count(r, RULE_LOOKUP_TUNNEL_SERVICE), 1);
	rig_free(r);
}

Test(lookup_approval, a_tenants_own_zone_below_a_provider_is_no_stranger)
{
	struct world *w = acme_lookup_world();
	world_zone(acme_add(w), "acme.ddns.net", NULL, true);
	struct rig *r = rig_new(&lookup_family, w);

	rig_see(r, &(struct message){ .qname = "www2.acme.ddns.net" });
	cr_assert_eq(r->alerts.count, 0);
	rig_free(r);
}

Test(lookup_approval, traffic_of_nobody_is_judged_too)
{
	struct rig *r = acme_lookup_rig();
	rig_see(r, &(struct message){ .qname = "cam9.ddns.net", .unmapped = true });
	const struct alert *a = alerts_first(&r->alerts, RULE_LOOKUP_UNAPPROVED);
	cr_assert_str_eq(alert_get(a, a->tenant_id), "unmapped");
	cr_assert_str_eq(alert_get(a, a->message),
		"10.1.0.7 asked for the dynamic-DNS name cam9.ddns.net (provider no-ip), which "
		"nobody has approved");
	rig_free(r);
}

/* --- lookup.update_host ------------------------------------------------------------------- */

Test(lookup_approval, only_address_look_ups_contact_an_update_host)
{
	static const struct {
		uint16_t qtype;
		size_t alerts;
	} rows[] = {
		{ DNS_TYPE_A, 1 },
		{ DNS_TYPE_AAAA, 1 },
		{ DNS_TYPE_HTTPS, 1 },
		{ DNS_TYPE_MX, 0 },
		{ DNS_TYPE_NS, 0 },
		{ DNS_TYPE_SOA, 0 },
		{ DNS_TYPE_TXT, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = acme_lookup_rig();
		rig_see(r, &(struct message){
				   .qname = "dynupdate.no-ip.com", .qtype = rows[i].qtype });
		cr_assert_eq(r->alerts.count, rows[i].alerts, "type %u", rows[i].qtype);
		rig_free(r);
	}
}

Test(lookup_approval, update_clients_and_clients_with_an_approved_provider_may)
{
	static const struct {
		const char *why;
		const char *client; /* of update_clients */
		const char *name, *provider, *clients;
		size_t alerts;
	} rows[] = {
		{ "nobody may", NULL, NULL, NULL, NULL, 1 },
		{ "update client", "10.1.0.7", NULL, NULL, NULL, 0 },
		{ "another update client", "10.1.0.5", NULL, NULL, NULL, 1 },
		{ "provider approved", NULL, NULL, "no-ip", NULL, 0 },
		{ "other provider approved", NULL, NULL, "duckdns", NULL, 1 },
		{ "provider for another client", NULL, NULL, "no-ip", "10.1.0.5", 1 },
		{ "a name of the provider", NULL, "cam7.ddns.net", NULL, NULL, 0 },
		{ "a name for this client", NULL, "cam7.ddns.net", NULL, "10.1.0.7", 0 },
		{ "a name for another client", NULL, "cam7.ddns.net", NULL, "10.1.0.5", 1 },
		{ "a name of another provider", NULL, "cam7.duckdns.org", NULL, NULL, 1 },
		{ "the host itself", NULL, "dynupdate.no-ip.com", NULL, NULL, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = acme_lookup_world();
		struct policy *p = acme_add(w);
		if (rows[i].client)
			cr_assert(ip_set_add(&p->update_clients, rows[i].client));
		if (rows[i].name || rows[i].provider)
			world_approve(
				w, p, rows[i].name, rows[i].provider, rows[i].clients, NULL);
		struct rig *r = rig_new(&lookup_family, w);
		rig_see(r, &(struct message){ .qname = "dynupdate.no-ip.com" });
		cr_assert_eq(rig_count(r, RULE_LOOKUP_UPDATE_HOST), rows[i].alerts, "%s",
			rows[i].why);
		rig_free(r);
	}
}

Test(lookup_approval, many_approved_names_are_searched_by_provider)
{
	struct world *w = acme_lookup_world();
	struct policy *p = acme_add(w);
	char name[64];
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "n%d.%s", i, i % 2 ? "ddns.net" : "duckdns.org");
		world_approve(w, p, name, NULL, i == 37 ? "10.1.0.7" : "10.1.0.200", NULL);
	}
	struct rig *r = rig_new(&lookup_family, w);

	rig_see(r, &(struct message){ .qname = "dynupdate.no-ip.com" });
	cr_assert_eq(r->alerts.count, 0);
	rig_see(r, &(struct message){ .qname = "www.duckdns.org" });
	cr_assert_eq(rig_count(r, RULE_LOOKUP_UPDATE_HOST), 1);
	rig_free(r);
}

Test(lookup_approval, the_update_host_hint_names_the_client)
{
	struct rig *r = acme_lookup_rig();
	rig_see(r, &(struct message){ .qname = "dynupdate.no-ip.com" });
	const struct alert *a = alerts_first(&r->alerts, RULE_LOOKUP_UPDATE_HOST);
	cr_assert_str_eq(alert_get(a, a->allow_hint), "tenants:\n"
						      "  - id: acme\n"
						      "    ddns:\n"
						      "      update_clients: [10.1.0.7]\n");
	cr_assert_str_eq(alert_get(a, a->message), "10.1.0.7 contacts the dynamic-DNS update "
						   "service dynupdate.no-ip.com (provider "
						   "no-ip), which acme has not allowed it to");
	rig_free(r);
}

Test(lookup_approval, an_ip_check_within_a_minute_before_raises_the_score)
{
	static const struct {
		const char *name, *client;
		int64_t ms;
		bool raises;
	} rows[] = {
		{ "just before", "10.1.0.7", 59999, true },
		{ "at a minute", "10.1.0.7", 60000, true },
		{ "past a minute", "10.1.0.7", 60001, false },
		{ "by another client", "10.1.0.8", 1000, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = acme_lookup_rig();
		rig_see(r, &(struct message){ .qname = "ip1.dynupdate.no-ip.com",
				   .client = rows[i].client });
		cr_assert_eq(r->alerts.count, 0, "an IP check alone");
		rig_see(r, &(struct message){
				   .at_ms = rows[i].ms, .qname = "dynupdate.no-ip.com" });
		const struct alert *a = alerts_first(&r->alerts, RULE_LOOKUP_UPDATE_HOST);
		cr_assert_eq(
			alerts_why(a, "ip_check") != NULL, rows[i].raises, "%s", rows[i].name);
		cr_assert_eq(a->score >= 80, rows[i].raises, "%s", rows[i].name);
		rig_free(r);
	}
}
