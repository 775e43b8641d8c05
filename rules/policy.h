/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy.h -- what each tenant has and allows. Built from the configuration, then immutable.
 *
 * Tenant number 0 is always "unmapped": traffic of nobody, rules at their global settings.
 *
 * Owner:    policy_set_free frees everything below it.  Threads: immutable after building.
 */
#ifndef RULES_POLICY_H
#define RULES_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "feeds/index.h"
#include "feeds/provider.h"
#include "rules/rule.h"
#include "sensor/base/ip.h"

#define POLICY_UNMAPPED    0
#define POLICY_TENANTS_MAX 65000

/* Which traffic is the tenant's: all kinds given must match; inside a kind, any. */
struct policy_selector {
	uint16_t *vlan;
	size_t vlan_count;
	uint32_t *vni;
	size_t vni_count;
	char **interface;
	size_t interface_count;
	struct ip_net *network;
	size_t network_count;
};

struct policy_approved {
	char *name; /* as configured; NULL for a provider entry */
	/* PROVIDER_NONE for a name entry; given by app once feeds are read */
	uint32_t provider;
	struct ip_set clients; /* empty: all */
	int64_t until_ns;      /* INT64_MAX: no end */
};

struct policy_zone {
	char *name;
	struct ip_set servers;  /* empty: not restricted */
	struct ip_set updaters; /* empty: not restricted */
	bool require_signed;    /* default true */
	char **critical;        /* owner names below the zone, "@" is its apex */
	size_t critical_count;
	char **country; /* ISO 3166 alpha-2, upper case; none: not restricted */
	size_t country_count;
	uint32_t *asn; /* numbers of networks; none: not restricted */
	size_t asn_count;
};

struct policy_exclude {
	enum rule_id rule;     /* RULE_COUNT: every rule */
	struct ip_set clients; /* empty: all */
	char **name;           /* "x" alone, "*.x" all below x; none: all */
	size_t name_count;
	int64_t until_ns;
};

struct policy {
	char *id;
	uint16_t number;
	bool retired; /* no longer configured: selects and raises nothing, see policy_set_follow */
	struct policy_selector select;
	struct ip_set resolvers;
	struct policy_approved *approved;
	size_t approved_count;
	struct ip_set update_clients;
	struct policy_zone *zone;
	size_t zone_count;
	char **suffix;
	size_t suffix_count;
	struct policy_exclude *exclude;
	size_t exclude_count;
	struct rule_settings rules;
};

struct policy_set {
	struct policy *tenant; /* [0] is unmapped */
	size_t tenant_count;
	struct tenant_map *map; /* tenant.h */
};

/* A set with only "unmapped" (rules at their defaults); NULL when out of memory. */
struct policy_set *policy_set_new(void);
/* Add a tenant with default rules; NULL when out of memory or too many. The pointer is valid
 * until the next call. */
struct policy *policy_set_add(struct policy_set *set, const char *id);
void policy_set_free(struct policy_set *set);
/*
 * Renumber: every tenant that `before` has too gets its number there, so that what is remembered by
 * number stays right. One that only `before` has stays as a retired tenant, whose counts are kept and
 * whose number is nobody else's; it gets its place back when it is configured again. New tenants come
 * behind. number[i] (as many as the set has tenants) becomes the new number of tenant i.
 *
 * ERR_USAGE when that makes more than POLICY_TENANTS_MAX, retired ones included; ERR_FAILED when out of
 * memory. The set is unchanged then. Before the set is indexed and its map is made.
 */
NODISCARD enum err policy_set_follow(struct policy_set *set, const struct policy_set *before,
	uint16_t *number, struct err_ctx *why);

/* Put approved names, zones and search suffixes of all tenants into the index being built.
 * provider: entries are not in the index; policy_approves looks at the provider mark instead. */
NODISCARD enum err policy_set_index(
	const struct policy_set *set, struct index_builder *builder, struct err_ctx *why);

/* Is this server one of the tenant's: a zone's server, a resolver, or an address in its networks? */
bool policy_owns_server(const struct policy *p, const struct ip *server);
/* Is the address inside the tenant's networks (false when it has none)? */
bool policy_owns_address(const struct policy *p, const struct ip *address);

/* Does approved entry `detail` (of an APPROVED mark) hold for this client at this time? */
bool policy_approves_entry(
	const struct policy *p, uint32_t detail, const struct ip *client, int64_t ts_ns);
/* Is the whole provider approved for this client at this time? */
bool policy_approves_provider(
	const struct policy *p, uint32_t provider, const struct ip *client, int64_t ts_ns);

/* Is (rule, client, name) excluded? `name` is presentation text, may be NULL. */
bool policy_excludes(const struct policy *p, enum rule_id rule, const struct ip *client,
	const char *name, int64_t ts_ns);

#endif
