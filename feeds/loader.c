/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/loader.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/base/thread.h"

/*
 * Words of a harvest that is handed over. Alone, it is stored while it is in the first cache. With
 * others, that of a block of lines is to fit in one, so that its worker does not have to wait.
 */
#define HARVEST_ALONE    4096
#define HARVEST_TOGETHER ((size_t)1 << 17)

struct ticket {
	struct loader *loader;
	size_t source; /* number */
	struct block block;
	struct feed_report report; /* lines, rejects and samples of this piece */
	struct harvest filling;    /* the worker's */
	struct harvest ready;      /* the storing thread's while is_ready */
	bool is_ready;
	bool is_done;
	enum err err;
	struct err_ctx why;
};

struct loader {
	struct feed_target *target;
	struct source *source;
	const struct feed_item *item;
	size_t source_count;
	size_t harvest_max;
	uint64_t seed;

	pthread_mutex_t lock; /* of all that follows, and of what is_ready and is_done say */
	pthread_cond_t changed;
	size_t next_source; /* the next ticket is of this one */
	uint64_t taken, stored;
	bool all_taken;
	bool given_up; /* nobody will store what is still to come */

	struct ticket *ticket; /* number n is ticket[n % ticket_count] */
	unsigned ticket_count;
};

/* --- taking: under the lock ---------------------------------------------------------------- */

static enum err take_from(struct loader *l, struct ticket *t, bool *got)
{
	struct source *s = &l->source[l->next_source];
	enum err err = ERR_OK;

	*got = true;
	t->source = l->next_source;
	if (!s->is_open)
		err = source_open(s, &t->block, &t->why);
	if (!err && !s->is_whole) {
		err = content_read_lines(s->content, &t->block, &t->why);
		*got = err || t->block.len > 0;
		if (*got && !err)
			return ERR_OK;
		source_close(s);
	}
	l->next_source++;
	return err;
}

/* The next piece of work; false when there is none. After an error nothing more is taken. */
static bool take(struct loader *l, struct ticket *t)
{
	bool got = false;

	t->err = ERR_OK;
	t->block.first_line = 0;
	while (!got && l->next_source < l->source_count)
		t->err = take_from(l, t, &got);
	l->all_taken = !got || t->err;
	t->is_ready = t->is_done = false;
	t->report.lines = t->block.first_line;
	memset(t->report.rejected, 0, sizeof(t->report.rejected));
	t->report.own_names = 0;
	return got;
}

/* --- reading ------------------------------------------------------------------------------- */

static void read_ticket(struct ticket *t, void (*hand_over)(struct intake *in))
{
	struct loader *l = t->loader;
	struct source *s = &l->source[t->source];
	struct intake in = {
		.target = l->target,
		.seed = l->seed,
		.harvest = &t->filling,
		.harvest_max = l->harvest_max,
		.hand_over = hand_over,
		.arg = t,
		.report = &t->report,
	};

	if (t->err)
		return;
	source_init_intake(s, &in);
	if (s->is_whole) {
		t->report.lines = 0;
		t->err = source_read_whole(s, &in, &t->block, &t->why);
		source_close(s);
	} else {
		source_read_block(&in, &t->block);
	}
	if (t->filling.failed && !t->err)
		t->err = err_set(&t->why, ERR_FAILED, "feed %s: out of memory at line %llu",
			s->spec->name, (unsigned long long)t->report.lines);
	if (t->filling.len > 0)
		hand_over(&in);
}

/* --- storing ------------------------------------------------------------------------------- */

static enum err store(struct ticket *t, const struct harvest *h)
{
	const struct feed_item *item = &t->loader->item[t->source];

	if (harvest_store(h, t->loader->target, item))
		return ERR_OK;
	return err_set(&t->why, ERR_FAILED, "feed %s: out of memory", item->spec->name);
}

/* The report of a feed is that of its pieces, in their order. */
static void merge_report(struct ticket *t)
{
	struct feed_report *all = t->loader->item[t->source].report;

	if (all->lines < t->report.lines)
		all->lines = t->report.lines;
	for (size_t r = 0; r < FEED_REJECT_COUNT; r++) {
		for (uint64_t i = 0; i < t->report.rejected[r] && i < FEED_SAMPLES_MAX &&
				     all->rejected[r] + i < FEED_SAMPLES_MAX;
			i++)
			memcpy(all->sample[r][all->rejected[r] + i], t->report.sample[r][i],
				FEED_SAMPLE_MAX);
		all->rejected[r] += t->report.rejected[r];
	}
	for (uint64_t i = 0; i < t->report.own_names && i < FEED_SAMPLES_MAX &&
			     all->own_names + i < FEED_SAMPLES_MAX;
		i++)
		all->own_name[all->own_names + i] = t->report.own_name[i];
	all->own_names += t->report.own_names;
}

/* What only the source knows. */
static void finish_report(struct feed_report *report, struct source *s)
{
	source_close(s);
	report->format = s->format;
	report->modified_s = s->modified_s;
	report->bytes = s->bytes;
}

/* --- in one thread ------------------------------------------------------------------------- */

static void store_at_once(struct intake *in)
{
	struct ticket *t = in->arg;

	if (!t->err)
		t->err = store(t, in->harvest);
	in->stop = t->err != ERR_OK;
	harvest_clear(in->harvest);
}

