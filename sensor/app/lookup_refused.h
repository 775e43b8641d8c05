/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lookup_refused.h -- the part of `dynwatch lookup` that says what feeds have and the sensor does not
 * take: entries that a rail stands before (a provider's own suffix as malicious, a public suffix, a
 * private network), and those that have ended. Without it "listed nowhere" looks like a fault.
 *
 * Feeds are read again for it, once for all that is asked about.
 */
#ifndef SENSOR_APP_LOOKUP_REFUSED_H
#define SENSOR_APP_LOOKUP_REFUSED_H

#include <stdbool.h>
#include <stddef.h>

#include "sensor/base/ip.h"
#include "sensor/config/config.h"
#include "sensor/dns/name.h"

/* What is asked about. */
struct subject {
	bool is_address;
	struct ip ip;
	struct dns_name name;
};

struct refusals;

/* What the configured feeds have of any of these. NULL: out of memory. Freed with refusals_free. */
struct refusals *refusals_gather(
	const struct config *config, const struct subject *about, size_t about_count);
/* To standard output, a line for each that concerns the subject. */
void refusals_print(const struct refusals *refusals, const struct subject *about);
void refusals_free(struct refusals *refusals);

#endif
