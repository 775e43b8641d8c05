/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * name.h -- the names of mkpcap's world: popular ones asked for by Zipf's law, dynamic ones that
 * few clients know, and those that do not exist.
 *
 * Owner:   names_free frees what names_new allocated; pointers to names live as long.
 * Threads: one.
 */
#ifndef TOOLS_MKPCAP_NAME_H
#define TOOLS_MKPCAP_NAME_H

#include <stdbool.h>
#include <stdio.h>

#include "tools/mkpcap/draw.h"

enum name_kind {
	NAME_HOST,    /* ordinary: addresses */
	NAME_CDN,     /* CNAMEs into a content network, then addresses */
	NAME_DYNAMIC, /* dynamic-DNS name, low TTL */
	NAME_MISSING, /* NXDOMAIN */
	NAME_ZONE,    /* the zone of an UPDATE (RFC 2136) */
};

struct name {
	uint8_t wire[64]; /* labels without the root */
	uint8_t wire_len;
	uint8_t kind;
	uint16_t ttl;
};

/* Names by rank, the most popular first. */
struct name_pool {
	struct name *at;
	double *weight; /* cumulative */
	uint64_t count;
};

struct names {
	struct name_pool ordinary, dynamic;
};

/*
 * `count` names; the dynamic ones are that share of as many again. False: out of memory, and
 * nothing is left to free.
 */
bool names_new(struct names *n, uint64_t count, double dynamic_share);
void names_free(struct names *n);

/* One name by its popularity; *rank, when asked for, is its place. */
const struct name *name_pool_draw(const struct name_pool *p, struct draw *d, uint64_t *rank);

/*
 * A name that does not exist, as in real networks: mostly an existing one with the search suffix
 * appended, else one of some dead names that software keeps asking for.
 */
void name_make_missing(struct name *n, const struct names *all, struct draw *d);
/* One of a random-subdomain flood: every name new, all below one victim. */
void name_make_flood(struct name *n, struct draw *d);
/* The zone in which hosts register themselves. */
void name_make_zone(struct name *n);

/* A pronounceable label of a number, at most 15 octets; returns its length. */
size_t name_word(uint64_t number, char out[16]);

/*
 * A feed of malicious names: `count` that nobody asks for, and a few of those that are asked for
 * rarely. False: it could not be written, errno says.
 */
bool names_write_feed(const struct names *n, const char *path, uint64_t count);

#endif
