/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * evidence.h -- is a failing name evidence that a client computes names, or does something
 * ordinary explain it: block lists asked about addresses, antivirus clouds, search suffixes,
 * service discovery, browsers' probes, names that never leave a site?
 *
 * Threads: no state.
 */
#ifndef RULES_EVIDENCE_H
#define RULES_EVIDENCE_H

#include <stdbool.h>

#include "feeds/index.h"
#include "rules/emit.h"

/* Does the failing name, the qname of x->now, count? It is in *qname then. */
bool evidence_counts(
	const struct index *index, const struct exchange *x, struct dns_name *qname);

/* Do lists explain the qname: lookup services, pools, allow feeds, the tenant's zones and
 * suffixes? */
bool evidence_is_explained(const struct index *index, const struct exchange *x);

#endif
