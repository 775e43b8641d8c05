/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/rules/observations.h"

#define HOUR_MS INT64_C(3600000)

/* acme, with a provider's suffix, a pool and a name of its own. */
static struct rig *rig_of_acme(void)
{
	struct world *w = world_new();
	struct policy *p = world_tenant(w, "acme", "10.1.0.0/16");
	world_zone(p, "corp.example", NULL, true);
	world_provider(w, MARK_PROVIDER, "duckdns.org", "duckdns", TIER_A);
	uint16_t pool = world_feed(w, "pools", MARK_POOL, SEVERITY_INFO);
	world_list(w, pool, "pool.ntp.org", SCOPE_SUFFIX);
	world_list(w, pool, "cdn.example", SCOPE_SUFFIX);
	world_approve(w, p, "approved.duckdns.org", NULL, NULL, "");
	return rig_new(&churn_family, w);
}

static void answer(
	struct rig *r, int64_t at_ms, const char *qname, const char *ip, uint32_t ttl)
{
	rig_exchange(r, &(struct message){ .at_ms = at_ms,
				.qname = qname,
				.response = true,
				.address = { { ip, ttl } } });
}

/* One new address an hour, each in a network of its own. */
static void wander(struct rig *r, const char *qname, unsigned moves, uint32_t ttl)
{
	char ip[32];
	for (unsigned i = 0; i < moves; i++) {
		snprintf(ip, sizeof(ip), "%u.%u.0.9", 80 + i, 10 * i);
		answer(r, i * HOUR_MS, qname, ip, ttl);
	}
}

Test(churn, a_dynamic_name_with_six_addresses_in_a_day_is_reported)
{
	struct rig *r = rig_of_acme();
	wander(r, "c2.duckdns.org", 5, 60);
	cr_assert_eq(rig_count(r, RULE_CHURN_DDNS), 0, "five are below the threshold of six");
	char ip[] = "90.1.2.3";
	answer(r, 6 * HOUR_MS, "c2.duckdns.org", ip, 60);
	cr_assert_eq(rig_count(r, RULE_CHURN_DDNS), 1);
	const struct alert *a = alerts_first(&r->alerts, RULE_CHURN_DDNS);
	cr_assert_eq(alerts_why(a, "addresses")->value.number, 6);
	cr_assert_eq(alerts_why(a, "addresses")->threshold.number, 6);
	cr_assert_str_eq(alert_get(a, a->indicator_provider), "duckdns");
	cr_assert_neq(a->allow_hint, 0);
	rig_free(r);
}

Test(churn, the_dynamic_host_is_what_is_named)
{
	struct rig *r = rig_of_acme();
	wander(r, "a.b.c2.duckdns.org", 7, 60);
	const struct alert *a = alerts_first(&r->alerts, RULE_CHURN_DDNS);
	cr_assert_str_eq(alert_get(a, a->indicator), "c2.duckdns.org");
	rig_free(r);
}

struct quiet {
	const char *name, *qname;
	unsigned moves;
	uint32_t ttl;
};

static const struct quiet quiet[] = {
	{ "a long TTL", "c2.duckdns.org", 12, 3600 },
	{ "an approved name", "approved.duckdns.org", 12, 60 },
	{ "a pool", "0.pool.ntp.org", 12, 60 },
	{ "the tenant's own zone", "laptop.corp.example", 12, 60 },
	{ "a home connection", "home.duckdns.org", 2, 60 },
	{ "a name on no provider's list, networks only guessed", "www.shop.example", 9, 60 },
};

Test(churn, what_moves_for_ordinary_reasons_is_silent)
{
	for (size_t i = 0; i < ARRAY_LEN(quiet); i++) {
		struct rig *r = rig_of_acme();
		wander(r, quiet[i].qname, quiet[i].moves, quiet[i].ttl);
		cr_expect_eq(rig_count(r, RULE_CHURN_DDNS), 0, "%s", quiet[i].name);
		rig_free(r);
	}
}

