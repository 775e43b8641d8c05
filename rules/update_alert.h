/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * update_alert.h -- what every alert about one transaction has in common.
 *
 * Threads: one tracker.
 */
#ifndef RULES_UPDATE_ALERT_H
#define RULES_UPDATE_ALERT_H

#include "rules/transaction.h"

/*
 * emit_open for a transaction, which on a tick has its ends from the transaction itself; zone,
 * first record, names and key are filled in. NULL as emit_open.
 */
struct alert *update_alert_open(struct emit *e, enum rule_id rule, const struct exchange *x,
	const struct transaction *t, const char *name);
/* Another severity than the rule's, unless the tenant has set that. */
void update_alert_severity(struct alert *a, const struct exchange *x, enum severity severity);
/* What the server said, as a reason. */
void update_alert_why_rcode(struct alert *a, const struct transaction *t);

#endif
