/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/address_set.h"

#include <stdlib.h>
#include <string.h>

#include "sensor/base/hash.h"

/*
 * A set has one hash table for networks of all lengths; a look-up tries each length that occurs.
 * Two things keep that cheap. Networks of less than full length are few: a bit for each /16 (of
 * IPv6: for each value of its first 16 bits) says whether one of them reaches into it. And a
 * Bloom filter of one word stands in front of the table.
 */
#define FULL_BITS            128
#define V4_BITS              96 /* of the prefix of IPv4-mapped addresses */
#define AREAS                65536
#define FILTER_BITS_PER_ITEM 12
#define ITEMS_AT_FIRST       64

/* What one feed says of one network. */
struct item {
	struct ip_net net;
	struct mark mark;
};

struct address_builder {
	uint64_t seed;
	struct item *item;
	uint32_t item_count, item_size;
	uint32_t *slot; /* number of an item and 1; 0: free */
	uint32_t slot_count;
};

struct entry {
	struct ip_net net;
	uint32_t mark_at, mark_count;
};

struct address_set {
	uint64_t seed;
	struct entry *entry;
	struct mark *mark;
	uint32_t *slot; /* number of an entry and 1; 0: free */
	uint64_t *filter;
	uint32_t entry_count, mark_count, slot_count, filter_count;
	uint8_t length[FULL_BITS + 1]; /* those that occur, the shortest first */
	unsigned length_count;
	uint64_t area[2][AREAS / 64]; /* by family: has networks of less than full length */
};

static uint64_t net_hash(uint64_t seed, const struct ip *base, unsigned bits)
{
	return ip_hash(seed ^ bits, base);
}

static bool net_equal(const struct ip_net *a, const struct ip *base, unsigned bits)
{
	return a->bits == bits && ip_equal(&a->base, base);
}

/* --- building ------------------------------------------------------------------------------ */

struct address_builder *address_builder_new(uint64_t seed)
{
	struct address_builder *b = calloc(1, sizeof(*b));

	if (b)
		b->seed = seed;
	return b;
}

void address_builder_free(struct address_builder *b)
{
	if (!b)
		return;
	free(b->item);
	free(b->slot);
	free(b);
}

static bool says_the_same(const struct mark *a, const struct mark *b)
{
	return a->kind == b->kind && a->source == b->source;
}

/* Where the item is, or the free slot where it belongs. */
static uint32_t *item_slot(
	const struct address_builder *b, const struct ip_net *net, const struct mark *mark)
{
	uint64_t hash = net_hash(b->seed, &net->base, net->bits);
	uint32_t mask = b->slot_count - 1;
	uint32_t at =
		(uint32_t)hash_word(hash, (uint64_t)mark->source << 8 | mark->kind) & mask;

	for (;; at = (at + 1) & mask) {
		if (b->slot[at] == 0)
			return &b->slot[at];
		const struct item *item = &b->item[b->slot[at] - 1];
		if (says_the_same(&item->mark, mark) &&
			net_equal(&item->net, &net->base, net->bits))
			return &b->slot[at];
	}
}

/* Room for one more item; half of the slots stay free. */
static bool grow(struct address_builder *b)
{
	uint32_t size = b->item_size ? b->item_size * 2 : ITEMS_AT_FIRST;

	if (size > UINT32_MAX / 4)
		return false;
	struct item *item = realloc(b->item, size * sizeof(*item));
	if (!item)
		return false;
	b->item = item;
	uint32_t *slot = calloc((size_t)size * 2, sizeof(*slot));
	if (!slot)
		return false;
	free(b->slot);
	b->slot = slot;
	b->slot_count = size * 2;
	b->item_size = size;
	for (uint32_t i = 0; i < b->item_count; i++)
		*item_slot(b, &item[i].net, &item[i].mark) = i + 1;
	return true;
}

enum index_added address_builder_add(
	struct address_builder *b, const struct ip_net *net, struct mark mark)
{
	if (b->item_count == b->item_size && !grow(b))
		return INDEX_NO_MEMORY;
	uint32_t *slot = item_slot(b, net, &mark);
	if (*slot != 0)
		return INDEX_DUPLICATE;
	/* Cleared first: items are sorted as bytes. */
	struct item *item = &b->item[b->item_count];
	memset(item, 0, sizeof(*item));
	item->net = *net;
	item->mark = mark;
	*slot = ++b->item_count;
	return INDEX_ADDED;
}

