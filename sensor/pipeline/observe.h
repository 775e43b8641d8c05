/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * observe.h -- from a decoded message to the observation that a rule sees: whose it is (tenant),
 * who asked whom (client, server), what of it is listed (index).
 *
 * Owner:    the caller owns the buffer the observation is built in (a ring record, usually).
 * Threads:  a struct observer belongs to one thread, an input's or a tracker's.
 */
#ifndef SENSOR_PIPELINE_OBSERVE_H
#define SENSOR_PIPELINE_OBSERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/knowledge.h"
#include "rules/observation.h"
#include "rules/tenant.h"
#include "sensor/dns/message.h"
#include "sensor/packet/packet.h"

/* Of the block that is built just now: what of it is not written when it is found. */
struct observer_block {
	struct observation *o;
	uint8_t *end; /* of what is filled */
	uint8_t name_count, listed_count, match_count;
	struct observation_match match[OBSERVATION_MATCHES_MAX];
};

/* The largest block that is built, but for a message that travels whole. */
#define OBSERVE_BLOCK_MAX                                                                      \
	(sizeof(struct observation) + DNS_NAME_MAX +                                           \
		OBSERVATION_ADDRESSES_MAX * sizeof(struct dns_address) +                       \
		OBSERVATION_NAMES_MAX * (sizeof(struct observation_name) + DNS_NAME_MAX) +     \
		OBSERVATION_LISTED_MAX * sizeof(struct observation_listed) +                   \
		OBSERVATION_MATCHES_MAX * sizeof(struct observation_match) +                   \
		OBSERVE_BLOCK_SLACK)
/* Of alignment, and of names that are copied by whole words. */
#define OBSERVE_BLOCK_SLACK 64

struct observer {
	const struct knowledge *known; /* changed by observer_adopt */
	const struct port_set *ports;
	struct tenant_cache *tenants;
	struct observer_block block;
};

/* Go by another version of what is known from the next message on. */
void observer_adopt(struct observer *o, const struct knowledge *known);

/*
 * Who is who in a packet; found first, since the tenant decides which ring the record goes into.
 * And what was computed on the way to ask the memory early.
 */
struct parties {
	uint64_t client_place; /* where the client's tenant is found */
	uint16_t tenant;       /* by observe_tenant; all else by observe_prepare */
	bool from_server;      /* else from the client */
	bool whole;            /* the message travels whole */
	uint64_t qname_hash;   /* dns_name_hash with the index's seed */
	/* of the qname, and of the names in the message's expanded[] */
	struct index_look look, target_look[DNS_EXPANDED_MAX];
};

/*
 * The client is the end that is not on a DNS port, as one of them is; with both on one, the sender of
 * the query. A message that was no packet (frame->decoded) knows its roles whatever the ports: the
 * client is the sender of a query and the receiver of a response.
 *
 * Of a batch all messages are prepared first: this asks for what observe_build will look at, so that
 * the misses overlap.
 */
void observe_prepare(struct observer *o, struct parties *who, const struct frame *frame,
	const struct packet *p, const struct dns_message *m);
/* Whose a prepared message is. */
void observe_tenant(struct observer *o, struct parties *who, const struct frame *frame,
	const struct packet *p);
/* That part of it that concerns names: for who knows the parties already. */
void observe_prepare_names(
	const struct observer *o, struct parties *who, const struct dns_message *m);

/* An upper bound of the block that observe_build will need for this message. */
size_t observe_bound(const struct parties *who, const struct dns_message *m);

/*
 * Build the observation in `out` (8-byte aligned, observe_bound bytes). seq is the caller's.
 * Returns the bytes used (out->size).
 */
size_t observe_build(struct observer *o, struct observation *out, const struct frame *frame,
	const struct packet *p, const struct parties *who, const struct dns_message *m);

#endif
