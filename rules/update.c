/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/judge.h"

#include "rules/age.h"
#include "rules/attempt.h"
#include "rules/border.h"
#include "rules/change.h"
#include "rules/change_words.h"
#include "sensor/base/hash.h"

#include <stdlib.h>
#include <string.h>

/*
 * The update rules that look at one UPDATE and its response (RFC 2136).
 *
 * A request is taken apart once and waits as a struct change for its response. It stays for a
 * minute after that, so that a retransmission (same ends, id and content) is not judged again.
 * A response whose request was not seen is judged from the sections it echoes, if it does.
 */

/* How long a request is kept, answered or not. */
#define REQUEST_KEPT_NS (60 * NS_PER_S)
/* The slice of the table that one tick goes over. */
#define SWEEP_BUCKETS 4096

/* What request and response have in common. */
struct ends {
	struct ip client, server;
	uint16_t client_port, server_port, id, tenant;
};

struct request {
	struct request_key {
		struct ends ends; /* hashed */
		uint64_t content; /* of the message: a repeat is equal, another UPDATE is not */
	} key;
	int64_t ts_ns;
	bool answered;
	bool readable;       /* `change` is what the message says */
	bool require_signed; /* the zone's policy */
	struct change change;
};

struct updates {
	struct emit *emit;
	const struct knowledge *known;
	struct table *requests;
	struct attempts *attempts;
	uint64_t seed;
	size_t sweep_from;
	int64_t tick_ns; /* while a slice is being visited */
};

/* --- start and end ------------------------------------------------------------------------ */

static void update_family_free(void *state)
{
	struct updates *u = state;

	table_free(u->requests);
	attempts_free(u->attempts);
	free(u);
}

static void *update_family_new(const struct family_env *env)
{
	struct updates *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->emit = env->emit;
	u->seed = env->seed;
	u->requests = table_new("update_requests", sizeof(struct request),
		sizeof(struct request_key), env->memory_bytes / 2, env->seed);
	u->attempts = attempts_new(env->emit, env->memory_bytes / 2, env->seed);
	if (!u->requests || !u->attempts) {
		update_family_free(u);
		return NULL;
	}
	return u;
}

static void update_family_adopt(void *state, const struct knowledge *known)
{
	struct updates *u = state;

	u->known = known;
	attempts_adopt(u->attempts, known);
}

/* --- update.unsigned_accepted ------------------------------------------------------------- */

static void raise_accepted(struct updates *u, const struct exchange *x, const struct change *c)
{
	bool outside = change_is_outside(x->tenant, &x->now->client);
	unsigned first = c->critical_name ? c->critical_name - 1u : 0;
	const char *key = c->name_count ? change_name(c, first) : change_zone(c);
	struct alert *a = emit_open(u->emit, RULE_UPDATE_UNSIGNED_ACCEPTED, x, key);
	char client[IP_TEXT_MAX], server[IP_TEXT_MAX], names[CHANGE_LIST_MAX];

	if (!a)
		return;
	if ((outside || c->critical) &&
		change_severity_is_free(x->tenant, RULE_UPDATE_UNSIGNED_ACCEPTED))
		a->severity = SEVERITY_CRITICAL;
	a->score = outside || c->critical ? 95 : 80;
	change_fill(u->emit, a, c);
	alert_why(a, "signature", alert_words(a, "none"), alert_words(a, "TSIG or SIG(0)"),
		alert_none());
	change_why(a, c);
	if (outside)
		change_why_outside(a);
	change_list(c, first, names, sizeof(names));
	a->message = alert_printf(a,
		"%s changed %s in zone %s without any signature, and the server %s accepted it",
		ip_format(&x->now->client, client), names, change_zone(c),
		ip_format(&x->now->server, server));
	change_hint_unsigned(u->emit, c);
	emit_commit(u->emit);
}

/* --- update.external_server --------------------------------------------------------------- */

