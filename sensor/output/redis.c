/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/redis.h"

#include "sensor/base/clock.h"
#include "sensor/base/hash.h"
#include "sensor/base/log.h"
#include "sensor/base/thread.h"
#include "sensor/output/redis_command.h"
#include "sensor/output/redis_link.h"
#include "sensor/output/redis_queue.h"
#include "sensor/output/redis_report.h"
#include "sensor/output/redis_tls.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * The thread's life: wait for work -> connect if need be -> take a batch from the queue -> send
 * it and read its replies -> keep what was not acknowledged for the next round. After a failure
 * it pauses, twice as long each time, until something was delivered.
 *
 * The batch belongs to the thread alone. Everything above the line in struct redis is shared and
 * only touched under the lock, which is never held while waiting for the server.
 */

#define BATCH_MAX        256
#define BATCH_BYTES_MAX  ((size_t)1 << 20)
#define IDLE_CHECK_MS    1000 /* an idle connection is looked at this often */
#define DRAIN_BACKOFF_MS 200  /* the longest pause while closing */
#define END_GRACE_MS     500  /* past the deadline, for a wait slice to end */
#define HEARTBEAT_KEY    "dynwatch:sensor:"

struct redis {
	struct sink sink;
	pthread_mutex_t lock;
	pthread_cond_t wake;  /* the thread: work has come, or the end */
	pthread_cond_t ended; /* the closer: the thread has ended */
	pthread_cond_t room;  /* the writer: the queue has moved */
	bool has_ended;
	bool no_room; /* a write has waited for room in vain */
	struct redis_queue queue;
	struct redis_facts facts;
	bool facts_due;
	bool closing;
	int64_t close_deadline_ns;
	struct redis_stats stats;
	/* ---- set before the thread starts ---- */
	struct redis_url url;
	char *stream, *key, *version;
	char maxlen[24]; /* "": not trimmed */
	int backoff_max_ms, room_timeout_ms;
	pthread_t thread;
	bool started, joined, abandoned;
	/* ---- the thread's own ---- */
	struct redis_link link;
	struct redis_item *batch[BATCH_MAX];
	size_t batch_count;
	bool doubtful; /* the server could not take what it was sent last */
	int backoff_ms;
	uint64_t random;
	struct redis_report report;
};

static struct redis *redis_of(struct sink *s)
{
	return (struct redis *)s;
}

static int64_t now_ms(void)
{
	return clock_monotonic_ns() / NS_PER_MS;
}

/* Sleep on a condition for at most `ms`. The lock is held. */
static void sleep_on(struct redis *r, pthread_cond_t *condition, int64_t ms)
{
	int64_t at_ns = clock_monotonic_ns() + ms * NS_PER_MS;
	struct timespec at = { .tv_sec = at_ns / NS_PER_S, .tv_nsec = at_ns % NS_PER_S };

	pthread_cond_timedwait(condition, &r->lock, &at);
}

/* --- sending ------------------------------------------------------------------------------ */

static void keep_fault(struct redis *r, const struct redis_fault *fault)
{
	pthread_mutex_lock(&r->lock);
	memcpy(r->stats.last_fault, fault->text, sizeof(r->stats.last_fault));
	pthread_mutex_unlock(&r->lock);
}

static void note_fault(struct redis *r, const struct redis_fault *fault)
{
	keep_fault(r, fault);
	redis_report_fault(&r->report, fault);
}

static void note_refused(struct redis *r, const struct redis_fault *fault)
{
	keep_fault(r, fault);
	redis_report_refused(&r->report, fault);
}

/* The outcome of a round: what to count and what to do next. */
struct round {
	size_t delivered, refused, resent;
	bool beat;   /* the heartbeat was acknowledged */
	bool failed; /* pause before the next round */
};

