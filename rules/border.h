/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * border.h -- does an UPDATE leave the tenant?
 *
 * A tenant that tells its networks, resolvers or zone servers has servers of its own, and every
 * other one is foreign. Of one that tells none of these, and for traffic of nobody, only a
 * private client with a public server is known to cross the border.
 *
 * Threads: no shared state.
 */
#ifndef RULES_BORDER_H
#define RULES_BORDER_H

#include "rules/change.h"

/* Is the client inside and the server not one of the tenant's? */
bool border_is_crossed(
	const struct policy *tenant, const struct ip *client, const struct ip *server);
/*
 * Is it only a leak: registrations for reverse zones of private addresses, which Windows sends
 * to whoever says it serves them? PTR records alone, or whatever goes to the sinks of AS112.
 */
bool border_is_leak(const struct change *c, const struct ip *server);

#endif
