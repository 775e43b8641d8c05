/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/rules/observations.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#define DAY_MS (24 * 3600 * INT64_C(1000))

/* What all tests know: providers of each tier, tunnels, update hosts, IP checks, two feeds. */
static struct world *listed(void)
{
	struct world *w = world_new();
	uint16_t urlhaus = world_feed(w, "urlhaus", MARK_MALICIOUS, SEVERITY_HIGH);
	uint16_t fox = world_feed(w, "threatfox", MARK_MALICIOUS, SEVERITY_CRITICAL);

	world_provider(w, MARK_PROVIDER, "ddns.net", "no-ip", TIER_A);
	world_provider(w, MARK_PROVIDER, "duckdns.org", "duckdns", TIER_A);
	world_provider(w, MARK_PROVIDER, "shared.example", "freedns", TIER_B);
	world_provider(w, MARK_PROVIDER, "myfritz.net", "avm", TIER_V);
	world_provider(w, MARK_TUNNEL, "ngrok.io", "ngrok", TIER_C);
	world_provider(w, MARK_TUNNEL, "tunnel.ngrok.com", "ngrok", TIER_C);
	world_provider(w, MARK_UPDATE_HOST, "dynupdate.no-ip.com", "no-ip", TIER_A);
	world_provider(w, MARK_UPDATE_HOST, "www.duckdns.org", "duckdns", TIER_A);
	world_provider(w, MARK_IP_CHECK, "ip1.dynupdate.no-ip.com", "no-ip", TIER_A);
	world_provider(w, MARK_IP_CHECK, "checkip.ddns.net", "no-ip", TIER_A);
	world_list(w, urlhaus, "evil.example", SCOPE_SUFFIX);
	world_list(w, fox, "www.evil.example", SCOPE_SUFFIX);
	world_list(w, urlhaus, "exact.example", SCOPE_EXACT);
	world_list(w, urlhaus, "bad.ddns.net", SCOPE_SUFFIX);
	return w;
}

static struct policy *add_acme(struct world *w)
{
	return world_tenant(w, "acme", "10.1.0.0/16");
}

static struct rig *acme(void)
{
	struct world *w = listed();
	add_acme(w);
	return rig_new(&lookup_family, w);
}

static size_t raised(const struct rig *r)
{
	return r->alerts.count;
}

/* --- which rule for which name ------------------------------------------------------------ */

