/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * changelog.h -- what becomes of each UPDATE, told to whoever keeps a log of changes or wants them
 * explained: records of the kinds ALERT_CHANGE and ALERT_EXPLANATION. Made only when they are
 * wanted (emit_wants).
 *
 * A line is one record that an accepted UPDATE changed, as the ledger has it: what was there
 * before, and whose it was. What only refreshes a record changes nothing and is no line. Where
 * the ledger cannot tell, the records of an accepted UPDATE are lines as they were asked for, and
 * one whose content is not known is one line that says so. One that failed or was not answered
 * is a line with its first record. UPDATEs of prerequisites alone are lines only when the server
 * would not hear them.
 *
 * Threads: one tracker.
 */
#ifndef RULES_CHANGELOG_H
#define RULES_CHANGELOG_H

#include "rules/emit.h"
#include "rules/ledger.h"
#include "rules/transaction.h"

/* A finished transaction of x->tenant; `report` is what the ledger made of it, or NULL. */
void changelog_tell(struct emit *emit, const struct exchange *x, const struct transaction *t,
	const struct ledger_report *report);

#endif