Test(churn, the_highest_ttl_seen_counts_not_the_cached_one)
{
	struct rig *r = rig_of_acme();
	answer(r, 0, "c2.duckdns.org", "80.0.0.1", 86400);
	wander(r, "c2.duckdns.org", 10, 5); /* nearly expired answers of a long-lived record */
	answer(r, 11 * HOUR_MS, "c2.duckdns.org", "80.0.0.1", 86400);
	answer(r, 12 * HOUR_MS, "c2.duckdns.org", "99.0.0.1", 5);
	size_t before = r->alerts.count;
	wander(r, "c2.duckdns.org", 10, 5);
	cr_assert_eq(
		r->alerts.count, before, "once the real TTL is known nothing more is said");
	rig_free(r);
}

Test(churn, addresses_older_than_the_window_are_forgotten)
{
	struct rig *r = rig_of_acme();
	char ip[32];
	for (unsigned i = 0; i < 10; i++) { /* one a week */
		snprintf(ip, sizeof(ip), "%u.1.0.9", 80 + i);
		answer(r, i * 7 * 24 * HOUR_MS, "c2.duckdns.org", ip, 60);
	}
	cr_assert_eq(r->alerts.count, 0);
	rig_free(r);
}

Test(churn, rotation_of_one_set_is_no_move)
{
	struct rig *r = rig_of_acme();
	for (int i = 0; i < 50; i++)
		rig_exchange(r, &(struct message){ .at_ms = i * 60000,
					.qname = "www.duckdns.org",
					.response = true,
					.address = { { i % 2 ? "80.1.0.1" : "90.2.0.1", 60 },
						{ i % 2 ? "90.2.0.1" : "80.1.0.1", 60 } } });
	cr_assert_eq(r->alerts.count, 0);
	rig_free(r);
}

Test(churn, addresses_that_come_back_are_a_balancer)
{
	struct rig *r = rig_of_acme();
	char ip[32];
	for (unsigned i = 0; i < 64; i++) {
		snprintf(ip, sizeof(ip), "%u.1.0.9", 80 + i % 4);
		answer(r, i * 600000, "lb.duckdns.org", ip, 60);
	}
	cr_assert_eq(r->alerts.count, 0);
	rig_free(r);
}

/* Two new addresses in new networks at every look-up, none returning. */
static void flux(struct rig *r, const char *qname, unsigned turns, const char *cname)
{
	char one[32], two[32];
	for (unsigned i = 0; i < turns; i++) {
		snprintf(one, sizeof(one), "%u.%u.3.4", 60 + 2 * i, i);
		snprintf(two, sizeof(two), "%u.%u.5.6", 61 + 2 * i, i);
		struct message m = { .at_ms = i * 600000,
			.qname = qname,
			.response = true,
			.address = { { one, 120 }, { two, 120 } } };
		if (cname) {
			m.name[0].type = DNS_TYPE_CNAME;
			m.name[0].target = cname;
			m.name[0].ttl = 120;
		}
		rig_exchange(r, &m);
	}
}

Test(churn, ever_new_addresses_in_many_networks_are_fast_flux)
{
	struct rig *r = rig_of_acme();
	flux(r, "shop.flux.example", 8, NULL);
	cr_assert_geq(rig_count(r, RULE_CHURN_FAST_FLUX), 1);
	const struct alert *a = alerts_first(&r->alerts, RULE_CHURN_FAST_FLUX);
	cr_assert_geq(alerts_why(a, "addresses")->value.number, 10);
	cr_assert_not_null(alerts_why(a, "growth"));
	rig_free(r);
}

Test(churn, a_cname_into_a_pool_is_a_content_network)
{
	struct rig *r = rig_of_acme();
	flux(r, "www.shop.example", 8, "edge7.cdn.example");
	cr_assert_eq(r->alerts.count, 0);
	rig_free(r);
}

