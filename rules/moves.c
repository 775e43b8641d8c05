/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/moves.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "sensor/base/hash.h"

#define WIDE_V4_BITS 112 /* a /16 in the mapped form */
#define WIDE_V6_BITS 32
#define NOWHERE      MOVES_ADDRESSES_MAX

/* --- places -------------------------------------------------------------------------------- */

/*
 * Of a row: the places with this tail, and those not seen for longer than the window; a bit each.
 * Eight comparisons at once where every processor of the kind can (x86-64), one by one elsewhere.
 */
#ifdef __SSE2__
static unsigned bits_of(__m128i low, __m128i high)
{
	__m128i places = _mm_packs_epi16(_mm_packs_epi32(low, high), _mm_setzero_si128());
	return (unsigned)_mm_movemask_epi8(places);
}

static unsigned row_with(const struct moves_row *row, uint32_t tail)
{
	const __m128i *at = (const __m128i *)row->tail;
	__m128i wanted = _mm_set1_epi32((int)tail);
	return bits_of(_mm_cmpeq_epi32(_mm_loadu_si128(at), wanted),
		_mm_cmpeq_epi32(_mm_loadu_si128(at + 1), wanted));
}

static unsigned row_old(const struct moves_row *row, uint32_t now_s, uint32_t window_s)
{
	const __m128i *at = (const __m128i *)row->last_s;
	__m128i now = _mm_set1_epi32((int)now_s), window = _mm_set1_epi32((int)window_s);
	__m128i low = _mm_sub_epi32(now, _mm_loadu_si128(at));
	__m128i high = _mm_sub_epi32(now, _mm_loadu_si128(at + 1));
	return bits_of(_mm_cmpgt_epi32(low, window), _mm_cmpgt_epi32(high, window));
}
#else
static unsigned row_with(const struct moves_row *row, uint32_t tail)
{
	unsigned places = 0;

	for (unsigned i = 0; i < MOVES_ROW; i++)
		places |= (unsigned)(row->tail[i] == tail) << i;
	return places;
}

static unsigned row_old(const struct moves_row *row, uint32_t now_s, uint32_t window_s)
{
	unsigned places = 0;

	for (unsigned i = 0; i < MOVES_ROW; i++)
		places |= (unsigned)((int32_t)(now_s - row->last_s[i]) > (int32_t)window_s)
			  << i;
	return places;
}
#endif

static unsigned places_in_use(const struct moves *m)
{
	return (1u << m->count) - 1;
}

static unsigned places_with(const struct moves *m, uint32_t tail)
{
	unsigned places = row_with(&m->row[0], tail);

	if (m->count > MOVES_ROW)
		places |= row_with(&m->row[1], tail) << MOVES_ROW;
	return places & places_in_use(m);
}

static unsigned places_old(const struct moves *m, uint32_t now_s, uint32_t window_s)
{
	unsigned places = row_old(&m->row[0], now_s, window_s);

	if (m->count > MOVES_ROW)
		places |= row_old(&m->row[1], now_s, window_s) << MOVES_ROW;
	return places & places_in_use(m);
}

static uint32_t *tail_at(struct moves *m, unsigned place)
{
	return &m->row[place / MOVES_ROW].tail[place % MOVES_ROW];
}

static uint32_t *last_at(struct moves *m, unsigned place)
{
	return &m->row[place / MOVES_ROW].last_s[place % MOVES_ROW];
}

static uint32_t last_of(const struct moves *m, unsigned place)
{
	return m->row[place / MOVES_ROW].last_s[place % MOVES_ROW];
}

static uint16_t bit_of(unsigned place)
{
	return (uint16_t)(1u << place);
}

struct ip moves_address(const struct moves *m, unsigned place)
{
	const uint32_t *tail = &m->row[place / MOVES_ROW].tail[place % MOVES_ROW];
	uint8_t bytes[16];

	memcpy(bytes + 12, tail, 4);
	if (m->v4 & bit_of(place))
		return ip_from_v4(bytes + 12);
	memcpy(bytes, m->head[place], 12);
	return ip_from_v6(bytes);
}

static unsigned find_address(const struct moves *m, const struct ip *ip, uint32_t tail)
{
	unsigned places = places_with(m, tail);

	if (ip_is_v4(ip)) {
		places &= m->v4;
		return places ? (unsigned)__builtin_ctz(places) : NOWHERE;
	}
	for (places &= ~(unsigned)m->v4; places; places &= places - 1) {
		unsigned place = (unsigned)__builtin_ctz(places);
		if (memcmp(m->head[place], ip->bytes, 12) == 0)
			return place;
	}
	return NOWHERE;
}

static uint32_t network_of(const struct ip *ip, const struct geo *geo)
{
	uint32_t asn = geo_asn(geo, ip);
	if (asn)
		return asn;
	struct ip_net site = ip_site(ip);
	return (uint32_t)hash_bytes(0, &site.base, sizeof(site.base)) | 1u << 31;
}

static void put_address(struct moves *m, unsigned place, const struct ip *ip,
	const struct geo *geo, uint32_t last_s)
{
	memcpy(tail_at(m, place), ip->bytes + 12, 4);
	*last_at(m, place) = last_s;
	m->network[place] = network_of(ip, geo);
	m->v4 |= bit_of(place);
	if (ip_is_v4(ip))
		return;
	m->v4 &= (uint16_t)~bit_of(place);
	memcpy(m->head[place], ip->bytes, 12);
}

static void move_address(struct moves *m, unsigned to, unsigned from)
{
	*tail_at(m, to) = *tail_at(m, from);
	*last_at(m, to) = *last_at(m, from);
	m->network[to] = m->network[from];
	memmove(m->head[to], m->head[from], sizeof(m->head[to]));
}

