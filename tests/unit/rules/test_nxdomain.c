/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/evidence.h"
#include "rules/generated.h"
#include "tests/unit/rules/observations.h"

#define MINUTE_MS 60000

/* A label as a generator makes it; the same number gives the same label. */
static const char *random_label(unsigned number, char out[32])
{
	uint32_t state = number * 2654435761u + 12345;
	size_t len = 10 + number % 5;
	for (size_t i = 0; i < len; i++) {
		state = state * 1664525u + 1013904223u;
		out[i] = (char)('a' + (state >> 24) % 26);
	}
	out[len] = 0;
	return out;
}

/* Words, as a person or a program's configuration has them. */
static const char *word_label(unsigned number, char out[32])
{
	static const char *const first[] = { "green", "river", "market", "cloud", "silver",
		"north" };
	static const char *const second[] = { "house", "point", "media", "store", "garden",
		"line" };
	snprintf(out, 32, "%s%s%s", first[number % 6], second[number / 6 % 6],
		number >= 36 ? "center" : "");
	return out;
}

static void fail_name(
	struct rig *r, int64_t at_ms, const char *client, const char *qname, uint16_t qtype)
{
	struct message m = { .at_ms = at_ms,
		.client = client,
		.qname = qname,
		.qtype = qtype,
		.rcode = DNS_RCODE_NXDOMAIN,
		.response = true };
	rig_exchange(r, &m);
}

/* `count` failing names, one every `step_ms`, from `label`.com. */
static void burst(struct rig *r, int64_t at_ms, int64_t step_ms, unsigned count,
	const char *client, const char *(*label)(unsigned, char[32]), unsigned seed)
{
	char text[32], qname[64];
	for (unsigned i = 0; i < count; i++) {
		snprintf(qname, sizeof(qname), "%s.com", label(seed + i, text));
		fail_name(r, at_ms + i * step_ms, client, qname, DNS_TYPE_A);
	}
}

static struct rig *rig_of_acme(void)
{
	struct world *w = world_new();
	world_tenant(w, "acme", "10.1.0.0/16");
	return rig_new(&nxdomain_family, w);
}

Test(nxdomain, generated_names_raise_dga_and_not_spike)
{
	struct rig *r = rig_of_acme();
	burst(r, 0, 1000, 40, "10.1.0.7", random_label, 1);
	cr_assert_geq(rig_count(r, RULE_NXDOMAIN_DGA), 1);
	cr_assert_eq(rig_count(r, RULE_NXDOMAIN_SPIKE), 0);
	const struct alert *a = alerts_first(&r->alerts, RULE_NXDOMAIN_DGA);
	cr_assert_not_null(alerts_why(a, "generated_share"));
	cr_assert_not_null(alerts_why(a, "baseline"), "an unlearned baseline is said");
	cr_assert_gt(a->host_count, 0, "examples are named");
	cr_assert_neq(a->allow_hint, 0);
	rig_free(r);
}

Test(nxdomain, words_raise_a_spike_at_exactly_min_domains)
{
	struct rig *r = rig_of_acme();
	burst(r, 0, 1000, 19, "10.1.0.7", word_label, 0);
	cr_assert_eq(r->alerts.count, 0, "19 domains are below the floor of 20");
	burst(r, 19000, 1000, 1, "10.1.0.7", word_label, 19);
	cr_assert_eq(rig_count(r, RULE_NXDOMAIN_SPIKE), 1);
	cr_assert_eq(
		alerts_why(alerts_first(&r->alerts, RULE_NXDOMAIN_SPIKE), "nxdomain_domains")
			->value.number,
		20);
	rig_free(r);
}

Test(nxdomain, domains_spread_over_more_than_the_window_are_quiet)
{
	struct rig *r = rig_of_acme();
	burst(r, 0, 30 * 1000, 60, "10.1.0.7", word_label, 0); /* 10 in any five minutes */
	cr_assert_eq(r->alerts.count, 0);
	rig_free(r);
}