Test(lookup, each_kind_of_name_has_its_rule)
{
	static const struct {
		const char *qname;
		int rule; /* -1: none */
	} rows[] = {
		{ "www.example", -1 },
		{ "evil.example", RULE_LOOKUP_MALICIOUS },
		{ "a.b.evil.example", RULE_LOOKUP_MALICIOUS },
		{ "notevil.example", -1 },
		{ "exact.example", RULE_LOOKUP_MALICIOUS },
		{ "www.exact.example", -1 },
		{ "cam9.ddns.net", RULE_LOOKUP_UNAPPROVED },
		{ "deep.cam9.ddns.net", RULE_LOOKUP_UNAPPROVED },
		{ "ddns.net", -1 },
		{ "www.ddns.net", -1 },
		{ "ns1.ddns.net", -1 },
		{ "ns.ddns.net", -1 },
		{ "ns23.ddns.net", -1 },
		{ "nsa.ddns.net", RULE_LOOKUP_UNAPPROVED },
		{ "ns1x.ddns.net", RULE_LOOKUP_UNAPPROVED },
		{ "www1.ddns.net", RULE_LOOKUP_UNAPPROVED },
		{ "n.ddns.net", RULE_LOOKUP_UNAPPROVED },
		{ "checkip.ddns.net", -1 },
		{ "bad.ddns.net", RULE_LOOKUP_MALICIOUS },
		{ "x.shared.example", -1 },
		{ "box.myfritz.net", -1 },
		{ "abc.ngrok.io", RULE_LOOKUP_TUNNEL_SERVICE },
		{ "ngrok.io", -1 },
		{ "www.ngrok.io", -1 },
		{ "tunnel.ngrok.com", RULE_LOOKUP_TUNNEL_SERVICE },
		{ "eu.tunnel.ngrok.com", RULE_LOOKUP_TUNNEL_SERVICE },
		{ "dynupdate.no-ip.com", RULE_LOOKUP_UPDATE_HOST },
		{ "www.duckdns.org", RULE_LOOKUP_UPDATE_HOST },
		{ "ip1.dynupdate.no-ip.com", -1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = acme();
		rig_see(r, &(struct message){ .qname = rows[i].qname });
		cr_assert_eq(raised(r), rows[i].rule >= 0, "%s", rows[i].qname);
		if (rows[i].rule >= 0)
			cr_assert_eq(
				r->alerts.alert[0]->rule, rows[i].rule, "%s", rows[i].qname);
		rig_free(r);
	}
}

Test(lookup, only_queries_are_look_ups)
{
	struct rig *r = acme();
	rig_see(r, &(struct message){ .qname = "cam9.ddns.net", .opcode = DNS_OPCODE_UPDATE });
	rig_see(r, &(struct message){ .qname = "cam9.ddns.net", .opcode = DNS_OPCODE_NOTIFY });
	cr_assert_eq(raised(r), 0);
	rig_free(r);
}

Test(lookup, query_and_response_make_one_alert)
{
	struct rig *r = acme();
	rig_exchange(r, &(struct message){
				.qname = "cam9.ddns.net", .address = { { "192.0.2.1", 60 } } });
	rig_exchange(r, &(struct message){ .at_ms = 100, .qname = "evil.example", .rcode = 3 });
	cr_assert_eq(rig_count(r, RULE_LOOKUP_UNAPPROVED), 1);
	cr_assert_eq(rig_count(r, RULE_LOOKUP_MALICIOUS), 1);
	rig_free(r);
}

Test(lookup, a_response_alone_is_judged_with_its_answers)
{
	struct rig *r = acme();
	rig_see(r, &(struct message){ .qname = "cam9.ddns.net",
			   .response = true,
			   .address = { { "192.0.2.1", 60 } } });
	const struct alert *a = alerts_first(&r->alerts, RULE_LOOKUP_UNAPPROVED);
	cr_assert_eq(raised(r), 1);
	cr_assert_eq(a->resolved_count, 1);
	rig_free(r);
}

/* --- lookup.unapproved -------------------------------------------------------------------- */

Test(lookup, an_unapproved_name_is_told_in_plain_words)
{
	struct rig *r = acme();
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

Test(lookup, a_name_with_escapes_is_told_as_it_is)
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
		struct rig *r = acme();
		rig_see(r, &(struct message){ .qname = rows[i].qname });
		const struct alert *a = alerts_first(&r->alerts, RULE_LOOKUP_UNAPPROVED);
		cr_assert_not_null(a, "%s", rows[i].qname);
		cr_expect_str_eq(alert_get(a, a->indicator), rows[i].key);
		cr_expect_str_eq(alert_get(a, a->qname), rows[i].qname);
		cr_expect_not_null(strstr(alert_get(a, a->message), rows[i].key));
		rig_free(r);
	}
}

Test(lookup, clients_of_one_name_are_counted)
{
	struct rig *r = acme();
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

Test(lookup, tiers_b_and_v_alert_when_they_are_asked_for)
{
	static const struct {
		const char *option, *qname;
	} rows[] = {
		{ "freedns", "x.shared.example" },
		{ "vendors", "box.myfritz.net" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = listed();
		world_option(add_acme(w), RULE_LOOKUP_UNAPPROVED, rows[i].option, "true");
		struct rig *r = rig_new(&lookup_family, w);
		for (size_t k = 0; k < ARRAY_LEN(rows); k++)
			rig_see(r, &(struct message){ .qname = rows[k].qname });
		cr_assert_eq(raised(r), 1, "%s", rows[i].option);
		rig_free(r);
	}
}

Test(lookup, approval_holds_for_names_providers_clients_and_days)
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
		struct world *w = listed();
		world_approve(w, add_acme(w), rows[i].name, rows[i].provider, rows[i].clients,
			rows[i].until);
		struct rig *r = rig_new(&lookup_family, w);
		rig_see(r, &(struct message){ .qname = "a.cam9.ddns.net" });
		cr_assert_eq(raised(r), rows[i].alerts, "%s", rows[i].why);
		rig_free(r);
	}
}

