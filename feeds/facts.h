/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * facts.h -- what one feed says of its entries besides that they are listed: family, confidence,
 * when it was first seen, when it ends, where to read on.
 *
 * Most feeds say nothing, and cost nothing. Equal facts are stored once (families repeat), an
 * entry costs 12 octets more. Keys are hashes: of a name dns_name_hash with the index's seed, of a
 * network facts_network_key.
 *
 * Owner:    facts_new/facts_free; texts found belong to the facts.
 * Threads:  one while adding; then immutable: any number of readers.
 * Limits:   texts of FACTS_TEXT_MAX octets; of one feed FACTS_TEXTS_BYTES of them: entries beyond
 *           that keep what is no text.
 */
#ifndef FEEDS_FACTS_H
#define FEEDS_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "feeds/cache.h"
#include "sensor/base/attribute.h"
#include "sensor/base/ip.h"

#define FACTS_TEXT_MAX      200
#define FACTS_TEXTS_BYTES   ((size_t)64 << 20)
#define FACTS_NO_CONFIDENCE 255

/* Traffic Light Protocol: with whom it may be shared; the higher the fewer. */
enum facts_tlp {
	TLP_NONE,
	TLP_CLEAR,
	TLP_GREEN,
	TLP_AMBER,
	TLP_AMBER_STRICT,
	TLP_RED,
};

struct entry_facts {
	const char *category; /* family or kind of threat; NULL: not said */
	const char *reference;
	int64_t first_seen_s; /* 0: not said */
	int64_t until_s;      /* the entry holds before this; 0: no end */
	uint8_t confidence;   /* 0-100 or FACTS_NO_CONFIDENCE */
	uint8_t tlp;          /* enum facts_tlp */
};

struct facts;

/* NULL when out of memory. */
struct facts *facts_new(void);
void facts_free(struct facts *f);
/* The same facts, only to be read. NULL when out of memory. */
NODISCARD struct facts *facts_copy(const struct facts *f);
/* The first facts of an entry stay, unless others give it more time. False: out of memory. */
NODISCARD bool facts_add(struct facts *f, uint64_t key, const struct entry_facts *e);
NODISCARD bool facts_find(const struct facts *f, uint64_t key, struct entry_facts *out);
size_t facts_bytes(const struct facts *f);

/*
 * Into a cache (cache.h) and back, for finding only. NULL: it is none, or out of memory. What comes
 * back is harmless whatever the file holds.
 */
void facts_save(const struct facts *f, struct cache_writer *w);
NODISCARD struct facts *facts_restore(struct cache_reader *r);

uint64_t facts_network_key(const struct ip_net *net);
/* "AMBER+STRICT"; NULL for TLP_NONE. */
const char *facts_tlp_name(enum facts_tlp tlp);

#endif
