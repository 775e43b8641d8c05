/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/transaction.h"

#include "rules/age.h"
#include "rules/octet_store.h"
#include "sensor/base/hash.h"

#include <stdlib.h>
#include <string.h>

/*
 * Two tables: the requests, found by the ends that a response has in common with them, and for
 * each content who was asked last, so that the same going on from that server is known for a
 * secondary's leg. Content is zone, prerequisites and changes, octet by octet. The id is not: a
 * secondary chooses its own. Nor is the signature: BIND passes it on, Knot DNS since 3.4 checks it
 * and then leaves it out or signs anew.
 */

/* The slice of the table that one tick goes over. */
#define SWEEP_BUCKETS 4096
/* The header's ZOCOUNT, PRCOUNT and UPCOUNT (RFC 2136 2.2). */
#define COUNTS_AT  4
#define COUNTS_LEN 6
/* Parts of the memory: requests, octets, contents. */
#define REQUESTS_SHARE 2
#define OCTETS_SHARE   5
#define CONTENTS_SHARE 1
#define SHARES         (REQUESTS_SHARE + OCTETS_SHARE + CONTENTS_SHARE)

/* What request and response have in common. */
struct ends {
	struct ip client, server;
	uint16_t client_port, server_port, id, tenant;
};

struct request_key {
	struct ends ends; /* hashed */
	uint64_t message; /* its octets: a repeat is equal, another UPDATE is not */
};

struct request {
	struct request_key key;
	int64_t ts_ns;
	uint64_t change, octets;  /* places in the store; 0: not kept */
	struct request_key outer; /* of a secondary's leg: the client's request */
	bool is_leg;
	bool answered;
	bool readable; /* the change is what the message says */
	bool forwarded, passed_unsigned;
	bool primary_answered;
	uint16_t primary_rcode, primary_tsig_error;
	struct ip primary;
	uint8_t transport, vlan_count;
	uint16_t vlan[2];
};

/* Whom this content was sent to last. */
struct content {
	struct content_key {
		uint64_t content;
		uint16_t tenant;
		uint16_t unused[3];
	} key;
	int64_t ts_ns;
	struct request_key request;
};

struct transactions {
	const struct knowledge *known;
	struct table *requests, *contents;
	struct octet_store *octets;
	uint64_t seed;
	size_t requests_from, contents_from; /* where the next slice begins */
	/* What the last transaction told points to. */
	struct update *request, *response;
	struct change change;
	uint64_t faults[UPDATE_FAULT_COUNT];
	/* While a slice is being visited. */
	const struct exchange *tick;
	transactions_finish *finish;
	void *finish_arg;
};

struct transactions *transactions_new(size_t memory_bytes, uint64_t seed)
{
	struct transactions *all = calloc(1, sizeof(*all));
	size_t share = memory_bytes / SHARES;

	if (!all)
		return NULL;
	all->seed = seed;
	all->requests = table_new("update_requests", sizeof(struct request),
		sizeof(struct request_key), share * REQUESTS_SHARE, seed);
	all->contents = table_new("update_contents", sizeof(struct content),
		sizeof(struct content_key), share * CONTENTS_SHARE, seed);
	all->octets = octet_store_new(share * OCTETS_SHARE);
	if (!all->requests || !all->contents || !all->octets) {
		transactions_free(all);
		return NULL;
	}
	return all;
}

static void forget_last(struct transactions *all)
{
	update_free(all->request);
	update_free(all->response);
	all->request = all->response = NULL;
}

void transactions_free(struct transactions *all)
{
	if (!all)
		return;
	forget_last(all);
	table_free(all->requests);
	table_free(all->contents);
	octet_store_free(all->octets);
	free(all);
}

void transactions_adopt(struct transactions *all, const struct knowledge *known)
{
	all->known = known;
}

/* --- what both sides share ---------------------------------------------------------------- */

/* The tenant's policy for exactly this zone; NULL when it lists none. */
static const struct policy_zone *find_zone(
	const struct transactions *all, const struct policy *tenant, const char *zone)
{
	struct dns_name name;
	uint32_t entry;

	if (tenant->zone_count == 0 || !dns_name_parse(&name, zone) ||
		!index_find(all->known->index, &name, &entry))
		return NULL;
	struct index_concerns it =
		index_concerns_start(all->known->index, entry, tenant->number);
	for (const struct mark *m; (m = index_concerns_next(&it));) {
		if (m->kind == MARK_ZONE && m->detail < tenant->zone_count)
			return &tenant->zone[m->detail];
	}
	return NULL;
}

