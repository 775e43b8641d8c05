/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tenant.h -- whose traffic is it?
 *
 * The selector with the most link-level kinds matched (interface, VLAN of any depth, VNI) wins,
 * then the longest network of the client; a selector without networks counts as 0 bits. What is
 * still equal is decided by what stands nearer to the client: VNI before VLAN before interface;
 * but the outermost of several VLAN tags, since that is the one an operator gives to a customer.
 *
 * A client that belongs to nobody takes the tenant of the server; when that is nobody too, the
 * tenant that selects nothing (one at most: it takes what nobody else takes). Nobody:
 * POLICY_UNMAPPED.
 *
 * Threads:  the map is immutable; a struct tenant_cache belongs to one thread.
 * Limits:   TENANT_ROWS_MAX combinations of all selectors together. A look-up costs one probe for
 *           each set of kinds and each prefix length in use, whatever the number of tenants.
 */
#ifndef RULES_TENANT_H
#define RULES_TENANT_H

#include <stddef.h>
#include <stdint.h>

#include "rules/policy.h"
#include "sensor/base/ip.h"

#define TENANT_ROWS_MAX (1u << 20)

struct tenant_link {
	uint16_t interface; /* index into the names given to tenant_map_new */
	uint8_t vlan_count;
	const uint16_t *vlan; /* ids: 12 bits each */
	uint32_t vni;         /* UINT32_MAX: none */
};

struct tenant_map;
struct tenant_cache;

/*
 * Compile all selectors. `interface_name` are the capture's interfaces (frame.interface indexes
 * them; one beyond them matches no interface selector). ERR_USAGE when two tenants have
 * the same selector (names both).
 */
NODISCARD enum err tenant_map_new(struct tenant_map **out, const struct policy_set *set,
	const char *const *interface_name, size_t interface_count, struct err_ctx *why);
/* The same checks without interfaces, for the configuration: *culprit is the tenant to blame. */
NODISCARD enum err tenant_map_check(
	const struct policy_set *set, uint16_t *culprit, struct err_ctx *why);
void tenant_map_free(struct tenant_map *map);

/* The tenant's number. Both addresses are given. */
uint16_t tenant_find(const struct tenant_map *map, const struct tenant_link *link,
	const struct ip *client, const struct ip *server);

/* A cache of one map in front; clear it when the map changes. NULL when out of memory. */
struct tenant_cache *tenant_cache_new(void);
void tenant_cache_free(struct tenant_cache *cache);
void tenant_cache_clear(struct tenant_cache *cache);
/*
 * tenant_find with the cache, in two steps, so that the misses of a batch overlap: asking the memory gives
 * the client's place, which finding wants back for the same link and client. Clearing in between is no harm.
 */
uint64_t tenant_ask(const struct tenant_cache *cache, const struct tenant_map *map,
	const struct tenant_link *link, const struct ip *client);
uint16_t tenant_find_asked(struct tenant_cache *cache, const struct tenant_map *map,
	uint64_t place, const struct tenant_link *link, const struct ip *client,
	const struct ip *server);

#endif
