/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * update_failures.h -- updates that fail again and again: signatures that the server cannot verify
 * (update.auth_failures: BADSIG, BADKEY, BADTIME, BADTRUNC of RFC 8945, and TKEY exchanges
 * that fail), and everything else that is no answer to a prerequisite (update.failures).
 *
 * Counted by source, by key and (failures) by zone. One alert tells of one trouble: when many
 * sources fail with one key, or at one zone, that is what is told, and not each of them. A failed
 * signature is told by the first rule alone, an unsigned try that is refused by
 * update.unsigned_attempt alone. GSS keys live for one client and some minutes, so that they are
 * not counted as keys.
 *
 * Owner: update_failures_new/update_failures_free.  Threads: one tracker.  Limits: bounded tables.
 */
#ifndef RULES_UPDATE_FAILURES_H
#define RULES_UPDATE_FAILURES_H

#include "rules/transaction.h"

struct update_failures;

/* NULL when out of memory. */
struct update_failures *update_failures_new(
	struct emit *emit, size_t memory_bytes, uint64_t seed);
void update_failures_free(struct update_failures *f);
/* A transaction that was answered. */
void update_failures_note(
	struct update_failures *f, const struct exchange *x, const struct transaction *t);
/* x->now says that client and server did not agree on a key (RFC 2930); `error` is not 0. */
void update_failures_tkey(struct update_failures *f, const struct exchange *x, uint16_t error);
void update_failures_stats(const struct update_failures *f, struct judge_stats *out);

#endif
