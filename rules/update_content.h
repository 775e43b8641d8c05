/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * update_content.h -- what an accepted UPDATE changed: records that steer more than themselves
 * (update.critical_record), names that break the tenant's standard (update.naming).
 *
 * A domain controller keeps its own service records and its address at the apex up to date, dozens
 * of them an hour. Who is one is told by the zone's `servers`, by the tenant's resolvers, and by
 * having accepted an UPDATE before: the servers of a zone know each other. Its service records are
 * its business, others' are not.
 *
 * Owner: update_content_new/update_content_free.  Threads: one tracker.
 * Limits: a bounded table of servers.
 */
#ifndef RULES_UPDATE_CONTENT_H
#define RULES_UPDATE_CONTENT_H

#include "rules/ledger.h"
#include "rules/transaction.h"

struct update_content;

/* NULL when out of memory. */
struct update_content *update_content_new(
	struct emit *emit, size_t memory_bytes, uint64_t seed);
void update_content_free(struct update_content *c);

/* An accepted UPDATE went to this server. */
void update_content_learn(
	struct update_content *c, const struct exchange *x, const struct transaction *t);
/* Is the record a domain controller's, and the client one? */
bool update_content_is_controllers(struct update_content *c, const struct exchange *x,
	const struct transaction *t, const struct update_change *change);
/* `made`: what the ledger saw of it; a refresh that changes nothing is not told. */
void update_content_critical(struct update_content *c, const struct exchange *x,
	const struct transaction *t, const struct ledger_report *made);
void update_content_naming(
	struct update_content *c, const struct exchange *x, const struct transaction *t);

void update_content_stats(const struct update_content *c, struct judge_stats *out);

#endif
