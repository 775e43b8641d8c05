/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger_answers.h -- what ordinary answers show of the records in the ledger.
 *
 * Threads: one tracker.  Hot path: a name that is not in the ledger costs one bit of a filter.
 */
#ifndef RULES_LEDGER_ANSWERS_H
#define RULES_LEDGER_ANSWERS_H

#include "rules/ledger_book.h"

enum ledger_sight {
	LEDGER_SHOWN,     /* the answer has the record */
	LEDGER_NOT_SHOWN, /* the answer is complete and does not have it */
	LEDGER_UNTOLD, /* cannot be told: cut short, by way of a CNAME, or of a type not read */
};

/* One record of the question's name and type, as this answer has it. */
typedef void ledger_sighting(void *arg, const struct exchange *x, struct ledger_entry *e,
	struct ledger_slot *slot, enum ledger_sight sight);

/*
 * Note what a response shows: last seen, and the first sight of what was accepted. Then `tell` gets
 * each record of the question, deleted ones too, unless it cannot be told. Other messages are
 * ignored.
 */
void ledger_answer(
	struct ledger *l, const struct exchange *x, ledger_sighting *tell, void *arg);

#endif
