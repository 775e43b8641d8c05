/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acme.h -- the tenant acme, 10.1.0.0/16, as tests of look-ups and of updates know it.
 *
 *	struct world *w = acme_lookup_world();
 *	world_approve(w, acme_add(w), "cam9.ddns.net", NULL, NULL, NULL);
 *	struct rig *r = rig_new(&lookup_family, w);
 *
 * Owner:    the caller: of a rig until rig_free, of a world until rig_new takes it.
 */
#ifndef TESTS_UNIT_RULES_ACME_H
#define TESTS_UNIT_RULES_ACME_H

#include "tests/unit/rules/observations.h"

struct update_spec; /* updates.h */

/* With default rules, no zones and nothing approved; valid until the world's next tenant. */
struct policy *acme_add(struct world *w);

/*
 * Listed names for every lookup rule, no tenant yet: dynamic names of tiers A, B and V, tunnels,
 * update hosts, IP checks, and two feeds of malicious names, urlhaus (high) and threatfox
 * (critical).
 */
struct world *acme_lookup_world(void);
/* The lookup family in that world, with acme. */
struct rig *acme_lookup_rig(void);

/* The update family in a world of acme alone. */
struct rig *acme_update_rig(void);
/* An unsigned UPDATE that adds pc7.corp.example. */
extern const struct update_spec acme_one_host;

#endif
