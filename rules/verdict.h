/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verdict.h -- what is known of one name, for one tenant and client: pure, remembers nothing.
 *
 * A malicious mark counts unless an allow mark is as deep or deeper. The service is what the
 * deepest of the provider, tunnel, update-host and IP-check marks says (at one depth: update
 * host, IP check, tunnel, provider); an allow mark as deep or deeper takes it away. Approval is
 * apart: it never touches `malicious`. What a feed says holds until a time has no effect from then
 * on, by capture time.
 *
 * Threads:  no shared state.
 */
#ifndef RULES_VERDICT_H
#define RULES_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/knowledge.h"

#define VERDICT_FEEDS_MAX 8

enum verdict_service {
	VERDICT_NO_SERVICE,
	VERDICT_DYNAMIC,     /* a name under a provider's suffix */
	VERDICT_TUNNEL,      /* a name under a tunnel service's suffix */
	VERDICT_UPDATE_HOST, /* takes dynamic-DNS updates */
	VERDICT_IP_CHECK,    /* tells clients their address */
};

/* For whom, and when. */
struct verdict_asker {
	const struct knowledge *known;
	const struct policy *tenant;
	const struct ip *client;
	int64_t ts_ns;
};

/* The name asked about, folded wire octets. */
struct verdict_name {
	const uint8_t *wire;
	uint8_t wire_len, labels;
};

struct verdict {
	/* Malicious: the feeds that say so, by depth. */
	uint8_t feed_count;
	uint16_t feed[VERDICT_FEEDS_MAX];
	uint64_t fact_key[VERDICT_FEEDS_MAX]; /* of the entry, in the feed's facts */
	uint8_t listed_labels;                /* of the deepest listed suffix */
	bool allowed;                         /* an allow feed has the name or a suffix of it */
	enum severity severity;               /* the highest of the feeds' */
	/* Service. */
	enum verdict_service service;
	uint32_t provider;
	enum provider_tier tier;
	bool own_site; /* of the provider: no customer's name */
	bool approved; /* by the tenant, for this client, now */
	/* Labels of what counts as one name: the listed one, or suffix and a label more. */
	uint8_t key_labels;
};

/*
 * `hit`: every listed suffix of the name. Cost: the marks of the hits, and for a tunnel
 * service's bare suffix one question to libpsl.
 */
struct verdict verdict_of(const struct verdict_asker *who, struct verdict_name name,
	const struct index_hit *hit, size_t hit_count);

/*
 * The same for an address of an answer: `hit` are the listed networks that hold it. Malicious
 * unless an allow mark's network is as long or longer; *entry is the longest listed one. Nothing
 * else of a verdict is about addresses.
 */
struct verdict verdict_of_address(const struct verdict_asker *who,
	const struct address_hit *hit, size_t hit_count, uint32_t *entry);

/* The wire octets of the suffix with `labels` labels. */
const uint8_t *verdict_suffix(struct verdict_name name, unsigned labels, size_t *len);

#endif
