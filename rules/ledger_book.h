/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger_book.h -- the ledger's tables, for rules/ledger*.c and the rules that look into them.
 *
 * Owner: struct ledger.  Threads: one tracker.
 */
#ifndef RULES_LEDGER_BOOK_H
#define RULES_LEDGER_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/delay.h"
#include "rules/ledger_entry.h"
#include "rules/ledger_sender.h"
#include "rules/table.h"
#include "sensor/base/prefetch.h"

#define LEDGER_ADDRESS_NAMES 4

/* A name, by the two hashes of its key. */
struct ledger_ref {
	uint64_t hash, check; /* both 0: none */
};

struct ledger_zone {
	struct ledger_zone_key {
		uint64_t hash, check;
		uint64_t tenant;
	} key;
	uint64_t updates;
	struct delay authoritative, resolved;
	char name[LEDGER_NAME_MAX + 1];
};

/* Who was seen to have an address. What is there now has to be looked up. */
struct ledger_address {
	struct ledger_address_key {
		struct ip ip;
		uint64_t tenant;
	} key;
	struct ledger_ref name[LEDGER_ADDRESS_NAMES]; /* the latest first */
	struct ledger_ref pointer;                    /* the reverse name */
};

/* Who sends UPDATEs. */
struct ledger_updater {
	struct ledger_address_key key;
	int64_t last_ns;
	bool said_overdue; /* since then */
};

struct ledger {
	struct table *entries, *zones, *addresses, *updaters;
	const struct knowledge *known;
	uint64_t seed;
	uint64_t round; /* of the UPDATE being applied */
	/* A bit for each name, by the hash that an observation brings: most have none. */
	uint64_t *filter;
	uint64_t filter_mask;     /* of bit numbers */
	uint64_t filter_seed;     /* of the index that hashes the observations' names */
	uint64_t names;           /* put into the filter since it was made */
	int64_t watched_since_ns; /* what was before may have been missed: a gap of a day or more */
	int64_t now_ns;           /* of the last tick */
	int64_t swept_ns;         /* last look at every entry, a multiple of LEDGER_SWEEP_NS */
	bool was_away;            /* restored, and the first tick is still to come */
	bool sweeping;            /* this tick is for such a look */
	struct sender sender;     /* of the UPDATE being applied */
	struct ledger_report report;
	struct ledger_change *change; /* the report's */
	size_t change_room;
};

/* How often everything is looked at: at multiples of this, so that it does not depend on the
 * start. */
#define LEDGER_SWEEP_NS (600 * NS_PER_S)

struct ledger_key ledger_key_of(const struct ledger *l, uint16_t tenant, const char *name);
/* Part `part` of the name; NULL: not there. `key` as ledger_key_of gives it. */
struct ledger_entry *ledger_part(struct ledger *l, const struct ledger_key *key, unsigned part);
/* Part 0 by what an address entry says. */
struct ledger_entry *ledger_by_ref(
	struct ledger *l, uint16_t tenant, const struct ledger_ref *ref);
/* The record with this type and value; NULL: none. *entry is the part it is in. */
struct ledger_slot *ledger_record(struct ledger *l, const struct ledger_key *key, uint16_t type,
	const char *value, struct ledger_entry **entry);
/* Add a part, known to the filter. Evicts. NULL: the name is too long. */
struct ledger_entry *ledger_new_part(
	struct ledger *l, const struct ledger_key *key, const char *name, const char *zone);
struct ledger_zone *ledger_zone_of(struct ledger *l, uint16_t tenant, const char *zone);
/* NULL: not known. */
struct ledger_updater *ledger_updater_find(
	struct ledger *l, uint16_t tenant, const struct ip *source);
struct ledger_updater *ledger_updater_of(
	struct ledger *l, uint16_t tenant, const struct ip *source);
/* Note who has an address: for records of type A, AAAA and PTR. */
void ledger_note_address(
	struct ledger *l, const struct ledger_entry *e, uint16_t type, const char *value);
/* NULL: nothing known of it. */
struct ledger_address *ledger_address_of(
	struct ledger *l, uint16_t tenant, const struct ip *address);
/* Is the name the zone or below it? */
bool ledger_is_in_zone(const char *name, const char *zone);
/* May this name be in the ledger? */
static inline bool ledger_may_have(const struct ledger *l, uint64_t qname_hash)
{
	uint64_t bit = qname_hash & l->filter_mask;

	return l->filter[bit / 64] >> bit % 64 & 1;
}

/* That will be asked soon. */
static inline void ledger_prefetch(const struct ledger *l, uint64_t qname_hash)
{
	prefetch_read(&l->filter[(qname_hash & l->filter_mask) / 64]);
}

#endif
