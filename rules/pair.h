/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pair.h -- queries and their responses, joined (RFC 5452 9.1's terms).
 *
 * Key: client, server, both ports, id, qname, qtype. VLAN tags are not part of it: they may differ
 * between the two directions. The tenant is, but a response whose own tags select no tenant takes
 * that of the query it answers. A query older than PAIR_TIMEOUT_NS is unanswered.
 *
 * Threads: one tracker.  Limits: bounded table; an evicted query counts as evicted, not unanswered.
 */
#ifndef RULES_PAIR_H
#define RULES_PAIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/observation.h"
#include "rules/table.h"
#include "sensor/base/clock.h"

#define PAIR_TIMEOUT_NS (60 * NS_PER_S)

struct pair_stats {
	uint64_t matched, unanswered, unsolicited;
	uint64_t pending; /* still open when asked */
};

struct pair_result {
	bool matched;    /* a response whose query was seen */
	int64_t rtt_ns;  /* then: how long it took */
	uint16_t tenant; /* the exchange's tenant: the query's when matched, else the observation's */
};

struct pairs;

struct pairs *pairs_new(size_t memory_bytes, uint64_t seed);
void pairs_free(struct pairs *p);
void pairs_prefetch(const struct pairs *p, const struct observation *o);
/* Queries are remembered, responses joined. A repeated query keeps its first time. */
struct pair_result pairs_observe(struct pairs *p, const struct observation *o);
/* Count what has timed out by now (called on ticks; work per call is bounded). */
void pairs_tick(struct pairs *p, int64_t ts_ns);
struct pair_stats pairs_stats(const struct pairs *p);
struct table_stats pairs_table(const struct pairs *p);

#endif
