/* SPDX-License-Identifier: BSD-2-Clause */
/* What feeds say of a malicious name, in its alert; and when it has ended. */
#include "tests/unit/rules/observations.h"

#include <string.h>

#include <criterion/criterion.h>

#define START_S (WORLD_START_NS / NS_PER_S)
#define HOUR_MS (3600 * INT64_C(1000))

/* Two feeds list evil.example, one of them until an hour after the start. */
static struct rig *acme(void)
{
	struct world *w = world_new();
	uint16_t fox = world_feed(w, "fox", MARK_MALICIOUS, SEVERITY_CRITICAL);
	uint16_t plain = world_feed(w, "plain", MARK_MALICIOUS, SEVERITY_LOW);
	uint16_t good = world_feed(w, "good", MARK_ALLOW, SEVERITY_INFO);

	world_list(w, fox, "evil.example", SCOPE_SUFFIX);
	world_list(w, plain, "evil.example", SCOPE_SUFFIX);
	world_list(w, fox, "short.example", SCOPE_SUFFIX);
	world_list(w, plain, "pardoned.example", SCOPE_SUFFIX);
	world_list(w, good, "pardoned.example", SCOPE_SUFFIX);
	struct entry_facts e = { .category = "Emotet",
		.reference = "https://r.example/",
		.confidence = 90,
		.tlp = TLP_AMBER,
		.first_seen_s = START_S - 86400,
		.until_s = START_S + 3600 };
	world_tell(w, fox, "evil.example", &e);
	world_tell(w, fox, "short.example", &e);
	world_tell(w, good, "pardoned.example", &e);
	world_tenant(w, "acme", "10.1.0.0/16");
	return rig_new(&lookup_family, w);
}

Test(indicator, every_feed_is_told_with_what_it_says)
{
	struct rig *r = acme();

	rig_see(r, &(struct message){ .qname = "www.evil.example" });
	const struct alert *a = alerts_first(&r->alerts, RULE_LOOKUP_MALICIOUS);
	cr_assert_eq(a->indicator_count, 2);
	const struct alert_indicator *by = a->indicator_by;
	cr_expect_str_eq(alert_get(a, by[0].feed), "fox");
	cr_expect_str_eq(alert_get(a, by[0].category), "Emotet");
	cr_expect_str_eq(alert_get(a, by[0].reference), "https://r.example/");
	cr_expect_str_eq(alert_get(a, by[0].tlp_name), "AMBER");
	cr_expect_eq(by[0].confidence, 90);
	cr_expect_eq(by[0].first_seen_s, START_S - 86400);
	cr_expect_eq(by[0].until_s, START_S + 3600);
	cr_expect_str_eq(alert_get(a, by[1].feed), "plain");
	cr_expect_eq(by[1].category, 0);
	cr_expect_eq(by[1].confidence, FACTS_NO_CONFIDENCE);
	rig_free(r);
}

Test(indicator, what_has_ended_counts_no_more)
{
	static const struct {
		const char *qname;
		int64_t at_ms;
		const char *providers; /* NULL: no alert */
	} rows[] = {
		{ "evil.example", HOUR_MS - 1, "fox, plain" },
		{ "evil.example", HOUR_MS, "plain" },
		{ "short.example", HOUR_MS - 1, "fox" },
		{ "short.example", HOUR_MS, NULL },
		{ "pardoned.example", HOUR_MS - 1, NULL },
		{ "pardoned.example", HOUR_MS, "plain" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig *r = acme();
		rig_see(r, &(struct message){ .qname = rows[i].qname, .at_ms = rows[i].at_ms });
		cr_assert_eq(r->alerts.count, rows[i].providers != NULL, "row %zu", i);
		if (rows[i].providers) {
			const struct alert *a = r->alerts.alert[0];
			cr_expect_str_eq(alert_get(a, a->indicator_provider), rows[i].providers,
				"row %zu", i);
		}
		rig_free(r);
	}
}
