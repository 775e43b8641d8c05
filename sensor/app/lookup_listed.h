/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lookup_listed.h -- the part of `dynwatch lookup` that says what lists have: every mark, who says so
 * and where, and what else is said.
 *
 * Places are found by reading the feeds again; one that changed since may say otherwise.
 */
#ifndef SENSOR_APP_LOOKUP_LISTED_H
#define SENSOR_APP_LOOKUP_LISTED_H

#include "rules/knowledge.h"
#include "sensor/config/config.h"

/* To standard output, a line or more for each mark; "nowhere" when there is none. */
void lookup_listed_name(const struct knowledge *known, const struct config *config,
	const struct dns_name *name);
void lookup_listed_address(
	const struct knowledge *known, const struct config *config, const struct ip *ip);

#endif
