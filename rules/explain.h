/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain.h -- one UPDATE in words, for a person who wonders why it was refused: who, what, how
 * signed, what the server said, and the likely cause (dynwatch replay --explain-updates).
 *
 * Threads: no shared state.  Limits: EXPLAIN_LISTED_MAX changes and prerequisites are listed, the
 * others counted.
 */
#ifndef RULES_EXPLAIN_H
#define RULES_EXPLAIN_H

#include "rules/transaction.h"
#include "sensor/base/text.h"

#define EXPLAIN_LISTED_MAX 12

/*
 * Append some lines, each ending in a newline: of a finished transaction, with the id of its
 * tenant. The same transaction gives the same lines.
 */
void explain_put(struct text *out, const struct transaction *t, const char *tenant);

#endif
