/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * observe_rig.h -- one message on its way to an observation, and what is made of it.
 *
 *	struct scene *s = scene_new();
 *	known_list(&s->known, "evil.example", SCOPE_SUFFIX);
 *	scene_freeze(s);
 *	build_start(&s->build, 1, 0);
 *	build_question(&s->build, "www.evil.example", DNS_TYPE_A, DNS_CLASS_IN);
 *	const struct observation *o = scene_observe(s);
 *	scene_free(s);
 *
 * The packet is UDP from 10.1.0.7, port 40000, to 10.1.0.53, port 53, until a test changes it.
 * Tenant "acme", 10.1.0.0/16, is number 1 and "beta", 10.2.0.0/16, number 2.
 *
 * Everything here fails the test (cr_assert) when it cannot do what it is told.
 */
#ifndef TESTS_UNIT_PIPELINE_OBSERVE_RIG_H
#define TESTS_UNIT_PIPELINE_OBSERVE_RIG_H

#include <stdint.h>

#include "sensor/packet/packet.h"
#include "sensor/pipeline/observe.h"
#include "tests/support/dns_build.h"
#include "tests/unit/pipeline/known.h"

struct scene {
	struct known known;
	struct observer observer; /* after scene_freeze */
	struct dns_build build;   /* the message, written by the test */
	struct dns_message message;
	struct packet packet;
	struct frame frame;
	struct observation *o; /* observe_bound bytes, or NULL */
};

struct scene *scene_new(void);
/* Listing (known_list) ends with this, observing begins. */
void scene_freeze(struct scene *s);
void scene_free(struct scene *s);
/* The packet turned round: from the server to the client, or back. */
void scene_answer(struct scene *s);
/*
 * Decode what was built, which must be well-formed, and observe it: into exactly the promised
 * room, so that a sanitizer sees one octet too many. Valid until the next call.
 */
const struct observation *scene_observe(struct scene *s);

/* Answer records of the qname: the address 192.0.2.0 plus a number, and a CNAME. */
void build_a(struct dns_build *b, unsigned number, uint32_t ttl);
void build_cname(struct dns_build *b, const char *target, uint32_t ttl);

/* The observation's name n (not the qname); valid until the next call. */
const char *name_text(const struct observation *o, unsigned n);

#endif
