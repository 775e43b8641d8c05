/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/index_layout.h"

#include <stdlib.h>

#include "sensor/base/pages.h"
#include "sensor/base/prefetch.h"

static const struct kind_info {
	const char *name;
	bool from_feed;
} kinds[MARK_KIND_COUNT] = {
#define KIND(id, text, feed, meaning) [MARK_##id] = { .name = text, .from_feed = feed },
#include "feeds/kinds.def"
#undef KIND
};

void index_free(struct index *index)
{
	if (!index)
		return;
	pages_free(index->filter, index->filter_count * sizeof(*index->filter));
	pages_free(index->slot, index->slot_count * sizeof(*index->slot));
	pages_free(index->arena, index->arena_size);
	mark_sets_deinit(&index->sets);
	free(index);
}

uint64_t index_seed(const struct index *index)
{
	return index->seed;
}

unsigned index_depth(const struct index *index)
{
	return index->depth;
}

size_t index_name_count(const struct index *index)
{
	return index->name_count;
}

size_t index_memory_bytes(const struct index *index)
{
	return sizeof(*index) + index->filter_count * sizeof(*index->filter) +
	       index->slot_count * sizeof(*index->slot) + index->arena_size +
	       mark_sets_bytes(&index->sets);
}

static uint32_t entry_of_suffix(
	const struct index *index, const struct dns_name *name, unsigned labels, uint64_t hash)
{
	size_t wire_len;
	const uint8_t *wire = dns_name_suffix(name, labels, &wire_len);
	return index_probe(index, hash, wire, wire_len)->entry;
}

static unsigned depth_of(const struct index *index, const struct dns_name *name)
{
	return name->label_count < index->depth ? name->label_count : index->depth;
}

INLINE_BY_LINKER void index_prepare(
	const struct index *index, const struct dns_name *name, struct index_look *look)
{
	if (LIKELY(name->label_count >= 2)) {
		look->hash = dns_name_hash_suffix(name, 2, index->seed);
		prefetch_read(index_filter_word(index, look->hash));
	}
}

ALWAYS_INLINE static inline bool is_node(const struct index *index, uint64_t hash)
{
	uint64_t bits = index_filter_bits(hash);
	return (*index_filter_word(index, hash) & bits) == bits;
}

/* Shortest first; the shortest goes when a longer one needs its room. */
static size_t hits_add(
	struct index_hit hit[INDEX_HITS_MAX], size_t count, struct index_hit next)
{
	if (count == INDEX_HITS_MAX) {
		memmove(hit, hit + 1, (INDEX_HITS_MAX - 1) * sizeof(*hit));
		count--;
	}
	hit[count] = next;
	return count + 1;
}

/*
 * Of the suffixes of one label only listed ones are in the filter, not all top-level domains: nearly
 * always there is none.
 */
static inline bool has_single_labels(const struct index *index)
{
	return index->depths >> 1 & 1;
}

INLINE_BY_LINKER bool index_may_match(
	const struct index *index, const struct dns_name *name, const struct index_look *look)
{
	return (LIKELY(name->label_count >= 2) && is_node(index, look->hash)) ||
	       has_single_labels(index);
}

/* A suffix that is a node: is it listed itself, with a mark that goes for this name? */
static size_t add_if_listed(const struct index *index, const struct dns_name *name,
	unsigned labels, uint64_t hash, struct index_hit hit[INDEX_HITS_MAX], size_t count)
{
	if (!(index->depths >> labels & 1))
		return count;
	uint32_t entry = entry_of_suffix(index, name, labels, hash);
	if (entry == ENTRY_NONE)
		return count;
	const struct mark_set *set = &index->sets.set[index_entry_set(index, entry)];
	if (!(labels == name->label_count ? set->on_name : set->on_below))
		return count;
	return hits_add(hit, count, (struct index_hit){ entry, (uint8_t)labels });
}

size_t index_match(const struct index *index, const struct dns_name *name,
	const struct index_look *look, struct index_hit hit[INDEX_HITS_MAX])
{
	unsigned depth = depth_of(index, name);
	size_t count = 0;

	if (UNLIKELY(has_single_labels(index)) && depth >= 1) {
		uint64_t hash = dns_name_hash_suffix(name, 1, index->seed);
		if (is_node(index, hash))
			count = add_if_listed(index, name, 1, hash, hit, count);
	}
	uint64_t hash = look->hash;
	for (unsigned k = 2; k <= depth && is_node(index, hash); k++) {
		/* Asked for before this one is looked up: the waits overlap. */
		uint64_t longer =
			k < depth ? dns_name_hash_suffix(name, k + 1, index->seed) : 0;
		prefetch_read(index_filter_word(index, longer));
		count = add_if_listed(index, name, k, hash, hit, count);
		hash = longer;
	}
	return count;
}

