/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * judged.h -- a new list beside the one in place: read with the feed's own options and rails, as the
 * sensor will read it, and compared entry by entry.
 *
 * Owner:    judged_deinit.  Threads: as feed_load_all.  Input: untrusted files, any bytes.
 */
#ifndef TOOLS_DYNWATCH_FEEDS_JUDGED_H
#define TOOLS_DYNWATCH_FEEDS_JUDGED_H

#include <stdbool.h>
#include <stdint.h>

#include "feeds/guard.h"
#include "sensor/base/error.h"
#include "sensor/config/config.h"

struct judged {
	struct feed_report *now,
		*before;            /* before: NULL when there was none, or nothing readable */
	uint64_t added, removed;    /* entries: a name or network with what it means */
	struct guard_finding doubt; /* GUARD_FINE: it may take the place of the old one */
};

/*
 * Read the list in `new_path`, and the feed's own file unless `has_old` is false. ERR_USAGE: the new one
 * cannot be read ("PATH: reason"); that the old one cannot be is no error.
 */
NODISCARD enum err judged_read(struct judged *out, const struct config_feed *feed,
	const char *new_path, bool has_old, struct err_ctx *why);
void judged_deinit(struct judged *j);

#endif
