/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/tenant.h"

#include "sensor/base/clock.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const captured[] = { "eth0", "eth1", "eth0" };

static struct ip ip_of(const char *text)
{
	struct ip ip = { 0 };

	cr_assert(ip_parse(&ip, text), "%s", text);
	return ip;
}

static void select_network(struct policy_selector *s, const char *text)
{
	s->network = realloc(s->network, (s->network_count + 1) * sizeof(*s->network));
	cr_assert(ip_net_parse(&s->network[s->network_count++], text), "%s", text);
}

static void select_vlan(struct policy_selector *s, uint16_t vlan)
{
	s->vlan = realloc(s->vlan, (s->vlan_count + 1) * sizeof(*s->vlan));
	s->vlan[s->vlan_count++] = vlan;
}

static void select_vni(struct policy_selector *s, uint32_t vni)
{
	s->vni = realloc(s->vni, (s->vni_count + 1) * sizeof(*s->vni));
	s->vni[s->vni_count++] = vni;
}

static void select_interface(struct policy_selector *s, const char *name)
{
	s->interface = realloc(s->interface, (s->interface_count + 1) * sizeof(*s->interface));
	s->interface[s->interface_count++] = strdup(name);
}

/* "vlan=101 vni=7 if=eth1 net=10.0.0.0/8", any of them any number of times. */
static void add(struct policy_set *set, const char *id, const char *selector)
{
	struct policy *p = policy_set_add(set, id);
	char text[200];
	cr_assert_not_null(p);
	snprintf(text, sizeof(text), "%s", selector);
	for (char *save, *word = strtok_r(text, " ", &save); word;
		word = strtok_r(NULL, " ", &save)) {
		char *value = strchr(word, '=');
		*value++ = '\0';
		if (strcmp(word, "vlan") == 0)
			select_vlan(&p->select, (uint16_t)atoi(value));
		else if (strcmp(word, "vni") == 0)
			select_vni(&p->select, (uint32_t)atoi(value));
		else if (strcmp(word, "if") == 0)
			select_interface(&p->select, value);
		else
			select_network(&p->select, value);
	}
}

static void compile(struct policy_set *set)
{
	struct err_ctx why;

	cr_assert_eq(tenant_map_new(&set->map, set, captured, ARRAY_LEN(captured), &why),
		ERR_OK, "%s", why.text);
}

struct tenant_row {
	const char *name, *selector;
};

static const struct tenant_row office[] = {
	{ "acme", "vlan=101 net=10.0.0.0/8" },
	{ "bolt", "vlan=102 net=10.0.0.0/8" },
	{ "bolt-lab", "vlan=102 net=10.9.0.0/16" },
	{ "core", "net=10.0.0.0/8 net=2001:db8::/32" },
	{ "dual", "vlan=101 if=eth1" },
	{ "east", "vni=7001" },
	{ "flat", "if=eth1" },
	{ "six", "net=2001:db8:6::/48" },
};

