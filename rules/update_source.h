/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * update_source.h -- may this host update this zone? By its address (update.unauthorized_source)
 * and by where that is (update.unexpected_geo).
 *
 * Both ask the zone's policy; a zone that is not listed, or lists nobody, lets everybody. One of
 * the zone's own servers passes on what others send (RFC 2136 6) and is let, too. Where both
 * speak, the first does.
 *
 * Threads: one tracker; no state.
 */
#ifndef RULES_UPDATE_SOURCE_H
#define RULES_UPDATE_SOURCE_H

#include "feeds/geo.h"
#include "rules/transaction.h"

/* A transaction that was answered and would change something. Returns whether it said something. */
bool update_source_judge(struct emit *e, const struct geo *geo, const struct exchange *x,
	const struct transaction *t);

#endif
