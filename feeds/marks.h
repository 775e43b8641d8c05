/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * marks.h -- lists of marks, each distinct list stored once (private to the index).
 *
 * While the index is built, a list is a chain of cells that share their tails ("hash consing"):
 * the list {b, a} is the cell b in front of the list {a}, and the same cell is never made
 * twice. So a million names with the same mark share one cell, and a thousand tenants that mark
 * one name cost a thousand cells, not a thousand copies. Freezing turns the lists that names
 * really use into sorted arrays, numbered from 0.
 *
 * Owner:    marks_pool_deinit, mark_sets_deinit; zero-initialised is valid and empty.
 * Threads:  a pool belongs to one thread; frozen sets are immutable.
 */
#ifndef FEEDS_MARKS_H
#define FEEDS_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "feeds/index.h"
#include "sensor/base/attribute.h"

#define MARKS_EMPTY 0 /* the list without marks */

struct marks_pool {
	struct marks_cell {
		struct mark mark;
		uint32_t rest; /* list behind this mark */
		uint32_t uses; /* names whose list starts here: kept by who builds */
	} * cell;              /* [0] is the empty list */
	uint32_t cell_count, cell_size;
	uint32_t *bucket; /* cell numbers by hash of (mark, rest); 0: free */
	uint32_t bucket_count;
};

/* Frozen: set s is mark[set[s].at .. + set[s].count], sorted by kind, source, scope, detail. */
struct mark_sets {
	struct mark *mark;
	struct mark_set {
		uint32_t at;
		uint32_t count : 30;
		uint32_t on_name : 1;  /* some mark applies to the name itself */
		uint32_t on_below : 1; /* some mark applies to names below */
	} * set;
	uint32_t mark_count, set_count;
};

bool marks_has(const struct marks_pool *pool, uint32_t list, struct mark mark);
/* The list with `mark` in front; MARKS_EMPTY when out of memory. */
NODISCARD uint32_t marks_push(struct marks_pool *pool, uint32_t list, struct mark mark);
void marks_pool_deinit(struct marks_pool *pool);
size_t marks_pool_bytes(const struct marks_pool *pool);

/*
 * Freeze the lists that have uses; afterwards set_of[list] (cell_count of them) is the number of
 * its set. Equal lists get one number, whatever the order they were made in.
 */
NODISCARD bool marks_freeze(
	struct mark_sets *out, const struct marks_pool *pool, uint32_t *set_of);
void mark_sets_deinit(struct mark_sets *sets);
size_t mark_sets_bytes(const struct mark_sets *sets);

#endif
