/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/policy.h"

#include "sensor/base/clock.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct ip ip_of(const char *text)
{
	struct ip ip = { 0 };

	cr_assert(ip_parse(&ip, text), "%s", text);
	return ip;
}

static int64_t day_end(const char *text)
{
	int64_t ns = 0;

	cr_assert(clock_parse_day_end(&ns, text), "%s", text);
	return ns;
}

/* A tenant whose parts the tests fill in; freed with the set. */
static struct policy *tenant_with(struct policy_set *set)
{
	struct policy *p = policy_set_add(set, "acme");

	cr_assert_not_null(p);
	return p;
}

static struct policy_exclude *exclude_add(struct policy *p, enum rule_id rule)
{
	p->exclude = realloc(p->exclude, (p->exclude_count + 1) * sizeof(*p->exclude));
	struct policy_exclude *e = &p->exclude[p->exclude_count++];
	*e = (struct policy_exclude){ .rule = rule, .until_ns = INT64_MAX };
	return e;
}

static void exclude_name(struct policy_exclude *e, const char *name)
{
	e->name = realloc(e->name, (e->name_count + 1) * sizeof(*e->name));
	e->name[e->name_count++] = strdup(name);
}

static struct policy_approved *approved_add(
	struct policy *p, const char *name, uint32_t provider)
{
	p->approved = realloc(p->approved, (p->approved_count + 1) * sizeof(*p->approved));
	struct policy_approved *a = &p->approved[p->approved_count++];
	*a = (struct policy_approved){
		.name = name ? strdup(name) : NULL,
		.provider = provider,
		.until_ns = INT64_MAX,
	};
	return a;
}

Test(policy, a_new_set_holds_unmapped_alone_at_number_zero)
{
	struct policy_set *set = policy_set_new();

	cr_assert_eq(set->tenant_count, 1);
	cr_assert_str_eq(set->tenant[0].id, "unmapped");
	cr_assert_eq(set->tenant[0].number, POLICY_UNMAPPED);
	cr_assert(set->tenant[0].rules.rule[RULE_LOOKUP_MALICIOUS].enabled);
	cr_assert_eq(tenant_with(set)->number, 1);
	policy_set_free(set);
}

static const struct name_row {
	const char *name, *pattern, *asked;
	bool excluded;
} name_rows[] = {
	{ "the name itself", "x.example", "x.example", true },
	{ "case does not matter", "X.example", "x.EXAMPLE", true },
	{ "a plain name is not its children", "x.example", "a.x.example", false },
	{ "a star is below", "*.x.example", "a.x.example", true },
	{ "a star is any depth", "*.x.example", "b.a.x.example", true },
	{ "a star is not the name itself", "*.x.example", "x.example", false },
	{ "a star is whole labels", "*.x.example", "ax.example", false },
	{ "an escaped dot is no label border", "*.x.example", "a\\.x.example", false },
	{ "an escaped backslash before a border", "*.x.example", "a\\\\.x.example", true },
	{ "another name", "*.x.example", "a.y.example", false },
	{ "no name to compare", "*.x.example", NULL, false },
};

Test(policy, exclude_names_are_exact_or_below_a_star)
{
	struct ip client = ip_of("10.1.0.25");

	for (size_t i = 0; i < ARRAY_LEN(name_rows); i++) {
		const struct name_row *row = &name_rows[i];
		struct policy_set *set = policy_set_new();
		struct policy *p = tenant_with(set);
		exclude_name(exclude_add(p, RULE_NXDOMAIN_SPIKE), row->pattern);
		cr_assert_eq(policy_excludes(p, RULE_NXDOMAIN_SPIKE, &client, row->asked, 0),
			row->excluded, "%s", row->name);
		policy_set_free(set);
	}
}

