/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * update_deletions.h -- update.mass_delete: different names that one source deletes within a
 * while. See update_volume.h for what does not count.
 *
 * Owner: update_deletions_new/update_deletions_free.  Threads: one tracker.
 * Limits: a bounded table; DELETIONS_MAX names of a source are told apart.
 */
#ifndef RULES_UPDATE_DELETIONS_H
#define RULES_UPDATE_DELETIONS_H

#include "rules/transaction.h"
#include "rules/update_content.h"

#define DELETIONS_MAX 128

struct update_deletions;

/* NULL when out of memory. */
struct update_deletions *update_deletions_new(
	struct emit *emit, size_t memory_bytes, uint64_t seed);
void update_deletions_free(struct update_deletions *d);
/* An accepted UPDATE; of a DHCP server reverse names do not count. */
void update_deletions_note(struct update_deletions *d, struct update_content *controllers,
	const struct exchange *x, const struct transaction *t, bool is_dhcp);
void update_deletions_stats(const struct update_deletions *d, struct judge_stats *out);

#endif
