/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * changes.h -- what a reload has changed, in words: names by feed, tenants.
 *
 * Threads:  no shared state; both versions are immutable.
 */
#ifndef SENSOR_APP_CHANGES_H
#define SENSOR_APP_CHANGES_H

#include "rules/knowledge.h"
#include "sensor/base/text.h"

/* So many feeds, and so many tenants, are named; of more their number is told. */
#define CHANGES_NAMED_MAX 12

/*
 * Append "feed urlhaus +120 -3, feed old gone (-17); tenant acme new, tenant beta gone", or
 * "nothing changed". Names are the same when feed, meaning and scope are. Cost: a look-up for each
 * name of either version.
 */
void changes_describe(
	struct text *out, const struct knowledge *before, const struct knowledge *after);

#endif