Test(policy, an_exclude_holds_for_its_rule_clients_and_days_only)
{
	struct policy_set *set = policy_set_new();
	struct policy *p = tenant_with(set);
	struct policy_exclude *e = exclude_add(p, RULE_NXDOMAIN_SPIKE);
	struct ip inside = ip_of("10.1.0.25"), outside = ip_of("10.2.0.25");
	int64_t last = day_end("2027-01-31");

	cr_assert(ip_set_add(&e->clients, "10.1.0.0/16"));
	e->until_ns = last;
	cr_assert(policy_excludes(p, RULE_NXDOMAIN_SPIKE, &inside, "x.example", last));
	cr_assert(policy_excludes(p, RULE_NXDOMAIN_SPIKE, &inside, NULL, last));
	cr_assert(!policy_excludes(p, RULE_NXDOMAIN_SPIKE, &inside, "x.example", last + 1));
	cr_assert(!policy_excludes(p, RULE_NXDOMAIN_SPIKE, &outside, "x.example", last));
	cr_assert(!policy_excludes(p, RULE_NXDOMAIN_DGA, &inside, "x.example", last));
	cr_assert(!policy_excludes(p, RULE_NXDOMAIN_SPIKE, NULL, "x.example", last),
		"an alert without a client is nobody's of the list");
	policy_set_free(set);
}

Test(policy, an_exclude_without_a_rule_holds_for_every_rule)
{
	struct policy_set *set = policy_set_new();
	struct policy *p = tenant_with(set);
	struct ip client = ip_of("2001:db8::1");

	exclude_name(exclude_add(p, RULE_COUNT), "x.example");
	for (size_t i = 0; i < RULE_COUNT; i++)
		cr_assert(policy_excludes(p, (enum rule_id)i, &client, "x.example", 0), "%s",
			rule_table[i].id);
	policy_set_free(set);
}

Test(policy, approval_is_scoped_by_client_and_day)
{
	struct policy_set *set = policy_set_new();
	struct policy *p = tenant_with(set);
	struct ip camera = ip_of("10.1.0.7"), other = ip_of("10.1.0.8");
	int64_t last = day_end("2026-12-31");

	struct policy_approved *a = approved_add(p, "cam7.duckdns.org", PROVIDER_NONE);
	cr_assert(ip_set_add(&a->clients, "10.1.0.7"));
	approved_add(p, NULL, 3)->until_ns = last;
	cr_assert(policy_approves_entry(p, 0, &camera, 0));
	cr_assert(!policy_approves_entry(p, 0, &other, 0));
	cr_assert(!policy_approves_entry(p, 2, &camera, 0), "no such entry");
	cr_assert(policy_approves_provider(p, 3, &other, last));
	cr_assert(!policy_approves_provider(p, 3, &other, last + 1));
	cr_assert(!policy_approves_provider(p, 4, &other, last));
	cr_assert(!policy_approves_provider(p, PROVIDER_NONE, &camera, 0),
		"a name entry approves no provider");
	policy_set_free(set);
}

/* The kinds of mark that apply to a name, of this tenant, as bits. */
static unsigned kinds_at(const struct index *index, const char *text, uint16_t tenant)
{
	struct index_hit hit[INDEX_HITS_MAX];
	struct dns_name name;
	unsigned kinds = 0;

	cr_assert(dns_name_parse(&name, text), "%s", text);
	size_t hits = index_match_name(index, &name, hit);
	for (size_t i = 0; i < hits; i++) {
		size_t count;
		const struct mark *mark = index_marks(index, hit[i].entry, &count);
		for (size_t k = 0; k < count; k++) {
			if (mark[k].source == tenant &&
				mark_applies(&mark[k], hit[i].labels, name.label_count))
				kinds |= 1u << mark[k].kind;
		}
	}
	return kinds;
}

