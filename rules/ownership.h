/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ownership.h -- update.takeover: an UPDATE gave a name to another owner.
 *
 * The other rule of ownership.c, record.mismatch, compares records at ticks.
 *
 * Threads: one tracker.
 */
#ifndef RULES_OWNERSHIP_H
#define RULES_OWNERSHIP_H

#include "rules/emit.h"
#include "rules/ledger.h"
#include "rules/transaction.h"

/* One alert for all names that the finished transaction took. */
void ownership_judge(struct emit *emit, const struct exchange *x, const struct transaction *t,
	const struct ledger_report *made);

#endif