Test(churn, one_large_answer_is_not_flux)
{
	struct rig *r = rig_of_acme();
	struct message m = { .qname = "tracker.example", .response = true };
	char ip[14][32];
	for (unsigned i = 0; i < 14; i++) {
		snprintf(ip[i], sizeof(ip[i]), "%u.7.7.7", 60 + i);
		m.address[i].ip = ip[i];
		m.address[i].ttl = 60;
	}
	for (int i = 0; i < 5; i++) {
		m.at_ms = i * 100000;
		rig_exchange(r, &m);
	}
	cr_assert_eq(r->alerts.count, 0);
	rig_free(r);
}

Test(churn, a_later_alert_of_one_name_names_the_first_client)
{
	struct rig *r = rig_of_acme();
	wander(r, "c2.duckdns.org", 6, 60);
	rig_exchange(r, &(struct message){ .at_ms = 7 * HOUR_MS,
				.client = "10.1.0.99",
				.qname = "c2.duckdns.org",
				.response = true,
				.address = { { "99.9.9.9", 60 } } });
	cr_assert_eq(rig_count(r, RULE_CHURN_DDNS), 2);
	const struct alert *a = alerts_first(&r->alerts, RULE_CHURN_DDNS);
	const struct alert *b = alerts_last(&r->alerts, RULE_CHURN_DDNS);
	cr_assert_str_eq(alert_get(a, a->key), alert_get(b, b->key),
		"the second is a repeat of the first");
	rig_free(r);
}

Test(churn, private_after_public_is_rebinding)
{
	struct rig *r = rig_of_acme();
	answer(r, 0, "evil.example", "203.0.113.5", 1);
	answer(r, 5000, "evil.example", "192.168.1.1", 1);
	cr_assert_eq(rig_count(r, RULE_CHURN_REBINDING), 1);
	const struct alert *a = alerts_first(&r->alerts, RULE_CHURN_REBINDING);
	cr_assert_not_null(alerts_why(a, "private_address"));
	rig_free(r);
}

Test(churn, private_beside_public_is_rebinding)
{
	struct rig *r = rig_of_acme();
	rig_exchange(r, &(struct message){ .qname = "evil.example",
				.response = true,
				.address = { { "203.0.113.5", 1 }, { "127.0.0.1", 1 } } });
	cr_assert_eq(rig_count(r, RULE_CHURN_REBINDING), 1);
	rig_free(r);
}

struct not_rebinding {
	const char *name, *qname, *first, *second;
	uint32_t ttl;
	int64_t gap_ms;
};

static const struct not_rebinding not_rebinding[] = {
	{ "private all along", "intra.example", "10.9.9.9", "10.9.9.8", 1, 5000 },
	{ "the tenant's own zone", "vpn.corp.example", "203.0.113.5", "10.1.0.1", 1, 5000 },
	{ "a TTL over a minute", "vpn.example", "203.0.113.5", "10.1.0.1", 61, 5000 },
	{ "a blocking resolver's 0.0.0.0", "ads.example", "203.0.113.5", "0.0.0.0", 1, 5000 },
	{ "hours apart", "vpn.example", "203.0.113.5", "10.1.0.1", 1, 2 * HOUR_MS },
	{ "an approved name", "approved.duckdns.org", "203.0.113.5", "10.1.0.1", 1, 5000 },
};

Test(churn, what_is_private_for_ordinary_reasons_is_no_rebinding)
{
	for (size_t i = 0; i < ARRAY_LEN(not_rebinding); i++) {
		const struct not_rebinding *row = &not_rebinding[i];
		struct rig *r = rig_of_acme();
		answer(r, 0, row->qname, row->first, row->ttl);
		answer(r, row->gap_ms, row->qname, row->second, row->ttl);
		cr_expect_eq(rig_count(r, RULE_CHURN_REBINDING), 0, "%s", row->name);
		rig_free(r);
	}
}

Test(churn, time_that_jumps_back_is_survived)
{
	struct rig *r = rig_of_acme();
	wander(r, "c2.duckdns.org", 4, 60);
	answer(r, -400 * 24 * HOUR_MS, "c2.duckdns.org", "70.0.0.1", 60);
	wander(r, "c2.duckdns.org", 4, 60);
	cr_assert_leq(r->alerts.count, 4);
	rig_free(r);
}

