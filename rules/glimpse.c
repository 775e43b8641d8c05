/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/glimpse.h"

/* An answer at a first look. */
struct look {
	/* The addresses in any order. Seeded with the name, so that nobody makes up sets that are
	 * alike. */
	uint32_t set;
	uint32_t ttl_max_s;
};

static inline ALWAYS_INLINE struct look look_at(const struct observation *o)
{
	const struct dns_address *a = observation_addresses(o);
	struct look look = { 0 };

	for (unsigned i = 0; i < o->address_count; i++) {
		look.set += (uint32_t)ip_hash(o->qname_hash, &a[i].ip);
		look.ttl_max_s = a[i].ttl > look.ttl_max_s ? a[i].ttl : look.ttl_max_s;
	}
	return look;
}

uint32_t glimpse_ttl(const struct observation *o)
{
	const struct dns_address *a = observation_addresses(o);
	uint32_t ttl_max_s = 0;

	for (unsigned i = 0; i < o->address_count; i++)
		ttl_max_s = a[i].ttl > ttl_max_s ? a[i].ttl : ttl_max_s;
	return ttl_max_s;
}

/* Which kinds of hosts are among them? */
static void read_kinds(const struct observation *o, bool *has_public, bool *has_private)
{
	const struct dns_address *a = observation_addresses(o);
	unsigned kinds = 0;

	for (unsigned i = 0; i < o->address_count; i++)
		kinds |= 1u << ip_kind_of(&a[i].ip);
	*has_public = kinds >> IP_PUBLIC & 1;
	*has_private = kinds >> IP_PRIVATE & 1;
}

bool glimpse_first(struct glimpse *g, const struct moves_key *key, const struct observation *o,
	uint32_t now_s)
{
	struct look look = look_at(o);
	bool has_public, has_private;

	read_kinds(o, &has_public, &has_private);
	bool close = has_public && has_private;
	*g = (struct glimpse){
		.key = *key,
		.ip = observation_addresses(o)[0].ip,
		.set = look.set,
		.ttl_max_s = look.ttl_max_s,
		.first_s = now_s,
		.last_s = close ? 0 : now_s,
		.set_size = o->address_count,
		.has_public = has_public,
	};
	return close;
}

static bool is_stale(const struct glimpse *g, uint32_t now_s, uint32_t window_s)
{
	return (int32_t)(now_s - g->last_s) > (int32_t)window_s;
}

bool glimpse_again(
	struct glimpse *g, const struct observation *o, uint32_t now_s, uint32_t window_s)
{
	/* A set of both kinds was news when it came first, and is moved since. */
	if (g->moved || g->first_s == 0 || is_stale(g, now_s, window_s))
		return false;
	struct look look = look_at(o);
	if (look.set != g->set)
		return false;
	if (look.ttl_max_s > g->ttl_max_s)
		g->ttl_max_s = look.ttl_max_s;
	g->last_s = now_s;
	return true;
}

bool glimpse_note(
	struct glimpse *g, const struct observation *o, uint32_t now_s, uint32_t window_s)
{
	bool stale = is_stale(g, now_s, window_s);
	struct look look = look_at(o);
	bool has_public, has_private;

	if (look.ttl_max_s > g->ttl_max_s)
		g->ttl_max_s = look.ttl_max_s;
	if (g->moved && g->first_s != 0)
		return true;
	read_kinds(o, &has_public, &has_private);
	if (g->first_s == 0 || (stale && !g->moved)) {
		g->first_s = now_s;
		g->set = look.set;
		g->set_size = o->address_count;
		g->ip = observation_addresses(o)[0].ip;
		g->has_public = has_public;
	}
	bool changed = g->moved || look.set != g->set || (has_public && has_private);
	if (!changed)
		g->last_s = now_s;
	return changed;
}

void glimpse_begin(const struct glimpse *g, struct moves *m, const struct geo *geo)
{
	m->first_s = g->first_s;
	m->ttl_max_s = g->ttl_max_s;
	m->set_size_max = g->set_size;
	m->has_public = g->has_public;
	m->public_s = g->last_s;
	if (g->set_size == 1 && g->last_s != 0 && !ip_is_group(&g->ip))
		moves_start(m, &g->ip, geo, g->last_s);
}