size_t index_match_name(const struct index *index, const struct dns_name *name,
	struct index_hit hit[INDEX_HITS_MAX])
{
	struct index_look look;

	index_prepare(index, name, &look);
	return index_match(index, name, &look, hit);
}

bool index_find_hashed(
	const struct index *index, const struct dns_name *name, uint64_t hash, uint32_t *entry)
{
	if (name->label_count == 0 || name->label_count > index->depth || !is_node(index, hash))
		return false;
	*entry = entry_of_suffix(index, name, name->label_count, hash);
	return *entry != ENTRY_NONE;
}

bool index_find(const struct index *index, const struct dns_name *name, uint32_t *entry)
{
	return index_find_hashed(index, name, dns_name_hash(name, index->seed), entry);
}

const struct mark *index_marks(const struct index *index, uint32_t entry, size_t *count)
{
	const struct mark_set *set = &index->sets.set[index_entry_set(index, entry)];

	*count = set->count;
	return &index->sets.mark[set->at];
}

struct index_concerns index_concerns_start(
	const struct index *index, uint32_t entry, uint16_t tenant)
{
	size_t count;
	const struct mark *mark = index_marks(index, entry, &count);

	return (struct index_concerns){ mark, mark + count, tenant };
}

/* Kind and source as one number, in the order of the marks. */
static inline uint32_t mark_rank(uint8_t kind, uint32_t source)
{
	return ((uint32_t)kind << 17) + source;
}

static inline uint32_t rank_of(const struct mark *m)
{
	return mark_rank(m->kind, m->source);
}

/*
 * The first mark that is of no lower kind, and of this kind of no lower source. Halving by arithmetic:
 * which half it will be is what nobody can guess. But where every tenant has one mark, as a search suffix
 * that all share, it stands as far from the first one as their numbers are apart.
 */
static const struct mark *first_from(
	const struct mark *at, const struct mark *end, uint8_t kind, uint32_t source)
{
	uint32_t rank = mark_rank(kind, source);
	uint32_t far = source - at->source;

	if (far > 0 && far < (size_t)(end - at) && rank_of(at + far) == rank &&
		rank_of(at + far - 1) < rank)
		return at + far;
	size_t count = (size_t)(end - at);

	while (count > 0) {
		size_t half = (count + 1) / 2;
		const struct mark *last = at + half - 1;
		at += half & -(size_t)(rank_of(last) < rank);
		count -= half;
	}
	return at;
}

const struct mark *index_concerns_next(struct index_concerns *it)
{
	while (it->at < it->end) {
		const struct mark *m = it->at;
		if (kinds[m->kind].from_feed || m->source == it->tenant) {
			it->at++;
			return m;
		}
		it->at = first_from(it->at, it->end, m->kind,
			m->source < it->tenant ? it->tenant : UINT16_MAX + 1u);
	}
	return NULL;
}

const uint8_t *index_entry_name(const struct index *index, uint32_t entry, size_t *wire_len)
{
	const uint8_t *wire = index_entry_wire(index, entry);
	size_t len = 0;

	while (wire[len] != 0)
		len += wire[len] + 1u;
	*wire_len = len + 1;
	return wire;
}

bool index_next(const struct index *index, uint32_t *entry)
{
	size_t wire_len = 0;

	if (*entry != ENTRY_NONE)
		(void)index_entry_name(index, *entry, &wire_len);
	/* The records lie back to back, each behind the number of its set. */
	*entry += (uint32_t)(sizeof(uint32_t) + wire_len);
	return *entry < index->arena_len;
}

bool mark_kind_is_of_feeds(enum mark_kind kind)
{
	return kind < MARK_KIND_COUNT && kinds[kind].from_feed;
}

bool mark_kind_has_provider(enum mark_kind kind)
{
	return kind == MARK_PROVIDER || kind == MARK_TUNNEL || kind == MARK_UPDATE_HOST ||
	       kind == MARK_IP_CHECK;
}

const char *mark_kind_name(enum mark_kind kind)
{
	return kind < MARK_KIND_COUNT ? kinds[kind].name : "unknown";
}

bool mark_kind_parse(enum mark_kind *out, const char *text)
{
	for (size_t i = 0; i < MARK_KIND_COUNT; i++) {
		if (kinds[i].from_feed && strcmp(text, kinds[i].name) == 0) {
			*out = (enum mark_kind)i;
			return true;
		}
	}
	return false;
}
