/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/index_layout.h"

#include <stdlib.h>

#include "sensor/base/pages.h"

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

void index_prefetch(
	const struct index *index, const struct dns_name *name, const uint64_t *hash)
{
	unsigned depth = name->label_count < index->depth ? name->label_count : index->depth;

	if (depth >= 2)
		__builtin_prefetch(index_filter_word(index, hash[2]));
}

static bool is_node(const struct index *index, uint64_t hash)
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

size_t index_match(const struct index *index, const struct dns_name *name, const uint64_t *hash,
	struct index_hit hit[INDEX_HITS_MAX])
{
	unsigned depth = name->label_count < index->depth ? name->label_count : index->depth;
	size_t count = 0;

	for (unsigned k = 1; k <= depth; k++) {
		bool listed = index->depths >> k & 1;
		/* Only listed names of one label are in the filter, not every top-level domain.
		 */
		if ((k > 1 || listed) && !is_node(index, hash[k])) {
			if (k > 1)
				break;
			continue;
		}
		if (!listed)
			continue;
		uint32_t entry = entry_of_suffix(index, name, k, hash[k]);
		if (entry == ENTRY_NONE)
			continue;
		const struct mark_set *set = &index->sets.set[index_entry_set(index, entry)];
		if (k == name->label_count ? set->on_name : set->on_below)
			count = hits_add(hit, count,
				(struct index_hit){ .entry = entry, .labels = (uint8_t)k });
	}
	return count;
}

size_t index_match_name(const struct index *index, const struct dns_name *name,
	struct index_hit hit[INDEX_HITS_MAX])
{
	uint64_t hash[DNS_LABELS_MAX + 1];

	dns_name_hash_suffixes(name, index->seed, hash, index->depth);
	return index_match(index, name, hash, hit);
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

/* The first mark that is of no lower kind, and of this kind of no lower source. */
static const struct mark *first_from(
	const struct mark *at, const struct mark *end, uint8_t kind, uint32_t source)
{
	while (at < end) {
		const struct mark *middle = at + (end - at) / 2;
		if (middle->kind < kind || (middle->kind == kind && middle->source < source))
			at = middle + 1;
		else
			end = middle;
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