static const struct find_row {
	const char *name;
	uint16_t interface;
	uint16_t vlan[3];
	uint8_t vlan_count;
	uint32_t vni;
	const char *client, *server, *tenant;
} find_rows[] = {
	{ "vlan and network", 0, { 101 }, 1, UINT32_MAX, "10.1.1.1", "8.8.8.8", "acme" },
	{ "same network, other vlan", 0, { 102 }, 1, UINT32_MAX, "10.1.1.1", "8.8.8.8",
		"bolt" },
	{ "longest network on the vlan", 0, { 102 }, 1, UINT32_MAX, "10.9.1.1", "8.8.8.8",
		"bolt-lab" },
	{ "inner tag", 0, { 900, 102 }, 2, UINT32_MAX, "10.1.1.1", "8.8.8.8", "bolt" },
	{ "third tag", 0, { 900, 901, 102 }, 3, UINT32_MAX, "10.1.1.1", "8.8.8.8", "bolt" },
	{ "outer tag before inner", 0, { 102, 101 }, 2, UINT32_MAX, "10.1.1.1", "8.8.8.8",
		"bolt" },
	{ "no tag", 0, { 0 }, 0, UINT32_MAX, "10.1.1.1", "8.8.8.8", "core" },
	{ "tag of nobody", 0, { 500 }, 1, UINT32_MAX, "10.1.1.1", "8.8.8.8", "core" },
	{ "two kinds beat one and a network", 1, { 101 }, 1, UINT32_MAX, "10.1.1.1", "8.8.8.8",
		"dual" },
	{ "a vlan without its network is not enough", 0, { 101 }, 1, UINT32_MAX, "172.16.0.1",
		"8.8.8.8", "unmapped" },
	{ "vni takes every client", 0, { 0 }, 0, 7001, "192.0.2.1", "8.8.8.8", "east" },
	{ "a network on the vlan beats the bare vni", 0, { 102 }, 1, 7001, "10.1.1.1",
		"8.8.8.8", "bolt" },
	{ "vni beats interface", 1, { 0 }, 0, 7001, "192.0.2.1", "8.8.8.8", "east" },
	{ "interface alone", 1, { 0 }, 0, UINT32_MAX, "192.0.2.1", "8.8.8.8", "flat" },
	{ "interface beats a longer network without link", 1, { 0 }, 0, UINT32_MAX, "10.1.1.1",
		"8.8.8.8", "flat" },
	{ "interface that is not captured", 9, { 0 }, 0, UINT32_MAX, "192.0.2.1", "8.8.8.8",
		"unmapped" },
	{ "server when the client is nobody", 0, { 0 }, 0, UINT32_MAX, "192.0.2.1", "10.0.0.53",
		"core" },
	{ "client before server", 0, { 0 }, 0, UINT32_MAX, "10.1.1.1", "2001:db8:6::1",
		"core" },
	{ "longest IPv6 network", 0, { 0 }, 0, UINT32_MAX, "2001:db8:6::1", "::1", "six" },
	{ "shorter IPv6 network", 0, { 0 }, 0, UINT32_MAX, "2001:db8:7::1", "::1", "core" },
	{ "nobody at all", 0, { 0 }, 0, UINT32_MAX, "192.0.2.1", "8.8.8.8", "unmapped" },
};

static struct tenant_link link_of(const struct find_row *row)
{
	return (struct tenant_link){
		.interface = row->interface,
		.vlan_count = row->vlan_count,
		.vlan = row->vlan,
		.vni = row->vni,
	};
}

/* Both steps. */
static uint16_t find_cached(struct tenant_cache *cache, const struct policy_set *set,
	const struct tenant_link *link, const struct ip *client, const struct ip *server)
{
	uint64_t place = tenant_ask(cache, set->map, link, client);

	return tenant_find_asked(cache, set->map, place, link, client, server);
}

Test(tenant, most_link_kinds_then_longest_network_then_server)
{
	struct policy_set *set = policy_set_new();
	struct tenant_cache *cache = tenant_cache_new();

	for (size_t i = 0; i < ARRAY_LEN(office); i++)
		add(set, office[i].name, office[i].selector);
	compile(set);
	for (size_t i = 0; i < 2 * ARRAY_LEN(find_rows);
		i++) { /* twice: the cache is warm then */
		const struct find_row *row = &find_rows[i % ARRAY_LEN(find_rows)];
		struct tenant_link link = link_of(row);
		struct ip client = ip_of(row->client), server = ip_of(row->server);
		uint16_t found = tenant_find(set->map, &link, &client, &server);
		cr_assert_str_eq(set->tenant[found].id, row->tenant, "%s", row->name);
		cr_assert_eq(find_cached(cache, set, &link, &client, &server), found,
			"%s, cached", row->name);
	}
	tenant_cache_free(cache);
	policy_set_free(set);
}

