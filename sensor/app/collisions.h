/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * collisions.h -- malicious entries that nobody can mean: they cover a tenant's own zone or search
 * suffix, or a name of the shipped popular list. They are in force all the same; the operator is
 * told, with the place in the feed still to be looked for (`dynwatch lookup NAME`).
 *
 * Threads:  no shared state.
 */
#ifndef SENSOR_APP_COLLISIONS_H
#define SENSOR_APP_COLLISIONS_H

#include "rules/knowledge.h"

/* More of them are only counted. */
#define COLLISIONS_SAID_MAX 20

/* One line for each; `say` gets text without a place in front. */
void collisions_warn(
	const struct knowledge *known, void (*say)(void *arg, const char *line), void *arg);

#endif
