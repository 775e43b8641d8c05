/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * approval.h -- the providers of which a tenant has approved a name: a client that may use
 * cam7.duckdns.org may also update it.
 *
 * Owner:   zero-initialised is valid and empty; approvals_deinit frees.  Threads: one.
 */
#ifndef RULES_APPROVAL_H
#define RULES_APPROVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/knowledge.h"

struct approvals {
	struct approval *entry; /* sorted by tenant and provider */
	size_t count;
};

/* Read all policies anew. False when memory is out: what was read until then stays. */
NODISCARD bool approvals_read(struct approvals *a, const struct knowledge *known);
void approvals_deinit(struct approvals *a);
/* Is there a name below a suffix of this provider that is approved for this client now? */
bool approvals_hold(const struct approvals *a, const struct policy *tenant, uint32_t provider,
	const struct ip *client, int64_t ts_ns);

#endif
