/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * update_feed.h -- one feed on its way: what is asked for, and what is made of the answer.
 *
 * The new list takes the place of the old one only after it was read as the sensor reads it and found
 * fit (judged.h); until then, and after any failure, the old file is as it was.
 *
 * Owner:    update_feed_begin .. update_feed_deinit; all of one run are ended together (feed_file.h).
 * Threads:  as feed_load_all.
 */
#ifndef TOOLS_DYNWATCH_FEEDS_UPDATE_FEED_H
#define TOOLS_DYNWATCH_FEEDS_UPDATE_FEED_H

#include <stdbool.h>

#include "sensor/config/config.h"
#include "tools/dynwatch-feeds/feed_file.h"
#include "tools/dynwatch-feeds/fetch.h"
#include "tools/dynwatch-feeds/results.h"

struct update_feed {
	const struct config_feed *feed;
	struct feed_file file;
	struct fetched last; /* bytes 0: the file in place is not one that was fetched */
	char *key;
	int scratch; /* what comes; -1: none */
};

struct update_options {
	bool dry_run;
	bool force; /* a list that shrank is taken */
};

/*
 * Fill in what is to be fetched. False: the feed has failed already, and `result` says why.
 * `fetch` points into `u`.
 */
bool update_feed_begin(struct update_feed *u, const struct config_feed *feed,
	struct fetch *fetch, struct result *result);
/* Make of the answer what can be made of it. */
void update_feed_finish(const struct update_feed *u, const struct fetch *fetch,
	const struct update_options *options, struct result *result);
/* Also after update_feed_begin said no. */
void update_feed_deinit(struct update_feed *u);

#endif
