/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * update_signature.h -- what the signature of one finished transaction is worth: missing and
 * accepted (update.unsigned_accepted), accepted without being looked at
 * (update.signature_ignored), of an algorithm or length that does not protect
 * (update.weak_algorithm).
 *
 * Each looks at the transaction alone and returns whether it said something.
 *
 * Threads: one tracker.
 */
#ifndef RULES_UPDATE_SIGNATURE_H
#define RULES_UPDATE_SIGNATURE_H

#include "rules/transaction.h"

/* The unsigned change was accepted, and the zone's policy wants it signed. */
bool update_signature_missing(
	struct emit *e, const struct exchange *x, const struct transaction *t);
/*
 * A server that checks a signature answers with one of its own (RFC 8945 5.3). Windows zones
 * that take "nonsecure and secure" updates echo the client's, or sign as if they were the
 * client (RFC 4121 4.2.2: SentByAcceptor is not set).
 */
bool update_signature_ignored(
	struct emit *e, const struct exchange *x, const struct transaction *t);
/* RFC 8945 6, table 3; a MAC cut below half of its length, or ten octets (5.2.2.1). */
bool update_signature_weak(
	struct emit *e, const struct exchange *x, const struct transaction *t);

#endif
