/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * geo.h -- country and autonomous system of an address (libmaxminddb).
 *
 * An absent path is a feature that is off; a damaged database is an error at opening. A lookup
 * in a database that turns out damaged later answers "not known".
 *
 * Owner: geo_open/geo_close.  Threads: immutable after opening.  Input: untrusted files.
 */
#ifndef FEEDS_GEO_H
#define FEEDS_GEO_H

#include <stdbool.h>
#include <stdint.h>

#include "sensor/base/error.h"
#include "sensor/base/ip.h"

struct geo_facts {
	char country[3]; /* ISO 3166 alpha-2, "" when not known */
	uint32_t asn;    /* 0 when not known */
};

struct geo;

/* Either path may be NULL. *out is NULL when both are. The whole database is checked once. */
NODISCARD enum err geo_open(
	struct geo **out, const char *country_path, const char *asn_path, struct err_ctx *why);
void geo_close(struct geo *geo);
/* geo may be NULL: nothing is known then. */
struct geo_facts geo_lookup(const struct geo *geo, const struct ip *ip);
/* The autonomous system alone, for half the price. */
uint32_t geo_asn(const struct geo *geo, const struct ip *ip);
bool geo_has_asn(const struct geo *geo);

#endif
