/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * observe.h -- from a decoded message to the observation that a rule sees: whose it is (tenant),
 * who asked whom (client, server), what of it is listed (index).
 *
 * Owner:    the caller owns the buffer the observation is built in (a ring record, usually).
 * Threads:  a struct observer belongs to one input thread.
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

struct observer {
	const struct knowledge *known;
	const struct port_set *ports;
	struct tenant_cache *tenants;
};

/*
 * Who is who in a packet; found first, since the tenant decides which ring the record goes into.
 * And what was computed on the way to ask the memory early.
 */
struct parties {
	uint16_t tenant;
	bool from_server; /* else from the client */
	/* of the qname, and of the names in the message's expanded[] */
	struct index_look look, target_look[DNS_EXPANDED_MAX];
};

/*
 * The client is the end that is not on a DNS port; with both on one, the sender of the query. A
 * message that was no packet (frame->decoded) knows its roles whatever the ports: the client is the
 * sender of a query and the receiver of a response.
 *
 * Of a batch all messages are prepared first: this asks for what observe_build will look at, so that
 * the misses overlap.
 */
void observe_prepare(struct observer *o, struct parties *who, const struct frame *frame,
	const struct packet *p, const struct dns_message *m);

/* An upper bound of the block that observe_build will need for this message. */
size_t observe_bound(const struct dns_message *m);

/*
 * Build the observation in `out` (8-byte aligned, observe_bound bytes). seq is the caller's.
 * Returns the bytes used (out->size).
 */
size_t observe_build(struct observer *o, struct observation *out, const struct frame *frame,
	const struct packet *p, const struct parties *who, const struct dns_message *m);

#endif
