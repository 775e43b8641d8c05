/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/suppress.h"

#include "sensor/base/clock.h"
#include "sensor/base/hash.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Open windows hang in two structures: chains by hash of the key (to find a repeat) and a
 * binary heap by end (to close in order). Only the heap is ever walked, so the random seed of
 * the hash does not show in the output.
 */

struct window {
	struct window *next; /* in its chain */
	size_t heap_at;
	uint64_t hash;
	int64_t end_ns;
	int64_t id_ns;  /* what the last id of this key was made from */
	uint64_t order; /* of opening: breaks ties of end_ns */
	uint64_t held;
	uint64_t count;            /* observations behind all alerts since the window opened */
	int64_t first_ns, last_ns; /* of the held ones */
	/* of the most severe and latest held one; NULL while none is held */
	struct alert *body;
	uint8_t severity; /* of the last alert that passed */
	size_t key_len;
	char key[];
};

struct suppress {
	suppress_sink *sink;
	void *arg;
	struct suppress_options limit;
	struct suppress_stats stats;
	uint64_t seed;
	uint64_t opened;
	int64_t now_ns; /* latest capture time seen */
	size_t chain_mask;
	struct window **chain;
	struct window **heap; /* limit.windows_max */
	struct alert scratch; /* an alert on its way out with something changed */
};

static size_t chains_for(size_t windows)
{
	size_t chains = 64;

	while (chains < windows)
		chains *= 2;
	return chains;
}

struct suppress *suppress_new(
	const struct suppress_options *options, suppress_sink *sink, void *arg)
{
	struct suppress *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->sink = sink;
	s->arg = arg;
	s->limit = *options;
	if (s->limit.windows_max == 0)
		s->limit.windows_max = SUPPRESS_WINDOWS_DEFAULT;
	if (s->limit.bytes_max == 0)
		s->limit.bytes_max = SUPPRESS_BYTES_DEFAULT;
	s->seed = hash_random_seed();
	s->now_ns = INT64_MIN;
	s->chain_mask = chains_for(s->limit.windows_max) - 1;
	s->chain = calloc(s->chain_mask + 1, sizeof(*s->chain));
	s->heap = calloc(s->limit.windows_max, sizeof(struct window *));
	if (!s->chain || !s->heap) {
		suppress_free(s);
		return NULL;
	}
	return s;
}

void suppress_free(struct suppress *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->stats.windows; i++) {
		free(s->heap[i]->body);
		free(s->heap[i]);
	}
	free(s->heap);
	free(s->chain);
	free(s);
}

/* --- the heap ---------------------------------------------------------------------------- */

static bool ends_before(const struct window *a, const struct window *b)
{
	return a->end_ns != b->end_ns ? a->end_ns < b->end_ns : a->order < b->order;
}

static void heap_place(struct suppress *s, struct window *w, size_t at)
{
	s->heap[at] = w;
	w->heap_at = at;
}

/* Move a window whose end has changed to where it belongs. */
static void heap_settle(struct suppress *s, struct window *w)
{
	size_t at = w->heap_at, count = s->stats.windows;

	while (at > 0 && ends_before(w, s->heap[(at - 1) / 2])) {
		heap_place(s, s->heap[(at - 1) / 2], at);
		at = (at - 1) / 2;
	}
	for (size_t child; (child = 2 * at + 1) < count; at = child) {
		if (child + 1 < count && ends_before(s->heap[child + 1], s->heap[child]))
			child++;
		if (!ends_before(s->heap[child], w))
			break;
		heap_place(s, s->heap[child], at);
	}
	heap_place(s, w, at);
}

static void heap_remove(struct suppress *s, struct window *w)
{
	struct window *last = s->heap[--s->stats.windows];

	if (last == w)
		return;
	heap_place(s, last, w->heap_at);
	heap_settle(s, last);
}

/* --- windows ----------------------------------------------------------------------------- */

static size_t window_bytes(const struct window *w)
{
	return sizeof(*w) + w->key_len + (w->body ? alert_size(w->body) : 0);
}

static struct window **chain_of(struct suppress *s, uint64_t hash)
{
	return &s->chain[hash & s->chain_mask];
}