static uint64_t hash_ends(const struct transactions *all, const struct ends *ends)
{
	return hash_bytes(all->seed, ends, sizeof(*ends));
}

static struct ends ends_of(const struct exchange *x)
{
	return (struct ends){
		.client = x->now->client,
		.server = x->now->server,
		.client_port = x->now->client_port,
		.server_port = x->now->server_port,
		.id = x->now->id,
		.tenant = x->tenant_number,
	};
}

/* Of all that follows the header's id; 0 when the message did not travel along. */
static uint64_t message_of(const struct transactions *all, const struct observation *o)
{
	const uint8_t *wire = observation_message(o);

	if (!wire || o->wire_len_message < DNS_HEADER_LEN)
		return 0;
	return hash_bytes(all->seed, wire + 2, o->wire_len_message - 2u);
}

/*
 * Of what is asked: counts of zones, prerequisites and changes, and these themselves; of all the
 * rest, too, when it cannot be read. 0 when the message did not travel along.
 */
static uint64_t content_of(
	const struct transactions *all, const struct observation *o, const struct update *u)
{
	const uint8_t *wire = observation_message(o);
	size_t len = u ? u->asked_len : o->wire_len_message;

	if (!wire || len < DNS_HEADER_LEN)
		return 0;
	uint64_t counts = hash_bytes(all->seed, wire + COUNTS_AT, COUNTS_LEN);
	return hash_bytes(counts, wire + DNS_HEADER_LEN, len - DNS_HEADER_LEN);
}

static struct update *decode(const struct observation *o)
{
	const uint8_t *wire = observation_message(o);

	return wire ? update_decode(wire, o->wire_len_message) : NULL;
}

static void count_fault(struct transactions *all, const struct update *u)
{
	all->faults[u ? u->fault : UPDATE_FAULT_UNREADABLE]++;
}

/* Summarise; what could not be read is an empty change to the zone that the message names. */
static bool summarise(struct transactions *all, struct change *c, const struct exchange *x,
	const struct update *u)
{
	char zone[DNS_NAME_TEXT_MAX];

	if (u) {
		change_read(c, u, find_zone(all, x->tenant, u->zone));
		return true;
	}
	dns_name_format_wire(observation_qname_wire(x->now), x->now->qname_len, zone);
	change_init(c, zone, x->now->has_signature);
	return false;
}

static void tell_ends(struct transaction *out, const struct observation *o)
{
	out->client = o->client;
	out->server = o->server;
	out->client_port = o->client_port;
	out->server_port = o->server_port;
	out->id = o->id;
	out->transport = o->transport;
	out->vlan_count = o->vlan_count;
	memcpy(out->vlan, o->vlan, sizeof(out->vlan));
}

/* --- requests ----------------------------------------------------------------------------- */

static struct request *find_request(struct transactions *all, const struct request_key *key)
{
	return table_find(all->requests, hash_ends(all, &key->ends), key);
}

/* The last request of this content before `key`, which takes its place. False: none in time. */
static bool exchange_last(struct transactions *all, const struct exchange *x, uint64_t content,
	const struct request_key *key, struct request_key *last)
{
	struct content_key its = { .content = content, .tenant = key->ends.tenant };
	bool is_new;
	struct content *c =
		table_add(all->contents, table_hash(all->contents, &its), &its, &is_new);
	bool in_time = !is_new && age_of(c->ts_ns, x->ts_ns) <= TRANSACTION_KEPT_NS;

	*last = c->request;
	c->ts_ns = x->ts_ns;
	c->request = *key;
	return in_time;
}

/*
 * The client's request that this one passes on: the same content, still open, sent by somebody
 * else to who sends it now; or the one that this sender passed on before and now does again.
 */
static struct request *find_outer(struct transactions *all, const struct exchange *x,
	uint64_t content, const struct request_key *key)
{
	struct request_key last;

	if (!exchange_last(all, x, content, key, &last))
		return NULL;
	struct request *before = find_request(all, &last);
	if (!before)
		return NULL;
	if (ip_equal(&last.ends.client, &key->ends.client))
		return before->is_leg ? find_request(all, &before->outer) : NULL;
	if (!ip_equal(&last.ends.server, &key->ends.client))
		return NULL;
	return before->is_leg || !before->answered ? before : NULL;
}