static int item_order(const void *left, const void *right)
{
	const struct item *a = left, *b = right;
	int by_base = ip_compare(&a->net.base, &b->net.base);

	if (by_base)
		return by_base;
	if (a->net.bits != b->net.bits)
		return a->net.bits < b->net.bits ? -1 : 1;
	if (a->mark.kind != b->mark.kind)
		return a->mark.kind < b->mark.kind ? -1 : 1;
	return a->mark.source < b->mark.source ? -1 : a->mark.source > b->mark.source;
}

/* Sorted items into entries, those of one network together. */
static bool fill_entries(struct address_set *set, struct address_builder *b)
{
	set->entry = calloc(b->item_count + 1u, sizeof(*set->entry));
	set->mark = calloc(b->item_count + 1u, sizeof(*set->mark));
	if (!set->entry || !set->mark)
		return false;
	if (b->item_count > 0)
		qsort(b->item, b->item_count, sizeof(*b->item), item_order);
	for (uint32_t i = 0; i < b->item_count; i++) {
		const struct item *item = &b->item[i];
		struct entry *last = &set->entry[set->entry_count - (set->entry_count > 0)];
		if (set->entry_count == 0 ||
			!net_equal(&last->net, &item->net.base, item->net.bits)) {
			last = &set->entry[set->entry_count++];
			*last = (struct entry){ .net = item->net, .mark_at = set->mark_count };
		}
		set->mark[set->mark_count++] = item->mark;
		last->mark_count++;
	}
	return true;
}

static void note_length(bool seen[FULL_BITS + 1], struct address_set *set)
{
	for (uint32_t i = 0; i < set->entry_count; i++)
		seen[set->entry[i].net.bits] = true;
	for (unsigned bits = 0; bits <= FULL_BITS; bits++) {
		if (seen[bits])
			set->length[set->length_count++] = (uint8_t)bits;
	}
}

/* The first 16 bits within the family. */
static uint32_t area_of(const struct ip *ip, bool v4)
{
	const uint8_t *at = ip->bytes + (v4 ? 12 : 0);

	return (uint32_t)at[0] << 8 | at[1];
}

static void set_areas(struct address_set *set, bool v4, uint32_t first, uint32_t count)
{
	for (uint32_t i = first; i < first + count; i++)
		set->area[v4][i / 64] |= UINT64_C(1) << (i % 64);
}

/* A network that holds all of IPv4 reaches into every area of both families. */
static void note_areas(struct address_set *set, const struct ip_net *net)
{
	bool v4 = net->bits >= V4_BITS && ip_is_v4(&net->base);
	unsigned bits = v4 ? net->bits - V4_BITS : net->bits;

	if (net->bits == FULL_BITS)
		return;
	set_areas(set, v4, area_of(&net->base, v4), bits >= 16 ? 1 : AREAS >> bits);
	if (!v4 && net->bits < V4_BITS)
		set_areas(set, true, 0,
			ip_net_contains(
				net, &(struct ip){ .bytes = { [10] = 0xff, [11] = 0xff } })
				? AREAS
				: 0);
}

static uint64_t filter_bits(uint64_t hash)
{
	return UINT64_C(1) << (hash >> 58) | UINT64_C(1) << (hash >> 52 & 63) |
	       UINT64_C(1) << (hash >> 46 & 63) | UINT64_C(1) << (hash >> 40 & 63);
}

static uint64_t *filter_word(const struct address_set *set, uint64_t hash)
{
	return &set->filter[(uint64_t)(uint32_t)hash * set->filter_count >> 32];
}

/* The slot with the network, or the free one where the search for it ended. */
static uint32_t *entry_slot(
	const struct address_set *set, uint64_t hash, const struct ip *base, unsigned bits)
{
	uint32_t mask = set->slot_count - 1;
	uint32_t at = (uint32_t)(hash >> 8) & mask;

	while (set->slot[at] != 0 && !net_equal(&set->entry[set->slot[at] - 1].net, base, bits))
		at = (at + 1) & mask;
	return &set->slot[at];
}