static struct window *window_find(
	struct suppress *s, uint64_t hash, const char *key, size_t key_len)
{
	for (struct window *w = *chain_of(s, hash); w; w = w->next) {
		if (w->hash == hash && w->key_len == key_len &&
			memcmp(w->key, key, key_len) == 0)
			return w;
	}
	return NULL;
}

static void window_remove(struct suppress *s, struct window *w)
{
	struct window **at = chain_of(s, w->hash);

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	heap_remove(s, w);
	s->stats.bytes -= window_bytes(w);
	free(w->body);
	free(w);
}

/* Forget what was held. */
static void window_empty(struct suppress *s, struct window *w)
{
	s->stats.bytes -= window_bytes(w);
	free(w->body);
	w->body = NULL;
	w->held = 0;
	w->count = 0;
	s->stats.bytes += window_bytes(w);
}

/* A start for the next id of this key: `ts_ns`, unless that would repeat one. */
static int64_t window_id_ns(struct window *w, int64_t ts_ns)
{
	w->id_ns = ts_ns > w->id_ns ? ts_ns : w->id_ns + 1;
	return w->id_ns;
}

static void window_start(struct suppress *s, struct window *w, const struct alert *a)
{
	if (__builtin_add_overflow(a->ts_ns, a->suppress_ns, &w->end_ns))
		w->end_ns = INT64_MAX;
	w->order = s->opened++;
	w->severity = a->severity;
	w->count = a->count;
	heap_settle(s, w);
}

/* --- closing ----------------------------------------------------------------------------- */

static struct alert *scratch_copy(struct suppress *s, const struct alert *a)
{
	alert_copy(&s->scratch, a);
	return &s->scratch;
}

/* "12:31 UTC"; with the date when it is not that of the first one. */
static void format_until(char *out, size_t out_size, int64_t first_ns, int64_t last_ns)
{
	char first[CLOCK_TEXT_MAX], last[CLOCK_TEXT_MAX];

	clock_format(first_ns, first);
	clock_format(last_ns, last);
	if (strncmp(first, last, strlen("YYYY-MM-DD")) == 0)
		snprintf(out, out_size, "%.5s UTC", last + 11);
	else
		snprintf(out, out_size, "%.10s %.5s UTC", last, last + 11);
}

/* The sentence gets its number; a pool that has no room left keeps the sentence as it is. */
static void tell_total(struct alert *a, const struct window *w)
{
	char until[CLOCK_TEXT_MAX], suffix[96];

	format_until(until, sizeof(until), w->first_ns, w->last_ns);
	int suffix_len = snprintf(suffix, sizeof(suffix), " (%llu more time%s until %s)",
		(unsigned long long)w->held, w->held == 1 ? "" : "s", until);
	size_t message_len = strlen(alert_get(a, a->message));
	size_t need = message_len + (size_t)suffix_len + 1;
	if (need > (size_t)ALERT_POOL_BYTES - a->pool_len)
		return;
	char *to = a->pool + a->pool_len;
	memcpy(to, alert_get(a, a->message), message_len);
	memcpy(to + message_len, suffix, (size_t)suffix_len + 1);
	a->message = a->pool_len;
	a->pool_len = (uint16_t)(a->pool_len + need);
}

/* Write the closing alert of a window that held something. */
static void window_close(struct suppress *s, struct window *w)
{
	if (w->held == 0)
		return;
	struct alert *a = scratch_copy(s, w->body);
	a->ts_ns = w->end_ns < s->now_ns ? w->end_ns : s->now_ns;
	a->start_ns = w->first_ns;
	a->end_ns = w->last_ns;
	a->count = w->count;
	a->suppressed = w->held;
	tell_total(a, w);
	s->stats.closings++;
	s->sink(s->arg, a, window_id_ns(w, w->first_ns));
}

static void close_early(struct suppress *s)
{
	struct window *w = s->heap[0];

	s->stats.closed_early++;
	window_close(s, w);
	window_remove(s, w);
}

/* --- accepting --------------------------------------------------------------------------- */

