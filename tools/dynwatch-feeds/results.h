/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * results.h -- what became of each feed, as a table for people or as JSON.
 *
 * Owner:    the caller's structs; what they point to is not copied.  Threads: no shared state.
 */
#ifndef TOOLS_DYNWATCH_FEEDS_RESULTS_H
#define TOOLS_DYNWATCH_FEEDS_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/base/error.h"
#include "sensor/base/text.h"

enum result_kind {
	RESULT_UPDATED,
	RESULT_UNCHANGED,
	RESULT_KEPT,   /* a list came, and it is not to be believed */
	RESULT_FAILED, /* none came */
	RESULT_KIND_COUNT,
};

struct result {
	const char *feed;
	enum result_kind kind;
	struct err_ctx why; /* KEPT, FAILED; also UPDATED, when there is something to say */
	bool before_known, after_known;
	/* Entries: of the list that was in place, and of the one that came. */
	uint64_t before, after;
	uint64_t added, removed, rejected;
	uint64_t bytes; /* as they were sent */
	int64_t elapsed_ns;
};

const char *result_name(enum result_kind kind);
/* KEPT and FAILED are. */
bool results_any_bad(const struct result *result, size_t count);

void results_table(struct text *out, const struct result *result, size_t count);
/* {"dry_run":false,"feeds":[{...}]} and a newline. */
void results_json(struct text *out, const struct result *result, size_t count, bool dry_run);

#endif
