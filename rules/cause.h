/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cause.h -- the likely cause why an UPDATE failed, from request and response alone.
 *
 * A server says little (RFC 2136 3, RFC 8945 5.2): REFUSED may be a missing signature or its
 * policy, NOTAUTH another zone or a signature. What is said here is what fits the exchange.
 *
 * Threads: no shared state.
 */
#ifndef RULES_CAUSE_H
#define RULES_CAUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "rules/transaction.h"
#include "sensor/base/text.h"

enum cause {
	CAUSE_NONE, /* it did not fail */
#define CAUSE(id, word, meaning) CAUSE_##id,
#include "rules/causes.def"
#undef CAUSE
	CAUSE_COUNT
};

enum cause cause_of(const struct transaction *t);
/* "unknown_key"; "" for CAUSE_NONE. Static text. */
const char *cause_word(enum cause cause);
const char *cause_meaning(enum cause cause);

/*
 * How far the clock that signed the request is ahead of the server's, in seconds (negative:
 * behind): from what a BADTIME response says (RFC 8945 5.2.3), else from the capture time of the
 * request. False when the request's signature carries no time, or was not seen.
 */
bool cause_skew(const struct transaction *t, int64_t *skew_s);

/* Append the cause with its particulars, as one sentence without a full stop. */
void cause_put(struct text *out, const struct transaction *t, enum cause cause);

#endif
