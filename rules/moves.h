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

#include <stdbool.h>
#include <stdint.h>

#include "feeds/geo.h"
#include "rules/observation.h"
#include "sensor/base/ip.h"

#define MOVES_ADDRESSES_MAX 16

struct moves_key {
	uint64_t name_hash; /* of the qname, with the seed of the index */
	uint16_t tenant;
	uint16_t qtype;
	uint8_t name_len, name_labels; /* of the qname */
	uint16_t zero;
};

struct moves_address {
	struct ip ip;
	uint32_t last_s;
	uint32_t network; /* ASN when known, else a hash of the prefix; never 0 when in use */
};

struct moves {
	struct moves_key key;
	struct moves_address address[MOVES_ADDRESSES_MAX];
	struct ip client; /* that the first alert named */
	uint32_t ttl_max_s;
	uint32_t first_s, renewal_s; /* first seen; last look-up after expiry */
	uint32_t changed_s;          /* last arrival or return */
	uint32_t public_s;           /* last public address; valid when has_public */
	uint16_t present;            /* bit per address[]: in the last answer */
	uint16_t arrivals, returns, renewals, growths;
	uint16_t set_size_max;
	uint8_t count; /* address[] in use */
	bool has_public;
	bool alerted;
};

/* What an observation changed. */
struct moves_news {
	bool arrived, returned;       /* a new address, a known one that was away */
	bool has_private, has_public; /* among the addresses of this answer */
};

/* The features of 3.3 over the window. */
struct moves_features {
	unsigned addresses, networks, countries;
	double return_ratio; /* returns / (returns + arrivals) */
	double growth;       /* share of look-ups after expiry that showed something new */
};

/* The name stood at this one address before its first change. */
void moves_start(struct moves *m, const struct ip *ip, const struct geo *geo, uint32_t last_s);

/* Take in one answer. `geo` may be NULL; */
struct moves_news moves_note(struct moves *m, const struct observation *o,
	const struct geo *geo, uint32_t now_s, uint32_t window_s);

/* `wide`: count networks by /16 and /32 when no ASN is known (for flux, where CDNs abound). */
struct moves_features moves_features_of(const struct moves *m, const struct geo *geo,
	uint32_t now_s, uint32_t window_s, bool wide);

#endif