static void say_external(struct updates *u, struct alert *a, const struct exchange *x,
	const struct change *c, bool leak)
{
	char client[IP_TEXT_MAX], server[IP_TEXT_MAX], names[CHANGE_LIST_MAX];

	ip_format(&x->now->client, client);
	ip_format(&x->now->server, server);
	change_list(c, 0, names, sizeof(names));
	if (leak) {
		a->message = alert_printf(a,
			"%s leaks the registration of %s, a private address, to %s outside",
			client, names, server);
		emit_hint_exclude(u->emit, change_zone(c));
		return;
	}
	a->message = alert_printf(a,
		"%s sends a DNS UPDATE for %s in zone %s to %s, which is not one of "
		"%s's servers",
		client, names, change_zone(c), server,
		x->tenant->number == POLICY_UNMAPPED ? "the network" : x->tenant->id);
	emit_hint(u->emit, "    zones:\n      - name: %s\n        servers: [%s]\n",
		emit_yaml(u->emit, change_zone(c)), emit_yaml(u->emit, server));
}

static void judge_server(struct updates *u, const struct exchange *x, const struct change *c)
{
	char server[IP_TEXT_MAX];

	if (!border_is_crossed(x->tenant, x->now))
		return;
	struct alert *a = emit_open(u->emit, RULE_UPDATE_EXTERNAL_SERVER, x, change_zone(c));
	if (!a)
		return;
	bool leak = border_is_leak(c, &x->now->server);
	if (leak && change_severity_is_free(x->tenant, RULE_UPDATE_EXTERNAL_SERVER))
		a->severity = SEVERITY_LOW;
	a->score = leak ? 20 : 75;
	change_fill(u->emit, a, c);
	alert_why(a, "server", alert_words(a, ip_format(&x->now->server, server)), alert_none(),
		alert_none());
	if (leak)
		alert_why(a, "leak", alert_words(a, "reverse zone of private addresses"),
			alert_none(), alert_none());
	if (c->change_count > 0)
		change_why(a, c);
	say_external(u, a, x, c, leak);
	emit_commit(u->emit);
}

/* --- requests and responses --------------------------------------------------------------- */

/* The tenant's policy for exactly this zone; NULL when it lists none. */
static const struct policy_zone *find_zone(const struct updates *u, const struct exchange *x)
{
	const struct observation_match *match = observation_matches(x->now);

	for (unsigned i = 0; i < x->now->match_count; i++) {
		if (match[i].name != 0 || match[i].labels != x->now->qname_labels)
			continue;
		size_t count;
		const struct mark *mark = index_marks(u->known->index, match[i].entry, &count);
		for (size_t k = 0; k < count; k++) {
			if (mark[k].kind == MARK_ZONE && mark[k].source == x->tenant->number &&
				mark[k].detail < x->tenant->zone_count)
				return &x->tenant->zone[mark[k].detail];
		}
	}
	return NULL;
}

/* Summarise the message that travels along. False when there is none or it cannot be read. */
static bool read_message(struct updates *u, struct change *c, const struct exchange *x)
{
	const struct observation *o = x->now;
	const uint8_t *wire = observation_message(o);
	char zone[DNS_NAME_TEXT_MAX];
	struct update *update = wire ? update_decode(wire, o->wire_len_message) : NULL;

	if (update) {
		change_read(c, update, find_zone(u, x));
		update_free(update);
		return true;
	}
	dns_name_format_wire(observation_qname_wire(o), o->qname_len, zone);
	change_init(c, zone, o->has_signature);
	return false;
}

static bool requires_signature(const struct updates *u, const struct exchange *x)
{
	const struct policy_zone *zone = find_zone(u, x);

	return !zone || zone->require_signed;
}

static struct ends ends_of(const struct exchange *x)
{
	return (struct ends){
		.client = x->now->client,
		.server = x->now->server,
		.client_port = x->now->client_port,
		.server_port = x->now->server_port,
		.id = x->now->id,
		.tenant = x->tenant->number,
	};
}

static uint64_t hash_ends(const struct updates *u, const struct ends *ends)
{
	return hash_bytes(u->seed, ends, sizeof(*ends));
}

static void observe_request(struct updates *u, const struct exchange *x)
{
	const uint8_t *wire = observation_message(x->now);
	struct request_key key = { .ends = ends_of(x) };
	bool is_new;

	if (wire)
		key.content = hash_bytes(u->seed, wire, x->now->wire_len_message);
	struct request *r = table_add(u->requests, hash_ends(u, &key.ends), &key, &is_new);
	if (!is_new && age_of(r->ts_ns, x->ts_ns) <= REQUEST_KEPT_NS)
		return;
	r->ts_ns = x->ts_ns;
	r->answered = false;
	r->require_signed = requires_signature(u, x);
	r->readable = read_message(u, &r->change, x);
	judge_server(u, x, &r->change);
	if (r->change.signature != UPDATE_UNSIGNED)
		attempts_signed(u->attempts, x, &r->change);
}