Test(policy, approved_names_zones_and_suffixes_are_found_by_the_index)
{
	struct policy_set *set = policy_set_new();
	struct policy *p = tenant_with(set);
	struct index_builder *builder = index_builder_new(1);
	struct err_ctx why = { "" };

	approved_add(p, "cam7.duckdns.org", PROVIDER_NONE);
	approved_add(p, NULL, 3);
	p->zone = calloc(1, sizeof(*p->zone));
	p->zone_count = 1;
	p->zone[0].name = strdup("corp.example");
	p->suffix = calloc(1, sizeof(*p->suffix));
	p->suffix_count = 1;
	p->suffix[0] = strdup("corp.example");
	cr_assert_eq(policy_set_index(set, builder, &why), ERR_OK, "%s", why.text);

	struct index *index = index_build(builder);
	cr_assert_eq(kinds_at(index, "cam7.duckdns.org", 1), 1u << MARK_APPROVED);
	cr_assert_eq(kinds_at(index, "www.cam7.duckdns.org", 1), 1u << MARK_APPROVED);
	cr_assert_eq(kinds_at(index, "cam8.duckdns.org", 1), 0);
	cr_assert_eq(kinds_at(index, "cam7.duckdns.org", 2), 0, "of another tenant");
	cr_assert_eq(kinds_at(index, "pc.corp.example", 1),
		1u << MARK_ZONE | 1u << MARK_SEARCH_SUFFIX);
	index_free(index);
	policy_set_free(set);
}

Test(policy, a_name_that_the_index_cannot_hold_is_an_error_with_the_tenant)
{
	static const char *const bad[] = { "", "a..b",
		"1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.21.22.23.24.25.26.27.28.29.30."
		"31.32.33" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct policy_set *set = policy_set_new();
		struct index_builder *builder = index_builder_new(1);
		struct err_ctx why = { "" };
		approved_add(tenant_with(set), bad[i], PROVIDER_NONE);
		cr_assert_eq(policy_set_index(set, builder, &why), ERR_USAGE, "%s", bad[i]);
		cr_assert(strstr(why.text, "acme") && strstr(why.text, bad[i]), "%s", why.text);
		index_builder_free(builder);
		policy_set_free(set);
	}
}

Test(policy, servers_of_a_tenant_are_resolvers_zone_servers_and_its_networks)
{
	struct policy_set *set = policy_set_new();
	struct policy *p = tenant_with(set);
	struct ip resolver = ip_of("192.0.2.53"), zone_server = ip_of("198.51.100.1"),
		  inside = ip_of("10.1.2.3"), foreign = ip_of("203.0.113.1");

	cr_assert(!policy_owns_address(p, &inside));
	p->select.network = calloc(1, sizeof(*p->select.network));
	p->select.network_count = 1;
	cr_assert(ip_net_parse(&p->select.network[0], "10.1.0.0/16"));
	cr_assert(ip_set_add(&p->resolvers, "192.0.2.53"));
	p->zone = calloc(1, sizeof(*p->zone));
	p->zone_count = 1;
	p->zone[0].name = strdup("corp.example");
	cr_assert(ip_set_add(&p->zone[0].servers, "198.51.100.1"));

	cr_assert(policy_owns_address(p, &inside));
	cr_assert(!policy_owns_address(p, &resolver));
	cr_assert(policy_owns_server(p, &inside));
	cr_assert(policy_owns_server(p, &resolver));
	cr_assert(policy_owns_server(p, &zone_server));
	cr_assert(!policy_owns_server(p, &foreign));
	policy_set_free(set);
}

/* --- from one version to the next ------------------------------------------------------------ */

static struct policy_set *set_of(const char *const *id)
{
	struct policy_set *set = policy_set_new();

	cr_assert_not_null(set);
	for (; *id; id++)
		cr_assert_not_null(policy_set_add(set, *id));
	return set;
}