Test(nxdomain, the_same_name_again_and_again_is_no_spike)
{
	struct rig *r = rig_of_acme();
	for (int i = 0; i < 500; i++)
		fail_name(r, i * 200, "10.1.0.7", "dead.example.com", DNS_TYPE_A);
	cr_assert_eq(r->alerts.count, 0);
	rig_free(r);
}

Test(nxdomain, many_labels_below_one_domain_are_one_domain)
{
	struct rig *r = rig_of_acme();
	char label[32], qname[80];
	for (unsigned i = 0; i < 90; i++) {
		snprintf(qname, sizeof(qname), "%s.victim.com", random_label(i, label));
		fail_name(r, i * 500, "10.1.0.7", qname, DNS_TYPE_A);
	}
	cr_assert_eq(rig_count(r, RULE_NXDOMAIN_DGA) + rig_count(r, RULE_NXDOMAIN_SPIKE), 0);
	rig_free(r);
}

Test(nxdomain, a_small_share_of_the_answers_is_quiet)
{
	struct rig *r = rig_of_acme();
	char text[32], qname[64];
	for (unsigned i = 0; i < 120; i++) {
		snprintf(qname, sizeof(qname), "%s.com", word_label(i % 24, text));
		rig_exchange(r, &(struct message){ .at_ms = i * 500,
					.client = "10.1.0.7",
					.qname = "www.example.com",
					.response = true,
					.address = { { "192.0.2.1", 3600 } } });
		if (i % 5 == 0) /* 24 failing domains, one answer in six */
			fail_name(r, i * 500 + 100, "10.1.0.7", qname, DNS_TYPE_A);
	}
	cr_assert_eq(r->alerts.count, 0);
	rig_free(r);
}

/* Two hours of three failures a minute, then 30 in five minutes: far from its own usual. */
Test(nxdomain, a_learned_baseline_excuses_what_is_usual)
{
	struct world *w = world_new();
	struct policy *p = world_tenant(w, "acme", "10.1.0.0/16");
	world_option(p, RULE_NXDOMAIN_SPIKE, "hard_domains", "200");
	world_option(p, RULE_NXDOMAIN_DGA, "enabled", "false");
	struct rig *r = rig_new(&nxdomain_family, w);
	char text[32], qname[64];
	int64_t at = 0;
	for (unsigned minute = 0; minute < 120; minute++)
		for (unsigned i = 0; i < 3; i++, at += MINUTE_MS / 3) {
			snprintf(qname, sizeof(qname), "%s.com",
				word_label((minute * 3 + i) % 12, text));
			fail_name(r, at, "10.1.0.7", qname, DNS_TYPE_A);
		}
	cr_assert_eq(r->alerts.count, 0);
	burst(r, at, 10000, 30, "10.1.0.7", random_label,
		500); /* 6 a minute: twice its usual */
	cr_assert_eq(rig_count(r, RULE_NXDOMAIN_SPIKE), 0,
		"a little more than usual is not four deviations");
	burst(r, at + 10 * MINUTE_MS, 1500, 120, "10.1.0.7", random_label, 900);
	cr_assert_geq(rig_count(r, RULE_NXDOMAIN_SPIKE), 1);
	const struct alert *a = alerts_first(&r->alerts, RULE_NXDOMAIN_SPIKE);
	cr_assert_not_null(alerts_why(a, "z_score"));
	rig_free(r);
}

struct silent {
	const char *name, *before, *after; /* the label in between */
	uint16_t qtype;
};

/* Each asked 60 times with another label in front; none of it is evidence. */
static const struct silent silent[] = {
	{ "single labels (Chromium probes)", "", "", DNS_TYPE_A },
	{ "single labels with the tenant's suffix", "", ".corp.example", DNS_TYPE_A },
	{ "DNSBL zone by structure", "2.0.0.127.", ".com", DNS_TYPE_A },
	{ "listed lookup service", "", ".e5.sk", DNS_TYPE_A },
	{ "service discovery", "_ldap._tcp.", ".com", DNS_TYPE_A },
	{ "DMARC policies", "_dmarc.", ".com", DNS_TYPE_TXT },
	{ "mail exchangers", "", ".com", DNS_TYPE_MX },
	{ "reverse look-ups", "", ".com", DNS_TYPE_PTR },
	{ "names that never leave a site", "", ".local", DNS_TYPE_A },
	{ "wpad", "wpad.", ".com", DNS_TYPE_A },
};

