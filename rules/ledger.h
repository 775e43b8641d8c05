/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger.h -- who owns which record: what accepted UPDATEs (RFC 2136) made of each tenant's names.
 *
 * For each name and type: the values, who put them there, first and last change, last refresh, last
 * answer that showed them, TTL. Only what was observed is known: an accepted UPDATE, or an answer to
 * an ordinary query. An owner is told by the TSIG key (SIG(0) signer) before the GSS principal
 * before the DHCID (RFC 4701, and the TXT hash of ISC dhcpd) before the source address. The
 * principal of a GSS-TSIG key does not travel in clear: its stand-in is the source address, and two
 * GSS owners are never told apart, since the server has compared them (RFC 3645).
 *
 * rules/update.c calls ledger_apply for each finished transaction and passes the report on.
 *
 * Owner:    ledger_new/ledger_free; a report lives as long as the transaction that it is of.
 * Threads:  one tracker.
 * Limits:   bounded tables, evictions counted; names of up to LEDGER_NAME_MAX octets of text,
 *           LEDGER_VALUE_MAX of each value and owner are kept.
 */
#ifndef RULES_LEDGER_H
#define RULES_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/emit.h"
#include "rules/judge.h"
#include "rules/transaction.h"

#define LEDGER_NAME_MAX  192 /* longer names are reported, not remembered */
#define LEDGER_VALUE_MAX 128 /* longer values are remembered by their hash and beginning */

enum ledger_owner_kind {
	LEDGER_OWNER_UNKNOWN, /* nothing was seen of it before */
	LEDGER_OWNER_KEY,     /* TSIG key, SIG(0) signer */
	LEDGER_OWNER_GSS,    /* a principal that the server knows; text is the source address */
	LEDGER_OWNER_DHCID,  /* text is the DHCID */
	LEDGER_OWNER_SOURCE, /* text is the source address */
};

struct ledger_owner {
	enum ledger_owner_kind kind;
	const char *key;   /* its name; "" when there is none, never NULL */
	const char *dhcid; /* known beside a key, too; the same */
	struct ip source;  /* of the UPDATE */
};

enum ledger_effect {
	LEDGER_ADDED,
	LEDGER_REPLACED,    /* one value in place of another, in one UPDATE */
	LEDGER_DELETED,     /* old_value NULL: what was there was never seen */
	LEDGER_TTL_CHANGED, /* the same value */
	LEDGER_REFRESHED,   /* nothing changed */
};

/* Why another owner is nothing to worry about. */
enum ledger_excuse {
	LEDGER_NOT_EXCUSED,
	LEDGER_DHCID_PROVEN,  /* prerequisite: the name has the new owner's DHCID (RFC 4703) */
	LEDGER_NAME_WAS_FREE, /* prerequisite: no such name, or no such RRset */
};

/* What became of one record. */
struct ledger_change {
	enum ledger_effect effect;
	uint16_t type;
	const char *name;      /* presentation, lower case */
	const char *old_value; /* presentation; NULL: there was none, or it is not known */
	const char *new_value; /* NULL: there is none now */
	uint32_t old_ttl, new_ttl;
	/* Only what was seen before counts: false when old_owner is unknown. */
	bool owner_changed;
	enum ledger_excuse excuse; /* when owner_changed */
	/* The ledger had no room for this name or value, or lost it: what it was before is a guess.
	 */
	bool unsure;
	struct ledger_owner old_owner, new_owner; /* new: who sent this UPDATE */
};

struct ledger_report {
	uint16_t tenant;
	const char *zone;
	size_t change_count;
	const struct ledger_change *change; /* in the order of the UPDATE's records */
};

struct ledger;

/* NULL when out of memory. */
struct ledger *ledger_new(size_t memory_bytes, uint64_t seed);
void ledger_free(struct ledger *l);
void ledger_adopt(struct ledger *l, const struct knowledge *known);
/* Capture time has come so far: before the families' ticks. */
void ledger_tick(struct ledger *l, int64_t ts_ns);

/*
 * Take an accepted UPDATE into the ledger and tell what it changed. Anything else (not accepted, not
 * answered, prerequisites only, not readable, a response that nobody was seen to ask for where requests
 * are visible) changes nothing: the report is empty.
 * A record the server removed and put back with the same value in one UPDATE is refreshed. Never
 * NULL.
 */
const struct ledger_report *ledger_apply(
	struct ledger *l, const struct exchange *x, const struct transaction *t);
/* "ddns-key", the DHCID, "10.1.0.5"; "" when unknown. The key's text or `address`. */
const char *ledger_owner_text(const struct ledger_owner *owner, char address[IP_TEXT_MAX]);
/* "key", "GSS principal", "DHCID", "address", "unknown"; static text. */
const char *ledger_owner_kind_name(enum ledger_owner_kind kind);

/* How long accepted changes took to show in answers. */
struct ledger_delay {
	uint64_t count;
	int64_t p50_ns, p95_ns, max_ns; /* 0 when count is; quantiles to 6 %, max is exact */
};

struct ledger_zone_stats {
	uint16_t tenant;
	const char *zone;
	uint64_t updates;                            /* accepted, that had something to do */
	struct ledger_delay authoritative, resolved; /* answers with and without AA */
};

/* Every zone that was seen updated, in no useful order: sort by tenant and name. */
void ledger_zone_stats(const struct ledger *l,
	void (*visit)(void *arg, const struct ledger_zone_stats *zone), void *arg);

/* Appends the tables. */
void ledger_stats(const struct ledger *l, struct judge_stats *out);

#endif