/* Read the replies to so many of the batch; what was not acknowledged moves to the front of it. */
static void read_replies(struct redis *r, size_t sent, struct round *round)
{
	struct redis_fault fault;
	size_t kept = 0, at = 0;

	for (; at < sent; at++) {
		redisReply *reply = redis_link_reply(&r->link);
		if (!reply) {
			note_fault(r, &r->link.fault);
			round->failed = true;
			break;
		}
		enum redis_verdict verdict =
			redis_link_judge(&r->link, reply, REDIS_REPLY_STRING, &fault);
		freeReplyObject(reply);
		r->doubtful = verdict == REDIS_RETRY;
		if (verdict == REDIS_RETRY) {
			note_fault(r, &fault);
			round->failed = true;
			r->batch[at]->unsure = false;
			r->batch[kept++] = r->batch[at];
			continue;
		}
		if (verdict == REDIS_REFUSED)
			note_refused(r, &fault);
		round->delivered += verdict == REDIS_DONE;
		round->refused += verdict == REDIS_REFUSED;
		free(r->batch[at]);
	}
	/* Only a broken connection leaves it open whether the rest has arrived. */
	for (size_t i = at; i < sent; i++)
		r->batch[i]->unsure = true;
	while (at < r->batch_count)
		r->batch[kept++] = r->batch[at++];
	r->batch_count = kept;
}

static void read_heartbeat(struct redis *r, struct round *round)
{
	struct redis_fault fault;

	round->beat = true;
	for (size_t i = 0; i < REDIS_HEARTBEAT_REPLIES; i++) {
		redisReply *reply = redis_link_reply(&r->link);
		if (!reply) {
			note_fault(r, &r->link.fault);
			round->failed = true;
			round->beat = false;
			return;
		}
		if (redis_link_judge(&r->link, reply, REDIS_REPLY_INTEGER, &fault) !=
			REDIS_DONE) {
			redis_report_beat(&r->report, r->key, &fault);
			round->beat = false;
		}
		freeReplyObject(reply);
	}
}

/*
 * A server that could not take any is asked with one alert first: when it can again in the middle of a
 * batch, those before would come behind the others.
 */
static void send_batch(struct redis *r, const struct redis_facts *facts, struct round *round)
{
	size_t count = r->doubtful && r->batch_count > 0 ? 1 : r->batch_count;

	for (size_t i = 0; i < count; i++) {
		round->resent += r->batch[i]->unsure;
		if (!redis_command_add(&r->link, r->batch[i], r->maxlen))
			goto broken;
	}
	if (facts && !redis_command_heartbeat(&r->link, r->key, r->version, facts))
		goto broken;
	read_replies(r, count, round);
	if (facts && r->link.context)
		read_heartbeat(r, round);
	return;
broken:
	note_fault(r, &r->link.fault);
	round->failed = true;
}

/* --- the thread ---------------------------------------------------------------------------- */

static bool deadline_passed(struct redis *r)
{
	return r->closing && clock_monotonic_ns() >= r->close_deadline_ns;
}

static bool give_up(void *arg)
{
	struct redis *r = arg;

	pthread_mutex_lock(&r->lock);
	bool over = deadline_passed(r);
	pthread_mutex_unlock(&r->lock);
	return over;
}

static bool connect_link(struct redis *r)
{
	if (!redis_link_open(&r->link) || !redis_link_check(&r->link)) {
		note_fault(r, &r->link.fault);
		return false;
	}
	pthread_mutex_lock(&r->lock);
	r->stats.connects++;
	r->stats.up = true;
	pthread_mutex_unlock(&r->lock);
	redis_report_connected(&r->report);
	return true;
}

static int backoff_start(const struct redis *r)
{
	return r->backoff_max_ms < REDIS_BACKOFF_MIN_MS ? r->backoff_max_ms
							: REDIS_BACKOFF_MIN_MS;
}

/* Wait before the next try: half to all of the backoff at random, so that many sensors do not
 * come back at the same moment. */
