/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger_state.h -- the ledger as bytes that outlive the process.
 *
 * A state is a header (magic, version, length, checksum) and the records of any number of ledgers, each
 * with its tenant's id in clear: they find their way back whatever the number of trackers, the
 * tenants' numbers or the tables' seed. Integers are big-endian.
 *
 *	struct text state = { 0 };
 *	ledger_state_begin(&state);
 *	ledger_state_add(&state, ledger);    // for each ledger
 *	ledger_state_end(&state);            // length and checksum
 *
 * Owner:    the caller owns the text.  Threads: that of the ledger.
 * Input:    untrusted: ledger_state_check accepts only what ledger_state_restore can read whole.
 */
#ifndef RULES_LEDGER_STATE_H
#define RULES_LEDGER_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/ledger.h"
#include "sensor/base/error.h"
#include "sensor/base/text.h"

void ledger_state_begin(struct text *state);
/* One ledger's records. Out of memory is state->failed. */
void ledger_state_add(struct text *state, const struct ledger *l);
void ledger_state_end(struct text *state);

/* ERR_INPUT with what is wrong when the bytes are not a whole and sound state. */
NODISCARD enum err ledger_state_check(
	const uint8_t *bytes, size_t bytes_len, struct err_ctx *why);
/* The tenants that this ledger is for: those whose number divided by `count` leaves `number`. */
struct ledger_shard {
	size_t number, count;
};
/*
 * Take the records of the ledger's tenants out of a state that was checked, before its first message.
 * A tenant that is no longer there is left out. `away`: nothing was watched since the state was
 * saved; when that was a day or more, nothing is said to have been so "since" a time before.
 * Returns how many names were taken.
 */
size_t ledger_state_restore(struct ledger *l, const uint8_t *bytes, size_t bytes_len,
	struct ledger_shard shard, bool away);

#endif
