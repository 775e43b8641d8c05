/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walk.h -- the names of one message walked with a memory; inside dns/ only.
 *
 * Names in a message share their ends. Where a pointer leads is remembered with the length of
 * the name found there, so the second pointer to the same place costs one look. `work` adds up
 * the octets and pointers that really were walked; the message stops at DNS_WORK_MAX of them.
 *
 * Nearly every owner is the root, the question's name, the owner before or what the record before led
 * to (a chain of CNAMEs): for these the memory is three pointers. For an end of the question's name it is
 * that name. The slots are cleared for the first that is none of them.
 *
 * Owner: the caller, on its stack, one per message.  Input: untrusted.
 */
#ifndef SENSOR_DNS_WALK_H
#define SENSOR_DNS_WALK_H

#include "sensor/dns/message.h"

#define DNS_WALK_SLOTS 16 /* one cache line */
#define DNS_POINTER    0xc000
#define DNS_NOWHERE    0x10000 /* equals no pointer */

struct dns_walk {
	const uint8_t *wire;
	uint32_t work;
	uint32_t to_question; /* the pointer to the first question's name */
	uint32_t to_target;   /* the pointer to the last name in RDATA */
	uint32_t to_owner;    /* the last owner that was another pointer */
	bool question_plain;  /* that stands there as it is, without a pointer */
	const struct dns_name *question;
	bool has_slots;                 /* known[] is cleared */
	uint32_t known[DNS_WALK_SLOTS]; /* offset << 8 | expanded length; 0 is empty */
};

/* Begin a message; the slots wait for the first name that needs them. */
static inline void dns_walk_init(struct dns_walk *w, const uint8_t *wire)
{
	w->wire = wire;
	w->work = 0;
	w->to_question = DNS_NOWHERE;
	w->to_target = DNS_NOWHERE;
	w->to_owner = DNS_NOWHERE;
	w->has_slots = false;
}

/* The first question's name, behind the header, is good. */
static inline void dns_walk_question(
	struct dns_walk *w, const struct dns_name *question, bool is_plain)
{
	w->to_question = DNS_POINTER | DNS_HEADER_LEN;
	w->question = question;
	w->question_plain = is_plain;
}

/* The name that starts here is good. */
static inline void dns_walk_target(struct dns_walk *w, unsigned at)
{
	w->to_target = at < 0x4000 ? DNS_POINTER | at : DNS_NOWHERE;
}

/* Is this the pointer to one of the three names that are remembered best? */
static inline bool dns_walk_is_near(const struct dns_walk *w, unsigned pointer)
{
	/* One branch for all: which of them it is changes from record to record. */
	return (pointer == w->to_question) | (pointer == w->to_target) |
	       (pointer == w->to_owner);
}

/* dns_name_skip with the memory. */
NODISCARD enum dns_error dns_walk_name(struct dns_walk *w, struct cursor *c);

/*
 * The same, and at once when the name is nothing but one of the three pointers. What they lead to stands
 * before the cursor, so they do point backwards.
 */
NODISCARD enum dns_error dns_walk_owner(struct dns_walk *w, struct cursor *c);

#endif
