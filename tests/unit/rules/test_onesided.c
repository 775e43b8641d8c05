/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every rule family makes of half a conversation: queries without responses, responses
 * without queries, and the two directions on different VLANs of which one selects no tenant.
 */
#include "rules/sides.h"

#include "tests/support/dns_build.h"
#include "tests/unit/rules/observations.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

/* acme: 10.1.0.0/16 with a resolver, one approved name; a feed, a provider, a content network. */
static struct rig *rig_of(const struct family *family)
{
	struct world *w = world_new();
	struct policy *p = world_tenant(w, "acme", "10.1.0.0/16");
	uint16_t bad = world_feed(w, "bad", MARK_MALICIOUS, SEVERITY_HIGH);

	cr_assert(ip_set_add(&p->resolvers, "10.1.0.53"));
	world_list(w, bad, "evil.example", SCOPE_SUFFIX);
	world_provider(w, MARK_PROVIDER, "ddns.net", "no-ip", TIER_A);
	world_approve(w, p, "cam7.ddns.net", NULL, NULL, "");
	return rig_new(family, w);
}

static const char *reason(const struct alert *a, const char *feature)
{
	const struct alert_why *why = alerts_why(a, feature);

	return why ? alert_get(a, why->value.text) : "(none)";
}

/* Until now all of acme's queries were answered: both directions are visible. */
static void see_both_sides(struct rig *r)
{
	for (int i = 0; i < 50; i++)
		rig_exchange(r, &(struct message){ .at_ms = i * 200,
					.client = "10.1.0.8",
					.qname = "www.example.com",
					.response = true,
					.address = { { "192.0.2.1", 3600 } } });
}

/* --- sides -------------------------------------------------------------------------------- */