Test(lookup, an_approval_ends_with_its_last_day)
{
	struct world *w = listed();
	world_approve(w, add_acme(w), "cam9.ddns.net", NULL, NULL, "2026-08-01");
	struct rig *r = rig_new(&lookup_family, w);

	/* The world begins at noon. */
	rig_see(r, &(struct message){ .at_ms = DAY_MS / 2 - 1, .qname = "cam9.ddns.net" });
	cr_assert_eq(raised(r), 0);
	rig_see(r, &(struct message){ .at_ms = DAY_MS / 2, .qname = "cam9.ddns.net" });
	cr_assert_eq(raised(r), 1);
	rig_free(r);
}

Test(lookup, what_one_tenant_approves_is_not_approved_for_another)
{
	struct world *w = listed();
	world_approve(w, add_acme(w), "cam9.ddns.net", NULL, NULL, NULL);
	world_approve(
		w, world_tenant(w, "beta", "10.2.0.0/16"), "cam8.ddns.net", NULL, NULL, NULL);
	struct rig *r = rig_new(&lookup_family, w);

	rig_see(r, &(struct message){ .qname = "cam9.ddns.net", .tenant = 1 });
	cr_assert_eq(raised(r), 0);
	rig_see(r, &(struct message){ .qname = "cam9.ddns.net", .tenant = 2 });
	cr_assert_eq(raised(r), 1);
	rig_free(r);
}

Test(lookup, approval_silences_tunnels_too)
{
	struct world *w = listed();
	struct policy *p = add_acme(w);
	world_approve(w, p, "abc.ngrok.io", NULL, NULL, NULL);
	struct rig *r = rig_new(&lookup_family, w);

	rig_see(r, &(struct message){ .qname = "abc.ngrok.io" });
	cr_assert_eq(raised(r), 0);
	rig_see(r, &(struct message){ .qname = "def.ngrok.io" });
	cr_assert_eq(rig_count(r, RULE_LOOKUP_TUNNEL_SERVICE), 1);
	rig_free(r);
}

Test(lookup, a_tenants_own_zone_below_a_provider_is_no_stranger)
{
	struct world *w = listed();
	world_zone(add_acme(w), "acme.ddns.net", NULL, true);
	struct rig *r = rig_new(&lookup_family, w);

	rig_see(r, &(struct message){ .qname = "www2.acme.ddns.net" });
	cr_assert_eq(raised(r), 0);
	rig_free(r);
}

Test(lookup, traffic_of_nobody_is_judged_too)
{
	struct rig *r = acme();
	rig_see(r, &(struct message){ .qname = "cam9.ddns.net", .unmapped = true });
	const struct alert *a = alerts_first(&r->alerts, RULE_LOOKUP_UNAPPROVED);
	cr_assert_str_eq(alert_get(a, a->tenant_id), "unmapped");
	cr_assert_str_eq(alert_get(a, a->message),
		"10.1.0.7 asked for the dynamic-DNS name cam9.ddns.net (provider no-ip), which "
		"nobody has approved");
	rig_free(r);
}

/* --- lookup.malicious --------------------------------------------------------------------- */

Test(lookup, all_feeds_of_a_malicious_name_are_told_with_the_highest_severity)
{
	struct rig *r = acme();
	rig_see(r, &(struct message){ .qname = "a.www.evil.example" });
	const struct alert *a = alerts_first(&r->alerts, RULE_LOOKUP_MALICIOUS);

	cr_assert_eq(a->severity, SEVERITY_CRITICAL);
	cr_assert_str_eq(alert_get(a, a->indicator), "www.evil.example");
	cr_assert_str_eq(alert_get(a, a->indicator_provider), "urlhaus, threatfox");
	cr_assert_str_eq(
		alert_get(a, a->key), "lookup.malicious|acme|10.1.0.7|www.evil.example");
	cr_assert_str_eq(alert_get(a, a->message),
		"10.1.0.7 asked for a.www.evil.example, which is listed as malicious "
		"(www.evil.example by urlhaus, threatfox)");
	cr_assert_not_null(
		strstr(alert_get(a, a->allow_hint), "{rule: lookup.malicious, clients: "
						    "[10.1.0.7], names: [www.evil.example]}"));
	rig_free(r);
}

