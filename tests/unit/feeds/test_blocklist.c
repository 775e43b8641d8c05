/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/blocklist.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/feeds/feed_rig.h"

static void add(
	struct blocklist *list, const char *text, enum mark_scope scope, enum blocklist_say say)
{
	struct dns_name name = name_of(text);

	cr_assert(blocklist_add_name(list, &name, scope, say, BLOCKLIST_NO_ORIGIN));
}

static void add_network(struct blocklist *list, const char *text, enum blocklist_say say)
{
	struct ip_net net;

	cr_assert(ip_net_parse(&net, text), "%s", text);
	cr_assert(blocklist_add_network(list, &net, say, BLOCKLIST_NO_ORIGIN));
}

/* "-x.example +y.example": what is done about the name itself and about all below. */
static const char *walk(struct blocklist *list)
{
	static const char sign[] = {
		[ACTION_NONE] = '.', [ACTION_REFUSE] = '-', [ACTION_PASS] = '+'
	};
	static char out[4096];
	struct blocklist_walk w = { .list = list };
	struct blocklist_name n;
	char text[DNS_NAME_TEXT_MAX];
	size_t len = 0;

	blocklist_sort(list);
	out[0] = '\0';
	while (blocklist_next_name(&w, &n)) {
		dns_name_format(&n.name, text);
		len += (size_t)snprintf(out + len, sizeof(out) - len, "%s%c%c%s",
			len ? " " : "", sign[n.self.action], sign[n.below.action], text);
	}
	blocklist_free(list);
	return out;
}

Test(blocklist, names_come_in_canonical_order)
{
	/* RFC 4034 section 6.1; a label may have octets that sort before the end of one. */
	static const char *const names[] = { "example", "a.example", "yljkjljk.a.example",
		"z.a.example", "zabc.a.example", "z.example", "\\000.z.example",
		"a.\\000.z.example", "\\001.z.example", "\\001\\000.z.example", "*.z.example",
		"\\200.z.example" };
	char expected[1024] = "";
	struct blocklist *list = blocklist_new();

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		add(list, names[ARRAY_LEN(names) - 1 - i], SCOPE_EXACT, SAY_LISTED);
		sprintf(expected + strlen(expected), "%s-.%s", i ? " " : "", names[i]);
	}
	cr_expect_str_eq(walk(list), expected);
}

Test(blocklist, a_label_that_holds_the_end_of_one_is_not_below_another)
{
	struct blocklist *list = blocklist_new();

	add(list, "evil.example", SCOPE_SUFFIX, SAY_LISTED);
	add(list, "evil\\000www.example", SCOPE_EXACT, SAY_ALLOWED);
	cr_expect_str_eq(walk(list), "--evil.example ..evil\\000www.example");
}

Test(blocklist, the_longest_name_is_kept_whole)
{
	struct blocklist *list = blocklist_new();
	char name[DNS_NAME_TEXT_MAX], expected[DNS_NAME_TEXT_MAX + 2];

	for (int i = 0; i < 127; i++)
		memcpy(name + 2 * i, "a.", 3);
	name[253] = '\0';
	snprintf(expected, sizeof(expected), "--%s", name);
	add(list, name, SCOPE_SUFFIX, SAY_LISTED);
	cr_expect_str_eq(walk(list), expected);
}

Test(blocklist, every_name_above_the_deepest_may_say_the_opposite)
{
	struct blocklist *list = blocklist_new();
	struct blocklist_walk w = { .list = list };
	struct blocklist_name n;
	char name[DNS_NAME_TEXT_MAX];

	for (int i = 0; i < DNS_LABELS_MAX; i++)
		memcpy(name + 2 * i, "a.", 3);
	name[2 * DNS_LABELS_MAX - 1] = '\0';
	for (int i = 0; i < DNS_LABELS_MAX; i++)
		add(list, name + 2 * i, SCOPE_SUFFIX, i % 2 ? SAY_APPROVED : SAY_LISTED);
	blocklist_sort(list);
	for (int i = 0; i < DNS_LABELS_MAX; i++) {
		cr_assert(blocklist_next_name(&w, &n));
		cr_expect_eq(n.self.rank, i);
	}
	cr_expect_not(blocklist_next_name(&w, &n));
	blocklist_free(list);
}