Test(onesided, which_directions_are_visible)
{
	static const struct {
		const char *name;
		unsigned queries, matched, unmatched;
		int64_t after_ns;
		bool queries_hidden, responses_hidden;
	} rows[] = {
		{ "nothing", 0, 0, 0, 0, false, false },
		{ "one query just now", 1, 0, 0, 0, false, false },
		{ "one query, patience over", 1, 0, 0, SIDES_PATIENCE_NS, false, true },
		{ "one query, a moment before", 1, 0, 0, SIDES_PATIENCE_NS - 1, false, false },
		{ "one answered", 1, 1, 0, SIDES_PATIENCE_NS, false, false },
		{ "a tenth answered", 100, 10, 0, SIDES_PATIENCE_NS, false, true },
		{ "more than a tenth", 100, 11, 0, SIDES_PATIENCE_NS, false, false },
		{ "one response alone", 0, 0, 1, 0, true, false },
		{ "nine of ten unasked", 10, 10, 90, SIDES_PATIENCE_NS, true, false },
		{ "not quite", 11, 11, 90, SIDES_PATIENCE_NS, false, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct sides s = { 0 };
		for (unsigned k = 0; k < rows[i].queries; k++)
			sides_note(&s, false, false, WORLD_START_NS);
		for (unsigned k = 0; k < rows[i].matched; k++)
			sides_note(&s, true, true, WORLD_START_NS);
		for (unsigned k = 0; k < rows[i].unmatched; k++)
			sides_note(&s, true, false, WORLD_START_NS);
		cr_expect_eq(
			sides_queries_hidden(&s), rows[i].queries_hidden, "%s", rows[i].name);
		cr_expect_eq(sides_responses_hidden(&s, WORLD_START_NS + rows[i].after_ns),
			rows[i].responses_hidden, "%s", rows[i].name);
	}
}

Test(onesided, a_mirror_that_is_repaired_is_noticed)
{
	struct sides s = { 0 };

	for (unsigned i = 0; i < 10 * SIDES_HALVED_AT; i++)
		sides_note(&s, true, false, WORLD_START_NS);
	cr_assert(sides_queries_hidden(&s));
	for (unsigned i = 0; i < SIDES_HALVED_AT / 4; i++) {
		sides_note(&s, false, false, WORLD_START_NS);
		sides_note(&s, true, true, WORLD_START_NS);
	}
	cr_assert_not(sides_queries_hidden(&s));
}

/* --- lookup ------------------------------------------------------------------------------- */

Test(onesided, a_lookup_is_judged_by_the_query_alone)
{
	struct rig *r = rig_of(&lookup_family);
	rig_see(r, &(struct message){ .qname = "www.example.com" });
	rig_see(r, &(struct message){ .at_ms = 6000, .qname = "c2.evil.example" });
	rig_see(r, &(struct message){ .at_ms = 6100, .qname = "cam9.ddns.net" });
	rig_see(r, &(struct message){ .at_ms = 6200, .qname = "cam7.ddns.net" });

	const struct alert *a = alerts_first(&r->alerts, RULE_LOOKUP_MALICIOUS);
	cr_assert_str_eq(reason(a, "responses_seen"), "no: only queries are visible");
	cr_assert_str_eq(reason(a, "queries_seen"), "(none)");
	cr_assert_eq(rig_count(r, RULE_LOOKUP_UNAPPROVED), 1, "cam7 is approved");
	rig_free(r);
}

Test(onesided, a_lookup_is_judged_by_the_response_alone)
{
	struct rig *r = rig_of(&lookup_family);
	rig_see(r, &(struct message){ .qname = "www.example.com",
			   .response = true,
			   .name = { { DNS_TYPE_CNAME, "c2.evil.example", 60, DNS_ANSWER } } });
	rig_see(r,
		&(struct message){ .at_ms = 100, .qname = "cam9.ddns.net", .response = true });

	const struct alert *a = alerts_first(&r->alerts, RULE_LOOKUP_MALICIOUS);
	cr_assert_str_eq(reason(a, "queries_seen"), "no: only responses are visible");
	cr_assert_str_eq(reason(a, "responses_seen"), "(none)");
	cr_assert_eq(rig_count(r, RULE_LOOKUP_UNAPPROVED), 1);
	rig_free(r);
}

Test(onesided, nothing_is_said_where_both_directions_are_visible)
{
	struct rig *r = rig_of(&lookup_family);
	see_both_sides(r);
	rig_see(r, &(struct message){ .at_ms = 20000, .qname = "cam9.ddns.net" });
	const struct alert *a = alerts_first(&r->alerts, RULE_LOOKUP_UNAPPROVED);
	cr_assert_str_eq(reason(a, "queries_seen"), "(none)");
	cr_assert_str_eq(reason(a, "responses_seen"), "(none)");

	rig_see(r, &(struct message){ .at_ms = 20100,
			   .id = 9,
			   .qname = "c2.evil.example",
			   .response = true });
	a = alerts_first(&r->alerts, RULE_LOOKUP_MALICIOUS);
	cr_assert_str_eq(
		reason(a, "queries_seen"), "no: the query of this response was not captured");
	rig_free(r);
}

/* --- different VLANs per direction: one of them selects no tenant ---------------------------- */

Test(onesided, a_response_that_tells_the_tenant_has_its_question_judged_there)
{
	struct rig *r = rig_of(&lookup_family);
	rig_see(r, &(struct message){ .qname = "cam9.ddns.net", .vlan = 7, .unmapped = true });
	rig_see(r,
		&(struct message){
			.at_ms = 20, .qname = "cam9.ddns.net", .vlan = 101, .response = true });

	cr_assert_eq(rig_count(r, RULE_LOOKUP_UNAPPROVED), 2);
	const struct alert *a = alerts_last(&r->alerts, RULE_LOOKUP_UNAPPROVED);
	cr_assert_str_eq(alert_get(a, a->tenant_id), "acme");
	cr_assert_str_eq(reason(a, "queries_seen"),
		"yes, but without what tells the tenant: only responses have it");
	rig_free(r);
}

Test(onesided, a_query_that_tells_the_tenant_lends_it_to_its_response)
{
	struct rig *r = rig_of(&lookup_family);
	rig_see(r, &(struct message){ .qname = "www.example.com", .vlan = 101 });
	rig_see(r, &(struct message){ .at_ms = 20,
			   .qname = "www.example.com",
			   .vlan = 7,
			   .unmapped = true,
			   .response = true,
			   .name = { { DNS_TYPE_CNAME, "c2.evil.example", 60, DNS_ANSWER } } });
	const struct alert *a = alerts_first(&r->alerts, RULE_LOOKUP_MALICIOUS);
	cr_assert_str_eq(alert_get(a, a->tenant_id), "acme");
	cr_assert_str_eq(reason(a, "queries_seen"), "(none)");
	rig_free(r);
}

Test(onesided, a_foreign_resolver_is_found_when_the_response_tells_the_tenant)
{
	struct rig *r = rig_of(&resolver_family);
	rig_see(r, &(struct message){
			   .qname = "www.example", .server = "8.8.8.8", .unmapped = true });
	cr_assert_eq(r->alerts.count, 0);
	rig_see(r, &(struct message){ .at_ms = 20,
			   .qname = "www.example",
			   .server = "8.8.8.8",
			   .response = true });
	cr_assert_eq(rig_count(r, RULE_RESOLVER_UNAPPROVED), 1);
	rig_free(r);
}

/* --- churn -------------------------------------------------------------------------------- */

Test(onesided, moves_are_judged_by_responses_alone)
{
	struct rig *r = rig_of(&churn_family);
	char ip[IP_TEXT_MAX];
	for (int i = 0; i < 8; i++) {
		snprintf(ip, sizeof(ip), "203.%d.113.9", i);
		rig_see(r, &(struct message){ .at_ms = i * 600000,
				   .qname = "cam9.ddns.net",
				   .response = true,
				   .address = { { ip, 60 } } });
	}
	const struct alert *a = alerts_first(&r->alerts, RULE_CHURN_DDNS);
	cr_assert_str_eq(reason(a, "queries_seen"), "no: only responses are visible");
	rig_free(r);
}

/* --- resolver ----------------------------------------------------------------------------- */

Test(onesided, a_foreign_resolver_is_found_by_its_responses_alone)
{
	struct rig *r = rig_of(&resolver_family);
	rig_see(r, &(struct message){
			   .qname = "www.example", .server = "8.8.8.8", .response = true });
	const struct alert *a = alerts_first(&r->alerts, RULE_RESOLVER_UNAPPROVED);
	cr_assert_str_eq(reason(a, "queries_seen"), "no: only responses are visible");
	rig_free(r);
}

Test(onesided, an_unasked_response_is_no_use_of_a_resolver_where_queries_are_visible)
{
	struct rig *r = rig_of(&resolver_family);
	see_both_sides(r);
	rig_see(r, &(struct message){ .at_ms = 20000,
			   .qname = "www.example",
			   .server = "8.8.8.8",
			   .response = true });
	cr_assert_eq(r->alerts.count, 0);
	rig_free(r);
}

/* --- update ------------------------------------------------------------------------------- */

struct half {
	int64_t at_ms;
	const char *server;
	uint16_t id, rcode;
	bool response, bare, signature, unmapped; /* bare: the zone alone, as BIND answers */
};

static void see_update(struct rig *r, const struct half *h)
{
	static struct dns_build b;

	build_start(&b, h->id, 0x2800u | (h->response ? 0x8000u : 0) | h->rcode);
	build_question(&b, "corp.example", DNS_TYPE_SOA, DNS_CLASS_IN);
	if (!h->bare) {
		build_record(&b, BUILD_AUTHORITY, "pc7.corp.example", DNS_TYPE_A, DNS_CLASS_IN,
			1200);
		build_u32(&b, 0x0a010007);
		build_record_end(&b);
	}
	if (h->signature) {
		build_record(
			&b, BUILD_ADDITIONAL, "key.example", DNS_TYPE_TSIG, DNS_CLASS_ANY, 0);
		build_name(&b, "hmac-sha256");
		build_octets(&b, "\0\0\152\155\275\0\1\54\0\0\0\1\0\0\0\0", 16);
		build_record_end(&b);
	}
	rig_see(r, &(struct message){ .at_ms = h->at_ms,
			   .server = h->server,
			   .id = h->id,
			   .qname = "corp.example",
			   .qtype = DNS_TYPE_SOA,
			   .opcode = DNS_OPCODE_UPDATE,
			   .response = h->response,
			   .rcode = h->rcode,
			   .signature = h->signature,
			   .unmapped = h->unmapped,
			   .no_rd = true,
			   .wire = b.at,
			   .wire_len = b.len });
}

Test(onesided, an_update_to_a_foreign_server_is_told_by_the_request_alone)
{
	struct rig *r = rig_of(&update_family);
	see_update(r, &(struct half){ .id = 1 });
	see_update(r, &(struct half){ .at_ms = 6000, .id = 2, .server = "203.0.113.53" });
	const struct alert *a = alerts_first(&r->alerts, RULE_UPDATE_EXTERNAL_SERVER);
	cr_assert_str_eq(reason(a, "responses_seen"), "no: only queries are visible");
	cr_assert_eq(r->alerts.count, 1, "whether it was accepted nobody knows");
	rig_free(r);
}

Test(onesided, an_update_is_judged_by_a_response_that_repeats_it)
{
	static const struct {
		const char *name;
		struct half h;
		size_t accepted, external;
	} rows[] = {
		{ "repeats all", { .id = 1, .response = true }, 1, 0 },
		{ "repeats the zone", { .id = 1, .response = true, .bare = true }, 0, 0 },
		{ "signed", { .id = 1, .response = true, .signature = true }, 0, 0 },
		{ "foreign server, the zone",
			{ .id = 1, .response = true, .bare = true, .server = "203.0.113.53" },
			0, 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = rig_of(&update_family);
		see_update(r, &rows[i].h);
		cr_expect_eq(rig_count(r, RULE_UPDATE_UNSIGNED_ACCEPTED), rows[i].accepted,
			"%s", rows[i].name);
		cr_expect_eq(rig_count(r, RULE_UPDATE_EXTERNAL_SERVER), rows[i].external, "%s",
			rows[i].name);
		for (size_t k = 0; k < r->alerts.count; k++)
			cr_expect_str_eq(reason(r->alerts.alert[k], "queries_seen"),
				"no: only responses are visible", "%s", rows[i].name);
		rig_free(r);
	}
}

Test(onesided, an_attempt_is_judged_and_cleared_by_responses_alone)
{
	static const struct {
		const char *name;
		bool cleared;
	} rows[] = { { "no signed one follows", false }, { "a signed one follows", true } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = rig_of(&update_family);
		see_update(r, &(struct half){
				      .id = 1, .response = true, .rcode = DNS_RCODE_REFUSED });
		if (rows[i].cleared)
			see_update(r, &(struct half){ .at_ms = 1000,
					      .id = 2,
					      .response = true,
					      .signature = true });
		rig_wait(r, 300000);
		cr_assert_eq(rig_count(r, RULE_UPDATE_UNSIGNED_ATTEMPT), !rows[i].cleared, "%s",
			rows[i].name);
		if (!rows[i].cleared)
			cr_assert_str_eq(
				reason(alerts_first(&r->alerts, RULE_UPDATE_UNSIGNED_ATTEMPT),
					"queries_seen"),
				"no: judged by what responses repeat");
		rig_free(r);
	}
}

Test(onesided, an_update_is_joined_though_only_the_response_tells_the_tenant)
{
	struct rig *r = rig_of(&update_family);
	see_update(r, &(struct half){ .id = 1, .unmapped = true });
	see_update(r, &(struct half){ .at_ms = 5, .id = 1, .response = true, .bare = true });
	const struct alert *a = alerts_first(&r->alerts, RULE_UPDATE_UNSIGNED_ACCEPTED);
	cr_assert_str_eq(alert_get(a, a->tenant_id), "acme");
	rig_free(r);
}
