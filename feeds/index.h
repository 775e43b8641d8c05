/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * index.h -- one suffix index for everything that is known of names: feeds, shipped lists and
 * what tenants configured.
 *
 * A name in the index carries marks: what it means (kind), for which names (scope), who says so
 * (source) and a detail. Built once, then immutable; matching walks from the root towards the
 * full name and reports every suffix that carries an applying mark, shortest first.
 *
 * Owner:    index_build makes it, index_free frees. Marks belong to the index.
 * Threads:  immutable after index_build: any number of readers.
 * Limits:   names of up to INDEX_LABELS_MAX labels; equal mark lists are stored once, so a
 * million names of one feed cost their octets and their slots (under 100 bytes each).
 */
#ifndef FEEDS_INDEX_H
#define FEEDS_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "feeds/cache.h"
#include "sensor/base/error.h"
#include "sensor/dns/name.h"

#define INDEX_LABELS_MAX 32
#define INDEX_HITS_MAX   8

enum mark_kind {
#define KIND(id, name, from_feed, meaning) MARK_##id,
#include "feeds/kinds.def"
#undef KIND
	MARK_KIND_COUNT,
};

enum mark_scope {
	SCOPE_SUFFIX, /* the name and all below */
	SCOPE_EXACT,  /* the name alone */
	SCOPE_BELOW,  /* all below, not the name itself ("*.x") */
};

struct mark {
	uint8_t kind;  /* enum mark_kind */
	uint8_t scope; /* enum mark_scope */
	/* feed kinds: number of the feed; tenant kinds: number of the tenant */
	uint16_t source;
	/*
	 * PROVIDER, TUNNEL, UPDATE_HOST, IP_CHECK: number of the provider (provider.h); APPROVED:
	 * index in the tenant's approved[]; ZONE: in zones[]
	 */
	uint32_t detail;
};

struct index_hit {
	uint32_t entry; /* for index_marks */
	uint8_t labels; /* labels of the suffix that matched */
};

struct index;
struct index_builder;

/* `seed`: of every suffix hash given to index_match later. NULL when out of memory. */
struct index_builder *index_builder_new(uint64_t seed);
/* Add one mark to one name; the same mark twice is kept once. */
enum index_added {
	INDEX_ADDED,
	INDEX_DUPLICATE, /* this very mark was there */
	INDEX_TOO_DEEP,  /* more than INDEX_LABELS_MAX labels, or the root */
	INDEX_NO_MEMORY,
};
NODISCARD enum index_added index_builder_add(
	struct index_builder *b, const struct dns_name *name, struct mark mark);
/*
 * The same for a name whose hash is known, in two steps: names in thousands ask for their places
 * some names ahead, so that the waits for memory overlap.
 */
struct index_addition {
	uint64_t hash; /* dns_name_hash with the builder's seed */
	/* folded, uncompressed; up to 7 octets behind it are read as well */
	const uint8_t *wire;
	uint8_t wire_len;
	uint8_t label_count;
	struct mark mark;
};
uint64_t index_builder_seed(const struct index_builder *b);
void index_builder_prefetch(const struct index_builder *b, uint64_t hash);
NODISCARD enum index_added index_builder_put(
	struct index_builder *b, const struct index_addition *a);
/* Freeze. Frees the builder in every case; NULL when out of memory. A thread of its own, ended when it
 * returns, does a part of the work where there is much. */
NODISCARD struct index *index_build(struct index_builder *b);
void index_builder_free(struct index_builder *b);
size_t index_builder_memory_bytes(const struct index_builder *b);
void index_free(struct index *index);

/*
 * Into a cache (cache.h) and back. index_restore: NULL when that is none, or out of memory; what it
 * gives is to be used only when the cache was undamaged and index_is_sound.
 */
void index_save(const struct index *index, struct cache_writer *w);
NODISCARD struct index *index_restore(struct cache_reader *r);
NODISCARD bool index_is_sound(const struct index *index);

uint64_t index_seed(const struct index *index);
/* Labels of the deepest name: no more suffix hashes than that are ever needed. */
unsigned index_depth(const struct index *index);
size_t index_name_count(const struct index *index);
size_t index_memory_bytes(const struct index *index);

/*
 * Every suffix of `name` that carries a mark whose scope applies to this name, shortest first;
 * at most INDEX_HITS_MAX (the longest are kept). Returns the number of hits. Cost for a name that
 * is not listed: about one cache miss, and no label looked at but those of its registered domain.
 *
 * index_prepare asks memory for what index_match of the same name will look at first, and gives
 * what it computed for that. For batches: prepare all, then match all, and the waits overlap.
 */
struct index_look {
	uint64_t hash; /* of the suffix of two labels, if there is one */
};
void index_prepare(
	const struct index *index, const struct dns_name *name, struct index_look *look);
/* False: index_match will find nothing, as it does for nearly every name. */
NODISCARD bool index_may_match(
	const struct index *index, const struct dns_name *name, const struct index_look *look);
size_t index_match(const struct index *index, const struct dns_name *name,
	const struct index_look *look, struct index_hit hit[INDEX_HITS_MAX]);
/* Both in one call. */
size_t index_match_name(const struct index *index, const struct dns_name *name,
	struct index_hit hit[INDEX_HITS_MAX]);

/* The entry of exactly this name, whatever the scopes of its marks. */
NODISCARD bool index_find(
	const struct index *index, const struct dns_name *name, uint32_t *entry);

/* The same where the hash of the name, with index_seed, is known. */
NODISCARD bool index_find_hashed(
	const struct index *index, const struct dns_name *name, uint64_t hash, uint32_t *entry);

/* The marks of all entries, each at least once. */
const struct mark *index_all_marks(const struct index *index, size_t *count);
/* The marks of an entry, sorted by kind. */
const struct mark *index_marks(const struct index *index, uint32_t entry, size_t *count);
/*
 * The marks of an entry that concern one tenant, in the same order: of the feeds' kinds all, of the
 * tenants' kinds its own. A suffix that thousands of tenants share costs no more than one of a few:
 *
 *	struct index_concerns it = index_concerns_start(index, entry, tenant);
 *	for (const struct mark *m; (m = index_concerns_next(&it));)
 */
struct index_concerns {
	const struct mark *at, *end;
	uint16_t tenant;
};
struct index_concerns index_concerns_start(
	const struct index *index, uint32_t entry, uint16_t tenant);
const struct mark *index_concerns_next(struct index_concerns *it);
/* The listed name itself, uncompressed wire octets (root included). */
const uint8_t *index_entry_name(const struct index *index, uint32_t entry, size_t *wire_len);

/*
 * All entries in turn, in no order that means anything: *entry is 0 before the first; false when there
 * are no more.
 */
NODISCARD bool index_next(const struct index *index, uint32_t *entry);

/* Does the mark apply to a name of `name_labels` labels that matched at `hit_labels`? */
static inline bool mark_applies(const struct mark *m, unsigned hit_labels, unsigned name_labels)
{
	return m->scope == SCOPE_SUFFIX ||
	       (m->scope == SCOPE_EXACT) == (hit_labels == name_labels);
}

const char *mark_kind_name(enum mark_kind kind);
/* Is it said by a feed (source is a feed's number), not by a tenant's policy? */
bool mark_kind_is_of_feeds(enum mark_kind kind);
/* Is the detail the number of a provider? */
bool mark_kind_has_provider(enum mark_kind kind);
/* "malicious" -> MARK_MALICIOUS, feed kinds only. */
NODISCARD bool mark_kind_parse(enum mark_kind *out, const char *text);

#endif