/* A free place, or that of the address not seen for longest. */
static unsigned place_for(struct moves *m, uint16_t taken)
{
	unsigned oldest = NOWHERE;
	if (m->count < MOVES_ADDRESSES_MAX)
		return m->count++;
	for (unsigned i = 0; i < MOVES_ADDRESSES_MAX; i++) {
		if (taken & bit_of(i))
			continue;
		if (oldest == NOWHERE || last_of(m, i) < last_of(m, oldest))
			oldest = i;
	}
	return oldest;
}

/* --- taking in ----------------------------------------------------------------------------- */

static void count_up(uint16_t *counter)
{
	if (*counter < UINT16_MAX)
		++*counter;
}

/* The addresses that are left move up, and their bits with them. */
static OUT_OF_LINE void drop_places(struct moves *m, unsigned dropped, uint32_t now_s)
{
	unsigned kept = 0, present = 0, v4 = 0;
	for (unsigned i = 0; i < m->count; i++) {
		if (dropped >> i & 1)
			continue;
		present |= (m->present >> i & 1u) << kept;
		v4 |= (m->v4 >> i & 1u) << kept;
		move_address(m, kept++, i);
	}
	if (kept == 0) { /* a fresh window: what happened before it is over */
		m->arrivals = m->returns = m->renewals = m->growths = 0;
		m->set_size_max = 0;
		m->first_s = now_s;
		m->alerted = false;
	}
	m->count = (uint8_t)kept;
	m->present = (uint16_t)present;
	m->v4 = (uint16_t)v4;
}

/* Forget addresses that left the window. */
static void forget_old(struct moves *m, uint32_t now_s, uint32_t window_s)
{
	unsigned old = places_old(m, now_s, window_s);

	if (UNLIKELY(old || m->count == 0))
		drop_places(m, old, now_s);
}

static void note_address(struct moves *m, struct moves_news *news, uint16_t *present,
	const struct ip *ip, const struct geo *geo, uint32_t now_s)
{
	uint32_t tail;

	memcpy(&tail, ip->bytes + 12, 4);
	unsigned at = find_address(m, ip, tail);
	if (at == NOWHERE) {
		at = place_for(m, *present);
		if (at == NOWHERE)
			return; /* more addresses in one answer than are remembered */
		put_address(m, at, ip, geo, now_s);
		m->present &= (uint16_t)~bit_of(at);
		news->arrived = true;
		count_up(&m->arrivals);
	} else if (!((m->present | *present) & bit_of(at))) {
		news->returned = true;
		count_up(&m->returns);
	}
	*last_at(m, at) = now_s;
	*present |= bit_of(at);
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
	put_address(m, 0, ip, geo, last_s);
	m->count = 1;
	m->present = 1;
	m->arrivals = m->renewals = 1;
	m->renewal_s = last_s;
}

struct moves_news moves_note(struct moves *m, const struct observation *o,
	const struct geo *geo, uint32_t now_s, uint32_t window_s)
{
	const struct dns_address *a = observation_addresses(o);
	struct moves_news news = { 0 };
	uint16_t present = 0;
	uint8_t size = 0;

	forget_old(m, now_s, window_s);
	for (unsigned i = 0; i < o->address_count; i++) {
		if (a[i].ttl > m->ttl_max_s)
			m->ttl_max_s = a[i].ttl;
		enum ip_kind kind = ip_kind_of(&a[i].ip);
		if (kind == IP_GROUP) /* 0.0.0.0 and ::, a blocking resolver's answer */
			continue;
		news.has_private |= kind == IP_PRIVATE;
		news.has_public |= kind == IP_PUBLIC;
		uint16_t before = present;
		note_address(m, &news, &present, &a[i].ip, geo, now_s);
		size += present != before;
	}
	if (size > m->set_size_max)
		m->set_size_max = size;
	m->present = present;
	note_renewal(m, &news, now_s);
	return news;
}

/* --- features ------------------------------------------------------------------------------ */

static bool is_first_of(const uint32_t *seen, unsigned count, uint32_t value)
{
	for (unsigned i = 0; i < count; i++)
		if (seen[i] == value)
			return false;
	return true;
}

static uint32_t wide_network(uint32_t network, const struct ip *ip)
{
	if (!(network & 1u << 31))
		return network;
	struct ip wide = ip_masked(ip, ip_is_v4(ip) ? WIDE_V4_BITS : WIDE_V6_BITS);
	return (uint32_t)hash_bytes(0, &wide, sizeof(wide)) | 1u << 31;
}

struct moves_features moves_features_of(const struct moves *m, const struct geo *geo,
	uint32_t now_s, uint32_t window_s, bool wide)
{
	uint32_t network[MOVES_ADDRESSES_MAX], country[MOVES_ADDRESSES_MAX];
	struct moves_features f = { 0 };

	for (unsigned i = 0; i < m->count; i++) {
		struct ip ip = moves_address(m, i);
		if ((int32_t)(now_s - last_of(m, i)) > (int32_t)window_s || ip_is_private(&ip))
			continue;
		f.addresses++;
		uint32_t n = wide ? wide_network(m->network[i], &ip) : m->network[i];
		if (is_first_of(network, f.networks, n))
			network[f.networks++] = n;
		struct geo_facts facts = geo_lookup(geo, &ip);
		uint32_t cc = (uint32_t)facts.country[0] << 8 | (uint8_t)facts.country[1];
		if (cc && is_first_of(country, f.countries, cc))
			country[f.countries++] = cc;
	}
	return f;
}
