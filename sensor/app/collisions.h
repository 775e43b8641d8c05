/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * collisions.h -- malicious entries that nobody can mean, or that mean one of our own: they cover a
 * tenant's own zone or search suffix, or a name of the shipped popular list, or lie below such a zone or
 * suffix. They are in force all the same; the operator is told.
 *
 * Threads:  no shared state.
 */
#ifndef SENSOR_APP_COLLISIONS_H
#define SENSOR_APP_COLLISIONS_H

#include "rules/knowledge.h"

struct load_report;

/* More of them are only counted. */
#define COLLISIONS_SAID_MAX 20

/* One line for each, with its place in the feed where that is known; `report` is of this loading. */
void collisions_warn(const struct knowledge *known, const struct load_report *report,
	void (*say)(void *arg, const char *line), void *arg);

#endif
