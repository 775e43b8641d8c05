/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/policy.h"

#include "rules/tenant.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct policy_set *policy_set_new(void)
{
	struct policy_set *set = calloc(1, sizeof(*set));

	if (!set)
		return NULL;
	if (!policy_set_add(set, "unmapped")) {
		policy_set_free(set);
		return NULL;
	}
	return set;
}

/* Room doubles when the count reaches a power of two, so that it needs no number of its own. */
static bool make_room(struct policy_set *set)
{
	size_t count = set->tenant_count;

	if (count & (count - 1))
		return true;
	struct policy *grown = realloc(set->tenant, (count ? 2 * count : 1) * sizeof(*grown));
	if (grown)
		set->tenant = grown;
	return grown != NULL;
}

struct policy *policy_set_add(struct policy_set *set, const char *id)
{
	if (set->tenant_count >= POLICY_TENANTS_MAX || !make_room(set))
		return NULL;

	struct policy *p = &set->tenant[set->tenant_count];
	*p = (struct policy){ .id = strdup(id), .number = (uint16_t)set->tenant_count };
	if (!p->id)
		return NULL;
	rule_settings_init(&p->rules);
	set->tenant_count++;
	return p;
}

static void strings_free(char **string, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(string[i]);
	free(string);
}

static void zone_deinit(struct policy_zone *zone)
{
	free(zone->name);
	ip_set_deinit(&zone->servers);
	ip_set_deinit(&zone->updaters);
	strings_free(zone->critical, zone->critical_count);
	strings_free(zone->country, zone->country_count);
	free(zone->asn);
}

static void policy_deinit(struct policy *p)
{
	free(p->id);
	free(p->select.vlan);
	free(p->select.vni);
	strings_free(p->select.interface, p->select.interface_count);
	free(p->select.network);
	ip_set_deinit(&p->resolvers);
	for (size_t i = 0; i < p->approved_count; i++) {
		free(p->approved[i].name);
		ip_set_deinit(&p->approved[i].clients);
	}
	free(p->approved);
	ip_set_deinit(&p->update_clients);
	for (size_t i = 0; i < p->zone_count; i++)
		zone_deinit(&p->zone[i]);
	free(p->zone);
	strings_free(p->suffix, p->suffix_count);
	for (size_t i = 0; i < p->exclude_count; i++) {
		ip_set_deinit(&p->exclude[i].clients);
		strings_free(p->exclude[i].name, p->exclude[i].name_count);
	}
	free(p->exclude);
}

void policy_set_free(struct policy_set *set)
{
	if (!set)
		return;
	tenant_map_free(set->map);
	for (size_t i = 0; i < set->tenant_count; i++)
		policy_deinit(&set->tenant[i]);
	free(set->tenant);
	free(set);
}

static int compare_ids(const void *left, const void *right)
{
	const struct policy *const *a = left, *const *b = right;

	return strcmp((*a)->id, (*b)->id);
}

/* The tenants of a set by their ids; NULL when out of memory. */
static const struct policy **sort_by_id(const struct policy_set *set)
{
	const struct policy **sorted = calloc(set->tenant_count, sizeof(*sorted));

	for (size_t i = 0; sorted && i < set->tenant_count; i++)
		sorted[i] = &set->tenant[i];
	if (sorted)
		qsort(sorted, set->tenant_count, sizeof(*sorted), compare_ids);
	return sorted;
}

/* Numbers as they are in `before`, new ones behind; returns how many numbers there are then. */
static size_t assign_numbers(const struct policy_set *set, const struct policy_set *before,
	const struct policy **sorted, uint16_t *number)
{
	size_t count = before->tenant_count;

	for (size_t i = 0; i < set->tenant_count; i++) {
		const struct policy *wanted = &set->tenant[i];
		const struct policy **same = bsearch(
			&wanted, sorted, before->tenant_count, sizeof(*sorted), compare_ids);
		size_t own = same ? (*same)->number : count++;
		number[i] = (uint16_t)own; /* too many are refused by the caller */
	}
	return count;
}

