/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger_entry.h -- how the ledger remembers one name: the parts of rules/ledger*.c and of the rules
 * that look into it (ownership.c, aging.c).
 *
 * A name has an entry, and further ones (parts) when it has more records than one holds. Each slot
 * is a record that is there, or the last that is known of one that was deleted. Texts lie in the
 * entry's own pool.
 *
 * Owner: the ledger's table.  Threads: one tracker.
 */
#ifndef RULES_LEDGER_ENTRY_H
#define RULES_LEDGER_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/ledger.h"

#define LEDGER_SLOTS      4
#define LEDGER_PARTS_MAX  8
#define LEDGER_POOL_BYTES 448
#define LEDGER_NEVER      INT64_MIN /* no such time yet */

enum ledger_flag {
	LEDGER_HELD = 1u << 0,    /* the record is there; else it was deleted at changed_ns */
	LEDGER_WAS = 1u << 1,     /* it was there before the UPDATE being applied */
	LEDGER_TOUCHED = 1u << 2, /* the UPDATE being applied names it */
	/* Accepted, and no answer has shown it yet. */
	LEDGER_AWAIT_AUTHORITATIVE = 1u << 3,
	LEDGER_AWAIT_RESOLVED = 1u << 4,
	LEDGER_SAID_STALE = 1u << 5, /* or that it answers though deleted */
	LEDGER_UNSETTLED = 1u << 6,  /* changed; other records have not been compared yet */
	/* What is worth keeping. */
	LEDGER_KEPT_FLAGS = LEDGER_HELD | LEDGER_AWAIT_AUTHORITATIVE | LEDGER_AWAIT_RESOLVED |
			    LEDGER_SAID_STALE | LEDGER_UNSETTLED,
};

struct ledger_slot {
	uint64_t digest;       /* of the whole value; 0: not known */
	uint64_t remover;      /* of a deleted record: digest of who deleted it */
	int64_t first_ns;      /* when the name had this value first */
	int64_t changed_ns;    /* last change: put there, or deleted */
	int64_t refreshed_ns;  /* last UPDATE that put it there or left it so */
	int64_t seen_ns;       /* last answer that showed it */
	struct ip source;      /* of its owner */
	uint32_t ttl, old_ttl; /* old: before the UPDATE that made it so */
	uint16_t type;         /* 0: free */
	uint16_t flags;
	uint16_t value_at, owner_at, dhcid_at; /* in pool; 0: none */
	uint8_t owner_kind;                    /* enum ledger_owner_kind */
	uint8_t unused;
};

struct ledger_entry {
	struct ledger_key {
		uint64_t hash, check; /* of the name, so that no two names meet */
		uint16_t tenant, part;
		uint32_t zero;
	} key;
	uint64_t round;   /* of the last UPDATE */
	struct ip server; /* that accepted it */
	/* Of the address records, for client.overdue; in part 0. */
	int64_t first_ns, last_ns; /* UPDATEs since the name was last free or changed hands */
	int64_t interval_ns;       /* the longest between two of them, half forgotten in time */
	uint32_t update_count;
	uint16_t name_at, zone_at; /* the zone is the name's end */
	uint16_t pool_len;
	uint16_t unused[3];
	struct ledger_slot slot[LEDGER_SLOTS];
	char pool[LEDGER_POOL_BYTES];
};

static inline const char *ledger_text(const struct ledger_entry *e, uint16_t at)
{
	return e->pool + at;
}

static inline const char *ledger_name(const struct ledger_entry *e)
{
	return e->pool + e->name_at;
}

/* "." for the root. */
static inline const char *ledger_zone(const struct ledger_entry *e)
{
	return e->pool[e->zone_at] ? e->pool + e->zone_at : ".";
}

/* Give a new entry its name. False when it is too long. `zone` is the name's end. */
NODISCARD bool ledger_entry_init(struct ledger_entry *e, const char *name, const char *zone);
/*
 * Put text into the pool, cut to LEDGER_VALUE_MAX; what no slot needs any more goes when there is no
 * room. 0 for "" and when it does not fit: *fits tells (it is only ever cleared).
 */
uint16_t ledger_entry_put(struct ledger_entry *e, const char *text, bool *fits);
/* A slot for a new record: free, or of a record long deleted. NULL: none. */
struct ledger_slot *ledger_entry_slot(struct ledger_entry *e, uint64_t round);

/* Hash of a value; never 0. The same in every process, since it is saved. */
uint64_t ledger_digest(const char *text);

/* The owner as others read it. */
struct ledger_owner ledger_slot_owner(
	const struct ledger_entry *e, const struct ledger_slot *slot);
/*
 * Two different owners? DHCIDs decide when both are known, then keys; two GSS principals cannot be
 * told apart; otherwise the source addresses. An unknown one differs from nobody.
 */
bool ledger_owners_differ(const struct ledger_owner *a, const struct ledger_owner *b);

#endif
