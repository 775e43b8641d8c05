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

#define CACHE_LINES    16384u
#define CACHE_VLAN_MAX 4

struct line {
	struct tenant_address network;
	uint64_t vlans; /* 12 bits each, behind them the tenant: 16 bits */
	/* VNI, interface, family, how many VLANs; 0 in an empty line, and in no end */
	uint64_t rest;
};
static_assert(
	sizeof(struct line) == CACHE_LINE / 2, "two share a cache line, none lies on two");

#define TENANT_BITS 16

struct tenant_cache {
	struct line line[CACHE_LINES];
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

static inline struct line *place_of(struct tenant_cache *cache, const struct line *l)
{
	uint64_t hash = hash_fold(l->network.high ^ l->rest ^ HASH_K0,
		l->network.low ^ l->vlans ^ l->rest >> 32 ^ HASH_K1);

	return &cache->line[hash % CACHE_LINES];
}

static inline bool is_line(const struct line *line, const struct line *wanted)
{
	return ((line->network.high ^ wanted->network.high) |
		       (line->network.low ^ wanted->network.low) |
		       (line->vlans ^ wanted->vlans) >> TENANT_BITS |
		       (line->rest ^ wanted->rest)) == 0;
}

/* Whose is this end? The cache knows afterwards. */
static uint16_t find_end_cached(struct tenant_cache *cache, const struct tenant_map *map,
	const struct tenant_link *link, const struct ip *end)
{
	struct line wanted = line_of(map, link, end);
	struct line *line = place_of(cache, &wanted);

	if (link->vlan_count > CACHE_VLAN_MAX)
		return tenant_find_end(map, link, end);
	if (!is_line(line, &wanted)) {
		*line = wanted;
		line->vlans |= tenant_find_end(map, link, end);
	}
	return (uint16_t)line->vlans;
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

/* Nearly always the client is somebody's, and known. */
uint16_t tenant_find_cached(struct tenant_cache *cache, const struct tenant_map *map,
	const struct tenant_link *link, const struct ip *client, const struct ip *server)
{
	struct line wanted = line_of(map, link, client);
	const struct line *line = place_of(cache, &wanted);
	uint16_t tenant = (uint16_t)line->vlans;

	if (LIKELY(is_line(line, &wanted) && tenant != NOBODY))
		return tenant;
	return find_in_turn(cache, map, *link, client, server);
}