/* It keeps its id, and nothing else. */
static bool retire(struct policy *p, const struct policy *before)
{
	*p = (struct policy){
		.id = strdup(before->id),
		.number = before->number,
		.retired = true,
	};
	rule_settings_init(&p->rules);
	for (int rule = 0; rule < RULE_COUNT; rule++)
		p->rules.rule[rule].enabled = false;
	return p->id != NULL;
}

/* Put the tenants at their new numbers; only numbers of `before` can be without one. */
static bool fill_places(struct policy *place, const struct policy_set *set,
	const struct policy_set *before, const uint16_t *number)
{
	for (size_t i = 0; i < set->tenant_count; i++) {
		place[number[i]] = set->tenant[i];
		place[number[i]].number = number[i];
	}
	for (size_t i = 0; i < before->tenant_count; i++) {
		if (!place[i].id && !retire(&place[i], &before->tenant[i]))
			return false;
	}
	return true;
}

static size_t power_of_two_from(size_t count)
{
	size_t power = 1;

	while (power < count)
		power *= 2;
	return power;
}

static enum err move_tenants(struct policy_set *set, const struct policy_set *before,
	const uint16_t *number, size_t count, struct err_ctx *why)
{
	struct policy *place =
		calloc(power_of_two_from(count), sizeof(*place)); /* see make_room */

	if (place && fill_places(place, set, before, number)) {
		free(set->tenant);
		set->tenant = place;
		set->tenant_count = count;
		return ERR_OK;
	}
	for (size_t i = 0; place && i < count; i++) {
		if (place[i].retired)
			free(place[i].id);
	}
	free(place);
	return err_set(why, ERR_FAILED, "out of memory");
}

enum err policy_set_follow(struct policy_set *set, const struct policy_set *before,
	uint16_t *number, struct err_ctx *why)
{
	const struct policy **sorted = sort_by_id(before);

	if (!sorted)
		return err_set(why, ERR_FAILED, "out of memory");
	size_t count = assign_numbers(set, before, sorted, number);
	free(sorted);
	if (count > POLICY_TENANTS_MAX)
		return err_set(why, ERR_USAGE,
			"more than %d tenants, those included that are no longer configured: "
			"a restart forgets them",
			POLICY_TENANTS_MAX);
	return move_tenants(set, before, number, count, why);
}

static enum err add_name(struct index_builder *builder, const struct policy *p,
	const char *text, enum mark_kind kind, size_t detail, struct err_ctx *why)
{
	struct dns_name name;
	struct mark mark = {
		.kind = (uint8_t)kind,
		.scope = SCOPE_SUFFIX,
		.source = p->number,
		.detail = (uint32_t)detail,
	};

	if (!dns_name_parse(&name, text))
		return err_set(why, ERR_USAGE, "tenant %s: \"%.200s\" is not a domain name",
			p->id, text);
	switch (index_builder_add(builder, &name, mark)) {
	case INDEX_ADDED:
	case INDEX_DUPLICATE:
		return ERR_OK;
	case INDEX_TOO_DEEP:
		return err_set(why, ERR_USAGE, "tenant %s: \"%.200s\" must have 1 to %d labels",
			p->id, text, INDEX_LABELS_MAX);
	case INDEX_NO_MEMORY:
		break;
	}
	return err_set(why, ERR_FAILED, "out of memory");
}

static enum err policy_index(
	const struct policy *p, struct index_builder *builder, struct err_ctx *why)
{
	enum err err = ERR_OK;

	for (size_t i = 0; !err && i < p->approved_count; i++) {
		if (p->approved[i].name)
			err = add_name(builder, p, p->approved[i].name, MARK_APPROVED, i, why);
	}
	for (size_t i = 0; !err && i < p->zone_count; i++)
		err = add_name(builder, p, p->zone[i].name, MARK_ZONE, i, why);
	for (size_t i = 0; !err && i < p->suffix_count; i++)
		err = add_name(builder, p, p->suffix[i], MARK_SEARCH_SUFFIX, 0, why);
	return err;
}

