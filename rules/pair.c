/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/pair.h"

#include "rules/age.h"
#include "rules/policy.h"
#include "sensor/base/hash.h"

#include <assert.h>
#include <stdlib.h>

/*
 * What a response always repeats (both ends, ports, transport, opcode, id) is hashed and
 * decides the bucket. Question and tenant are part of the key but not of the hash: a response
 * may come without a question, or without the tags that told its tenant. So all queries that a
 * response may belong to are in one bucket, and one cache line is enough to choose.
 *
 * Every query seen is in exactly one of: matched, unanswered, repeated, evicted, pending. A
 * query that was repeated stays after its first response, since each repeat may be answered
 * too.
 */

/* A whole pass over the table takes this long, so nothing is kept much longer than the timeout.
 */
#define SWEEP_NS (30 * NS_PER_S)

struct entry {
	/* The key, up to `open`. */
	struct ip client, server;
	uint16_t client_port, server_port, id;
	uint8_t opcode, transport;
	uint64_t qname_hash;
	uint16_t qtype, tenant;
	uint16_t open; /* queries that may still be answered: the first and its repeats */
	bool answered;
	int64_t asked_ns; /* the first time */
};
static_assert(sizeof(struct entry) == CACHE_LINE, "an entry is one cache line");

#define HASHED_BYTES offsetof(struct entry, qname_hash)
#define KEY_BYTES    offsetof(struct entry, open)

struct pairs {
	struct table *table;
	uint64_t seed;
	struct pair_stats stats;
	int64_t now_ns; /* of the last tick */
	size_t sweep_from;
	bool ticked;
};

static void count_evicted(void *entry, void *arg)
{
	const struct entry *e = entry;
	struct pairs *p = arg;

	if (e->answered)
		return;
	p->stats.evicted++;
	p->stats.pending--;
}

struct pairs *pairs_new(size_t memory_bytes, uint64_t seed)
{
	struct pairs *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->seed = seed;
	p->table = table_new("pairs", sizeof(struct entry), KEY_BYTES, memory_bytes, seed);
	if (!p->table) {
		free(p);
		return NULL;
	}
	table_on_evict(p->table, count_evicted, p);
	return p;
}

void pairs_free(struct pairs *p)
{
	if (!p)
		return;
	table_free(p->table);
	free(p);
}

static void fill_key(struct entry *key, const struct observation *o)
{
	key->client = o->client;
	key->server = o->server;
	key->client_port = o->client_port;
	key->server_port = o->server_port;
	key->id = o->id;
	key->opcode = o->opcode;
	key->transport = o->transport;
	key->qname_hash = o->qname_hash;
	key->qtype = o->qtype;
	key->tenant = o->tenant;
}

uint64_t pairs_prepare(const struct pairs *p, const struct observation *o)
{
	struct entry key;

	fill_key(&key, o);
	uint64_t hash = hash_bytes(p->seed, &key, HASHED_BYTES);
	table_prefetch(p->table, hash, TABLE_BUCKET);
	return hash;
}

void pairs_prefetch(const struct pairs *p, uint64_t hash)
{
	table_prefetch(p->table, hash, TABLE_ENTRY);
}

static bool is_expired(const struct entry *e, int64_t now_ns)
{
	return age_of(e->asked_ns, now_ns) > PAIR_TIMEOUT_NS;
}

static void close_entry(struct pairs *p, struct entry *e)
{
	if (!e->answered) {
		p->stats.unanswered++;
		p->stats.pending--;
	}
	table_remove(p->table, e);
}

static void ask(struct pairs *p, struct entry *e, const struct observation *o)
{
	e->asked_ns = o->ts_ns;
	e->answered = false;
	e->open = 1;
	p->stats.pending++;
}

static void observe_query(
	struct pairs *p, const struct entry *key, uint64_t hash, const struct observation *o)
{
	bool is_new;
	struct entry *e = table_add(p->table, hash, key, &is_new);

