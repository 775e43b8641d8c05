/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sights.h -- what is listed as the tenants have met it: how many clients, and is it new?
 *
 * A resolver asks again for what its clients asked. Where both sides are seen, the client's
 * look-up is the one to judge (approvals may be for single clients); so a look-up by one of the
 * tenant's resolvers counts only when no other client of the tenant came before it within
 * RESOLVER_ECHO_NS. A sensor that sees nothing but the resolver's side thus still tells.
 *
 * Owner:    sights_new/sights_free.  Threads: one.
 * Limits:   memory_bytes; clients are counted exactly up to SIGHT_CLIENTS.
 */
#ifndef RULES_SIGHTS_H
#define RULES_SIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/emit.h"
#include "rules/table.h"

#define SIGHT_CLIENTS 8

struct sights;

/* What is known of one listed thing after this look-up. */
struct sight {
	bool is_echo; /* a resolver's, after a client's: nothing more is known */
	bool first_in_tenant;
	unsigned clients; /* SIGHT_CLIENTS: so many or more */
};

/* NULL when out of memory. */
struct sights *sights_new(const char *name, size_t memory_bytes, uint64_t seed);
void sights_free(struct sights *s);
/* Remember the look-up of what has this hash. */
struct sight sights_note(struct sights *s, const struct exchange *x, uint64_t key_hash);
struct table_stats sights_stats(const struct sights *s);

#endif