static void pause_thread(struct redis *r)
{
	r->random = hash_word(r->random, 1);
	int64_t ms =
		r->backoff_ms / 2 + (int64_t)(r->random % (uint64_t)(r->backoff_ms / 2 + 1));
	int64_t until_ms = now_ms() + ms;

	if (r->backoff_ms < r->backoff_max_ms)
		r->backoff_ms = r->backoff_ms * 2 < r->backoff_max_ms ? r->backoff_ms * 2
								      : r->backoff_max_ms;
	pthread_mutex_lock(&r->lock);
	r->stats.up = r->link.context != NULL;
	for (int64_t left; (left = until_ms - now_ms()) > 0;) {
		if (deadline_passed(r))
			break;
		if (r->closing && left > DRAIN_BACKOFF_MS) {
			until_ms = now_ms() + DRAIN_BACKOFF_MS;
			continue;
		}
		sleep_on(r, &r->wake, left);
	}
	pthread_mutex_unlock(&r->lock);
}

/* Fill the batch up from the queue. The lock is held. */
static void take_batch(struct redis *r)
{
	size_t bytes = 0;

	if (r->batch_count > 0)
		return; /* what is left from before goes first */
	while (r->batch_count < BATCH_MAX && bytes < BATCH_BYTES_MAX) {
		struct redis_item *item = redis_queue_pop(&r->queue);
		if (!item)
			break;
		bytes += item->bytes;
		r->batch[r->batch_count++] = item;
	}
	r->no_room = false;
	pthread_cond_signal(&r->room);
}

static bool has_work(const struct redis *r)
{
	return r->batch_count > 0 || r->queue.count > 0 || r->facts_due;
}

/*
 * Wait until there is something to do: alerts, a heartbeat, or a connection to be made (which is
 * made early, so that a wrong password is told at the start). False at the end.
 */
static bool wait_work(struct redis *r)
{
	bool go_on;

	pthread_mutex_lock(&r->lock);
	if (r->link.context && !has_work(r) && !r->closing)
		sleep_on(r, &r->wake, IDLE_CHECK_MS);
	go_on = r->closing ? has_work(r) && !deadline_passed(r) : true;
	pthread_mutex_unlock(&r->lock);
	return go_on;
}

static bool take_work(struct redis *r, struct redis_facts *facts)
{
	pthread_mutex_lock(&r->lock);
	take_batch(r);
	bool beat = r->facts_due;
	*facts = r->facts;
	r->facts_due = false;
	pthread_mutex_unlock(&r->lock);
	return beat;
}

static void book_round(struct redis *r, const struct round *round, bool beat)
{
	pthread_mutex_lock(&r->lock);
	r->stats.delivered += round->delivered;
	r->stats.lost_refused += round->refused;
	r->stats.resent += round->resent;
	r->stats.heartbeats += round->beat;
	r->facts_due |= beat && round->failed && !round->beat;
	gauge_add(&r->sink.lost, round->refused);
	pthread_mutex_unlock(&r->lock);
	if (round->delivered > 0 || round->beat)
		r->backoff_ms = backoff_start(r);
	if (!round->failed && (round->delivered > 0 || round->beat))
		redis_report_up(&r->report);
}

/* Connect or do one round; false when it did not go well and a pause is due. */
static bool work(struct redis *r)
{
	struct round round = { 0 };
	struct redis_facts facts;

	if (r->link.context && !redis_link_check(&r->link))
		note_fault(r, &r->link.fault);
	if (!r->link.context && !connect_link(r))
		return false;
	bool beat = take_work(r, &facts);
	if (r->batch_count > 0 || beat)
		send_batch(r, beat ? &facts : NULL, &round);
	book_round(r, &round, beat);
	return !round.failed;
}

