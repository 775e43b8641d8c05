/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/glimpse.h"

#include "sensor/base/hash.h"

/* What one answer shows. */
struct view {
	uint32_t set, ttl_max_s;
	uint8_t set_size;
	bool has_public, has_private;
};

static struct view view_of(const struct observation *o)
{
	const struct observation_address *a = observation_addresses(o);
	struct view v = { .set_size = o->address_count };
	for (unsigned i = 0; i < o->address_count; i++) {
		v.set += (uint32_t)hash_bytes(0, &a[i].ip, sizeof(a[i].ip)); /* in any order */
		if (a[i].ttl > v.ttl_max_s)
			v.ttl_max_s = a[i].ttl;
		if (ip_is_private(&a[i].ip))
			v.has_private = !ip_is_group(&a[i].ip) || v.has_private;
		else
			v.has_public = v.has_public || !ip_is_group(&a[i].ip);
	}
	return v;
}

bool glimpse_note(
	struct glimpse *g, const struct observation *o, uint32_t now_s, uint32_t window_s)
{
	struct view v = view_of(o);
	bool stale = (int32_t)(now_s - g->last_s) > (int32_t)window_s;

	if (v.ttl_max_s > g->ttl_max_s)
		g->ttl_max_s = v.ttl_max_s;
	if (g->first_s == 0 || (stale && !g->moved)) { /* the first of its window */
		g->first_s = now_s;
		g->set = v.set;
		g->set_size = v.set_size;
		g->ip = observation_addresses(o)[0].ip;
		g->has_public = v.has_public;
	}
	bool changed = g->moved || v.set != g->set || (v.has_public && v.has_private);
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