/* The request that is answered: the oldest without an answer. *repeated: all have theirs. */
static struct request *find_request(struct updates *u, const struct exchange *x, bool *repeated)
{
	struct ends ends = ends_of(x);
	struct request *oldest = NULL, *r;

	if (x->told_late)
		ends.tenant = POLICY_UNMAPPED;
	unsigned way = 0;
	uint64_t hash = hash_ends(u, &ends);

	*repeated = false;
	while ((r = table_next(u->requests, hash, &way))) {
		if (memcmp(&r->key.ends, &ends, sizeof(ends)) != 0 ||
			age_of(r->ts_ns, x->ts_ns) > REQUEST_KEPT_NS)
			continue;
		if (r->answered)
			*repeated = true;
		else if (!oldest || r->ts_ns < oldest->ts_ns)
			oldest = r;
	}
	return oldest;
}

static void judge_response(struct updates *u, const struct exchange *x, const struct change *c,
	bool require_signed)
{
	uint16_t rcode = x->now->rcode;

	if (c->signature != UPDATE_UNSIGNED) {
		if (rcode == DNS_RCODE_NOTAUTH)
			attempts_disowned(u->attempts, x, c);
		return;
	}
	/* Prerequisites alone change nothing: Windows tests registrations so. */
	if (c->change_count == 0 || !require_signed)
		return;
	if (rcode == DNS_RCODE_NOERROR)
		raise_accepted(u, x, c);
	else if (rcode == DNS_RCODE_REFUSED || rcode == DNS_RCODE_NOTAUTH)
		attempts_refused(u->attempts, x, c);
}

/* The request was nobody's until its response told the tenant: what is due at a request. */
static void adopt_request(struct updates *u, const struct exchange *x, struct request *r)
{
	r->require_signed = requires_signature(u, x);
	judge_server(u, x, &r->change);
	if (r->change.signature != UPDATE_UNSIGNED)
		attempts_signed(u->attempts, x, &r->change);
}

/* A response whose request was not seen, from what it repeats of it. */
static void judge_echo(struct updates *u, const struct exchange *x, const struct change *c)
{
	/* Where requests are visible, a response that nobody asked for tells nothing of its client. */
	if (x->queries_hidden)
		judge_server(u, x, c);
	if (c->signature != UPDATE_UNSIGNED && x->now->rcode == DNS_RCODE_NOERROR)
		attempts_signed(u->attempts, x, c);
	judge_response(u, x, c, requires_signature(u, x));
}

static void observe_response(struct updates *u, const struct exchange *x)
{
	bool repeated;
	struct request *r = find_request(u, x, &repeated);
	struct change echo;

	if (r) {
		r->answered = true;
		if (x->told_late)
			adopt_request(u, x, r);
		if (r->readable)
			judge_response(u, x, &r->change, r->require_signed);
	} else if (!repeated && read_message(u, &echo, x)) {
		judge_echo(u, x, &echo);
	}
}

static void update_family_observe(void *state, const struct exchange *x)
{
	if (x->now->opcode != DNS_OPCODE_UPDATE)
		return;
	if (x->now->response)
		observe_response(state, x);
	else
		observe_request(state, x);
}

/* --- ticks -------------------------------------------------------------------------------- */

static void end_request(void *entry, void *arg)
{
	struct updates *u = arg;
	struct request *r = entry;

	if (age_of(r->ts_ns, u->tick_ns) > REQUEST_KEPT_NS)
		table_remove(u->requests, r);
}

static void update_family_tick(void *state, const struct exchange *x)
{
	struct updates *u = state;

	attempts_tick(u->attempts, x);
	u->tick_ns = x->ts_ns;
	table_sweep(u->requests, &u->sweep_from, SWEEP_BUCKETS, end_request, u);
}

static void update_family_stats(const void *state, struct judge_stats *out)
{
	const struct updates *u = state;

	judge_stats_add(out, table_stats(u->requests));
	attempts_stats(u->attempts, out);
}

const struct family update_family = {
	.name = "update",
	.memory_share = 2,
	.new = update_family_new,
	.free = update_family_free,
	.adopt = update_family_adopt,
	.observe = update_family_observe,
	.tick = update_family_tick,
	.stats = update_family_stats,
};