Test(churn, names_beyond_the_memory_are_evicted_and_counted)
{
	struct world *w = world_new();
	world_tenant(w, "acme", "10.1.0.0/16");
	struct rig *r = rig_new_sized(&churn_family, w, 1 << 20);
	char qname[64];
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(qname, sizeof(qname), "n%u.example", i);
		answer(r, i, qname, "203.0.113.5", 30);
	}
	struct judge_stats stats = rig_stats(r);
	cr_assert_gt(stats.table[0].evicted, 0);
	cr_assert_leq(stats.table[0].used, stats.table[0].capacity);
	rig_free(r);
}

Test(churn, a_pool_in_a_further_question_excuses_nothing)
{
	struct rig *r = rig_of_acme();
	struct message m = { .qname = "evil.example",
		.response = true,
		.name = { { DNS_TYPE_A, "x.cdn.example", 0, OBSERVATION_QUESTION } },
		.address = { { "203.0.113.5", 1 }, { "127.0.0.1", 1 } } };
	rig_see(r, &m);
	cr_assert_eq(rig_count(r, RULE_CHURN_REBINDING), 1);
	rig_free(r);
}

/* --- many names of one domain ------------------------------------------------------------------ */

static void rebind(struct rig *r, int64_t at_ms, const char *client, const char *qname)
{
	rig_see(r, &(struct message){ .at_ms = at_ms,
			   .client = client,
			   .qname = qname,
			   .response = true,
			   .address = { { "203.0.113.5", 1 }, { "10.0.0.1", 1 } } });
}

Test(churn, many_rebinding_names_of_one_domain_are_one_alert)
{
	struct rig *r = rig_of_acme();
	char qname[64];
	for (int i = 0; i < 100; i++) {
		snprintf(qname, sizeof(qname), "x%d.tunnel-%s.com", i, i % 2 ? "one" : "two");
		rebind(r, i * 1000, i < 50 ? "10.1.0.7" : "10.1.0.8", qname);
	}
	size_t domains = 0;
	for (size_t i = 0; i < r->alerts.count; i++) {
		const struct alert *a = r->alerts.alert[i];
		const char *key = alert_get(a, a->key);
		if (strcmp(key, "churn.rebinding|acme|10.1.0.7|tunnel-one.com") != 0 &&
			strcmp(key, "churn.rebinding|acme|10.1.0.7|tunnel-two.com") != 0)
			continue;
		domains++;
		cr_assert_str_eq(alert_get(a, a->indicator), strrchr(key, '|') + 1);
		cr_assert_not_null(alerts_why(a, "names"));
	}
	/* The first three of each domain stand for themselves, all others for the domain. */
	cr_assert_eq(r->alerts.count, 100);
	cr_assert_eq(domains, 100 - 2 * 3);
	rig_free(r);
}

Test(churn, one_name_that_rebinds_again_and_again_stands_for_itself)
{
	struct rig *r = rig_of_acme();
	for (int i = 0; i < 20; i++)
		rebind(r, i * 1000, NULL, "a.tunnel.com");
	for (size_t i = 0; i < r->alerts.count; i++)
		cr_assert_str_eq(alert_get(r->alerts.alert[i], r->alerts.alert[i]->key),
			"churn.rebinding|acme|10.1.0.7|a.tunnel.com");
	cr_assert_gt(r->alerts.count, 1);
	rig_free(r);
}

Test(churn, few_names_of_a_domain_in_each_window_stand_for_themselves)
{
	struct rig *r = rig_of_acme();
	char qname[64], key[96];
	for (int i = 0; i < 12; i++) {
		snprintf(qname, sizeof(qname), "x%d.tunnel.com", i);
		rebind(r, i * HOUR_MS, NULL, qname);
		const struct alert *a = alerts_last(&r->alerts, RULE_CHURN_REBINDING);
		snprintf(key, sizeof(key), "churn.rebinding|acme|10.1.0.7|%s", qname);
		cr_assert_str_eq(alert_get(a, a->key), key);
	}
	rig_free(r);
}