/* Pass the alert and open its window; without memory it passes and repeats will too. */
static void pass_first(struct suppress *s, const struct alert *a, uint64_t hash,
	const char *key, size_t key_len)
{
	while (s->stats.windows > 0 && (s->stats.windows >= s->limit.windows_max ||
					       s->stats.bytes > s->limit.bytes_max))
		close_early(s);

	struct window *w = calloc(1, sizeof(*w) + key_len);
	if (!w) {
		s->sink(s->arg, a, a->ts_ns);
		return;
	}
	w->hash = hash;
	w->key_len = key_len;
	memcpy(w->key, key, key_len);
	w->next = *chain_of(s, hash);
	*chain_of(s, hash) = w;
	heap_place(s, w, s->stats.windows++);
	s->stats.bytes += window_bytes(w);
	w->id_ns = a->ts_ns;
	window_start(s, w, a);
	s->sink(s->arg, a, w->id_ns);
}

/* The window of this key goes on with a new alert that passes. */
static void pass_again(struct suppress *s, struct window *w, const struct alert *a)
{
	uint64_t held = w->held;
	int64_t id_ns = window_id_ns(w, a->ts_ns);

	window_empty(s, w);
	window_start(s, w, a);
	if (held == 0) {
		s->sink(s->arg, a, id_ns);
		return;
	}
	struct alert *told = scratch_copy(s, a);
	told->suppressed = held;
	s->sink(s->arg, told, id_ns);
}

/* Keep the alert as the window's body if it says more than the one there; false without memory.
 */
static bool keep_body(struct suppress *s, struct window *w, const struct alert *a)
{
	if (w->body && a->severity < w->body->severity)
		return true;
	size_t old_bytes = w->body ? alert_size(w->body) : 0;
	/* Repeats are alike: the copy mostly fits where the one before it was. */
	if (alert_size(a) != old_bytes) {
		struct alert *room = malloc(alert_size(a));
		if (!room)
			return w->body != NULL;
		free(w->body);
		w->body = room;
	}
	alert_copy(w->body, a);
	s->stats.bytes += alert_size(a) - old_bytes;
	return true;
}

static void hold(struct suppress *s, struct window *w, const struct alert *a)
{
	if (!keep_body(s, w, a)) {
		pass_again(s, w, a);
		return;
	}
	if (w->held == 0 || a->ts_ns < w->first_ns)
		w->first_ns = a->ts_ns;
	if (w->held == 0 || a->ts_ns > w->last_ns)
		w->last_ns = a->ts_ns;
	w->held++;
	w->count += a->count;
	s->stats.held++;
	/* One at most is over the limit, by one body; it may be this very window that closes.
	 */
	while (s->stats.bytes > s->limit.bytes_max && s->stats.windows > 0)
		close_early(s);
}

void suppress_accept(struct suppress *s, const struct alert *a)
{
	const char *key = alert_get(a, a->key);
	size_t key_len = strlen(key);
	uint64_t hash = hash_bytes(s->seed, key, key_len);

	s->stats.raised++;
	if (a->ts_ns > s->now_ns)
		s->now_ns = a->ts_ns;
	if (key_len == 0) { /* nothing to recognise a repeat by */
		s->sink(s->arg, a, a->ts_ns);
		return;
	}
	struct window *w = window_find(s, hash, key, key_len);
	if (!w) {
		pass_first(s, a, hash, key, key_len);
	} else if (a->ts_ns >= w->end_ns) {
		window_close(s, w);
		window_empty(s, w);
		pass_again(s, w, a);
	} else if (a->severity > w->severity || a->suppress_ns <= 0) {
		pass_again(s, w, a);
	} else {
		hold(s, w, a);
	}
}

void suppress_tick(struct suppress *s, int64_t ts_ns)
{
	if (ts_ns > s->now_ns)
		s->now_ns = ts_ns;
	while (s->stats.windows > 0 && s->heap[0]->end_ns <= ts_ns) {
		struct window *w = s->heap[0];
		window_close(s, w);
		window_remove(s, w);
	}
}

void suppress_finish(struct suppress *s)
{
	while (s->stats.windows > 0) {
		struct window *w = s->heap[0];
		window_close(s, w);
		window_remove(s, w);
	}
}

struct suppress_stats suppress_stats(const struct suppress *s)
{
	return s->stats;
}
