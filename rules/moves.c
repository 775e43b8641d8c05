/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/moves.h"

#include <string.h>

#include "sensor/base/hash.h"

#define WIDE_V4_BITS 112 /* a /16 in the mapped form */
#define WIDE_V6_BITS 32

static uint32_t network_of(const struct ip *ip, const struct geo *geo)
{
	uint32_t asn = geo_lookup(geo, ip).asn;
	if (asn)
		return asn;
	struct ip_net site = ip_site(ip);
	return (uint32_t)hash_bytes(0, &site.base, sizeof(site.base)) | 1u << 31;
}

static int find_address(const struct moves *m, const struct ip *ip)
{
	for (int i = 0; i < m->count; i++)
		if (ip_equal(&m->address[i].ip, ip))
			return i;
	return -1;
}

/* A free place, or that of the address not seen for longest. */
static int place_for(struct moves *m, uint16_t taken)
{
	int oldest = -1;
	if (m->count < MOVES_ADDRESSES_MAX)
		return m->count++;
	for (int i = 0; i < MOVES_ADDRESSES_MAX; i++) {
		if (taken & 1u << i)
			continue;
		if (oldest < 0 || m->address[i].last_s < m->address[oldest].last_s)
			oldest = i;
	}
	return oldest;
}

static void count_up(uint16_t *counter)
{
	if (*counter < UINT16_MAX)
		++*counter;
}

/* Forget addresses that left the window; the bits of `present` move with the places. */
static void forget_old(struct moves *m, uint32_t now_s, uint32_t window_s)
{
	int kept = 0;
	uint16_t present = 0;
	for (int i = 0; i < m->count; i++) {
		if ((int32_t)(now_s - m->address[i].last_s) > (int32_t)window_s)
			continue;
		if (m->present & 1u << i)
			present |= (uint16_t)(1u << kept);
		m->address[kept++] = m->address[i];
	}
	if (kept == 0) { /* a fresh window: what happened before it is over */
		m->arrivals = m->returns = m->renewals = m->growths = m->set_size_max = 0;
		m->first_s = now_s;
		m->alerted = false;
	}
	m->count = (uint8_t)kept;
	m->present = present;
}

static void note_address(struct moves *m, struct moves_news *news, uint16_t *present,
	const struct ip *ip, const struct geo *geo, uint32_t now_s)
{
	int at = find_address(m, ip);
	if (at < 0) {
		at = place_for(m, *present);
		if (at < 0)
			return; /* more addresses in one answer than are remembered */
		m->address[at] = (struct moves_address){ *ip, now_s, network_of(ip, geo) };
		m->present &= (uint16_t) ~(1u << at);
		news->arrived = true;
		count_up(&m->arrivals);
	} else if (!(m->present & 1u << at) && !(*present & 1u << at)) {
		news->returned = true;
		count_up(&m->returns);
	}
	m->address[at].last_s = now_s;
	*present |= (uint16_t)(1u << at);
}

/* A look-up after the last one expired: only such can show that something changed. */
static void note_renewal(struct moves *m, const struct moves_news *news, uint32_t now_s)
{
	bool first = m->renewals == 0;
	if (!first && now_s - m->renewal_s < m->ttl_max_s)
		return;
	m->renewal_s = now_s;
	count_up(&m->renewals);
	if (news->arrived && !first)
		count_up(&m->growths);
}

void moves_start(struct moves *m, const struct ip *ip, const struct geo *geo, uint32_t last_s)
{
	m->address[0] = (struct moves_address){ *ip, last_s, network_of(ip, geo) };
	m->count = 1;
	m->present = 1;
	m->arrivals = m->renewals = 1;
	m->renewal_s = last_s;
}

struct moves_news moves_note(struct moves *m, const struct observation *o,
	const struct geo *geo, uint32_t now_s, uint32_t window_s)
{
	const struct observation_address *a = observation_addresses(o);
	struct moves_news news = { 0 };
	uint16_t present = 0, size = 0;

	forget_old(m, now_s, window_s);
	for (unsigned i = 0; i < o->address_count; i++) {
		if (a[i].ttl > m->ttl_max_s)
			m->ttl_max_s = a[i].ttl;
		if (ip_is_group(&a[i].ip)) /* 0.0.0.0 and ::, a blocking resolver's answer */
			continue;
		if (ip_is_private(&a[i].ip))
			news.has_private = true;
		else
			news.has_public = true;
		note_address(m, &news, &present, &a[i].ip, geo, now_s);
	}
	for (uint16_t bits = present; bits; bits &= (uint16_t)(bits - 1))
		size++;
	if (size > m->set_size_max)
		m->set_size_max = size;
	m->present = present;
	if (news.arrived || news.returned)
		m->changed_s = now_s;
	note_renewal(m, &news, now_s);
	return news;
}

static bool is_first_of(const uint32_t *seen, unsigned count, uint32_t value)
{
	for (unsigned i = 0; i < count; i++)
		if (seen[i] == value)
			return false;
	return true;
}

static uint32_t wide_network(const struct moves_address *a)
{
	if (!(a->network & 1u << 31))
		return a->network;
	struct ip wide = ip_masked(&a->ip, ip_is_v4(&a->ip) ? WIDE_V4_BITS : WIDE_V6_BITS);
	return (uint32_t)hash_bytes(0, &wide, sizeof(wide)) | 1u << 31;
}

struct moves_features moves_features_of(const struct moves *m, const struct geo *geo,
	uint32_t now_s, uint32_t window_s, bool wide)
{
	uint32_t network[MOVES_ADDRESSES_MAX], country[MOVES_ADDRESSES_MAX];
	struct moves_features f = { 0 };

	for (int i = 0; i < m->count; i++) {
		const struct moves_address *a = &m->address[i];
		if ((int32_t)(now_s - a->last_s) > (int32_t)window_s || ip_is_private(&a->ip))
			continue;
		f.addresses++;
		uint32_t n = wide ? wide_network(a) : a->network;
		if (is_first_of(network, f.networks, n))
			network[f.networks++] = n;
		struct geo_facts facts = geo_lookup(geo, &a->ip);
		uint32_t cc = (uint32_t)facts.country[0] << 8 | (uint8_t)facts.country[1];
		if (cc && is_first_of(country, f.countries, cc))
			country[f.countries++] = cc;
	}
	unsigned moves = (unsigned)m->returns + m->arrivals;
	f.return_ratio = moves ? (double)m->returns / moves : 0;
	f.growth = m->renewals > 1 ? (double)m->growths / (m->renewals - 1) : 0;
	return f;
}