static void *redis_thread(void *arg)
{
	struct redis *r = arg;

	while (wait_work(r)) {
		redis_report_tell(&r->report);
		if (!work(r))
			pause_thread(r);
	}
	redis_link_close(&r->link);
	pthread_mutex_lock(&r->lock);
	r->has_ended = true;
	pthread_cond_signal(&r->ended);
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

/* --- the sink ------------------------------------------------------------------------------ */

/* For a writer that rather waits than loses an alert. The lock is held. */
static void wait_for_room(struct redis *r)
{
	int64_t until_ms = now_ms() + r->room_timeout_ms;

	while (r->queue.count >= r->queue.count_max && !r->no_room) {
		int64_t left = until_ms - now_ms();
		r->no_room = left <= 0;
		if (left > 0)
			sleep_on(r, &r->room, left);
	}
}

static void redis_write(struct sink *s, const struct sink_record *record)
{
	struct redis *r = redis_of(s);
	struct redis_item *item = redis_item_new(r->stream, record);

	pthread_mutex_lock(&r->lock);
	if (r->room_timeout_ms > 0)
		wait_for_room(r);
	r->stats.accepted++;
	size_t dropped = item ? redis_queue_push(&r->queue, item) : 1;
	r->stats.lost_full += dropped;
	gauge_add(&s->lost, dropped);
	if (dropped > 0 && r->stats.lost_full == dropped)
		log_warning("%s: the queue is full, alerts are lost, the least severe first",
			s->name);
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
}

void redis_heartbeat(struct sink *s, const struct redis_facts *facts)
{
	struct redis *r = redis_of(s);

	pthread_mutex_lock(&r->lock);
	r->facts = *facts;
	r->facts_due = true;
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
}

void redis_stats(struct sink *s, struct redis_stats *out)
{
	struct redis *r = redis_of(s);

	pthread_mutex_lock(&r->lock);
	*out = r->stats;
	/* What the thread has in hand is in no queue, and its own: the books tell. */
	out->waiting = (size_t)(out->accepted - out->delivered - out->lost_full -
				out->lost_refused - out->lost_at_end);
	pthread_mutex_unlock(&r->lock);
}

static void redis_flush(struct sink *s)
{
	(void)s; /* the thread sends at once */
}

/* Wait for the thread to end; false when it hangs in the resolver. */
static bool join_thread(struct redis *r, int timeout_ms)
{
	int64_t until_ms = now_ms() + timeout_ms + END_GRACE_MS;

	pthread_mutex_lock(&r->lock);
	for (int64_t left; !r->has_ended && (left = until_ms - now_ms()) > 0;)
		sleep_on(r, &r->ended, left);
	bool ended = r->has_ended;
	pthread_mutex_unlock(&r->lock);
	return ended && pthread_join(r->thread, NULL) == 0;
}

static void redis_close(struct sink *s, int timeout_ms)
{
	struct redis *r = redis_of(s);
	struct redis_stats stats;

	if (!r->started || r->joined || r->abandoned)
		return;
	pthread_mutex_lock(&r->lock);
	r->closing = true;
	r->close_deadline_ns = clock_monotonic_ns() + timeout_ms * NS_PER_MS;
	pthread_cond_signal(&r->wake);
	pthread_mutex_unlock(&r->lock);
	r->joined = join_thread(r, timeout_ms);
	r->abandoned = !r->joined;
	redis_stats(s, &stats);
	pthread_mutex_lock(&r->lock);
	r->stats.lost_at_end = stats.waiting;
	r->stats.up = false;
	gauge_add(&s->lost, stats.waiting);
	pthread_mutex_unlock(&r->lock);
	if (stats.waiting > 0)
		log_error("%s: %zu alerts could not be delivered%s%s", s->name, stats.waiting,
			stats.last_fault[0] ? ": " : "", stats.last_fault);
}

static void redis_free(struct sink *s)
{
	struct redis *r = redis_of(s);

	redis_close(s, 0);
	if (r->abandoned) /* the thread still uses it */
		return;
	for (size_t i = 0; i < r->batch_count; i++)
		free(r->batch[i]);
	redis_queue_deinit(&r->queue);
	explicit_bzero(&r->url, sizeof(r->url));
	pthread_cond_destroy(&r->wake);
	pthread_cond_destroy(&r->ended);
	pthread_cond_destroy(&r->room);
	pthread_mutex_destroy(&r->lock);
	free(r->stream);
	free(r->key);
	free(r->version);
	free(r);
}

static const struct sink_api redis_api = {
	.write = redis_write,
	.flush = redis_flush,
	.close = redis_close,
	.free = redis_free,
};

/* --- opening ------------------------------------------------------------------------------- */

static int or_default(int value, int initial)
{
	return value > 0 ? value : initial;
}

static void init_lock(struct redis *r)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&r->wake, &monotonic);
	pthread_cond_init(&r->ended, &monotonic);
	pthread_cond_init(&r->room, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

static bool init(struct redis *r, const struct redis_options *options)
{
	init_lock(r);
	r->sink.api = &redis_api;
	r->sink.name = r->report.name = r->url.shown;
	r->queue.count_max = options->queue_max ? options->queue_max : REDIS_QUEUE_DEFAULT;
	r->queue.bytes_max =
		options->queue_bytes_max ? options->queue_bytes_max : REDIS_QUEUE_BYTES_DEFAULT;
	if (options->maxlen)
		snprintf(r->maxlen, sizeof(r->maxlen), "%llu",
			(unsigned long long)options->maxlen);
	r->backoff_max_ms = or_default(options->backoff_max_ms, REDIS_BACKOFF_MAX_MS);
	r->backoff_ms = backoff_start(r);
	r->room_timeout_ms = options->room_timeout_ms;
	r->random = hash_random_seed();
	r->link = (struct redis_link){
		.url = &r->url,
		.connect_timeout_ms =
			or_default(options->connect_timeout_ms, REDIS_CONNECT_TIMEOUT_MS),
		.command_timeout_ms =
			or_default(options->command_timeout_ms, REDIS_COMMAND_TIMEOUT_MS),
		.give_up = give_up,
		.arg = r,
	};
	r->stream = strdup(options->stream);
	r->version = strdup(options->version);
	return r->stream && r->version &&
	       asprintf(&r->key, HEARTBEAT_KEY "%s", options->sensor) != -1;
}

/* Without signals, also since a server that hangs up is an error to read, not SIGPIPE. */
static int start_thread(struct redis *r)
{
	int error = thread_start(&r->thread, redis_thread, r);

	r->started = error == 0;
	return error;
}

enum err redis_open(struct sink **out, const struct redis_options *options, struct err_ctx *why)
{
	struct redis *r = calloc(1, sizeof(*r));
	enum err err;

	if (!r)
		return err_set(why, ERR_FAILED, "redis: out of memory");
	err = redis_url_parse(&r->url, options->url, why);
	if (err == ERR_OK && r->url.tls && !redis_tls_available())
		err = err_set(why, ERR_USAGE,
			"%s: this program was built with hiredis %d.%d.%d, which has no TLS; "
			"use redis:// through a TLS tunnel, or a hiredis 1.x with hiredis_ssl",
			r->url.shown, HIREDIS_MAJOR, HIREDIS_MINOR, HIREDIS_PATCH);
	if (err == ERR_OK && options->stream[0] == '\0')
		err = err_set(why, ERR_USAGE, "%s: the stream has no name", r->url.shown);
	if (err != ERR_OK) {
		free(r);
		return err;
	}
	if (!init(r, options)) {
		redis_free(&r->sink);
		return err_set(why, ERR_FAILED, "redis: out of memory");
	}
	int error = start_thread(r);
	if (error) {
		err = err_set(why, ERR_FAILED, "%s: cannot start its thread: %s", r->url.shown,
			strerror(error));
		redis_free(&r->sink);
		return err;
	}
	*out = &r->sink;
	return ERR_OK;
}