Test(nxdomain, what_lists_and_structure_explain_is_no_evidence)
{
	for (size_t row = 0; row < ARRAY_LEN(silent); row++) {
		struct world *w = world_new();
		struct policy *p = world_tenant(w, "acme", "10.1.0.0/16");
		world_zone(p, "corp.example", NULL, true);
		uint16_t feed = world_feed(w, "services", MARK_LOOKUP_SERVICE, SEVERITY_INFO);
		world_list(w, feed, "e5.sk", SCOPE_SUFFIX);
		struct rig *r = rig_new(&nxdomain_family, w);
		char label[32], qname[80];
		for (unsigned i = 0; i < 60; i++) {
			snprintf(qname, sizeof(qname), "%s%s%s", silent[row].before,
				random_label(i, label), silent[row].after);
			fail_name(r, i * 1000, "10.1.0.7", qname, silent[row].qtype);
		}
		cr_expect_eq(r->alerts.count, 0, "%s", silent[row].name);
		rig_free(r);
	}
}

Test(nxdomain, most_clients_at_once_are_one_alert_for_the_tenant)
{
	struct rig *r = rig_of_acme();
	char client[32], text[32], qname[64];
	for (unsigned i = 0; i < 60; i++)
		for (unsigned c = 0; c < 10; c++) {
			snprintf(client, sizeof(client), "10.1.0.%u", 10 + c);
			snprintf(qname, sizeof(qname), "%s.com",
				word_label((i * 7 + c) % 72, text));
			fail_name(r, i * 2000 + c * 100, client, qname, DNS_TYPE_A);
		}
	cr_assert_geq(rig_count(r, RULE_NXDOMAIN_TENANT), 1);
	cr_assert_eq(rig_count(r, RULE_NXDOMAIN_SPIKE), 0, "no alert a client");
	const struct alert *a = alerts_first(&r->alerts, RULE_NXDOMAIN_TENANT);
	cr_assert_not(a->has_source, "it is nobody's in particular");
	rig_free(r);
}

Test(nxdomain, one_client_of_many_is_not_the_tenant)
{
	struct rig *r = rig_of_acme();
	char client[32];
	for (unsigned c = 0; c < 20; c++) {
		snprintf(client, sizeof(client), "10.1.0.%u", 10 + c);
		rig_exchange(r, &(struct message){ .at_ms = c * 10,
					.client = client,
					.qname = "www.example.com",
					.response = true,
					.address = { { "192.0.2.1", 3600 } } });
	}
	burst(r, 1000, 1000, 40, "10.1.0.10", random_label, 1);
	cr_assert_eq(rig_count(r, RULE_NXDOMAIN_TENANT), 0);
	cr_assert_geq(rig_count(r, RULE_NXDOMAIN_DGA), 1);
	rig_free(r);
}

Test(nxdomain, the_answer_after_a_dga_burst_is_the_meeting_point)
{
	struct rig *r = rig_of_acme();
	char label[32], qname[64];
	burst(r, 0, 1000, 40, "10.1.0.7", random_label, 1);
	size_t before = rig_count(r, RULE_NXDOMAIN_DGA);
	snprintf(qname, sizeof(qname), "%s.com", random_label(99, label));
	rig_exchange(r, &(struct message){ .at_ms = 50000,
				.client = "10.1.0.7",
				.qname = qname,
				.response = true,
				.address = { { "203.0.113.9", 300 } } });
	cr_assert_eq(rig_count(r, RULE_NXDOMAIN_DGA), before + 1);
	cr_assert_not_null(
		alerts_why(alerts_last(&r->alerts, RULE_NXDOMAIN_DGA), "meeting_point"));
	rig_free(r);
}

