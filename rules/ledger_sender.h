/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger_sender.h -- who sends an UPDATE, as far as the message tells, and what it proves.
 *
 * The DHCID of a name is what the UPDATE adds, or demands, at that name: DHCID (RFC 4701) or the TXT
 * hash of ISC dhcpd's interim scheme.
 *
 * Owner:    points into the update; the owners it gives point into both.  Threads: no shared state.
 * Input:    untrusted.  Limits: SENDER_PROOFS_MAX DHCIDs of one UPDATE are looked at.
 */
#ifndef RULES_LEDGER_SENDER_H
#define RULES_LEDGER_SENDER_H

#include <stdint.h>

#include "rules/ledger.h"

#define SENDER_PROOFS_MAX 32

struct sender {
	const struct update *update;
	enum ledger_owner_kind kind; /* without a DHCID */
	struct ip source;
	char key[LEDGER_VALUE_MAX + 1];
	unsigned proof_count;
	struct sender_proof {
		const char *name, *dhcid;
		bool demanded; /* by a prerequisite */
	} proof[SENDER_PROOFS_MAX];
};

void sender_init(struct sender *s, const struct update *u, const struct ip *client);
/* As the owner of this name's records. */
struct ledger_owner sender_owner(const struct sender *s, const char *name);
/* What the prerequisites say of this RRset. */
enum ledger_excuse sender_excuse(const struct sender *s, const char *name, uint16_t type);
/* The same for the same owner; never 0. */
uint64_t sender_digest(const struct ledger_owner *owner);

#endif