/* Renumber and say what came out: "unmapped acme (beta) gamma", retired ones in brackets. */
static void check_follow(const char *const *before_id, const char *const *id, const char *want)
{
	struct policy_set *before = set_of(before_id), *set = set_of(id);
	uint16_t number[16];
	char got[256] = "";
	struct err_ctx why;

	/* Something that must move along. */
	struct policy *last = &set->tenant[set->tenant_count - 1];
	cr_assert(ip_set_add(&last->resolvers, "10.1.0.53"));
	const char *last_id = last->id;
	size_t count = set->tenant_count;
	cr_assert_eq(policy_set_follow(set, before, number, &why), ERR_OK, "%s", want);
	for (size_t i = 0; i < set->tenant_count; i++) {
		const struct policy *p = &set->tenant[i];
		cr_assert_eq(p->number, i, "%s", want);
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s%s%s", i ? " " : "",
			p->retired ? "(" : "", p->id, p->retired ? ")" : "");
		cr_assert_eq(p->rules.rule[RULE_LOOKUP_MALICIOUS].enabled, !p->retired);
		cr_assert_eq(p->resolvers.count, p->id == last_id ? 1 : 0, "%s", p->id);
	}
	cr_assert_str_eq(got, want);
	cr_assert_str_eq(set->tenant[number[count - 1]].id, last_id);
	cr_assert_not_null(policy_set_add(set, "another"), "there is room for more");
	policy_set_free(before);
	policy_set_free(set);
}

#define IDS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define NO_IDS   ((const char *const[]){ NULL })

Test(policy, tenants_keep_their_numbers)
{
	check_follow(IDS("acme", "beta"), IDS("acme", "beta"), "unmapped acme beta");
	check_follow(IDS("acme", "beta"), IDS("beta", "acme"), "unmapped acme beta");
	check_follow(IDS("acme", "beta"), IDS("aaa", "beta", "zzz", "acme"),
		"unmapped acme beta aaa zzz");
	check_follow(NO_IDS, IDS("acme", "beta", "gamma"), "unmapped acme beta gamma");
}

Test(policy, a_tenant_that_is_gone_keeps_its_number)
{
	check_follow(
		IDS("acme", "beta", "gamma"), IDS("gamma"), "unmapped (acme) (beta) gamma");
	check_follow(IDS("acme", "beta"), IDS("delta"), "unmapped (acme) (beta) delta");
	check_follow(IDS("acme", "beta"), NO_IDS, "unmapped (acme) (beta)");
}

Test(policy, a_tenant_that_comes_back_gets_its_place_back)
{
	struct policy_set *first = set_of(IDS("acme", "beta")), *second = set_of(IDS("beta")),
			  *third = set_of(IDS("new", "acme"));
	uint16_t number[4];
	struct err_ctx why;

	cr_assert_eq(policy_set_follow(second, first, number, &why), ERR_OK);
	cr_assert(second->tenant[1].retired);
	cr_assert_eq(policy_set_follow(third, second, number, &why), ERR_OK);
	cr_assert_eq(number[1], 3);
	cr_assert_eq(number[2], 1);
	cr_assert_not(third->tenant[1].retired);
	cr_assert(third->tenant[2].retired);
	policy_set_free(first);
	policy_set_free(second);
	policy_set_free(third);
}

Test(policy, more_tenants_than_numbers_change_nothing)
{
	struct policy_set *before = policy_set_new(), *set = set_of(IDS("one", "more"));
	uint16_t number[3];
	struct err_ctx why;
	char id[16];

	for (unsigned i = 1; i < POLICY_TENANTS_MAX - 1; i++) {
		snprintf(id, sizeof(id), "t%u", i);
		cr_assert_not_null(policy_set_add(before, id));
	}
	cr_assert_eq(policy_set_follow(set, before, number, &why), ERR_USAGE);
	cr_assert(strstr(why.text, "65000 tenants"), "%s", why.text);
	cr_assert_eq(set->tenant_count, 3);
	cr_assert_str_eq(set->tenant[1].id, "one");
	policy_set_free(before);
	policy_set_free(set);
}