Test(lookup, severity_is_the_feeds_unless_the_tenant_says_otherwise)
{
	struct rig *r = acme();
	rig_see(r, &(struct message){ .qname = "evil.example" });
	cr_assert_eq(r->alerts.alert[0]->severity, SEVERITY_HIGH);
	rig_free(r);

	struct world *w = listed();
	world_option(add_acme(w), RULE_LOOKUP_MALICIOUS, "severity", "low");
	r = rig_new(&lookup_family, w);
	rig_see(r, &(struct message){ .qname = "a.www.evil.example" });
	cr_assert_eq(r->alerts.alert[0]->severity, SEVERITY_LOW);
	rig_free(r);
}

Test(lookup, approval_never_silences_malicious)
{
	struct world *w = listed();
	struct policy *p = add_acme(w);
	world_approve(w, p, "bad.ddns.net", NULL, NULL, NULL);
	world_approve(w, p, NULL, "no-ip", NULL, NULL);
	struct rig *r = rig_new(&lookup_family, w);

	rig_see(r, &(struct message){ .qname = "x.bad.ddns.net" });
	cr_assert_eq(rig_count(r, RULE_LOOKUP_MALICIOUS), 1);
	cr_assert_eq(raised(r), 1);
	rig_free(r);
}

Test(lookup, allow_beats_malicious_at_one_depth_and_the_deeper_one_wins)
{
	static const struct {
		const char *why, *malicious, *allow;
		size_t alerts;
	} rows[] = {
		{ "same depth", "x.test.example", "x.test.example", 0 },
		{ "deeper allow", "test.example", "x.test.example", 0 },
		{ "deeper malicious", "x.test.example", "test.example", 1 },
		{ "allow elsewhere", "x.test.example", "y.test.example", 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world *w = listed();
		uint16_t bad = world_feed(w, "bad", MARK_MALICIOUS, SEVERITY_HIGH);
		uint16_t good = world_feed(w, "good", MARK_ALLOW, SEVERITY_HIGH);
		world_list(w, bad, rows[i].malicious, SCOPE_SUFFIX);
		world_list(w, good, rows[i].allow, SCOPE_SUFFIX);
		add_acme(w);
		struct rig *r = rig_new(&lookup_family, w);
		rig_see(r, &(struct message){ .qname = "x.test.example" });
		cr_assert_eq(raised(r), rows[i].alerts, "%s", rows[i].why);
		rig_free(r);
	}
}

Test(lookup, an_allow_feed_silences_a_dynamic_name_too)
{
	struct world *w = listed();
	uint16_t good = world_feed(w, "good", MARK_ALLOW, SEVERITY_HIGH);
	world_list(w, good, "cam9.ddns.net", SCOPE_SUFFIX);
	add_acme(w);
	struct rig *r = rig_new(&lookup_family, w);

	rig_see(r, &(struct message){ .qname = "cam9.ddns.net" });
	cr_assert_eq(raised(r), 0);
	rig_see(r, &(struct message){ .qname = "cam8.ddns.net" });
	cr_assert_eq(raised(r), 1);
	rig_free(r);
}

Test(lookup, an_exclusion_silences_malicious)
{
	struct world *w = listed();
	world_exclude(add_acme(w), RULE_LOOKUP_MALICIOUS, "10.1.0.7", "evil.example");
	struct rig *r = rig_new(&lookup_family, w);

	rig_see(r, &(struct message){ .qname = "x.evil.example" });
	cr_assert_eq(raised(r), 0);
	rig_see(r, &(struct message){ .qname = "x.evil.example", .client = "10.1.0.8" });
	cr_assert_eq(raised(r), 1);
	rig_free(r);
}

Test(lookup, names_below_a_provider_are_told_apart_however_broad_the_feed)
{
	struct world *w = listed();
	uint16_t bad = world_feed(w, "bad", MARK_MALICIOUS, SEVERITY_HIGH);
	world_list(w, bad, "ddns.net", SCOPE_SUFFIX);
	add_acme(w);
	struct rig *r = rig_new(&lookup_family, w);

	rig_see(r, &(struct message){ .qname = "a.cam1.ddns.net" });
	const struct alert *a = alerts_first(&r->alerts, RULE_LOOKUP_MALICIOUS);
	cr_assert_str_eq(alert_get(a, a->key), "lookup.malicious|acme|10.1.0.7|cam1.ddns.net");
	cr_assert_str_eq(alert_get(a, a->indicator), "ddns.net");
	rig_free(r);
}

/* --- names in answers --------------------------------------------------------------------- */

Test(lookup, being_led_to_a_name_counts_unless_it_is_a_pointer)
{
	static const struct {
		const char *name;
		uint16_t type;
		size_t alerts;
	} rows[] = {
		{ "CNAME", DNS_TYPE_CNAME, 1 },
		{ "DNAME", DNS_TYPE_DNAME, 1 },
		{ "MX", DNS_TYPE_MX, 1 },
		{ "NS", DNS_TYPE_NS, 1 },
		{ "SRV", DNS_TYPE_SRV, 1 },
		{ "HTTPS", DNS_TYPE_HTTPS, 1 },
		{ "SVCB", DNS_TYPE_SVCB, 1 },
		{ "PTR", DNS_TYPE_PTR, 0 },
	};
	static const char *const targets[] = { "x.evil.example", "cam9.ddns.net",
		"t.ngrok.io" };
	static const enum rule_id rules[] = { RULE_LOOKUP_MALICIOUS, RULE_LOOKUP_UNAPPROVED,
		RULE_LOOKUP_TUNNEL_SERVICE };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t k = 0; k < ARRAY_LEN(targets); k++) {
			struct rig *r = acme();
			rig_exchange(r, &(struct message){ .qname = "www.example",
						.name = { { rows[i].type, targets[k], 60,
							DNS_ANSWER } } });
			cr_assert_eq(rig_count(r, rules[k]), rows[i].alerts, "%s to %s",
				rows[i].name, targets[k]);
			cr_assert_eq(raised(r), rows[i].alerts, "%s", rows[i].name);
			if (rows[i].alerts) {
				const struct alert *a = r->alerts.alert[0];
				const struct alert_why *why = alerts_why(a, "reached_by");
				cr_assert_str_eq(alert_get(a, why->value.text), rows[i].name);
			}
			rig_free(r);
		}
	}
}

