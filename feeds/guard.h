/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard.h -- is what a feed holds now fit to replace what it held before? Pure: two reports in, a
 * decision and its reason out. Who asks keeps the names of before.
 *
 * Feeds break in known ways: an error page in place of the list, a download cut short, a service
 * that was shut down and left an empty file. Each of them would silence alerts, and nobody
 * would know.
 *
 * Threads:  no shared state.
 */
#ifndef FEEDS_GUARD_H
#define FEEDS_GUARD_H

#include <stdbool.h>

#include "feeds/feed.h"

#define GUARD_WHY_MAX 160

/* A list of fewer entries is kept by hand, and half of it may well go at once. */
#define GUARD_SMALL 20
/* So few lines may be broken whatever their share is. */
#define GUARD_BROKEN_MIN 5

struct guard_limits {
	unsigned max_rejected; /* percent of the entries that may be broken; 100: any */
	unsigned max_shrink;   /* percent by which the feed may have shrunk; 100: any */
};

/* What guard_accepts found. */
enum guard_reason {
	GUARD_FINE,
	GUARD_REJECTED, /* too many of its lines are broken */
	GUARD_EMPTY,    /* it held something before, and nothing now */
	GUARD_SHRUNK,
	GUARD_UNREADABLE, /* found by who tried to load it: there is no report to ask about */
};

struct guard_finding {
	enum guard_reason reason;
	double value, limit;     /* percent */
	char why[GUARD_WHY_MAX]; /* a sentence's end: "20 of 40 lines are broken (...)" */
};

/*
 * Shall `now` replace `last`? `last` is NULL when there was nothing before: then only broken
 * lines can speak against it. `out` is filled in either way.
 */
bool guard_accepts(struct guard_finding *out, const struct guard_limits *limits,
	const struct feed_report *now, const struct feed_report *last);

#endif
