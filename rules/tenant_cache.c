/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tenant_cache.c -- where ends of a conversation stand on a link, and whose they are. Ends that no selector
 * tells apart are one, so what is in use of the cache are the tenants' networks and not their clients.
 *
 * Of an end there are 59 bits of a hash whose key is this cache's own secret: two that only look alike are
 * out of reach. So a set of eight is one cache line, and 5,000 tenants with two networks each are in a
 * quarter of a megabyte.
 */
#include "rules/tenant_layout.h"

#include <assert.h>
#include <stdlib.h>

#include "rules/tags.h"
#include "sensor/base/attribute.h"
#include "sensor/base/hash.h"
#include "sensor/base/prefetch.h"

/* The set by the lowest bits of the hash, the others by those above it. */
#define SETS        4096u
#define CHECK_SHIFT 16

struct set {
	uint32_t tag[TAGS_COUNT]; /* 0: free */
	uint16_t check[TAGS_COUNT];
	uint16_t tenant[TAGS_COUNT];
};
static_assert(sizeof(struct set) == CACHE_LINE, "one look at the memory");

struct tenant_cache {
	struct set set[SETS];
	uint64_t key[FAMILY_COUNT + 2];
	unsigned victim; /* the place that is taken next where none is free */
} __attribute__((aligned(CACHE_LINE)));

struct tenant_cache *tenant_cache_new(void)
{
	struct tenant_cache *cache = aligned_alloc(CACHE_LINE, sizeof(*cache));

	if (!cache)
		return NULL;
	tenant_cache_clear(cache);
	for (unsigned i = 0; i < ARRAY_LEN(cache->key); i++)
		cache->key[i] = hash_random_seed();
	return cache;
}

void tenant_cache_free(struct tenant_cache *cache)
{
	free(cache);
}

void tenant_cache_clear(struct tenant_cache *cache)
{
	memset(cache->set, 0, sizeof(cache->set));
	cache->victim = 0;
}

/* Of all that selectors ask of the link. */
static inline uint64_t hash_link(uint64_t hash, const struct tenant_link *link, uint64_t key)
{
	for (uint8_t i = 0; i < link->vlan_count; i++)
		hash = hash_word(hash, link->vlan[i]);
	return hash_fold(
		hash, key ^ ((uint64_t)link->vni << 32 | (uint64_t)link->interface << 16 |
				    link->vlan_count));
}

static inline uint64_t hash_end(const struct tenant_cache *cache, const struct tenant_map *map,
	const struct tenant_link *link, const struct ip *end)
{
	unsigned family = ip_is_v4(end) ? FAMILY_V4 : FAMILY_V6;
	struct tenant_address address = tenant_address_of(end);
	uint64_t hash = hash_fold((address.high & map->mask[family].high) ^ cache->key[family],
		(address.low & map->mask[family].low) ^ cache->key[FAMILY_COUNT]);

	/* Where no selector names a link it tells nobody apart. */
	return map->by_link ? hash_link(hash, link, cache->key[FAMILY_COUNT + 1]) : hash;
}

static inline uint16_t check_of(uint64_t hash)
{
	return (uint16_t)(hash >> CHECK_SHIFT);
}

/* Whose is the end with this hash? NULL: the cache does not know. */
static inline const uint16_t *look_up(const struct tenant_cache *cache, uint64_t hash)
{
	const struct set *set = &cache->set[hash % SETS];

	for (unsigned ways = tags_equal(set->tag, tag_of(hash)); ways; ways &= ways - 1) {
		unsigned way = (unsigned)__builtin_ctz(ways);
		if (LIKELY(set->check[way] == check_of(hash)))
			return &set->tenant[way];
	}
	return NULL;
}

static void remember(struct tenant_cache *cache, uint64_t hash, uint16_t tenant)
{
	struct set *set = &cache->set[hash % SETS];
	unsigned free_ways = tags_equal(set->tag, 0);
	unsigned way =
		free_ways ? (unsigned)__builtin_ctz(free_ways) : cache->victim++ % TAGS_COUNT;

	set->tag[way] = tag_of(hash);
	set->check[way] = check_of(hash);
	set->tenant[way] = tenant;
}

/* Whose is this end? The cache knows afterwards. */
static uint16_t find_end_cached(struct tenant_cache *cache, const struct tenant_map *map,
	const struct tenant_link *link, const struct ip *end)
{
	uint64_t hash = hash_end(cache, map, link, end);
	const uint16_t *known = look_up(cache, hash);

	if (known)
		return *known;
	uint16_t tenant = tenant_find_end(map, link, end);
	remember(cache, hash, tenant);
	return tenant;
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

uint64_t tenant_ask(const struct tenant_cache *cache, const struct tenant_map *map,
	const struct tenant_link *link, const struct ip *client)
{
	uint64_t place = hash_end(cache, map, link, client);

	prefetch_read(&cache->set[place % SETS]);
	return place;
}

/* Nearly always the client is somebody's, and known. */
uint16_t tenant_find_asked(struct tenant_cache *cache, const struct tenant_map *map,
	uint64_t place, const struct tenant_link *link, const struct ip *client,
	const struct ip *server)
{
	const uint16_t *known = look_up(cache, place);

	if (LIKELY(known && *known != NOBODY))
		return *known;
	return find_in_turn(cache, map, *link, client, server);
}