Test(lookup, the_way_to_the_name_is_told)
{
	struct rig *r = acme();
	rig_exchange(
		r, &(struct message){ .qname = "www.shop.example",
			   .name = { { DNS_TYPE_CNAME, "a.cam9.ddns.net", 60, DNS_ANSWER } },
			   .address = { { "192.0.2.7", 60 } } });
	const struct alert *a = alerts_first(&r->alerts, RULE_LOOKUP_UNAPPROVED);

	cr_assert_str_eq(alert_get(a, a->message),
		"10.1.0.7 asked for www.shop.example, which leads by CNAME to the dynamic-DNS "
		"name "
		"cam9.ddns.net (provider no-ip), which acme has not approved");
	cr_assert_str_eq(alert_get(a, a->qname), "www.shop.example");
	cr_assert_eq(a->resolved_count, 1);
	cr_assert_str_eq(alert_get(a, a->key), "lookup.unapproved|acme|10.1.0.7|cam9.ddns.net");
	rig_free(r);
}

Test(lookup, an_approved_name_does_not_approve_where_it_leads)
{
	struct world *w = listed();
	world_approve(w, add_acme(w), "cam.acme.example", NULL, NULL, NULL);
	struct rig *r = rig_new(&lookup_family, w);

	rig_exchange(
		r, &(struct message){ .qname = "cam.acme.example",
			   .name = { { DNS_TYPE_CNAME, "cam9.ddns.net", 60, DNS_ANSWER } } });
	cr_assert_eq(rig_count(r, RULE_LOOKUP_UNAPPROVED), 1);
	rig_free(r);
}

Test(lookup, one_name_reached_twice_in_a_message_is_told_once)
{
	struct rig *r = acme();
	rig_exchange(
		r, &(struct message){ .qname = "b.cam9.ddns.net",
			   .name = { { DNS_TYPE_CNAME, "c.cam9.ddns.net", 60, DNS_ANSWER },
				   { DNS_TYPE_CNAME, "x.evil.example", 60, DNS_ANSWER },
				   { DNS_TYPE_CNAME, "y.evil.example", 60, DNS_ANSWER } } });
	cr_assert_eq(rig_count(r, RULE_LOOKUP_UNAPPROVED), 1);
	cr_assert_eq(rig_count(r, RULE_LOOKUP_MALICIOUS), 1);
	rig_free(r);
}

