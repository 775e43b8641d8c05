/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walk.h -- the names of one message walked with a memory; inside dns/ only.
 *
 * Names in a message share their ends. Where a pointer leads is remembered with the length of
 * the name found there, so the second pointer to the same place costs one look. `work` adds up
 * the octets and pointers that really were walked; the message stops at DNS_WORK_MAX of them.
 *
 * Owner: the caller, on its stack, one per message.  Input: untrusted.
 */
#ifndef SENSOR_DNS_WALK_H
#define SENSOR_DNS_WALK_H

#include "sensor/dns/name.h"

#define DNS_WALK_SLOTS 16 /* cleared for each message: one cache line */

struct dns_walk {
	const uint8_t *wire;
	uint32_t work;
	uint32_t known[DNS_WALK_SLOTS]; /* offset << 8 | expanded length; 0 is empty */
};

static inline uint32_t *dns_walk_slot(struct dns_walk *w, unsigned at)
{
	return &w->known[(at ^ at >> 4) % DNS_WALK_SLOTS];
}

/* Remember that a well-formed name of `name_len` octets (1..255) starts at this offset. */
static inline void dns_walk_remember(struct dns_walk *w, unsigned at, unsigned name_len)
{
	*dns_walk_slot(w, at) = at << 8 | name_len;
}

/* dns_name_skip with the memory. */
NODISCARD enum dns_error dns_walk_name(struct dns_walk *w, struct cursor *c);

/*
 * The same, and at once when the name is the root or nothing but a pointer to a known one. What is
 * known was led to from before the cursor, so the pointer does point backwards. Only a copy of the
 * cursor is shown to a function, so that the caller's may live in registers.
 */
NODISCARD static inline enum dns_error dns_walk_owner(struct dns_walk *w, struct cursor *c)
{
	struct cursor ahead = *c;
	unsigned first = cursor_be16(&ahead);
	uint32_t known = *dns_walk_slot(w, first & 0x3fff);

	if (LIKELY(first >= 0xc000 && known && known >> 8 == (first & 0x3fff))) {
		c->pos = ahead.pos;
		return DNS_OK;
	}
	if (LIKELY(first < 0x100 && !ahead.failed)) {
		c->pos = ahead.pos - 1;
		return DNS_OK;
	}
	ahead = *c;
	enum dns_error error = dns_walk_name(w, &ahead);
	*c = ahead;
	return error;
}

#endif
