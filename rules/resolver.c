/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/judge.h"

#include "rules/age.h"
#include "rules/session.h"
#include "rules/tenant_rows.h"
#include "sensor/base/clock.h"
#include "sensor/base/prefetch.h"
#include "sensor/dns/message.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * resolver.unapproved: a client asks a server that is not the tenant's to resolve for it.
 *
 * It is judged on the query, or on the response where only responses are visible: one that comes
 * unasked among others is no use of anything, but a forgery or a reflection.
 *
 * Only a tenant that lists its resolvers can have foreign ones. Its resolvers and zone servers
 * themselves are left out: they forward and transfer. Whether a server is the tenant's is asked
 * for every query, so the answers for the last servers of a tenant are kept: of a few where there are
 * thousands of tenants, of more for each where there are few.
 *
 * A client that uses a foreign resolver does so for everything: one alert a second and pair of
 * client and server, which carries the count, says it as well as each query would.
 */

#define MEMO_WAYS 3
#define MEMO_SETS 256u /* of all tenants together; each has one at least */
#define REPEAT_NS NS_PER_S

struct use {
	struct use_key {
		struct ip client, server;
		uint16_t tenant;
		uint16_t unused[3];
	} key;
	uint64_t queries; /* since the sensor met them */
	uint64_t told;    /* of them: in alerts */
	int64_t told_ns;
	int64_t first_ns; /* of those not told yet */
};

/* The servers of a tenant that were met last, the newest first: one cache line. */
struct memo {
	struct ip server[MEMO_WAYS];
	uint8_t count;
	uint8_t foreign; /* bit n: the n-th is */
} __attribute__((aligned(CACHE_LINE)));
static_assert(sizeof(struct memo) == CACHE_LINE, "a server is looked for in one line");

struct resolver {
	struct emit *emit;
	struct table *uses;
	struct memo *memo; /* sets_each of every tenant, by number */
	size_t tenant_count, sets_each;
};

static void resolver_free(void *state)
{
	struct resolver *r = state;

	table_free(r->uses);
	free(r->memo);
	free(r);
}

static void *resolver_new(const struct family_env *env)
{
	struct resolver *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->emit = env->emit;
	r->uses = table_new("resolver_uses", sizeof(struct use), sizeof(struct use_key),
		env->memory_bytes, env->seed);
	if (!r->uses) {
		resolver_free(r);
		return NULL;
	}
	return r;
}

/* What is the tenant's may have changed. Without memory every query asks the policy. */
static void resolver_adopt(void *state, const struct knowledge *known)
{
	struct resolver *r = state;
	size_t tenants = known->policies->tenant_count;

	r->sets_each = tenants < MEMO_SETS ? MEMO_SETS / tenants : 1;
	free(r->memo);
	r->tenant_count = 0;
	r->memo = tenant_rows_grow(
		NULL, &r->tenant_count, tenants, r->sets_each * sizeof(*r->memo));
}

/* To a tenant that lists no resolvers none is foreign. */
static bool ask_foreign(const struct exchange *x)
{
	const struct ip *server = &x->now->server;

	return x->tenant->resolvers.count > 0 && !ip_is_group(server) &&
	       !policy_owns_server(x->tenant, server);
}

/* Ask, and remember it in place of the server that was met longest ago. */
static OUT_OF_LINE bool learn_server(struct memo *m, const struct exchange *x)
{
	bool foreign = ask_foreign(x);

	memmove(m->server + 1, m->server, (MEMO_WAYS - 1) * sizeof(m->server[0]));
	m->server[0] = x->now->server;
	m->foreign = (uint8_t)(m->foreign << 1 | foreign);
	m->count += m->count < MEMO_WAYS;
	return foreign;
}

static struct memo *memo_of(const struct resolver *r, const struct exchange *x)
{
	uint32_t hash = (uint32_t)(x->session->server >> 32);

	return &r->memo[x->tenant_number * r->sets_each +
			((uint64_t)hash * r->sets_each >> 32)];
}

static bool is_foreign(struct resolver *r, const struct exchange *x)
{
	if (UNLIKELY(x->tenant_number >= r->tenant_count))
		return ask_foreign(x);
	struct memo *m = memo_of(r, x);
	for (unsigned i = 0; i < m->count; i++) {
		if (LIKELY(ip_equal(&m->server[i], &x->now->server)))
			return m->foreign >> i & 1;
	}
	return learn_server(m, x);
}

static bool serves(const struct policy *tenant, const struct ip *client)
{
	if (ip_set_contains(&tenant->resolvers, client))
		return true;
	for (size_t i = 0; i < tenant->zone_count; i++) {
		if (ip_set_contains(&tenant->zone[i].servers, client))
			return true;
	}
	return false;
}

static void raise_use(struct resolver *r, const struct exchange *x, struct use *u)
{
	char client[IP_TEXT_MAX], server[IP_TEXT_MAX];
	struct alert *a;

	ip_format(&x->now->server, server);
	a = emit_open(r->emit, RULE_RESOLVER_UNAPPROVED, x, server);
	if (a) {
		a->start_ns = u->first_ns;
		a->count = u->queries - u->told;
		a->score = 30;
		alert_why(a, "server", alert_words(a, server), alert_none(), alert_none());
		alert_why(a, "queries", alert_number((double)u->queries), alert_none(),
			alert_none());
		a->message = alert_printf(a,
			"%s resolves names at %s, which is not one of %s's resolvers",
			ip_format(&x->now->client, client), server, x->tenant->id);
		emit_commit(r->emit);
	}
	u->told = u->queries;
	u->told_ns = x->ts_ns;
}

/* The query; where queries, or their tenant, are not visible: its response. */
static bool is_use(const struct exchange *x)
{
	return !x->now->response || x->told_late || (!x->matched && x->queries_hidden);
}

/* Asked of a resolver that is not the tenant's. */
static OUT_OF_LINE void count_use(struct resolver *r, const struct exchange *x)
{
	const struct observation *o = x->now;

	if (serves(x->tenant, &o->client))
		return;
	struct use_key key = {
		.client = o->client, .server = o->server, .tenant = x->tenant_number
	};
	bool is_new;
	struct use *u = table_add(r->uses, table_hash(r->uses, &key), &key, &is_new);
	if (u->queries == u->told)
		u->first_ns = x->ts_ns;
	u->queries++;
	if (is_new || age_of(u->told_ns, x->ts_ns) >= REPEAT_NS)
		raise_use(r, x, u);
}

static void resolver_observe(void *state, const struct exchange *x)
{
	if (is_use(x) && UNLIKELY(is_foreign(state, x)))
		count_use(state, x);
}

/* Where each tenant has little, all together is more than the nearest caches hold. */
static void resolver_prefetch(const void *state, const struct observation *o, uint64_t place)
{
	const struct resolver *r = state;

	(void)place;
	if (UNLIKELY(r->sets_each == 1) && o->tenant < r->tenant_count)
		prefetch_read(&r->memo[o->tenant]);
}

static void resolver_stats(const void *state, struct judge_stats *out)
{
	const struct resolver *r = state;

	judge_stats_add(out, table_stats(r->uses));
}

const struct family resolver_family = {
	.name = "resolver",
	.memory_share = 1,
	.new = resolver_new,
	.free = resolver_free,
	.adopt = resolver_adopt,
	.observe = resolver_observe,
	.concerns = CONCERN_ASKER,
	.prefetch = resolver_prefetch,
	.stats = resolver_stats,
};