Test(lookup, an_update_host_as_a_target_says_nothing)
{
	struct rig *r = acme();
	rig_exchange(r, &(struct message){ .qname = "www.example",
				.name = { { DNS_TYPE_CNAME, "dynupdate.no-ip.com", 60,
					DNS_ANSWER } } });
	cr_assert_eq(raised(r), 0);
	rig_free(r);
}

/* --- lookup.update_host ------------------------------------------------------------------- */

Test(lookup, only_address_look_ups_contact_an_update_host)
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
		struct rig *r = acme();
		rig_see(r, &(struct message){
				   .qname = "dynupdate.no-ip.com", .qtype = rows[i].qtype });
		cr_assert_eq(raised(r), rows[i].alerts, "type %u", rows[i].qtype);
		rig_free(r);
	}
}

Test(lookup, update_clients_and_clients_with_an_approved_provider_may)
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
		struct world *w = listed();
		struct policy *p = add_acme(w);
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

Test(lookup, many_approved_names_are_searched_by_provider)
{
	struct world *w = listed();
	struct policy *p = add_acme(w);
	char name[64];
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "n%d.%s", i, i % 2 ? "ddns.net" : "duckdns.org");
		world_approve(w, p, name, NULL, i == 37 ? "10.1.0.7" : "10.1.0.200", NULL);
	}
	struct rig *r = rig_new(&lookup_family, w);

	rig_see(r, &(struct message){ .qname = "dynupdate.no-ip.com" });
	cr_assert_eq(raised(r), 0);
	rig_see(r, &(struct message){ .qname = "www.duckdns.org" });
	cr_assert_eq(rig_count(r, RULE_LOOKUP_UPDATE_HOST), 1);
	rig_free(r);
}

Test(lookup, the_update_host_hint_names_the_client)
{
	struct rig *r = acme();
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

Test(lookup, an_ip_check_within_a_minute_before_raises_the_score)
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
		struct rig *r = acme();
		rig_see(r, &(struct message){ .qname = "ip1.dynupdate.no-ip.com",
				   .client = rows[i].client });
		cr_assert_eq(raised(r), 0, "an IP check alone");
		rig_see(r, &(struct message){
				   .at_ms = rows[i].ms, .qname = "dynupdate.no-ip.com" });
		const struct alert *a = alerts_first(&r->alerts, RULE_LOOKUP_UPDATE_HOST);
		cr_assert_eq(
			alerts_why(a, "ip_check") != NULL, rows[i].raises, "%s", rows[i].name);
		cr_assert_eq(a->score >= 80, rows[i].raises, "%s", rows[i].name);
		rig_free(r);
	}
}

/* --- resolvers ---------------------------------------------------------------------------- */

static struct rig *acme_with_resolver(const char *approved, const char *clients)
{
	struct world *w = listed();
	struct policy *p = add_acme(w);
	cr_assert(ip_set_add(&p->resolvers, "10.1.0.53"));
	if (approved)
		world_approve(w, p, approved, NULL, clients, NULL);
	return rig_new(&lookup_family, w);
}

Test(lookup, a_resolver_that_passes_a_clients_question_on_is_not_told_again)
{
	static const char *const names[] = { "cam9.ddns.net", "evil.example", "t.ngrok.io",
		"dynupdate.no-ip.com" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct rig *r = acme_with_resolver(NULL, NULL);
		rig_see(r, &(struct message){ .qname = names[i] });
		rig_see(r, &(struct message){ .at_ms = 5,
				   .qname = names[i],
				   .client = "10.1.0.53",
				   .server = "198.51.100.1",
				   .no_rd = true });
		cr_assert_eq(raised(r), 1, "%s", names[i]);
		rig_free(r);
	}
}

Test(lookup, a_resolver_whose_clients_are_not_seen_is_told)
{
	struct rig *r = acme_with_resolver(NULL, NULL);
	rig_see(r, &(struct message){ .qname = "cam9.ddns.net",
			   .client = "10.1.0.53",
			   .server = "198.51.100.1",
			   .no_rd = true });
	cr_assert_eq(raised(r), 1);
	rig_free(r);
}