/* Returns the ticket that failed; NULL: none. */
static struct ticket *run_alone(struct loader *l)
{
	struct ticket *t = &l->ticket[0];

	while (!l->all_taken && take(l, t)) {
		read_ticket(t, store_at_once);
		merge_report(t);
		if (t->err)
			return t;
	}
	return NULL;
}

/* --- in several ---------------------------------------------------------------------------- */

static void wait_change(struct loader *l)
{
	pthread_cond_wait(&l->changed, &l->lock);
}

/* Swap what was gathered against the empty harvest that the storing thread left. */
static void pass_on(struct intake *in)
{
	struct ticket *t = in->arg;
	struct loader *l = t->loader;

	pthread_mutex_lock(&l->lock);
	while (t->is_ready && !l->given_up)
		wait_change(l);
	in->stop = l->given_up;
	if (!in->stop) {
		struct harvest full = t->filling;
		t->filling = t->ready;
		t->ready = full;
		t->is_ready = true;
		pthread_cond_broadcast(&l->changed);
	}
	pthread_mutex_unlock(&l->lock);
	harvest_clear(&t->filling);
}

static void *work(void *arg)
{
	struct loader *l = arg;

	pthread_mutex_lock(&l->lock);
	for (;;) {
		while (!l->all_taken && !l->given_up && l->taken - l->stored == l->ticket_count)
			wait_change(l);
		struct ticket *t = &l->ticket[l->taken % l->ticket_count];
		if (l->all_taken || l->given_up || !take(l, t))
			break;
		l->taken++;
		pthread_mutex_unlock(&l->lock);
		read_ticket(t, pass_on);
		pthread_mutex_lock(&l->lock);
		t->is_done = true;
		pthread_cond_broadcast(&l->changed);
	}
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

/* Store what comes of this ticket until it is done. Under the lock, but for the storing. */
static enum err store_ticket(struct loader *l, struct ticket *t)
{
	enum err err = ERR_OK;

	while (!err && (t->is_ready || !t->is_done)) {
		if (!t->is_ready) {
			wait_change(l);
			continue;
		}
		pthread_mutex_unlock(&l->lock);
		err = store(t, &t->ready);
		pthread_mutex_lock(&l->lock);
		t->is_ready = false;
		pthread_cond_broadcast(&l->changed);
	}
	return err ? err : t->err;
}

/* The tickets in their order; returns the one that failed. */
static struct ticket *store_all(struct loader *l)
{
	struct ticket *failed = NULL;

	pthread_mutex_lock(&l->lock);
	for (;;) {
		while (!l->all_taken && l->stored == l->taken)
			wait_change(l);
		if (l->stored == l->taken)
			break;
		struct ticket *t = &l->ticket[l->stored % l->ticket_count];
		enum err err = store_ticket(l, t);
		if (err) {
			t->err = err;
			failed = t;
			break;
		}
		merge_report(t);
		l->stored++;
		pthread_cond_broadcast(&l->changed);
	}
	l->given_up = true;
	pthread_cond_broadcast(&l->changed);
	pthread_mutex_unlock(&l->lock);
	return failed;
}

/* Returns how many started. */
static unsigned start_workers(struct loader *l, pthread_t *worker, unsigned count)
{
	unsigned started = 0;

	while (started < count && thread_start(&worker[started], work, l) == 0)
		started++;
	return started;
}

static struct ticket *run_together(struct loader *l, unsigned threads)
{
	pthread_t worker[LOADER_THREADS_MAX];
	unsigned count = start_workers(l, worker, threads);

	if (count == 0)
		return run_alone(l);
	struct ticket *failed = store_all(l);
	for (unsigned i = 0; i < count; i++)
		pthread_join(worker[i], NULL);
	return failed;
}

/* --- all of it ----------------------------------------------------------------------------- */

static bool make_tickets(struct loader *l, unsigned count)
{
	l->ticket = calloc(count, sizeof(*l->ticket));
	if (!l->ticket)
		return false;
	l->ticket_count = count;
	for (unsigned i = 0; i < count; i++)
		l->ticket[i].loader = l;
	return true;
}

static void free_tickets(struct loader *l)
{
	for (unsigned i = 0; i < l->ticket_count; i++) {
		harvest_deinit(&l->ticket[i].filling);
		harvest_deinit(&l->ticket[i].ready);
	}
	free(l->ticket);
}

enum err loader_run(struct feed_target *target, struct source *source,
	const struct feed_item *item, size_t count, unsigned threads, size_t *failed,
	struct err_ctx *why)
{
	struct loader l = { .target = target,
		.source = source,
		.item = item,
		.source_count = count,
		.seed = index_builder_seed(target->builder),
		.harvest_max = threads > 1 ? HARVEST_TOGETHER : HARVEST_ALONE,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER };
	enum err err = ERR_OK;

	if (threads > LOADER_THREADS_MAX)
		threads = LOADER_THREADS_MAX;
	if (!make_tickets(&l, threads > 1 ? threads * 2 + 2 : 1))
		return err_set(why, ERR_FAILED, "out of memory");
	const struct ticket *bad = threads > 1 ? run_together(&l, threads) : run_alone(&l);
	if (bad) {
		err = bad->err;
		*why = bad->why;
		*failed = bad->source;
	}
	for (size_t i = 0; i < count; i++)
		finish_report(item[i].report, &source[i]);
	free_tickets(&l);
	return err;
}