Test(nxdomain, answers_that_nobody_asked_for_are_no_evidence_where_queries_are_seen)
{
	struct rig *r = rig_of_acme();
	char label[32], qname[64];
	for (int i = 0; i < 50; i++)
		rig_exchange(r, &(struct message){ .at_ms = i,
					.client = "10.1.0.8",
					.qname = "www.example.com",
					.response = true,
					.address = { { "192.0.2.1", 3600 } } });
	for (unsigned i = 0; i < 60; i++) {
		snprintf(qname, sizeof(qname), "%s.com", random_label(i, label));
		rig_see(r, &(struct message){ .at_ms = 1000 + i * 100,
				   .client = "10.1.0.7",
				   .qname = qname,
				   .response = true,
				   .rcode = DNS_RCODE_NXDOMAIN });
	}
	cr_assert_eq(r->alerts.count, 0);
	rig_free(r);
}

Test(nxdomain, with_only_responses_visible_they_are_judged_and_it_is_said)
{
	struct rig *r = rig_of_acme();
	char label[32], qname[64];
	for (unsigned i = 0; i < 60; i++) {
		snprintf(qname, sizeof(qname), "%s.com", random_label(i, label));
		rig_see(r, &(struct message){ .at_ms = 1000 + i * 100,
				   .client = "10.1.0.7",
				   .qname = qname,
				   .response = true,
				   .rcode = DNS_RCODE_NXDOMAIN });
	}
	cr_assert_geq(rig_count(r, RULE_NXDOMAIN_DGA), 1);
	cr_assert_not_null(
		alerts_why(alerts_first(&r->alerts, RULE_NXDOMAIN_DGA), "queries_seen"));
	rig_free(r);
}

Test(nxdomain, an_excluded_client_is_silent)
{
	struct world *w = world_new();
	struct policy *p = world_tenant(w, "acme", "10.1.0.0/16");
	world_exclude(p, RULE_NXDOMAIN_DGA, "10.1.0.7", NULL);
	struct rig *r = rig_new(&nxdomain_family, w);
	burst(r, 0, 1000, 40, "10.1.0.7", random_label, 1);
	cr_assert_eq(rig_count(r, RULE_NXDOMAIN_DGA), 0);
	burst(r, 60000, 1000, 40, "10.1.0.8", random_label, 1);
	cr_assert_geq(rig_count(r, RULE_NXDOMAIN_DGA), 1);
	rig_free(r);
}

Test(nxdomain, a_flood_of_clients_costs_no_more_memory_than_was_given)
{
	struct world *w = world_new();
	world_tenant(w, "acme", "10.0.0.0/8");
	struct rig *r = rig_new_sized(&nxdomain_family, w, 1 << 20);
	char client[32], label[32], qname[64];
	for (unsigned i = 0; i < 30000; i++) {
		snprintf(client, sizeof(client), "10.%u.%u.7", i / 250 % 250, i % 250);
		snprintf(qname, sizeof(qname), "%s.com", random_label(i, label));
		fail_name(r, i, client, qname, DNS_TYPE_A);
	}
	struct judge_stats stats = rig_stats(r);
	cr_assert_eq(stats.table_count, 2);
	cr_assert_gt(stats.table[0].evicted, 0, "the table was full and said so");
	cr_assert_leq(stats.table[0].used, stats.table[0].capacity);
	rig_free(r);
}

struct label_row {
	const char *label;
	bool generated;
};

static const struct label_row labels[] = {
	{ "google", false },
	{ "microsoft", false },
	{ "stackoverflow", false },
	{ "wetteronline", false },
	{ "sueddeutsche", false },
	{ "lemonde", false },
	{ "my-photo-album", false },
	{ "xn--mnchen-3ya", false },
	{ "qxz", false },
	{ "xkqvjwzphf", true },
	{ "a9f3k2m7x1q8", true },
	{ "jqxvbtzkwmrd", true },
	{ "wqmkfhzpxvb", true },
};

Test(generated, words_are_told_from_random_letters)
{
	for (size_t i = 0; i < ARRAY_LEN(labels); i++)
		cr_expect_eq(generated_label(
				     (const uint8_t *)labels[i].label, strlen(labels[i].label)),
			labels[i].generated, "%s", labels[i].label);
}