Test(tenant, a_tenant_without_selector_takes_what_nobody_else_takes)
{
	struct policy_set *set = policy_set_new();
	struct tenant_link link = { .vni = UINT32_MAX };
	struct ip foreign = ip_of("192.0.2.1"), inside = ip_of("10.0.0.1");

	add(set, "rest", "");
	add(set, "core", "net=10.0.0.0/8");
	compile(set);
	cr_assert_eq(tenant_find(set->map, &link, &foreign, &foreign), 1);
	cr_assert_eq(tenant_find(set->map, &link, &inside, &foreign), 2);
	cr_assert_eq(tenant_find(set->map, &link, &foreign, &inside), 2,
		"the server's tenant comes before the one of the rest");
	policy_set_free(set);
}

Test(tenant, interfaces_of_one_name_are_one_interface)
{
	struct policy_set *set = policy_set_new();
	struct tenant_link link = { .interface = 2, .vni = UINT32_MAX };
	struct ip ip = ip_of("192.0.2.1");

	add(set, "zero", "if=eth0 if=eth7");
	compile(set);
	cr_assert_eq(tenant_find(set->map, &link, &ip, &ip), 1);
	link.interface = 1;
	cr_assert_eq(tenant_find(set->map, &link, &ip, &ip), POLICY_UNMAPPED);
	policy_set_free(set);
}

Test(tenant, without_interface_names_no_interface_selector_matches)
{
	struct policy_set *set = policy_set_new();
	struct tenant_link link = { .interface = 0, .vni = UINT32_MAX };
	struct ip ip = ip_of("192.0.2.1");
	struct err_ctx why;

	add(set, "zero", "if=eth0");
	cr_assert_eq(tenant_map_new(&set->map, set, NULL, 0, &why), ERR_OK);
	cr_assert_eq(tenant_find(set->map, &link, &ip, &ip), POLICY_UNMAPPED);
	policy_set_free(set);
}

static const struct clash_row {
	const char *name, *first, *second, *why; /* NULL: no clash */
} clash_rows[] = {
	{ "same network", "net=10.0.0.0/8", "net=10.0.0.0/8",
		"tenants \"a\" and \"b\" have the same selector: network 10.0.0.0/8" },
	{ "one VLAN in common", "vlan=1 vlan=2", "vlan=2 vlan=3",
		"tenants \"a\" and \"b\" have the same selector: VLAN 2, every address" },
	{ "same interface that is not captured", "if=eth9", "if=eth9",
		"tenants \"a\" and \"b\" have the same selector: interface eth9, every "
		"address" },
	{ "all kinds", "if=eth1 vlan=2 vni=3 net=2001:db8::/32",
		"if=eth1 vlan=2 vni=3 net=2001:db8::/32",
		"tenants \"a\" and \"b\" have the same selector: interface eth1, VLAN 2, VNI "
		"3, "
		"network 2001:db8::/32" },
	{ "both without selector", "", "",
		"tenants \"a\" and \"b\" have the same selector: none, which takes what nobody "
		"else "
		"takes" },
	{ "same base, other length", "net=10.0.0.0/8", "net=10.0.0.0/16", NULL },
	{ "same network, other VLAN", "vlan=1 net=10.0.0.0/8", "vlan=2 net=10.0.0.0/8", NULL },
	{ "same number, VLAN and VNI", "vlan=1", "vni=1", NULL },
	{ "one of them twice itself", "vlan=1 vlan=1", "vlan=2", NULL },
};

