/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session.h -- who talks to whom in a message: client and server as hashes, computed once for all
 * tables that are about one of them or both.
 */
#ifndef RULES_SESSION_H
#define RULES_SESSION_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "rules/observation.h"
#include "sensor/base/hash.h"
#include "sensor/base/ip.h"

static_assert(offsetof(struct observation, transport) + 1 -
			      offsetof(struct observation, client_port) ==
		      sizeof(uint64_t),
	"both ports, id, opcode and transport are one word of an observation");

struct session {
	uint64_t client, server; /* of the addresses */
	/* both ports, id, opcode, transport as they are; nothing else is in it */
	uint64_t ends;
	uint64_t hash; /* of all three: a query's is its response's */
};

static inline struct session session_of(uint64_t seed, const struct observation *o)
{
	struct session s = {
		.client = ip_hash(seed, &o->client),
		.server = ip_hash(seed, &o->server),
	};
	memcpy(&s.ends, (const char *)o + offsetof(struct observation, client_port),
		sizeof(s.ends));
	s.hash = hash_fold(s.client ^ s.ends, s.server ^ HASH_K2);
	return s;
}

/* Of the client within a tenant. */
static inline uint64_t session_client(const struct session *s, uint16_t tenant)
{
	return hash_word(s->client, tenant);
}

#endif