static void start_request(struct request *r, const struct exchange *x)
{
	size_t kept = sizeof(r->key);

	memset((char *)r + kept, 0, sizeof(*r) - kept);
	r->ts_ns = x->ts_ns;
	r->transport = x->now->transport;
	r->vlan_count = x->now->vlan_count;
	memcpy(r->vlan, x->now->vlan, sizeof(r->vlan));
}

/* A secondary's leg is part of the client's transaction; a chain may have several. */
static bool join_outer(struct transactions *all, const struct exchange *x,
	const struct update *u, struct request *r)
{
	uint64_t content = content_of(all, x->now, u);
	struct request *outer = content ? find_outer(all, x, content, &r->key) : NULL;

	if (!outer)
		return false;
	outer->forwarded = true;
	outer->passed_unsigned = !x->now->has_signature;
	outer->primary = r->key.ends.server;
	r->is_leg = true;
	r->outer = outer->key;
	return true;
}

/* The short form first: it is needed more than the octets, and fits when they do not. */
static void keep(struct transactions *all, struct request *r, const struct observation *o)
{
	const uint8_t *wire = observation_message(o);

	r->change = octet_store_add(
		all->octets, (const uint8_t *)&all->change, change_size(&all->change));
	if (wire)
		r->octets = octet_store_add(all->octets, wire, o->wire_len_message);
}

bool transactions_ask(
	struct transactions *all, const struct exchange *x, struct transaction *out)
{
	struct request_key key = { .ends = ends_of(x), .message = message_of(all, x->now) };
	bool is_new;
	struct request *r = table_add(all->requests, hash_ends(all, &key.ends), &key, &is_new);

	if (!is_new && age_of(r->ts_ns, x->ts_ns) <= TRANSACTION_KEPT_NS)
		return false;
	forget_last(all);
	start_request(r, x);
	all->request = decode(x->now);
	if (join_outer(all, x, all->request, r))
		return false;
	count_fault(all, all->request);
	r->readable = summarise(all, &all->change, x, all->request);
	keep(all, r, x->now);
	*out = (struct transaction){
		.request = all->request,
		.change = &all->change,
		.zone = find_zone(all, x->tenant, change_zone(&all->change)),
		.request_seen = true,
		.readable = r->readable,
		.asked_ns = x->ts_ns,
		.latency_ns = -1,
	};
	tell_ends(out, x->now);
	return true;
}

/* --- responses ---------------------------------------------------------------------------- */

/* The request that is answered: the oldest without an answer. *repeated: all have theirs. */
static struct request *find_asked(
	struct transactions *all, const struct exchange *x, bool *repeated)
{
	struct ends ends = ends_of(x);
	struct request *oldest = NULL, *r;

	if (x->told_late)
		ends.tenant = POLICY_UNMAPPED;
	unsigned way = 0;
	uint64_t hash = hash_ends(all, &ends);

	*repeated = false;
	while ((r = table_next(all->requests, hash, &way))) {
		if (memcmp(&r->key.ends, &ends, sizeof(ends)) != 0 ||
			age_of(r->ts_ns, x->ts_ns) > TRANSACTION_KEPT_NS)
			continue;
		if (r->answered)
			*repeated = true;
		else if (!oldest || r->ts_ns < oldest->ts_ns)
			oldest = r;
	}
	return oldest;
}

/* The short form, as it was kept; without it there is only that somebody asked. */
static bool recall_change(struct transactions *all, const struct request *r)
{
	size_t len;
	const uint8_t *kept = octet_store_find(all->octets, r->change, &len);

	if (!kept || len > sizeof(all->change)) {
		change_init(&all->change, ".", false);
		return false;
	}
	memcpy(&all->change, kept, len);
	return r->readable;
}

/* The request's octets, taken apart again. */
static void recall(struct transactions *all, const struct request *r, struct transaction *out)
{
	size_t len;
	const uint8_t *wire = octet_store_find(all->octets, r->octets, &len);

	out->readable = recall_change(all, r);
	all->request = wire ? update_decode(wire, len) : NULL;
	out->request = all->request;
	out->change = &all->change;
	out->request_seen = true;
	out->request_lost = r->readable && !out->request;
	out->forwarded = r->forwarded;
	out->passed_unsigned = r->passed_unsigned;
	out->primary = r->primary;
	out->asked_ns = r->ts_ns;
}

/* What the primary said, for the client's leg: its own response may not come by here. */
static void tell_outer(
	struct transactions *all, const struct request *leg, const struct exchange *x)
{
	struct request *client = find_request(all, &leg->outer);
	struct update *response = decode(x->now);

