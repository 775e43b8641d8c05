/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * knowledge.h -- everything known at one time: names, policies, addresses. Immutable; the third of
 * the three things that cross threads.
 *
 * From one version to the next (a reload) these stay the same, so that what is remembered holds on:
 *
 *	a tenant's number    policy_set_follow; one that is gone keeps its number, retired
 *	the index's seed     so that equal names have equal hashes
 *
 * Everything else may be another in the next version: numbers of entries, feeds and providers, and
 * every pointer. None of it is remembered from one message to the next.
 *
 * Producer: app/load.c (start, reload).  Consumers: input threads (index, tenant map), trackers (all)
 * and the output thread (policies).  Owner: the producer, which frees a version when every consumer has
 * adopted the next one (ring/snapshot.h).
 */
#ifndef RULES_KNOWLEDGE_H
#define RULES_KNOWLEDGE_H

#include <stddef.h>
#include <stdint.h>

#include "feeds/address_set.h"
#include "feeds/facts.h"
#include "feeds/geo.h"
#include "feeds/index.h"
#include "feeds/provider.h"
#include "rules/policy.h"
#include "rules/tenant.h"

struct knowledge_feed {
	char *name;
	char *path;
	enum mark_kind kind;
	enum severity severity; /* of a malicious feed */
	struct facts *facts;    /* NULL: it says nothing of its entries */
};

struct knowledge {
	struct index *index;
	struct address_set *addresses; /* NULL: no feed lists any */
	struct provider_registry *providers;
	struct policy_set *policies; /* with its tenant map */
	struct geo *geo;             /* NULL: no database configured */
	struct knowledge_feed *feed; /* a mark's source indexes it */
	size_t feed_count;
};

#endif
