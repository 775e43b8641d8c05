/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * known.h -- just enough knowledge for the pipeline: tenants by network and listed names.
 *
 *	struct known k;
 *	known_init(&k);
 *	uint16_t acme = known_tenant(&k, "acme", "10.1.0.0/16");
 *	known_list(&k, "evil.example", SCOPE_SUFFIX);
 *	known_freeze(&k);
 *	struct observer o = known_observer(&k);
 *	known_deinit(&k);
 *
 * Everything here fails the test (cr_assert) when it cannot do what it is told.
 */
#ifndef TESTS_UNIT_PIPELINE_KNOWN_H
#define TESTS_UNIT_PIPELINE_KNOWN_H

#include <stdint.h>

#include "rules/knowledge.h"
#include "sensor/packet/packet.h"
#include "sensor/packet/tcp_stream.h"
#include "sensor/pipeline/observe.h"

#define KNOWN_START_NS (INT64_C(1785585600) * NS_PER_S) /* 2026-08-01T12:00:00Z */

struct known {
	struct knowledge knowledge;
	struct knowledge_feed feed;
	struct index_builder *builder;     /* NULL once frozen */
	struct address_builder *addresses; /* the same; NULL too when none is listed */
	struct packet_options packet;      /* ports 53 and 5353 */
	struct decoder *decoder;
	struct tcp_streams *streams;
	struct tenant_cache *cache;
};

void known_init(struct known *k);
/* Returns the tenant's number. */
uint16_t known_tenant(struct known *k, const char *id, const char *network);
/* Put a name, or an address or a network, on the one malicious feed. */
void known_list(struct known *k, const char *name, enum mark_scope scope);
void known_list_network(struct known *k, const char *text);
void known_freeze(struct known *k);
struct observer known_observer(struct known *k);
void known_deinit(struct known *k);

#endif
