/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * transaction.h -- one UPDATE (RFC 2136): a request joined with its response.
 *
 * Joined by both ends, ports and id, over UDP and TCP alike; the response may be empty or echo
 * the request. A retransmission (same ends, id and octets within TRANSACTION_KEPT_NS) belongs to
 * the transaction that it repeats. A secondary that passes an UPDATE on to its primary (RFC 2136
 * 6) asks for the same under an id of its own, with the client's signature, its own or none: that
 * leg is part of the client's transaction and is never told by itself, unless the client's leg was
 * not seen.
 *
 * Each transaction is told twice at most: when its request comes (transactions_ask) and when it
 * is finished, which is when the first response comes (transactions_answer) or when
 * TRANSACTION_KEPT_NS have passed without one (transactions_tick). rules/update.c is the only
 * caller; whoever wants to look at finished transactions is called from finish() there.
 *
 * Owner:    the request's octets are kept until the response comes, in a store of fixed size that
 *           overwrites the oldest. What a struct transaction points to lives until the next call
 *           with the same `struct transactions`: copy what is needed later.
 * Threads:  one tracker.
 * Input:    untrusted: a message that dns_message_decode accepted may still be refused here.
 * Limits:   tables and store divide memory_bytes; evictions are counted.
 */
#ifndef RULES_TRANSACTION_H
#define RULES_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/change.h"
#include "rules/emit.h"
#include "rules/judge.h"
#include "sensor/dns/update.h"

/* How long a request is kept, answered or not. */
#define TRANSACTION_KEPT_NS (60 * NS_PER_S)
/*
 * Rules that compare records with each other look at so many: a hostile UPDATE may have thousands.
 * Their loops end at transaction_bound().
 */
#define TRANSACTION_RECORDS_MAX 128

static inline size_t transaction_bound(size_t record_count)
{
	return record_count < TRANSACTION_RECORDS_MAX ? record_count : TRANSACTION_RECORDS_MAX;
}

struct transaction {
	/* The request, taken apart; NULL when it was not seen, could not be read, or is lost. */
	const struct update *request;
	/* The response, taken apart; NULL when there is none, or it could not be read. Of a
	 * request that was seen also when the response is but a header. */
	const struct update *response;
	/* The short form of the request, or, when that was not seen, of what the response
	 * repeats: never NULL. Holds when the request's octets are lost, too. */
	const struct change *change;
	const struct policy_zone *zone; /* the tenant's policy for it; NULL: not listed */

	bool request_seen;
	/* It was seen, and its octets are no longer there: request is NULL. When they were too
	 * large for the store, change is all there is; when they were pushed out of it, readable
	 * is false. */
	bool request_lost;
	/* What the request says is known: change is not just an empty one with the zone's name. */
	bool readable;
	bool answered;
	/* The server that was asked passed it on to `primary`. When only the primary's response
	 * was seen, rcode and tsig_error are from there. */
	bool forwarded;
	bool passed_unsigned; /* the primary got no signature, the client's or another */
	struct ip primary;

	uint16_t rcode;      /* when answered */
	uint16_t tsig_error; /* RFC 8945 5.3.1, from the response; 0: none or no TSIG */
	int64_t asked_ns;    /* the first request; the response when none was seen */
	int64_t latency_ns;  /* from the first request to the response; -1: not known */

	/* Who: x->now is NULL on a tick, so they are here. */
	struct ip client, server;
	uint16_t client_port, server_port;
	uint16_t id;
	uint8_t transport; /* enum observation_transport */
	uint8_t vlan_count;
	uint16_t vlan[2];
};

/* What is known of the request's content: the request, or what a response echoes, or NULL. */
static inline const struct update *transaction_update(const struct transaction *t)
{
	if (t->request || t->request_seen)
		return t->request;
	return t->response;
}

/* The server did what was asked (it may have had nothing to do). */
static inline bool transaction_accepted(const struct transaction *t)
{
	return t->answered && t->rcode == DNS_RCODE_NOERROR;
}

struct transactions;

/* NULL when out of memory. */
struct transactions *transactions_new(size_t memory_bytes, uint64_t seed);
void transactions_free(struct transactions *all);
void transactions_adopt(struct transactions *all, const struct knowledge *known);

/*
 * x->now is a request. True when it is a new one, with *out filled as far as it goes (answered
 * is false); false when it repeats one or is a secondary's leg.
 */
bool transactions_ask(
	struct transactions *all, const struct exchange *x, struct transaction *out);
/*
 * x->now is a response. True when it finishes a transaction; false when that was finished
 * before, or when the leg that it answers is part of another one.
 */
bool transactions_answer(
	struct transactions *all, const struct exchange *x, struct transaction *out);
/*
 * Tell what has waited too long: `finish` gets each of them, with the tick's exchange and the
 * tenant in it. A bounded slice of the table at a time.
 */
typedef void transactions_finish(
	void *arg, const struct exchange *x, const struct transaction *t);
void transactions_tick(struct transactions *all, const struct exchange *x,
	transactions_finish *finish, void *arg);
/* The capture has ended: tell, in the same way, all that have no answer yet. */
void transactions_end(struct transactions *all, const struct exchange *x,
	transactions_finish *finish, void *arg);
/* Appends the tables, adds the faults. */
void transactions_stats(const struct transactions *all, struct judge_stats *out);

#endif
