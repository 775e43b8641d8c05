/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * observations.h -- what tests of rules are made of: a world (policies and listed names), messages
 * written down as one struct each, and a rig that shows them to one family and keeps its alerts.
 *
 *	struct world *w = world_new();
 *	struct policy *acme = world_tenant(w, "acme", "10.1.0.0/16");
 *	world_provider(w, MARK_PROVIDER, "ddns.net", "no-ip", TIER_A);
 *	struct rig *r = rig_new(&lookup_family, w); // freezes and owns the world
 *	rig_see(r, &(struct message){ .qname = "cam9.ddns.net" });
 *	cr_assert_eq(rig_count(r, RULE_LOOKUP_UNAPPROVED), 1);
 *	rig_free(r);
 *
 * Everything here fails the test (cr_assert) when it cannot do what it is told.
 */
#ifndef TESTS_UNIT_RULES_OBSERVATIONS_H
#define TESTS_UNIT_RULES_OBSERVATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/judge.h"
#include "rules/knowledge.h"
#include "rules/observation.h"
#include "rules/sides.h"
#include "sensor/base/clock.h"
#include "sensor/dns/message.h"

/* Capture time of at_ms 0: 2026-08-01T12:00:00Z. */
#define WORLD_START_NS (INT64_C(1785585600) * NS_PER_S)

/* --- the world ------------------------------------------------------------------------------ */

struct world {
	struct knowledge known;
	struct index_builder *builder; /* NULL once frozen */
	struct address_builder *addresses;
};

struct world *world_new(void);
void world_free(struct world *w);
/* A tenant with default rules; `network` may be NULL. The pointer is valid until the next one.
 */
struct policy *world_tenant(struct world *w, const char *id, const char *network);
/* A feed of this kind; returns the number for world_list. */
uint16_t world_feed(
	struct world *w, const char *name, enum mark_kind kind, enum severity severity);
void world_list(struct world *w, uint16_t feed, const char *name, enum mark_scope scope);
/* An address or a network on that feed. */
void world_list_network(struct world *w, uint16_t feed, const char *network);
/* What the feed says of that name. */
void world_tell(struct world *w, uint16_t feed, const char *name, const struct entry_facts *e);
/* A name of a provider (kind PROVIDER, TUNNEL, UPDATE_HOST or IP_CHECK) and all below it. */
void world_provider(struct world *w, enum mark_kind kind, const char *name,
	const char *provider, enum provider_tier tier);
/* Approve a name (and below) or, with name NULL, a provider. clients may be NULL; until "" or a
 * day. */
void world_approve(struct world *w, struct policy *p, const char *name, const char *provider,
	const char *clients, const char *until);
/* A zone; server may be NULL. */
void world_zone(struct policy *p, const char *name, const char *server, bool require_signed);
/* RULE_COUNT: every rule; client and name may be NULL. */
void world_exclude(struct policy *p, enum rule_id rule, const char *client, const char *name);
/* Set an option of a rule from text, as the configuration does. */
void world_option(struct policy *p, enum rule_id rule, const char *key, const char *value);
/* Build the index. Called by rig_new; call it yourself when there is no rig. */
void world_freeze(struct world *w);

/* --- messages ------------------------------------------------------------------------------- */

/* Zero means: a query over UDP with RD from 10.1.0.7:40000 to 10.1.0.53:53, id 1, type A. */
struct message {
	int64_t at_ms; /* since WORLD_START_NS */
	const char *client, *server;
	uint16_t client_port, id;
	const char *qname; /* NULL: no question */
	uint16_t qtype;
	bool response;
	uint16_t rcode;
	uint8_t opcode;
	bool aa, no_rd, tcp, signature;
	uint16_t tenant; /* number; 0: the first tenant there is */
	bool unmapped;   /* tenant 0 for sure */
	uint16_t vlan;   /* 0: none */
	struct {
		const char *ip;
		uint32_t ttl;
	} address[OBSERVATION_ADDRESSES_MAX]; /* up to the first without ip */
	struct {
		uint16_t type;
		const char *target;
		uint32_t ttl;
		uint8_t section;
	} name[OBSERVATION_NAMES_MAX]; /* up to the first without target */
	const uint8_t *wire;           /* the whole message, when it travels along */
	size_t wire_len;
};

/* The observation an input thread would make of it; freed with free(). */
struct observation *message_observe(
	const struct world *w, const struct message *m, uint64_t seq);

/* --- alerts --------------------------------------------------------------------------------- */

struct alerts {
	struct alert **alert;
	size_t count;
};

/* An emit_sink: arg is a struct alerts. */
void alerts_keep(void *arg, const struct alert *a);
void alerts_clear(struct alerts *list);
size_t alerts_count(const struct alerts *list, enum rule_id rule);
/* The first (or last) alert of this rule; fails the test when there is none. */
const struct alert *alerts_first(const struct alerts *list, enum rule_id rule);
const struct alert *alerts_last(const struct alerts *list, enum rule_id rule);
/* The reason of that name, or NULL. */
const struct alert_why *alerts_why(const struct alert *a, const char *feature);

/* --- one family at work --------------------------------------------------------------------- */

#define RIG_TENANTS_MAX 512

struct rig {
	struct world *world;
	const struct family *family;
	void *state;
	struct emit *emit;
	struct ledger *ledger;
	struct pairs *pairs;
	struct sides sides[RIG_TENANTS_MAX];
	struct alerts alerts;
	uint64_t seq;
	int64_t tick_ns; /* last tick */
};

/* Freezes the world and owns it. memory: 4 MiB for the family. */
struct rig *rig_new(const struct family *family, struct world *w);
struct rig *rig_new_sized(const struct family *family, struct world *w, size_t memory_bytes);
void rig_free(struct rig *r);
/* Show one message; the ticks of every whole second before it come first. */
void rig_see(struct rig *r, const struct message *m);
/* A query and, 20 ms later, its response made from the same struct. */
void rig_exchange(struct rig *r, const struct message *response);
/* Let time go on to at_ms, a tick a second. */
void rig_wait(struct rig *r, int64_t at_ms);
size_t rig_count(const struct rig *r, enum rule_id rule);
struct judge_stats rig_stats(const struct rig *r);

#endif
