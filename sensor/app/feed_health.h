/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * feed_health.h -- sensor.degraded for feeds: a file that is older than its max_age, one whose
 * content is not believed (guard.h), a malicious one that gave nothing. A feed that has quietly died looks like
 * peace.
 *
 * Remembers nothing: called now and then and after each load, it says everything that is so, and
 * the rule's suppress holds back what was said before.
 *
 * Threads:  the one that drives the output.
 */
#ifndef SENSOR_APP_FEED_HEALTH_H
#define SENSOR_APP_FEED_HEALTH_H

#include <stdint.h>

#include "rules/knowledge.h"
#include "sensor/app/load.h"
#include "sensor/output/output.h"

/* `loaded` is what became of known->feed[]; the time is compared with that of the files. */
void feed_health_check(const struct knowledge *known, const struct load_report *loaded,
	struct output *output, int64_t now_ns);

#endif