Test(blocklist, depth_decides_and_at_one_depth_what_allows)
{
	static const struct {
		const char *name;
		struct {
			const char *name;
			enum mark_scope scope;
			enum blocklist_say say;
		} said[3];
		const char *expected;
	} rows[] = {
		{ "listed alone", { { "x.example", SCOPE_EXACT, SAY_LISTED } }, "-.x.example" },
		{ "listed below", { { "x.example", SCOPE_BELOW, SAY_LISTED } }, ".-x.example" },
		{ "listed twice",
			{ { "x.example", SCOPE_BELOW, SAY_LISTED },
				{ "x.example", SCOPE_EXACT, SAY_LISTED } },
			"--x.example" },
		{ "allowed where nothing refuses",
			{ { "x.example", SCOPE_SUFFIX, SAY_ALLOWED } }, "..x.example" },
		{ "approved where nothing refuses",
			{ { "x.example", SCOPE_SUFFIX, SAY_APPROVED } }, "++x.example" },
		{ "allowed at the same depth",
			{ { "x.example", SCOPE_SUFFIX, SAY_LISTED },
				{ "x.example", SCOPE_SUFFIX, SAY_ALLOWED } },
			"..x.example" },
		{ "allowed alone, listed with all below",
			{ { "x.example", SCOPE_SUFFIX, SAY_LISTED },
				{ "x.example", SCOPE_EXACT, SAY_ALLOWED } },
			".-x.example" },
		{ "allowed below a listed name",
			{ { "x.example", SCOPE_SUFFIX, SAY_LISTED },
				{ "ok.x.example", SCOPE_SUFFIX, SAY_ALLOWED } },
			"--x.example ++ok.x.example" },
		{ "listed below an approved name",
			{ { "x.example", SCOPE_SUFFIX, SAY_APPROVED },
				{ "bad.x.example", SCOPE_SUFFIX, SAY_LISTED } },
			"++x.example --bad.x.example" },
		{ "approved at the same depth",
			{ { "x.example", SCOPE_SUFFIX, SAY_APPROVED },
				{ "x.example", SCOPE_SUFFIX, SAY_LISTED } },
			"++x.example" },
		{ "all below excluded, though listed deeper",
			{ { "x.example", SCOPE_BELOW, SAY_EXCLUDED },
				{ "bad.x.example", SCOPE_SUFFIX, SAY_LISTED } },
			".+x.example ++bad.x.example" },
		{ "excluded alone: alerts of names below bear the listed one",
			{ { "x.example", SCOPE_EXACT, SAY_EXCLUDED },
				{ "x.example", SCOPE_SUFFIX, SAY_LISTED } },
			"+.x.example" },
		{ "excluded alone below a listed name",
			{ { "x.example", SCOPE_SUFFIX, SAY_LISTED },
				{ "www.x.example", SCOPE_EXACT, SAY_EXCLUDED } },
			"--x.example +-www.x.example" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct blocklist *list = blocklist_new();
		for (size_t k = 0; k < 3 && rows[i].said[k].name; k++)
			add(list, rows[i].said[k].name, rows[i].said[k].scope,
				rows[i].said[k].say);
		const char *got = walk(list);
		cr_expect_str_eq(got, rows[i].expected, "%s: %s", rows[i].name, got);
	}
}

Test(blocklist, what_overrides_is_said_more_strongly)
{
	static const struct {
		const char *name;
		enum blocklist_say say;
		int rank;
	} rows[] = {
		{ "example", SAY_LISTED, 0 },
		{ "a.example", SAY_ALLOWED, 1 },
		{ "b.a.example", SAY_LISTED, 2 },
		{ "c.b.a.example", SAY_LISTED, 2 },
		{ "d.c.b.a.example", SAY_APPROVED, 3 },
		{ "z.example", SAY_LISTED, 0 },
		{ "other", SAY_APPROVED, 1 },
		{ "x.other", SAY_LISTED, 2 },
	};
	struct blocklist *list = blocklist_new();
	struct blocklist_walk w = { .list = list };
	struct blocklist_name n;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		add(list, rows[i].name, SCOPE_SUFFIX, rows[i].say);
	blocklist_sort(list);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_assert(blocklist_next_name(&w, &n));
		cr_expect_eq(n.below.rank, rows[i].rank, "%s: %d", rows[i].name, n.below.rank);
		cr_expect_eq(n.self.rank, rows[i].rank, "%s: %d", rows[i].name, n.self.rank);
	}
	cr_expect_not(blocklist_next_name(&w, &n));
	blocklist_free(list);
}

Test(blocklist, networks_come_by_address_and_the_longest_decides)
{
	struct blocklist *list = blocklist_new();
	struct blocklist_walk w = { .list = list };
	static const char *const expected[] = { "192.0.2.0/24 1", "192.0.2.0/25 2",
		"192.0.2.7/32 1", "192.0.2.9/32 2", "198.51.100.1/32 0", "203.0.113.9/32 0",
		"2001:db8::/32 1", "2001:db8::7/128 1" };
	struct blocklist_network n;

	add_network(list, "2001:db8::7", SAY_LISTED);
	add_network(list, "192.0.2.7", SAY_LISTED);
	add_network(list, "192.0.2.0/25", SAY_ALLOWED);
	add_network(list, "192.0.2.9", SAY_ALLOWED);
	add_network(list, "198.51.100.1", SAY_ALLOWED);
	add_network(list, "203.0.113.9", SAY_LISTED);
	add_network(list, "203.0.113.9", SAY_ALLOWED);
	add_network(list, "192.0.2.0/24", SAY_LISTED);
	add_network(list, "2001:db8::/32", SAY_LISTED);
	blocklist_sort(list);
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		char text[IP_NET_TEXT_MAX + 4], net[IP_NET_TEXT_MAX];
		cr_assert(blocklist_next_network(&w, &n));
		snprintf(text, sizeof(text), "%s %d", ip_net_format(&n.net, net), n.action);
		cr_expect_str_eq(text, expected[i]);
	}
	cr_expect_not(blocklist_next_network(&w, &n));
	blocklist_free(list);
}

Test(blocklist, of_several_that_say_it_the_first_number_stays)
{
	static const uint32_t order[][2] = { { 3, 7 }, { 7, 3 } };

	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		struct blocklist *list = blocklist_new();
		struct blocklist_walk w = { .list = list };
		struct dns_name name = name_of("x.example");
		struct blocklist_name n;
		for (int k = 0; k < 2; k++)
			cr_assert(blocklist_add_name(
				list, &name, SCOPE_EXACT, SAY_LISTED, order[i][k]));
		add(list, "x.example", SCOPE_EXACT, SAY_LISTED);
		blocklist_sort(list);
		cr_assert(blocklist_next_name(&w, &n));
		cr_expect_eq(n.origin, 3);
		blocklist_free(list);
	}
}
