/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * change.h -- what an UPDATE would change, small enough to wait in a table for its response.
 *
 * Names are presentation text, lower case; the first CHANGE_NAMES_MAX different ones are kept
 * as far as the pool reaches, the rest is only counted.
 *
 * Owner: values, no pointers.  Threads: no shared state.
 */
#ifndef RULES_CHANGE_H
#define RULES_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/policy.h"
#include "sensor/dns/update.h"

#define CHANGE_NAMES_MAX  32
#define CHANGE_POOL_BYTES 1280

struct change {
	uint32_t change_count;  /* records in the update section */
	uint16_t name_count;    /* different names kept */
	bool names_omitted;     /* there were more */
	bool pointers_only;     /* every change is to PTR records (or whole names) */
	uint8_t signature;      /* enum update_signature */
	uint8_t verbs;          /* bit per enum update_verb */
	bool critical;          /* steers more than itself: see change_is_critical */
	uint8_t critical_name;  /* number of the first such name + 1; 0: none kept */
	uint16_t critical_type; /* of that change */
	uint16_t first_type;    /* of the first change */
	uint16_t name_at[CHANGE_NAMES_MAX];
	uint16_t pool_len;
	char pool[CHANGE_POOL_BYTES]; /* the zone comes first */
};

/* Bytes worth copying. */
static inline size_t change_size(const struct change *c)
{
	return offsetof(struct change, pool) + c->pool_len;
}

/* An empty change to a zone: for an UPDATE that could not be read. */
void change_init(struct change *c, const char *zone, bool is_signed);
/* Summarise. `zone` is the tenant's policy for it, NULL when there is none. */
void change_read(struct change *c, const struct update *u, const struct policy_zone *zone);
/* Add the names, counts and marks of another change to the same zone. */
void change_merge(struct change *c, const struct change *other);

/* The same change with only the names of `mask` (a bit each). */
void change_select(struct change *out, const struct change *c, uint32_t mask);

const char *change_zone(const struct change *c);
const char *change_name(const struct change *c, unsigned number);
/* The number of the name, or -1. */
int change_find(const struct change *c, const char *name);
/* "add", "add, delete", "delete"; static text. */
const char *change_verbs(const struct change *c);

/* Is the name the other one or below it? Both presentation text, lower case. */
bool change_is_below(const char *name, const char *suffix);

/*
 * Does the record steer more than itself? NS, SOA, MX, DS, DNSKEY, TLSA, CAA anywhere; anything
 * at the apex or a wildcard; names that machines look up by themselves (wpad, isatap,
 * _ldap._tcp, ...); what the zone's policy lists.
 */
bool change_is_critical(
	const char *name, uint16_t type, const char *zone, const struct policy_zone *policy);

#endif