	if (client) {
		client->primary_answered = true;
		client->primary_rcode = x->now->rcode;
		client->primary_tsig_error = response ? response->tsig_error : 0;
	}
	update_free(response);
}

static void read_response(struct transactions *all, const struct exchange *x, bool is_asked,
	struct transaction *out)
{
	const struct observation *o = x->now;
	struct update *u = NULL;

	/* Many servers answer with a header alone. */
	if (!is_asked || o->has_question || o->has_signature)
		u = decode(o);
	all->response = u;
	out->response = u;
	out->answered = true;
	out->rcode = o->rcode;
	out->tsig_error = u ? u->tsig_error : 0;
	tell_ends(out, o);
}

/* A response whose request was not seen is all there is: what it repeats stands for that. */
static void take_echo(
	struct transactions *all, const struct exchange *x, struct transaction *out)
{
	out->readable = summarise(all, &all->change, x, out->response);
	out->change = &all->change;
	out->asked_ns = x->ts_ns;
	if (out->response)
		count_fault(all, out->response);
}

bool transactions_answer(
	struct transactions *all, const struct exchange *x, struct transaction *out)
{
	bool repeated;
	struct request *r = find_asked(all, x, &repeated);

	if (!r && repeated)
		return false;
	if (r) {
		r->answered = true;
		if (r->is_leg) {
			tell_outer(all, r, x);
			return false;
		}
	}
	forget_last(all);
	*out = (struct transaction){ .latency_ns = -1 };
	read_response(all, x, r != NULL, out);
	if (r) {
		recall(all, r, out);
		out->latency_ns = age_of(r->ts_ns, x->ts_ns);
	} else {
		take_echo(all, x, out);
	}
	out->zone = find_zone(all, x->tenant, change_zone(out->change));
	return true;
}

/* --- ticks -------------------------------------------------------------------------------- */

/* Nobody answered the client, as far as was seen; its primary may have. */
static void finish_request(struct transactions *all, const struct request *r)
{
	const struct policy_set *policies = all->known->policies;
	const struct ends *ends = &r->key.ends;
	struct transaction t = {
		.answered = r->primary_answered,
		.rcode = r->primary_rcode,
		.tsig_error = r->primary_tsig_error,
		.latency_ns = -1,
		.client = ends->client,
		.server = ends->server,
		.client_port = ends->client_port,
		.server_port = ends->server_port,
		.id = ends->id,
		.transport = r->transport,
		.vlan_count = r->vlan_count,
		.vlan = { r->vlan[0], r->vlan[1] },
	};

	if (ends->tenant >= policies->tenant_count)
		return;
	struct exchange x = *all->tick;
	x.tenant = &policies->tenant[ends->tenant];
	x.tenant_number = ends->tenant;
	forget_last(all);
	recall(all, r, &t);
	t.zone = find_zone(all, x.tenant, change_zone(t.change));
	all->finish(all->finish_arg, &x, &t);
}

static void end_request(void *entry, void *arg)
{
	struct transactions *all = arg;
	struct request *r = entry;

	if (age_of(r->ts_ns, all->tick->ts_ns) <= TRANSACTION_KEPT_NS)
		return;
	if (!r->answered && !r->is_leg)
		finish_request(all, r);
	table_remove(all->requests, r);
}

static void end_content(void *entry, void *arg)
{
	struct transactions *all = arg;
	struct content *c = entry;

	if (age_of(c->ts_ns, all->tick->ts_ns) > TRANSACTION_KEPT_NS)
		table_remove(all->contents, c);
}

void transactions_tick(struct transactions *all, const struct exchange *x,
	transactions_finish *finish, void *arg)
{
	all->tick = x;
	all->finish = finish;
	all->finish_arg = arg;
	table_sweep(all->requests, &all->requests_from, SWEEP_BUCKETS, end_request, all);
	table_sweep(all->contents, &all->contents_from, SWEEP_BUCKETS, end_content, all);
	all->tick = NULL;
}

void transactions_end(struct transactions *all, const struct exchange *x,
	transactions_finish *finish, void *arg)
{
	all->tick = x;
	all->finish = finish;
	all->finish_arg = arg;
	table_each(all->requests, end_request, all);
	all->tick = NULL;
}

void transactions_stats(const struct transactions *all, struct judge_stats *out)
{
	judge_stats_add(out, table_stats(all->requests));
	judge_stats_add(out, table_stats(all->contents));
	for (size_t i = 0; i < UPDATE_FAULT_COUNT; i++)
		out->update_faults[i] += all->faults[i];
}