Test(generated, most_random_labels_are_recognised_and_few_words)
{
	char label[32];
	unsigned random = 0, word = 0;
	for (unsigned i = 0; i < 1000; i++) {
		random_label(i, label);
		random += generated_label((const uint8_t *)label, strlen(label));
		word_label(i % 72, label);
		word += generated_label((const uint8_t *)label, strlen(label));
	}
	cr_assert_gt(random, 750);
	cr_assert_eq(word, 0);
}

/* One client's failures, some of them out of order, over ten minutes and more. */
static void fail_on_and_off(struct rig *r, unsigned client, unsigned step)
{
	static const int jump_ms[] = { 0, 61000, -59000, 400000, -400000, 13000 };
	char text[32], qname[64], ip[32];

	snprintf(ip, sizeof(ip), "10.1.0.%u", client);
	snprintf(qname, sizeof(qname), "%s.com", word_label(step + client, text));
	fail_name(r,
		500000 + step * 2500 + jump_ms[step / 8 % ARRAY_LEN(jump_ms)] * (client % 2),
		ip, qname, DNS_TYPE_A);
}

/* The number that is told of one client in each alert, one after the other. */
static size_t told_domains(const struct rig *r, unsigned client, double *number, size_t max)
{
	char ip[32], text[IP_TEXT_MAX];
	size_t count = 0;

	snprintf(ip, sizeof(ip), "10.1.0.%u", client);
	for (size_t i = 0; i < r->alerts.count && count < max; i++) {
		const struct alert *a = r->alerts.alert[i];
		if (strcmp(ip_format(&a->source, text), ip) == 0)
			number[count++] = alerts_why(a, "nxdomain_domains")->value.number;
	}
	return count;
}

Test(nxdomain, clients_that_step_in_time_do_not_disturb_each_other)
{
	struct rig *r[4];
	double together[64], alone[64];

	for (unsigned i = 0; i < ARRAY_LEN(r); i++) {
		struct world *w = world_new();
		struct policy *p = world_tenant(w, "acme", "10.1.0.0/16");
		world_option(p, RULE_NXDOMAIN_TENANT, "enabled", "false");
		world_option(p, RULE_NXDOMAIN_SPIKE, "min_domains", "6");
		r[i] = rig_new(&nxdomain_family, w);
	}
	for (unsigned step = 0; step < 300; step++) {
		for (unsigned client = 1; client <= 3; client++) {
			fail_on_and_off(r[0], client, step);
			fail_on_and_off(r[client], client, step);
		}
	}
	for (unsigned client = 1; client <= 3; client++) {
		size_t count = told_domains(r[0], client, together, 64);
		cr_expect_gt(count, 2, "client %u", client);
		cr_assert_eq(count, told_domains(r[client], client, alone, 64));
		for (size_t i = 0; i < count; i++)
			cr_expect_eq(together[i], alone[i], "client %u, alert %zu", client, i);
	}
	for (unsigned i = 0; i < ARRAY_LEN(r); i++)
		rig_free(r[i]);
}

Test(nxdomain, any_time_at_all_is_taken)
{
	struct rig *r = rig_of_acme();
	static const int64_t start_ms = WORLD_START_NS / NS_PER_MS;
	static const int64_t times_ms[] = { -start_ms - 1, -start_ms, -2 * start_ms, 0,
		-start_ms - 60001, 4 * start_ms, -4 * start_ms, 5 };

	for (size_t i = 0; i < 20 * ARRAY_LEN(times_ms); i++) {
		char qname[64], text[32];
		snprintf(qname, sizeof(qname), "%s.com", random_label((unsigned)i, text));
		struct message m = { .at_ms = times_ms[i % ARRAY_LEN(times_ms)],
			.qname = qname,
			.rcode = DNS_RCODE_NXDOMAIN };
		r->tick_ns = INT64_MAX - NS_PER_S; /* no ticks */
		rig_see(r, &m);
		m.response = true;
		rig_see(r, &m);
	}
	cr_assert_eq(rig_stats(r).table[0].used, 1);
	rig_free(r);
}
