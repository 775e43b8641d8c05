/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load_cache.h -- what loading the feeds gave, kept in a file so that the next start need not read
 * them again (`cache:` in the configuration).
 *
 * The file is used only for the very same sources: the same program, shipped lists, libraries that
 * have a say, options of feeds, names of tenants, and feed files (path, device, inode, size, times of
 * change). A feed whose entries may end is taken from it on the same day only. Anything that is wrong
 * with the file is said, and the feeds are read as if there were none.
 *
 * Owner:    load_cache_deinit; zero-initialised is valid: no cache.  Threads: single-threaded.
 */
#ifndef SENSOR_APP_LOAD_CACHE_H
#define SENSOR_APP_LOAD_CACHE_H

#include "sensor/app/load.h"
#include "sensor/base/text.h"

struct load_cache {
	const char *path; /* NULL: none */
	struct text identity;
	int64_t day;                       /* since 1970 */
	const struct policy_set *policies; /* of the configuration, whose they stay */
};

/* The identity of what is about to be loaded; without one (out of memory) there is no cache. */
void load_cache_init(struct load_cache *cache, const struct config *config,
	const struct load_options *options);
void load_cache_deinit(struct load_cache *cache);

/*
 * Fill in known->index, known->providers and the facts of feeds, the builder of listed addresses, and
 * the reports of feeds, `feed_count` of them. False: there is nothing to be had, and nothing was
 * changed.
 */
NODISCARD bool load_cache_restore(const struct load_cache *cache, struct knowledge *known,
	struct address_builder *addresses, struct load_report *report, size_t feed_count);

/* Keep what was loaded, unless its sources have changed meanwhile. A failure is said. */
void load_cache_store(const struct load_cache *cache, const struct config *config,
	const struct load_options *options, const struct knowledge *known,
	const struct load_report *report);

#endif
