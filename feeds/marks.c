/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/marks.h"

#include <stdlib.h>
#include <string.h>

#include "sensor/base/hash.h"

/* Explicit bytes: a struct mark has no padding, so it can be compared and hashed as it lies. */
_Static_assert(sizeof(struct mark) == 8, "struct mark must have no padding");

static bool mark_equal(const struct mark *a, const struct mark *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static uint64_t cell_hash(struct mark mark, uint32_t rest)
{
	return hash_word(hash_bytes(0, &mark, sizeof(mark)), rest);
}

bool marks_has(const struct marks_pool *pool, uint32_t list, struct mark mark)
{
	for (; list != MARKS_EMPTY; list = pool->cell[list].rest) {
		if (mark_equal(&pool->cell[list].mark, &mark))
			return true;
	}
	return false;
}

/* Where the cell (mark, rest) is, or the free bucket where it belongs. */
static uint32_t *bucket_of(const struct marks_pool *pool, struct mark mark, uint32_t rest)
{
	uint32_t mask = pool->bucket_count - 1;
	uint32_t at = (uint32_t)(cell_hash(mark, rest) >> 32) & mask;

	for (;; at = (at + 1) & mask) {
		uint32_t number = pool->bucket[at];
		if (number == MARKS_EMPTY)
			return &pool->bucket[at];
		const struct marks_cell *cell = &pool->cell[number];
		if (cell->rest == rest && mark_equal(&cell->mark, &mark))
			return &pool->bucket[at];
	}
}

/* Room for one more cell; half of the buckets stay free. */
static bool pool_grow(struct marks_pool *pool)
{
	uint32_t size = pool->cell_size ? pool->cell_size * 2 : 64;
	if (size > UINT32_MAX / 4)
		return false;
	struct marks_cell *cell = realloc(pool->cell, size * sizeof(*cell));
	if (!cell)
		return false;
	pool->cell = cell;
	uint32_t *bucket = calloc(size * 2, sizeof(*bucket));
	if (!bucket)
		return false;
	free(pool->bucket);
	pool->bucket = bucket;
	pool->bucket_count = size * 2;
	pool->cell_size = size;
	if (pool->cell_count == 0)
		pool->cell[pool->cell_count++] = (struct marks_cell){ .rest = MARKS_EMPTY };
	for (uint32_t i = 1; i < pool->cell_count; i++)
		*bucket_of(pool, cell[i].mark, cell[i].rest) = i;
	return true;
}

uint32_t marks_push(struct marks_pool *pool, uint32_t list, struct mark mark)
{
	if (pool->cell_count == pool->cell_size && !pool_grow(pool))
		return MARKS_EMPTY;
	uint32_t *bucket = bucket_of(pool, mark, list);
	if (*bucket == MARKS_EMPTY) {
		pool->cell[pool->cell_count] =
			(struct marks_cell){ .mark = mark, .rest = list };
		*bucket = pool->cell_count++;
	}
	return *bucket;
}

void marks_pool_deinit(struct marks_pool *pool)
{
	free(pool->cell);
	free(pool->bucket);
	*pool = (struct marks_pool){ 0 };
}

size_t marks_pool_bytes(const struct marks_pool *pool)
{
	return pool->cell_size * sizeof(*pool->cell) +
	       pool->bucket_count * sizeof(*pool->bucket);
}

static int mark_order(const void *left, const void *right)
{
	const struct mark *a = left;
	const struct mark *b = right;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->source != b->source)
		return a->source < b->source ? -1 : 1;
	if (a->scope != b->scope)
		return a->scope < b->scope ? -1 : 1;
	return a->detail < b->detail ? -1 : a->detail > b->detail;
}

static size_t list_len(const struct marks_pool *pool, uint32_t list)
{
	size_t count = 0;
	for (; list != MARKS_EMPTY; list = pool->cell[list].rest)
		count++;
	return count;
}

