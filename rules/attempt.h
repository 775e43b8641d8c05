/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attempt.h -- update.unsigned_attempt: unsigned UPDATEs that were refused, waiting for a
 * signed one.
 *
 * Windows tries without a signature first, and signs (GSS-TSIG) when that is refused. So the
 * names of a refused unsigned UPDATE wait in an attempt, one for each client, server and zone,
 * each name for follow_up from its refusal on. They are told together: when all have waited, or
 * when the oldest has waited twice as long. A signed UPDATE by the same client to the same
 * server and zone clears the names it carries. What counts is that it was signed: when the
 * server then refuses it by policy, that is a failed update and no unsigned attempt. Only a
 * signature that the server could not verify (NOTAUTH, RFC 8945 5.2) counts for nothing, and
 * its names are open again. A signed UPDATE whose response was not seen clears.
 *
 * Threads:  one tracker.  Limits: bounded table; a tick goes over a bounded slice of it.
 */
#ifndef RULES_ATTEMPT_H
#define RULES_ATTEMPT_H

#include "rules/change.h"
#include "rules/judge.h"

struct attempts;

struct attempts *attempts_new(struct emit *emit, size_t memory_bytes, uint64_t seed);
void attempts_free(struct attempts *all);
void attempts_adopt(struct attempts *all, const struct knowledge *known);
/* x->now refuses the unsigned change. */
void attempts_refused(struct attempts *all, const struct exchange *x, const struct change *c);
/* x->now carries the change and a signature. */
void attempts_signed(struct attempts *all, const struct exchange *x, const struct change *c);
/* x->now says that the signature of the change could not be verified. */
void attempts_disowned(struct attempts *all, const struct exchange *x, const struct change *c);
void attempts_tick(struct attempts *all, const struct exchange *x);
/* Appends the table; adds the attempts that are still open to out->pending. */
void attempts_stats(const struct attempts *all, struct judge_stats *out);

#endif
