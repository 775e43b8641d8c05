/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/glimpse.h"

uint32_t glimpse_ttl(const struct observation *o)
{
	const struct observation_address *a = observation_addresses(o);
	uint32_t ttl_max_s = 0;

	for (unsigned i = 0; i < o->address_count; i++) {
		if (a[i].ttl > ttl_max_s)
			ttl_max_s = a[i].ttl;
	}
	return ttl_max_s;
}

/* The addresses in any order. Seeded with the name, so that nobody makes up sets that are alike. */
static uint32_t set_of(const struct observation *o)
{
	const struct observation_address *a = observation_addresses(o);
	uint32_t set = 0;

	for (unsigned i = 0; i < o->address_count; i++)
		set += (uint32_t)ip_hash(o->qname_hash, &a[i].ip);
	return set;
}

/* Which kinds of hosts are among them? */
static void read_kinds(const struct observation *o, bool *has_public, bool *has_private)
{
	const struct observation_address *a = observation_addresses(o);

	*has_public = *has_private = false;
	for (unsigned i = 0; i < o->address_count; i++) {
		if (ip_is_group(&a[i].ip))
			continue;
		if (ip_is_private(&a[i].ip))
			*has_private = true;
		else
			*has_public = true;
	}
}

/* The first answer of its window, or another one than before. */
static OUT_OF_LINE bool note_news(struct glimpse *g, const struct observation *o, uint32_t set,
	uint32_t now_s, bool stale)
{
	bool has_public, has_private;

	read_kinds(o, &has_public, &has_private);
	if (g->first_s == 0 || (stale && !g->moved)) {
		g->first_s = now_s;
		g->set = set;
		g->set_size = o->address_count;
		g->ip = observation_addresses(o)[0].ip;
		g->has_public = has_public;
	}
	bool changed = g->moved || set != g->set || (has_public && has_private);
	if (!changed)
		g->last_s = now_s;
	return changed;
}

bool glimpse_note(struct glimpse *g, const struct observation *o, uint32_t ttl_max_s,
	uint32_t now_s, uint32_t window_s)
{
	bool stale = (int32_t)(now_s - g->last_s) > (int32_t)window_s;
	uint32_t set = set_of(o);

	if (ttl_max_s > g->ttl_max_s)
		g->ttl_max_s = ttl_max_s;
	/* The same again. A set of both kinds was news when it came first, and is moved since. */
	if (LIKELY(set == g->set && g->first_s != 0 && !stale && !g->moved)) {
		g->last_s = now_s;
		return false;
	}
	return note_news(g, o, set, now_s, stale);
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