Test(tenant, equal_selectors_of_two_tenants_are_an_error_naming_both)
{
	for (size_t i = 0; i < ARRAY_LEN(clash_rows); i++) {
		const struct clash_row *row = &clash_rows[i];
		struct policy_set *set = policy_set_new();
		struct err_ctx why = { "" };
		uint16_t culprit = 0;
		add(set, "a", row->first);
		add(set, "b", row->second);
		enum err err = tenant_map_check(set, &culprit, &why);
		cr_assert_eq(err, row->why ? ERR_USAGE : ERR_OK, "%s: %s", row->name, why.text);
		if (row->why) {
			cr_assert_str_eq(why.text, row->why, "%s: %s", row->name, why.text);
			cr_assert_eq(culprit, 2, "%s", row->name);
		}
		policy_set_free(set);
	}
}

Test(tenant, too_many_combinations_are_an_error)
{
	struct policy_set *set = policy_set_new();
	struct policy *p = policy_set_add(set, "wide");
	struct err_ctx why;
	uint16_t culprit = 0;

	for (unsigned i = 0; i < 1100; i++) {
		select_vlan(&p->select, (uint16_t)i);
		select_vni(&p->select, i);
	}
	cr_assert_eq(tenant_map_check(set, &culprit, &why), ERR_USAGE);
	cr_assert_eq(culprit, 1);
	cr_assert(strstr(why.text, "\"wide\""), "%s", why.text);
	policy_set_free(set);
}

/* --- against a naive oracle --------------------------------------------------------------- */

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t limit)
{
	random_state = random_state * 1664525u + 1013904223u;
	return (random_state >> 8) % limit;
}

/* What decides, most important first; larger is better. All zero: no match. */
struct rank {
	unsigned matched, kinds, bits, nearness, outerness;
};

static bool rank_beats(const struct rank *a, const struct rank *b)
{
	if (a->matched != b->matched)
		return a->matched > b->matched;
	if (a->kinds != b->kinds)
		return a->kinds > b->kinds;
	if (a->bits != b->bits)
		return a->bits > b->bits;
	if (a->nearness != b->nearness)
		return a->nearness > b->nearness;
	return a->outerness > b->outerness;
}

static bool oracle_vlan(
	const struct policy_selector *s, const struct tenant_link *link, struct rank *rank)
{
	for (unsigned i = 0; i < link->vlan_count; i++) {
		for (size_t j = 0; j < s->vlan_count; j++) {
			if (s->vlan[j] == link->vlan[i]) {
				rank->kinds++;
				rank->nearness |= 2;
				rank->outerness = 100 - i;
				return true;
			}
		}
	}
	return s->vlan_count == 0;
}

static bool oracle_vni(
	const struct policy_selector *s, const struct tenant_link *link, struct rank *rank)
{
	for (size_t j = 0; j < s->vni_count; j++) {
		if (s->vni[j] == link->vni) {
			rank->kinds++;
			rank->nearness |= 4;
			return true;
		}
	}
	return s->vni_count == 0;
}

static bool oracle_interface(
	const struct policy_selector *s, const struct tenant_link *link, struct rank *rank)
{
	for (size_t j = 0; j < s->interface_count; j++) {
		if (link->interface < ARRAY_LEN(captured) &&
			strcmp(s->interface[j], captured[link->interface]) == 0) {
			rank->kinds++;
			rank->nearness |= 1;
			return true;
		}
	}
	return s->interface_count == 0;
}

static bool oracle_network(
	const struct policy_selector *s, const struct ip *end, struct rank *rank)
{
	bool held = s->network_count == 0;

	for (size_t j = 0; j < s->network_count; j++) {
		if (!ip_net_contains(&s->network[j], end))
			continue;
		held = true;
		if (s->network[j].bits > rank->bits)
			rank->bits = s->network[j].bits;
	}
	return held;
}

static uint16_t oracle_end(
	const struct policy_set *set, const struct tenant_link *link, const struct ip *end)
{
	struct rank best = { 0 };
	uint16_t tenant = POLICY_UNMAPPED;

	for (uint16_t i = 1; i < set->tenant_count; i++) {
		const struct policy_selector *s = &set->tenant[i].select;
		struct rank rank = { .matched = 1 };
		if (!oracle_vlan(s, link, &rank) || !oracle_vni(s, link, &rank) ||
			!oracle_interface(s, link, &rank) || !oracle_network(s, end, &rank))
			continue;
		if (rank_beats(&rank, &best)) {
			best = rank;
			tenant = i;
		}
	}
	return tenant;
}

