/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pair.h -- queries and their responses, joined (RFC 5452 9.1's terms).
 *
 * Key: client, server, both ports, transport, opcode, id, qname, qtype; a response without a
 * question (UPDATE, FORMERR) answers the oldest query that agrees in the rest. VLAN tags are
 * not part of it: they may differ between the two directions. The tenant is, but when the tags
 * of one direction select no tenant, the exchange has the other's. A query older than
 * PAIR_TIMEOUT_NS is unanswered.
 *
 * Threads: one tracker.  Limits: bounded table; an evicted query counts as evicted, not
 * unanswered.
 */
#ifndef RULES_PAIR_H
#define RULES_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/observation.h"
#include "rules/session.h"
#include "rules/table.h"
#include "sensor/base/clock.h"

#define PAIR_TIMEOUT_NS (60 * NS_PER_S)

/* queries = matched + unanswered + repeated + evicted + pending;
 * responses = matched + repeats_answered + unsolicited. */
struct pair_stats {
	uint64_t matched, unanswered, unsolicited;
	uint64_t pending; /* still open when asked */
	uint64_t queries;
	uint64_t repeated;         /* queries that came again while open */
	uint64_t evicted;          /* open queries pushed out of the table */
	uint64_t repeats_answered; /* responses after the first to a query that came again */
};

struct pair_result {
	bool matched;    /* a response whose query was seen */
	bool told_late;  /* then: the query's tenant was unknown until now */
	int64_t rtt_ns;  /* then: how long it took */
	uint16_t tenant; /* of the exchange */
};

struct pairs;

struct pairs *pairs_new(size_t memory_bytes, uint64_t seed);
void pairs_free(struct pairs *p);
/* Ask the memory for the message's bucket, and with pairs_prefetch for its entry. */
void pairs_prepare(const struct pairs *p, const struct session *session);
void pairs_prefetch(const struct pairs *p, const struct session *session);
/*
 * Queries are remembered, responses joined. A repeated query keeps its first time. `session` are
 * those of this message, with the same seed every time.
 */
struct pair_result pairs_observe(
	struct pairs *p, const struct observation *o, const struct session *session);
/*
 * Count what has timed out by now (called on ticks): a slice of the table for each second that
 * has passed since the last call, the whole table after half a minute or more.
 */
void pairs_tick(struct pairs *p, int64_t ts_ns);
struct pair_stats pairs_stats(const struct pairs *p);
struct table_stats pairs_table(const struct pairs *p);

#endif