/* The same marks as a list in the one sorted order, so that equal sets become one list. */
static uint32_t canonical(struct marks_pool *sorted, const struct marks_pool *pool,
	uint32_t list, struct mark **scratch)
{
	size_t count = list_len(pool, list);
	struct mark *mark = realloc(*scratch, count * sizeof(*mark));
	if (!mark)
		return MARKS_EMPTY;
	*scratch = mark;
	for (size_t i = 0; i < count; i++, list = pool->cell[list].rest)
		mark[i] = pool->cell[list].mark;
	qsort(mark, count, sizeof(*mark), mark_order);
	uint32_t result = MARKS_EMPTY;
	for (size_t i = count; i > 0; i--) {
		result = marks_push(sorted, result, mark[i - 1]);
		if (result == MARKS_EMPTY)
			return MARKS_EMPTY;
	}
	return result;
}

/* Fill the next set from a sorted list. */
static void sets_append(struct mark_sets *sets, const struct marks_pool *sorted, uint32_t list)
{
	struct mark_set *set = &sets->set[sets->set_count++];

	*set = (struct mark_set){ .at = sets->mark_count };
	for (; list != MARKS_EMPTY; list = sorted->cell[list].rest) {
		const struct mark *mark = &sorted->cell[list].mark;
		set->on_name |= mark->scope != SCOPE_BELOW;
		set->on_below |= mark->scope != SCOPE_EXACT;
		set->count++;
		sets->mark[sets->mark_count++] = *mark;
	}
}

/* One set for each sorted list with wanted[list] != 0, which becomes the number of the set. */
static bool sets_fill(struct mark_sets *sets, const struct marks_pool *sorted, uint32_t *wanted)
{
	size_t mark_count = 0;
	size_t set_count = 0;

	for (uint32_t list = 1; list < sorted->cell_count; list++) {
		if (wanted[list]) {
			mark_count += list_len(sorted, list);
			set_count++;
		}
	}
	if (mark_count > UINT32_MAX)
		return false;
	sets->mark = malloc((mark_count + 1) * sizeof(*sets->mark));
	sets->set = malloc((set_count + 1) * sizeof(*sets->set));
	if (!sets->mark || !sets->set)
		return false;
	for (uint32_t list = 1; list < sorted->cell_count; list++) {
		if (wanted[list]) {
			wanted[list] = sets->set_count;
			sets_append(sets, sorted, list);
		}
	}
	return true;
}

bool marks_freeze(struct mark_sets *out, const struct marks_pool *pool, uint32_t *set_of)
{
	struct marks_pool sorted = { 0 };
	struct mark *scratch = NULL;
	uint32_t *wanted = NULL;
	bool ok = false;

	for (uint32_t list = 1; list < pool->cell_count; list++) {
		if (pool->cell[list].uses == 0)
			continue;
		set_of[list] = canonical(&sorted, pool, list, &scratch);
		if (set_of[list] == MARKS_EMPTY)
			goto out;
	}
	wanted = calloc(sorted.cell_count + 1u, sizeof(*wanted));
	if (!wanted)
		goto out;
	for (uint32_t list = 1; list < pool->cell_count; list++) {
		if (pool->cell[list].uses > 0)
			wanted[set_of[list]] = 1;
	}
	if (!sets_fill(out, &sorted, wanted))
		goto out;
	for (uint32_t list = 1; list < pool->cell_count; list++) {
		if (pool->cell[list].uses > 0)
			set_of[list] = wanted[set_of[list]];
	}
	ok = true;
out:
	free(wanted);
	free(scratch);
	marks_pool_deinit(&sorted);
	return ok;
}

void mark_sets_deinit(struct mark_sets *sets)
{
	free(sets->mark);
	free(sets->set);
	*sets = (struct mark_sets){ 0 };
}

size_t mark_sets_bytes(const struct mark_sets *sets)
{
	return sets->mark_count * sizeof(*sets->mark) + sets->set_count * sizeof(*sets->set);
}
