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
	struct ip client, server;
	uint16_t client_port, server_port;
	uint16_t tenant;
	struct tenant_ask asked; /* of the client */
	struct index_look look;  /* of the qname */
};

/*
 * The client is the end that is not on a DNS port; with both on one, the sender of the query. A
 * message that was no packet (frame->decoded) knows its roles whatever the ports: the client is the
 * sender of a query and the receiver of a response.
 */
void observe_prepare(const struct observer *o, struct parties *who, const struct frame *frame,
	const struct packet *p, const struct dns_message *m);
/*
 * Set who->tenant. Comes later than observe_prepare, which asks for what this and observe_build will
 * look at: of a batch all messages are prepared first, so that the misses overlap.
 */
void observe_tenant(struct observer *o, struct parties *who, const struct frame *frame,
	const struct packet *p);

/* An upper bound of the block that observe_build will need for this message. */
size_t observe_bound(const struct dns_message *m);

/*
 * Build the observation in `out` (16-byte aligned, observe_bound bytes). seq is the caller's.
 * Returns the bytes used (out->size).
 */
size_t observe_build(struct observer *o, struct observation *out, const struct frame *frame,
	const struct packet *p, const struct parties *who, const struct dns_message *m);

#endif