Test(lookup, what_a_client_may_its_resolver_may_pass_on)
{
	struct rig *r = acme_with_resolver("cam9.ddns.net", "10.1.0.7");
	struct message forwarded = { .at_ms = 5,
		.qname = "cam9.ddns.net",
		.client = "10.1.0.53",
		.server = "198.51.100.1" };

	rig_see(r, &(struct message){ .qname = "cam9.ddns.net" });
	rig_see(r, &forwarded);
	cr_assert_eq(raised(r), 0);
	forwarded.at_ms = 5 * 60 * 1000 + 1;
	rig_see(r, &forwarded);
	cr_assert_eq(raised(r), 1, "five minutes later it is not the client's any more");
	rig_free(r);
}

Test(lookup, its_tables_are_in_the_books)
{
	struct rig *r = acme();
	rig_see(r, &(struct message){ .qname = "cam9.ddns.net" });
	rig_see(r, &(struct message){ .qname = "checkip.ddns.net" });
	struct judge_stats s = rig_stats(r);
	cr_assert_eq(s.table_count, 2);
	cr_assert_eq(s.table[0].used, 1);
	cr_assert_eq(s.table[1].used, 1);
	rig_free(r);
}

Test(lookup, a_flood_of_names_stays_within_its_memory)
{
	struct world *w = listed();
	char qname[64];
	add_acme(w);
	struct rig *r = rig_new_sized(&lookup_family, w, 0);

	for (int i = 0; i < 2000; i++) {
		snprintf(qname, sizeof(qname), "n%d.ddns.net", i);
		rig_see(r, &(struct message){ .qname = qname });
	}
	cr_assert_eq(raised(r), 2000);
	cr_assert_eq(rig_stats(r).table[0].used, 64);
	cr_assert_eq(rig_stats(r).table[0].evicted, 2000 - 64);
	rig_free(r);
}

/* --- more than one question ---------------------------------------------------------------- */

Test(lookup, a_second_question_hides_nothing)
{
	struct world *w = listed();
	add_acme(w);
	uint16_t bad = world_feed(w, "second", MARK_MALICIOUS, SEVERITY_HIGH);
	world_list(w, bad, "hidden.example", SCOPE_SUFFIX);
	struct rig *r = rig_new(&lookup_family, w);
	struct message m = { .qname = "www.example.com",
		.name = { { DNS_TYPE_A, "c2.hidden.example", 0, OBSERVATION_QUESTION } } };

	rig_see(r, &m);
	cr_assert_eq(r->alerts.count, 1);
	const struct alert *a = alerts_first(&r->alerts, RULE_LOOKUP_MALICIOUS);
	cr_assert_str_eq(alert_get(a, a->message),
		"10.1.0.7 asked for www.example.com and in the same message for "
		"c2.hidden.example, which is listed as malicious (hidden.example by second)");
	cr_assert_not_null(alerts_why(a, "question"));
	cr_assert_null(alerts_why(a, "reached_by"));

	m.at_ms = 20;
	m.response = true;
	rig_see(r, &m);
	cr_assert_eq(r->alerts.count, 1, "the response repeats what the query asked");
	m.at_ms = 40;
	m.id = 9;
	rig_see(r, &m);
	cr_assert_eq(r->alerts.count, 2, "without its query it is news");
	rig_free(r);
}

Test(lookup, an_update_host_is_contacted_by_a_second_question_too)
{
	struct world *w = listed();
	add_acme(w);
	world_provider(w, MARK_UPDATE_HOST, "dynupdate.example", "x", TIER_A);
	struct rig *r = rig_new(&lookup_family, w);

	rig_see(r, &(struct message){ .qname = "www.example.com",
			   .name = { { DNS_TYPE_AAAA, "dynupdate.example", 0,
					     OBSERVATION_QUESTION },
				   { DNS_TYPE_TXT, "dynupdate.example", 0,
					   OBSERVATION_QUESTION } } });
	cr_assert_eq(rig_count(r, RULE_LOOKUP_UPDATE_HOST), 1);
	rig_free(r);
}