static bool fill_tables(struct address_set *set)
{
	set->slot_count = 2;
	while (set->slot_count < set->entry_count * UINT64_C(3) / 2)
		set->slot_count *= 2;
	set->filter_count =
		(uint32_t)((uint64_t)set->entry_count * FILTER_BITS_PER_ITEM / 64 + 1);
	set->slot = calloc(set->slot_count, sizeof(*set->slot));
	set->filter = calloc(set->filter_count, sizeof(*set->filter));
	if (!set->slot || !set->filter)
		return false;
	for (uint32_t i = 0; i < set->entry_count; i++) {
		const struct ip_net *net = &set->entry[i].net;
		uint64_t hash = net_hash(set->seed, &net->base, net->bits);
		*entry_slot(set, hash, &net->base, net->bits) = i + 1;
		*filter_word(set, hash) |= filter_bits(hash);
		note_areas(set, net);
	}
	return true;
}

struct address_set *address_set_build(struct address_builder *b)
{
	struct address_set *set = calloc(1, sizeof(*set));
	bool seen[FULL_BITS + 1] = { false };

	if (set)
		set->seed = b->seed;
	if (!set || !fill_entries(set, b) || !fill_tables(set)) {
		address_set_free(set);
		address_builder_free(b);
		return NULL;
	}
	note_length(seen, set);
	address_builder_free(b);
	return set;
}

void address_set_free(struct address_set *set)
{
	if (!set)
		return;
	free(set->entry);
	free(set->mark);
	free(set->slot);
	free(set->filter);
	free(set);
}

size_t address_set_count(const struct address_set *set)
{
	return set->entry_count;
}

size_t address_set_bytes(const struct address_set *set)
{
	return sizeof(*set) + set->entry_count * sizeof(*set->entry) +
	       set->mark_count * sizeof(*set->mark) + set->slot_count * sizeof(*set->slot) +
	       set->filter_count * sizeof(*set->filter);
}

/* --- matching ------------------------------------------------------------------------------ */

/* The number of the entry and 1; 0: there is none. */
static uint32_t look_up(const struct address_set *set, const struct ip *base, unsigned bits)
{
	uint64_t hash = net_hash(set->seed, base, bits);
	uint64_t wanted = filter_bits(hash);

	if ((*filter_word(set, hash) & wanted) != wanted)
		return 0;
	return *entry_slot(set, hash, base, bits);
}

/* The shortest goes when a longer one needs its room. */
static size_t add_hit(
	struct address_hit hit[ADDRESS_HITS_MAX], size_t count, struct address_hit next)
{
	if (count == ADDRESS_HITS_MAX) {
		memmove(hit, hit + 1, (ADDRESS_HITS_MAX - 1) * sizeof(*hit));
		count--;
	}
	hit[count] = next;
	return count + 1;
}

static size_t match_networks(const struct address_set *set, const struct ip *ip,
	struct address_hit hit[ADDRESS_HITS_MAX])
{
	size_t count = 0;

	for (unsigned i = 0; i < set->length_count && set->length[i] < FULL_BITS; i++) {
		struct ip base = ip_masked(ip, set->length[i]);
		uint32_t found = look_up(set, &base, set->length[i]);
		if (found)
			count = add_hit(
				hit, count, (struct address_hit){ found - 1, set->length[i] });
	}
	return count;
}

size_t address_set_match(const struct address_set *set, const struct ip *ip,
	struct address_hit hit[ADDRESS_HITS_MAX])
{
	bool v4 = ip_is_v4(ip);
	uint32_t area = area_of(ip, v4);
	size_t count = 0;

	if (set->entry_count == 0)
		return 0;
	if (set->area[v4][area / 64] >> (area % 64) & 1)
		count = match_networks(set, ip, hit);
	uint32_t found = look_up(set, ip, FULL_BITS);
	return found ? add_hit(hit, count, (struct address_hit){ found - 1, FULL_BITS })
		     : count;
}

bool address_set_find(const struct address_set *set, const struct ip_net *net, uint32_t *entry)
{
	uint32_t found = set->entry_count ? look_up(set, &net->base, net->bits) : 0;

	*entry = found - 1;
	return found != 0;
}

const struct mark *address_set_marks(
	const struct address_set *set, uint32_t entry, size_t *count)
{
	*count = set->entry[entry].mark_count;
	return &set->mark[set->entry[entry].mark_at];
}

const struct ip_net *address_set_net(const struct address_set *set, uint32_t entry)
{
	return &set->entry[entry].net;
}
