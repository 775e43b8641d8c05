/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which rule judges which name, and which names of a message are judged: those of its questions
 * and those that answers lead to, once, even when a resolver passes them on.
 */
#include "tests/unit/rules/acme.h"

#include <stdio.h>

#include <criterion/criterion.h>

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
		struct rig *r = acme_lookup_rig();
		rig_see(r, &(struct message){ .qname = rows[i].qname });
		cr_assert_eq(r->alerts.count, rows[i].rule >= 0, "%s", rows[i].qname);
		if (rows[i].rule >= 0)
			cr_assert_eq(
				r->alerts.alert[0]->rule, rows[i].rule, "%s", rows[i].qname);
		rig_free(r);
	}
}

Test(lookup, only_queries_are_look_ups)
{
	struct rig *r = acme_lookup_rig();
	rig_see(r, &(struct message){ .qname = "cam9.ddns.net", .opcode = DNS_OPCODE_UPDATE });
	rig_see(r, &(struct message){ .qname = "cam9.ddns.net", .opcode = DNS_OPCODE_NOTIFY });
	cr_assert_eq(r->alerts.count, 0);
	rig_free(r);
}

Test(lookup, query_and_response_make_one_alert)
{
	struct rig *r = acme_lookup_rig();
	rig_exchange(r, &(struct message){
				.qname = "cam9.ddns.net", .address = { { "192.0.2.1", 60 } } });
	rig_exchange(r, &(struct message){ .at_ms = 100, .qname = "evil.example", .rcode = 3 });
	cr_assert_eq(rig_count(r, RULE_LOOKUP_UNAPPROVED), 1);
	cr_assert_eq(rig_count(r, RULE_LOOKUP_MALICIOUS), 1);
	rig_free(r);
}

Test(lookup, a_response_alone_is_judged_with_its_answers)
{
	struct rig *r = acme_lookup_rig();
	rig_see(r, &(struct message){ .qname = "cam9.ddns.net",
			   .response = true,
			   .address = { { "192.0.2.1", 60 } } });
	const struct alert *a = alerts_first(&r->alerts, RULE_LOOKUP_UNAPPROVED);
	cr_assert_eq(r->alerts.count, 1);
	cr_assert_eq(a->resolved_count, 1);
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
			struct rig *r = acme_lookup_rig();
			rig_exchange(r, &(struct message){ .qname = "www.example",
						.name = { { rows[i].type, targets[k], 60,
							DNS_ANSWER } } });
			cr_assert_eq(rig_count(r, rules[k]), rows[i].alerts, "%s to %s",
				rows[i].name, targets[k]);
			cr_assert_eq(r->alerts.count, rows[i].alerts, "%s", rows[i].name);
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
	struct rig *r = acme_lookup_rig();
	rig_exchange(
		r, &(struct message){ .qname = "www.shop.example",
			   .name = { { DNS_TYPE_CNAME, "a.cam9.ddns.net", 60, DNS_ANSWER } },
			   .address = { { "192.0.2.7", 60 } } });
	const struct alert *a = alerts_first(&r->alerts, RULE_LOOKUP_UNAPPROVED);

	cr_assert_str_eq(alert_get(a, a->message),
		"10.1.0.7 asked for www.shop.example, which leads by CNAME to the dynamic-DNS "
		"name cam9.ddns.net (provider no-ip), which acme has not approved");
	cr_assert_str_eq(alert_get(a, a->qname), "www.shop.example");
	cr_assert_eq(a->resolved_count, 1);
	cr_assert_str_eq(alert_get(a, a->key), "lookup.unapproved|acme|10.1.0.7|cam9.ddns.net");
	rig_free(r);
}

Test(lookup, an_approved_name_does_not_approve_where_it_leads)
{
	struct world *w = acme_lookup_world();
	world_approve(w, acme_add(w), "cam.acme.example", NULL, NULL, NULL);
	struct rig *r = rig_new(&lookup_family, w);

	rig_exchange(
		r, &(struct message){ .qname = "cam.acme.example",
			   .name = { { DNS_TYPE_CNAME, "cam9.ddns.net", 60, DNS_ANSWER } } });
	cr_assert_eq(rig_count(r, RULE_LOOKUP_UNAPPROVED), 1);
	rig_free(r);
}

Test(lookup, one_name_reached_twice_in_a_message_is_told_once)
{
	struct rig *r = acme_lookup_rig();
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
	struct rig *r = acme_lookup_rig();
	rig_exchange(r, &(struct message){ .qname = "www.example",
				.name = { { DNS_TYPE_CNAME, "dynupdate.no-ip.com", 60,
					DNS_ANSWER } } });
	cr_assert_eq(r->alerts.count, 0);
	rig_free(r);
}

/* --- more than one question ---------------------------------------------------------------- */

Test(lookup, a_second_question_hides_nothing)
{
	struct world *w = acme_lookup_world();
	acme_add(w);
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
	struct world *w = acme_lookup_world();
	acme_add(w);
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

/* --- resolvers ---------------------------------------------------------------------------- */

static struct rig *acme_with_resolver(const char *approved, const char *clients)
{
	struct world *w = acme_lookup_world();
	struct policy *p = acme_add(w);
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
		cr_assert_eq(r->alerts.count, 1, "%s", names[i]);
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
	cr_assert_eq(r->alerts.count, 1);
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
	cr_assert_eq(r->alerts.count, 0);
	forwarded.at_ms = 5 * 60 * 1000 + 1;
	rig_see(r, &forwarded);
	cr_assert_eq(r->alerts.count, 1, "five minutes later it is not the client's any more");
	rig_free(r);
}

/* --- memory ------------------------------------------------------------------------------- */

Test(lookup, its_tables_are_in_the_books)
{
	struct rig *r = acme_lookup_rig();
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
	struct world *w = acme_lookup_world();
	char qname[64];
	acme_add(w);
	struct rig *r = rig_new_sized(&lookup_family, w, 0);

	for (int i = 0; i < 2000; i++) {
		snprintf(qname, sizeof(qname), "n%d.ddns.net", i);
		rig_see(r, &(struct message){ .qname = qname });
	}
	cr_assert_eq(r->alerts.count, 2000);
	cr_assert_eq(rig_stats(r).table[0].used, 64);
	cr_assert_eq(rig_stats(r).table[0].evicted, 2000 - 64);
	rig_free(r);
}
