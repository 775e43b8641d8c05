/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * indicator.h -- what a lookup.malicious alert says of the feeds behind it.
 *
 * Threads:  no shared state.
 */
#ifndef RULES_INDICATOR_H
#define RULES_INDICATOR_H

#include "rules/alert.h"
#include "rules/verdict.h"

/* Who lists it ("urlhaus, threatfox"), as provider of the indicator and as reasons, and what each
 * says of it. */
void indicator_name_feeds(
	struct alert *a, const struct knowledge *known, const struct verdict *v);

/* 0..100, from the alert's severity and the number of feeds. */
int indicator_score(const struct alert *a, const struct verdict *v);

#endif