static void random_address(char text[IP_TEXT_MAX])
{
	if (random_below(3))
		snprintf(text, IP_TEXT_MAX, "10.%u.%u.%u", random_below(4), random_below(4),
			random_below(4));
	else
		snprintf(
			text, IP_TEXT_MAX, "2001:db8:%x::%x", random_below(4), random_below(4));
}

static void random_selector(char text[200])
{
	int len = 0;

	text[0] = '\0';
	if (random_below(2))
		len += snprintf(text + len, 200 - (size_t)len, "vlan=%u vlan=%u ",
			random_below(30), random_below(30));
	if (random_below(3) == 0)
		len += snprintf(text + len, 200 - (size_t)len, "vni=%u ", random_below(20));
	if (random_below(4) == 0)
		len += snprintf(text + len, 200 - (size_t)len, "if=eth%u ", random_below(3));
	static const unsigned v4_bits[] = { 8, 16, 24, 32 };
	unsigned bits = v4_bits[random_below(4)];
	switch (random_below(len ? 5 : 4)) {
	case 0:
	case 1:
		snprintf(text + len, 200 - (size_t)len, "net=10.%u.%u.%u/%u",
			bits > 8 ? random_below(4) : 0, bits > 16 ? random_below(4) : 0,
			bits > 24 ? random_below(4) : 0, bits);
		break;
	case 2:
		snprintf(
			text + len, 200 - (size_t)len, "net=2001:db8:%x::/48", random_below(4));
		break;
	case 3:
		snprintf(text + len, 200 - (size_t)len, "net=::/%u", random_below(3));
		break;
	default:
		break;
	}
}

/* Add tenants that do not clash with those before. */
static void random_tenants(struct policy_set *set, unsigned wanted)
{
	for (unsigned tries = 0; tries < wanted; tries++) {
		char selector[200], id[16];
		struct err_ctx why;
		uint16_t culprit;
		random_selector(selector);
		snprintf(id, sizeof(id), "t%u", tries);
		add(set, id, selector);
		if (tenant_map_check(set, &culprit, &why) != ERR_OK) {
			struct policy *last = &set->tenant[--set->tenant_count];
			free(last->id);
			free(last->select.vlan);
			free(last->select.vni);
			for (size_t i = 0; i < last->select.interface_count; i++)
				free(last->select.interface[i]);
			free(last->select.interface);
			free(last->select.network);
		}
	}
}

static void compare_with_oracle(const struct policy_set *set, struct tenant_cache *cache)
{
	char client_text[IP_TEXT_MAX], server_text[IP_TEXT_MAX];
	uint16_t vlan[6];
	struct tenant_link link = { .vlan = vlan };

	random_address(client_text);
	random_address(server_text);
	struct ip client = ip_of(client_text), server = ip_of(server_text);
	link.interface = (uint16_t)random_below(4);
	link.vlan_count = (uint8_t)random_below(random_below(8) ? 3 : 7);
	for (unsigned i = 0; i < link.vlan_count; i++)
		vlan[i] = (uint16_t)random_below(30);
	link.vni = random_below(2) ? UINT32_MAX : random_below(20);

	uint16_t expected = oracle_end(set, &link, &client);
	if (expected == POLICY_UNMAPPED)
		expected = oracle_end(set, &link, &server);
	cr_assert_eq(tenant_find(set->map, &link, &client, &server), expected, "%s %s",
		client_text, server_text);
	cr_assert_eq(find_cached(cache, set, &link, &client, &server), expected, "cached %s %s",
		client_text, server_text);
}

