/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/pipeline/turns.h"

#include <stddef.h>

#include "sensor/base/clock.h"

/* What one look at all inputs found. */
struct look {
	size_t first;      /* input with the earliest record */
	bool found;        /* there is one */
	int64_t silent_ns; /* nothing before this time is still to come from the others */
};

/* An input without a record: how far it has come, if it can still give one. */
static void look_at_silent(
	struct look *look, struct turns *t, struct spsc *ring, int64_t reached_ns)
{
	if (spsc_drained(ring))
		return;
	if (!t->wait_for || reached_ns < look->silent_ns) {
		t->wait_for = ring;
		look->silent_ns = reached_ns;
	}
}

static struct look look_at_inputs(struct turns *t)
{
	struct look look = { .silent_ns = INT64_MAX };

	t->wait_for = NULL;
	for (size_t i = 0; i < t->input_count; i++) {
		struct turns_head *head = &t->head[i];
		size_t bytes;
		if (!head->record) {
			/* before the ring is looked at, or what it says would not hold */
			int64_t reached_ns = (int64_t)watermark_read(&t->reached[i]);
			head->record = spsc_peek(t->ring[i], &bytes);
			head->since_ns = 0;
			if (!head->record)
				look_at_silent(&look, t, t->ring[i], reached_ns);
		}
		if (head->record &&
			(!look.found ||
				head->record->ts_ns < t->head[look.first].record->ts_ns)) {
			look.first = i;
			look.found = true;
		}
	}
	return look;
}

/*
 * Has the record waited enough for others? Where it has, so have those behind it that were there when it
 * began to: if each waited by itself, an input that lags would hold the others back more and more.
 */
static bool is_due(struct turns_head *head, const struct spsc *ring)
{
	if (spsc_place(ring) < head->waited)
		return true;
	int64_t now_ns = clock_monotonic_ns();
	if (head->since_ns == 0) {
		head->since_ns = now_ns;
		head->there = spsc_end(ring);
	}
	if (now_ns - head->since_ns >= TURNS_HOLD_MS * NS_PER_MS) {
		head->waited = head->there;
		return true;
	}
	return spsc_used(ring) > spsc_capacity(ring) / 2;
}

const struct turns_record *turns_next(struct turns *t)
{
	struct look look = look_at_inputs(t);

	if (!look.found)
		return NULL;
	struct turns_head *head = &t->head[look.first];
	const struct turns_record *record = head->record;
	if (record->ts_ns > look.silent_ns && !is_due(head, t->ring[look.first]))
		return NULL;
	spsc_release(t->ring[look.first]);
	head->record = NULL;
	t->taken = look.first;
	return record;
}

void turns_retire(struct turns *t)
{
	for (size_t i = 0; i < t->input_count; i++)
		spsc_retire(t->ring[i]);
}
