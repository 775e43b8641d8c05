/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tenant_cache.c -- where ends of a conversation stand on a link, and whose they are. Ends that no selector
 * tells apart share a line, so what is in use of the cache are the tenants' networks and not their
 * clients. Everything that identifies a line is in it, packed into four words.
 */
#include "rules/tenant_layout.h"

#include <assert.h>
#include <stdlib.h>

#include "sensor/base/attribute.h"
#include "sensor/base/hash.h"
#include "sensor/base/prefetch.h"

#define CACHE_SETS     8192u
#define CACHE_VLAN_MAX 4
#define MANY_ROWS      1024u /* of the map: more lines are in use than the nearest caches hold */

struct line {
	struct tenant_address network;
	uint64_t vlans; /* 12 bits each, behind them the tenant: 16 bits */
	/* VNI, interface, family, how many VLANs; 0 in an empty line, and in no end */
	uint64_t rest;
};

/* The newer one first. With one line in a place, of 5,000 tenants' 10,000 networks a fifth drove each other out. */
struct set {
	struct line line[2];
};
static_assert(sizeof(struct set) == CACHE_LINE, "one look at the memory");

#define TENANT_BITS 16

struct tenant_cache {
	struct set set[CACHE_SETS];
};

struct tenant_cache *tenant_cache_new(void)
{
	struct tenant_cache *cache = aligned_alloc(CACHE_LINE, sizeof(*cache));

	if (cache)
		tenant_cache_clear(cache);
	return cache;
}

void tenant_cache_free(struct tenant_cache *cache)
{
	free(cache);
}

void tenant_cache_clear(struct tenant_cache *cache)
{
	memset(cache, 0, sizeof(*cache));
}

static inline uint64_t vlans_of(const struct tenant_link *link)
{
	uint64_t vlans = 0;

	if (LIKELY(link->vlan_count == 0))
		return 0;
	for (uint8_t i = 0; i < link->vlan_count; i++)
		vlans = (vlans << 12) | (link->vlan[i] & 0xfff);
	return vlans << TENANT_BITS;
}

/*
 * The line of an end, its tenant still 0. One with more VLANs than fit is equal to no line, since all
 * that are in use end with a 1.
 */
static inline struct line line_of(
	const struct tenant_map *map, const struct tenant_link *link, const struct ip *end)
{
	unsigned family = ip_is_v4(end) ? FAMILY_V4 : FAMILY_V6;
	struct tenant_address address = tenant_address_of(end);
	struct line line = {
		.network.high = address.high & map->mask[family].high,
		.network.low = address.low & map->mask[family].low,
		.rest = family << 15,
	};

	if (!map->by_link) { /* then it tells nobody apart */
		line.rest |= 1;
		return line;
	}
	line.vlans = vlans_of(link);
	line.rest |= (uint64_t)link->vni << 32 | (uint64_t)link->interface << 16 |
		     (unsigned)link->vlan_count << 1 | (link->vlan_count <= CACHE_VLAN_MAX);
	return line;
}

static inline size_t set_number(const struct line *l)
{
	uint64_t hash = hash_fold(l->network.high ^ l->rest ^ HASH_K0,
		l->network.low ^ l->vlans ^ l->rest >> 32 ^ HASH_K1);

	return hash % CACHE_SETS;
}

static inline struct set *set_of(struct tenant_cache *cache, const struct line *l)
{
	return &cache->set[set_number(l)];
}

static inline bool is_line(const struct line *line, const struct line *wanted)
{
	return ((line->network.high ^ wanted->network.high) |
		       (line->network.low ^ wanted->network.low) |
		       (line->vlans ^ wanted->vlans) >> TENANT_BITS |
		       (line->rest ^ wanted->rest)) == 0;
}

static inline const struct line *line_in(const struct set *set, const struct line *wanted)
{
	if (LIKELY(is_line(&set->line[0], wanted)))
		return &set->line[0];
	return is_line(&set->line[1], wanted) ? &set->line[1] : NULL;
}

/* Whose is this end? The cache knows afterwards. */
static uint16_t find_end_cached(struct tenant_cache *cache, const struct tenant_map *map,
	const struct tenant_link *link, const struct ip *end)
{
	struct line wanted = line_of(map, link, end);
	struct set *set = set_of(cache, &wanted);
	const struct line *line = line_in(set, &wanted);

	if (link->vlan_count > CACHE_VLAN_MAX)
		return tenant_find_end(map, link, end);
	if (line)
		return (uint16_t)line->vlans;
	set->line[1] = set->line[0];
	set->line[0] = wanted;
	set->line[0].vlans |= tenant_find_end(map, link, end);
	return (uint16_t)set->line[0].vlans;
}

/* The link comes as a copy: the caller's may live in registers. */
OUT_OF_LINE static uint16_t find_in_turn(struct tenant_cache *cache,
	const struct tenant_map *map, struct tenant_link link, const struct ip *client,
	const struct ip *server)
{
	uint16_t tenant = find_end_cached(cache, map, &link, client);

	if (tenant == NOBODY)
		tenant = find_end_cached(cache, map, &link, server);
	return tenant == NOBODY ? tenant_nobodys(map) : tenant;
}

INLINE_BY_LINKER void tenant_prefetch(const struct tenant_cache *cache,
	const struct tenant_map *map, const struct tenant_link *link, const struct ip *client)
{
	if (LIKELY(map->row_mask < MANY_ROWS))
		return;
	struct line wanted = line_of(map, link, client);
	prefetch_read(&cache->set[set_number(&wanted)]);
}

/* Nearly always the client is somebody's, and known. */
uint16_t tenant_find_cached(struct tenant_cache *cache, const struct tenant_map *map,
	const struct tenant_link *link, const struct ip *client, const struct ip *server)
{
	struct line wanted = line_of(map, link, client);
	const struct line *line = line_in(set_of(cache, &wanted), &wanted);

	if (LIKELY(line && (uint16_t)line->vlans != NOBODY))
		return (uint16_t)line->vlans;
	return find_in_turn(cache, map, *link, client, server);
}