Test(tenant, agrees_with_a_walk_over_all_selectors)
{
	struct tenant_cache *cache = tenant_cache_new();

	for (unsigned round = 0; round < 40; round++) {
		struct policy_set *set = policy_set_new();
		random_tenants(set, 5 + random_below(60));
		compile(set);
		tenant_cache_clear(cache);
		for (unsigned i = 0; i < 2000; i++)
			compare_with_oracle(set, cache);
		policy_set_free(set);
	}
	tenant_cache_free(cache);
}

Test(tenant, five_thousand_tenants_cost_no_more_than_a_handful_of_probes)
{
	struct policy_set *set = policy_set_new();
	struct tenant_link link = { .vni = UINT32_MAX };
	uint64_t found = 0;

	for (unsigned i = 0; i < 5000; i++) {
		char id[16], selector[64];
		snprintf(id, sizeof(id), "t%u", i);
		snprintf(selector, sizeof(selector), "net=10.%u.%u.0/24 vlan=%u", i / 256,
			i % 256, i % 4000);
		add(set, id, selector);
	}
	int64_t start_ns = clock_monotonic_ns();
	compile(set);
	for (unsigned i = 0; i < 1000000; i++) {
		uint8_t v4[4] = { 10, (uint8_t)(i % 5000 / 256), (uint8_t)(i % 5000 % 256), 7 };
		uint16_t vlan = (uint16_t)(i % 5000 % 4000);
		struct ip client = ip_from_v4(v4);
		link.vlan = &vlan;
		link.vlan_count = 1;
		found += tenant_find(set->map, &link, &client, &client) == i % 5000 + 1;
	}
	int64_t spent_ms = (clock_monotonic_ns() - start_ns) / NS_PER_MS;
	cr_assert_eq(found, 1000000);
	/* Some 60 ns each; a walk over the tenants would take minutes, even on a slow machine.
	 */
	cr_assert_lt(spent_ms, 20000, "%lld ms", (long long)spent_ms);
	policy_set_free(set);
}

/* More networks in use than the cache has room for, on three links that tell tenants apart. */
Test(tenant, a_cache_that_overflows_is_still_right)
{
	struct policy_set *set = policy_set_new();
	struct tenant_cache *cache = tenant_cache_new();
	struct tenant_link link = { .vlan_count = 1, .vni = UINT32_MAX };
	const unsigned networks = 20000, vlans = 3;

	for (unsigned i = 0; i < vlans; i++) {
		char id[16], selector[64];
		snprintf(id, sizeof(id), "t%u", i);
		snprintf(selector, sizeof(selector), "net=10.0.0.0/24 vlan=%u", i);
		add(set, id, selector);
	}
	compile(set);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < networks; i++) {
			uint8_t v4[4] = { 10, (uint8_t)(i >> 8), (uint8_t)i, 7 };
			struct ip client = ip_from_v4(v4);
			for (uint16_t vlan = 0; vlan <= vlans; vlan++) {
				link.vlan = &vlan;
				uint16_t owner = i == 0 && vlan < vlans ? vlan + 1 : 0;
				cr_assert_eq(find_cached(cache, set, &link, &client, &client),
					owner, "%u on VLAN %u", i, vlan);
			}
		}
	}
	tenant_cache_free(cache);
	policy_set_free(set);
}

Test(tenant, a_retired_tenant_takes_nothing)
{
	struct policy_set *set = policy_set_new();
	struct ip client = ip_of("10.1.1.1"), server = ip_of("192.0.2.53");
	struct tenant_link link = { .interface = 0, .vni = UINT32_MAX };

	/* Neither what nobody else takes, nor the place of the one that does. */
	cr_assert_not_null(policy_set_add(set, "gone"));
	cr_assert_not_null(policy_set_add(set, "rest"));
	set->tenant[1].retired = true;
	compile(set);
	cr_assert_eq(tenant_find(set->map, &link, &client, &server), 2);
	policy_set_free(set);
}