enum err policy_set_index(
	const struct policy_set *set, struct index_builder *builder, struct err_ctx *why)
{
	enum err err = ERR_OK;

	for (size_t i = 0; !err && i < set->tenant_count; i++)
		err = policy_index(&set->tenant[i], builder, why);
	return err;
}

bool policy_owns_address(const struct policy *p, const struct ip *address)
{
	for (size_t i = 0; i < p->select.network_count; i++) {
		if (ip_net_contains(&p->select.network[i], address))
			return true;
	}
	return false;
}

bool policy_owns_server(const struct policy *p, const struct ip *server)
{
	if (ip_set_contains(&p->resolvers, server) || policy_owns_address(p, server))
		return true;
	for (size_t i = 0; i < p->zone_count; i++) {
		if (ip_set_contains(&p->zone[i].servers, server))
			return true;
	}
	return false;
}

/* An entry's scope: its clients (none listed: all) until its last day. */
static bool scope_holds(
	const struct ip_set *clients, int64_t until_ns, const struct ip *client, int64_t ts_ns)
{
	if (ts_ns > until_ns)
		return false;
	return clients->count == 0 || (client && ip_set_contains(clients, client));
}

bool policy_approves_entry(
	const struct policy *p, uint32_t detail, const struct ip *client, int64_t ts_ns)
{
	if (detail >= p->approved_count)
		return false;
	const struct policy_approved *entry = &p->approved[detail];
	return scope_holds(&entry->clients, entry->until_ns, client, ts_ns);
}

bool policy_approves_provider(
	const struct policy *p, uint32_t provider, const struct ip *client, int64_t ts_ns)
{
	if (provider == PROVIDER_NONE)
		return false;
	for (size_t i = 0; i < p->approved_count; i++) {
		const struct policy_approved *entry = &p->approved[i];
		if (entry->provider == provider &&
			scope_holds(&entry->clients, entry->until_ns, client, ts_ns))
			return true;
	}
	return false;
}

/* Is the dot at `at` the end of a label, and not an escaped octet of one ("a\.b")? */
static bool dot_ends_label(const char *name, const char *at)
{
	size_t backslashes = 0;

	while (at > name && at[-1] == '\\') {
		backslashes++;
		at--;
	}
	return backslashes % 2 == 0;
}

/* "x" is x alone; "*.x" is every name below x, not x itself. */
static bool pattern_matches(const char *pattern, const char *name)
{
	if (strncmp(pattern, "*.", 2) != 0)
		return strcasecmp(pattern, name) == 0;

	const char *suffix = pattern + 1; /* with its dot */
	size_t suffix_len = strlen(suffix), name_len = strlen(name);
	if (name_len <= suffix_len)
		return false;
	const char *dot = name + name_len - suffix_len;
	return strcasecmp(dot, suffix) == 0 && dot_ends_label(name, dot);
}

static bool names_match(const struct policy_exclude *exclude, const char *name)
{
	if (exclude->name_count == 0)
		return true;
	for (size_t i = 0; name && i < exclude->name_count; i++) {
		if (pattern_matches(exclude->name[i], name))
			return true;
	}
	return false;
}

bool policy_excludes(const struct policy *p, enum rule_id rule, const struct ip *client,
	const char *name, int64_t ts_ns)
{
	for (size_t i = 0; i < p->exclude_count; i++) {
		const struct policy_exclude *exclude = &p->exclude[i];
		if (exclude->rule != rule && exclude->rule != RULE_COUNT)
			continue;
		if (scope_holds(&exclude->clients, exclude->until_ns, client, ts_ns) &&
			names_match(exclude, name))
			return true;
	}
	return false;
}
