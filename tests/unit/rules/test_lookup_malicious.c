/* SPDX-License-Identifier: BSD-2-Clause */
/* lookup.malicious by names: what feeds say, and what silences it. */
#include "tests/unit/rules/acme.h"

#include <string.h>

#include <criterion/criterion.h>

Test(lookup_malicious, all_feeds_of_a_malicious_name_are_told_with_the_highest_severity)
{
	struct rig *r = acme_lookup_rig();
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

Test(lookup_malicious, severity_is_the_feeds_unless_the_tenant_says_otherwise)
{
	struct rig *r = acme_lookup_rig();
	rig_see(r, &(struct message){ .qname = "evil.example" });
	cr_assert_eq(r->alerts.alert[0]->severity, SEVERITY_HIGH);
	rig_free(r);

	struct world *w = acme_lookup_world();
	world_option(acme_add(w), RULE_LOOKUP_MALICIOUS, "severity", "low");
	r = rig_new(&lookup_family, w);
	rig_see(r, &(struct message){ .qname = "a.www.evil.example" });
	cr_assert_eq(r->alerts.alert[0]->severity, SEVERITY_LOW);
	rig_free(r);
}

Test(lookup_malicious, approval_never_silences_malicious)
{
	struct world *w = acme_lookup_world();
	struct policy *p = acme_add(w);
	world_approve(w, p, "bad.ddns.net", NULL, NULL, NULL);
	world_approve(w, p, NULL, "no-ip", NULL, NULL);
	struct rig *r = rig_new(&lookup_family, w);

	rig_see(r, &(struct message){ .qname = "x.bad.ddns.net" });
	cr_assert_eq(rig_count(r, RULE_LOOKUP_MALICIOUS), 1);
	cr_assert_eq(r->alerts.count, 1);
	rig_free(r);
}

Test(lookup_malicious, allow_beats_malicious_at_one_depth_and_the_deeper_one_wins)
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
		struct world *w = acme_lookup_world();
		uint16_t bad = world_feed(w, "bad", MARK_MALICIOUS, SEVERITY_HIGH);
		uint16_t good = world_feed(w, "good", MARK_ALLOW, SEVERITY_HIGH);
		world_list(w, bad, rows[i].malicious, SCOPE_SUFFIX);
		world_list(w, good, rows[i].allow, SCOPE_SUFFIX);
		acme_add(w);
		struct rig *r = rig_new(&lookup_family, w);
		rig_see(r, &(struct message){ .qname = "x.test.example" });
		cr_assert_eq(r->alerts.count, rows[i].alerts, "%s", rows[i].why);
		rig_free(r);
	}
}

Test(lookup_malicious, an_allow_feed_silences_a_dynamic_name_too)
{
	struct world *w = acme_lookup_world();
	uint16_t good = world_feed(w, "good", MARK_ALLOW, SEVERITY_HIGH);
	world_list(w, good, "cam9.ddns.net", SCOPE_SUFFIX);
	acme_add(w);
	struct rig *r = rig_new(&lookup_family, w);

	rig_see(r, &(struct message){ .qname = "cam9.ddns.net" });
	cr_assert_eq(r->alerts.count, 0);
	rig_see(r, &(struct message){ .qname = "cam8.ddns.net" });
	cr_assert_eq(r->alerts.count, 1);
	rig_free(r);
}

Test(lookup_malicious, an_exclusion_silences_malicious)
{
	struct world *w = acme_lookup_world();
	world_exclude(acme_add(w), RULE_LOOKUP_MALICIOUS, "10.1.0.7", "evil.example");
	struct rig *r = rig_new(&lookup_family, w);

	rig_see(r, &(struct message){ .qname = "x.evil.example" });
	cr_assert_eq(r->alerts.count, 0);
	rig_see(r, &(struct message){ .qname = "x.evil.example", .client = "10.1.0.8" });
	cr_assert_eq(r->alerts.count, 1);
	rig_free(r);
}

Test(lookup_malicious, names_below_a_provider_are_told_apart_however_broad_the_feed)
{
	struct world *w = acme_lookup_world();
	uint16_t bad = world_feed(w, "bad", MARK_MALICIOUS, SEVERITY_HIGH);
	world_list(w, bad, "ddns.net", SCOPE_SUFFIX);
	acme_add(w);
	struct rig *r = rig_new(&lookup_family, w);

	rig_see(r, &(struct message){ .qname = "a.cam1.ddns.net" });
	const struct alert *a = alerts_first(&r->alerts, RULE_LOOKUP_MALICIOUS);
	cr_assert_str_eq(alert_get(a, a->key), "lookup.malicious|acme|10.1.0.7|cam1.ddns.net");
	cr_assert_str_eq(alert_get(a, a->indicator), "ddns.net");
	rig_free(r);
}
