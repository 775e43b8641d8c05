/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * moves.h -- where one name's addresses have been: the memory behind churn.*.
 *
 * Answers are compared as sets: rotation is no change. Of each of the last MOVES_ADDRESSES_MAX
 * distinct addresses it knows the last time seen and the network; an address that was left and
 * comes back is a return, one never seen before is an arrival. The TTL that counts is the
 * highest ever seen: below a resolver it counts down from cache.
 *
 * Threads: one tracker.  Time: seconds of capture time, 32 bits, compared by difference.
 */
#ifndef RULES_MOVES_H
#define RULES_MOVES_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "feeds/geo.h"
#include "rules/observation.h"
#include "sensor/base/attribute.h"
#include "sensor/base/ip.h"

#define MOVES_ADDRESSES_MAX 16
#define MOVES_ROW           8u

struct moves_key {
	uint64_t name_hash; /* of the qname, with the seed of the index */
	uint16_t tenant;
	uint16_t qtype;
	uint8_t name_len, name_labels; /* of the qname */
	uint16_t zero;
};

/* What a known address needs, of eight places: one cache line, each half asked at once. */
struct moves_row {
	uint32_t tail[MOVES_ROW]; /* the last four octets of the address */
	uint32_t last_s[MOVES_ROW];
};

/*
 * Lines in the order in which they are needed. An answer of known IPv4 addresses touches the first
 * and one row or two; networks are read when one is new, heads are IPv6.
 */
struct moves {
	struct moves_key key;
	uint32_t ttl_max_s;
	uint32_t first_s, renewal_s; /* first seen; last look-up after expiry */
	uint32_t public_s;           /* last public address; valid when has_public */
	uint16_t arrivals, returns, renewals, growths;
	uint16_t present; /* bit per place: in the last answer */
	uint16_t v4;      /* bit per place: an IPv4 address, all of which is its tail */
	uint8_t set_size_max;
	uint8_t count; /* places in use */
	bool has_public;
	bool alerted;
	struct ip client; /* that the first alert named */

	struct moves_row row[MOVES_ADDRESSES_MAX / MOVES_ROW];
	/* ASN when known, else a hash of the prefix; never 0 when in use. */
	uint32_t network[MOVES_ADDRESSES_MAX];
	uint8_t head[MOVES_ADDRESSES_MAX][12]; /* what is before the tail of an IPv6 address */
};
static_assert(offsetof(struct moves, row) == CACHE_LINE, "rows are cache lines");
static_assert(sizeof(struct moves) == 7 * CACHE_LINE, "entries begin at cache lines");

/* What an observation changed. */
struct moves_news {
	bool arrived, returned;       /* a new address, a known one that was away */
	bool has_private, has_public; /* among the addresses of this answer */
};

/* The features of 3.3 over the window. */
struct moves_features {
	unsigned addresses, networks, countries;
};

/* The name stood at this one address before its first change. */
void moves_start(struct moves *m, const struct ip *ip, const struct geo *geo, uint32_t last_s);

/* Take in one answer. `geo` may be NULL; */
struct moves_news moves_note(struct moves *m, const struct observation *o,
	const struct geo *geo, uint32_t now_s, uint32_t window_s);

/* The address in a place that is in use. */
struct ip moves_address(const struct moves *m, unsigned place);

/* `wide`: count networks by /16 and /32 when no ASN is known (for flux, where CDNs abound). */
struct moves_features moves_features_of(const struct moves *m, const struct geo *geo,
	uint32_t now_s, uint32_t window_s, bool wide);

/* returns / (returns + arrivals) */
static inline double moves_return_ratio(const struct moves *m)
{
	unsigned moves = (unsigned)m->returns + m->arrivals;

	return moves ? (double)m->returns / moves : 0;
}

/* The share of look-ups after expiry that showed something new. */
static inline double moves_growth(const struct moves *m)
{
	return m->renewals > 1 ? (double)m->growths / (m->renewals - 1) : 0;
}

#endif
