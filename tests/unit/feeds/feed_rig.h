/* SPDX-License-Identifier: BSD-2-Clause */
/* feed_rig.h -- for the tests of feeds: names from text, feeds from strings, paths of data. */
#ifndef TESTS_UNIT_FEEDS_FEED_RIG_H
#define TESTS_UNIT_FEEDS_FEED_RIG_H

#include "feeds/feed.h"

struct feed_rig {
	struct feed_target target;
	struct feed_report report;
	struct err_ctx why;
	struct index *index; /* after feed_rig_build */
	struct address_set *addresses;
};

void feed_rig_init(struct feed_rig *rig);
void feed_rig_deinit(struct feed_rig *rig);
/* Load the content (NUL-terminated) as feed 1; asserts that it could be read. */
void feed_rig_load(struct feed_rig *rig, struct feed_spec spec, const char *content);
void feed_rig_build(struct feed_rig *rig);
/* Number of hits of the name in the built index. */
size_t feed_rig_hits(const struct feed_rig *rig, const char *name);

struct dns_name name_of(const char *text);
/* "DYNWATCH_SHARED/<file>"; valid until the next call. */
const char *shared_path(const char *file);

#endif