	p->stats.queries++;
	if (!is_new && is_expired(e, o->ts_ns)) {
		if (!e->answered) {
			p->stats.unanswered++;
			p->stats.pending--;
		}
		is_new = true;
	}
	if (is_new || e->answered) {
		ask(p, e, o);
		return;
	}
	p->stats.repeated++;
	if (e->open < UINT16_MAX)
		e->open++;
}

/* How well does the response fit this query? 0: not at all; same tenant beats a missing one. */
static unsigned fitness(const struct entry *e, const struct entry *key, bool has_question)
{
	if (memcmp(e, key, HASHED_BYTES) != 0)
		return 0;
	if (has_question && (e->qname_hash != key->qname_hash || e->qtype != key->qtype))
		return 0;
	if (e->tenant == key->tenant)
		return 2;
	return e->tenant == POLICY_UNMAPPED || key->tenant == POLICY_UNMAPPED;
}

/* The query that is answered: the best fit, of equal ones one not answered yet, then the
 * oldest. */
static struct entry *find_query(
	struct pairs *p, const struct entry *key, uint64_t hash, const struct observation *o)
{
	struct entry *best = NULL, *e;
	unsigned best_fit = 0, way = 0;

	while ((e = table_next(p->table, hash, &way))) {
		unsigned fit = 2 * fitness(e, key, o->has_question);
		if (fit == 0)
			continue;
		if (is_expired(e, o->ts_ns)) {
			close_entry(p, e);
			continue;
		}
		fit += !e->answered;
		if (fit > best_fit || (fit == best_fit && e->asked_ns < best->asked_ns)) {
			best = e;
			best_fit = fit;
		}
	}
	return best;
}

static struct pair_result observe_response(
	struct pairs *p, const struct entry *key, uint64_t hash, const struct observation *o)
{
	struct entry *e = find_query(p, key, hash, o);

	if (!e) {
		p->stats.unsolicited++;
		return (struct pair_result){ .tenant = o->tenant };
	}
	struct pair_result result = {
		.matched = true,
		.told_late = e->tenant == POLICY_UNMAPPED && o->tenant != POLICY_UNMAPPED,
		.rtt_ns = o->ts_ns > e->asked_ns ? o->ts_ns - e->asked_ns : 0,
		.tenant = e->tenant != POLICY_UNMAPPED ? e->tenant : o->tenant,
	};
	if (e->answered) {
		p->stats.repeats_answered++;
	} else {
		e->answered = true;
		p->stats.matched++;
		p->stats.pending--;
	}
	if (--e->open == 0)
		table_remove(p->table, e);
	return result;
}

struct pair_result pairs_observe(struct pairs *p, const struct observation *o, uint64_t hash)
{
	struct entry key;

	fill_key(&key, o);
	if (o->response)
		return observe_response(p, &key, hash, o);
	observe_query(p, &key, hash, o);
	return (struct pair_result){ .tenant = o->tenant };
}

static void close_if_old(void *entry, void *arg)
{
	struct pairs *p = arg;
	struct entry *e = entry;

	if (is_expired(e, p->now_ns))
		close_entry(p, e);
}

void pairs_tick(struct pairs *p, int64_t ts_ns)
{
	size_t count = table_bucket_count(p->table);
	int64_t passed = p->ticked ? age_of(p->now_ns, ts_ns) : SWEEP_NS;

	p->ticked = true;
	p->now_ns = ts_ns;
	if (passed <= 0)
		return; /* captures may step back in time */
	if (passed < SWEEP_NS)
		count = (size_t)((double)count * (double)passed / (double)SWEEP_NS) + 1;
	table_sweep(p->table, &p->sweep_from, count, close_if_old, p);
}

struct pair_stats pairs_stats(const struct pairs *p)
{
	return p->stats;
}

struct table_stats pairs_table(const struct pairs *p)
{
	return table_stats(p->table);
}
