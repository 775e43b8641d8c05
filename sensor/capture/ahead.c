/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/capture/ahead.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/base/thread.h"

#define STEP_BYTES ((size_t)128 << 10) /* what is read and handed over at once, at most */

/* A ring of bytes. What is filled is the reader's, the rest is the thread's; the lock is for the border. */
struct ahead {
	ahead_read_fn *read;
	void *arg;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t start, filled;
	bool ended, stopping;
	ssize_t last; /* once it has ended: what `read` gave, and errno */
	int last_errno;
	uint8_t bytes[AHEAD_BYTES];
};

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* With the lock: wait until there is room, and how much of it lies in one piece. 0: stop. */
static size_t await_room(struct ahead *a, size_t *at)
{
	while (a->filled == AHEAD_BYTES && !a->stopping)
		pthread_cond_wait(&a->changed, &a->lock);
	*at = (a->start + a->filled) % AHEAD_BYTES;
	size_t room = smaller(AHEAD_BYTES - a->filled, AHEAD_BYTES - *at);
	return a->stopping ? 0 : smaller(room, STEP_BYTES);
}

static void *run(void *arg)
{
	struct ahead *a = arg;
	size_t at, room;

	pthread_setname_np(pthread_self(), "dw-ahead");
	pthread_mutex_lock(&a->lock);
	while (!a->ended && (room = await_room(a, &at)) > 0) {
		pthread_mutex_unlock(&a->lock);
		ssize_t got = a->read(a->arg, a->bytes + at, room);
		int got_errno = errno;
		pthread_mutex_lock(&a->lock);
		if (got > 0) {
			a->filled += (size_t)got;
		} else {
			a->ended = true;
			a->last = got;
			a->last_errno = got_errno;
		}
		pthread_cond_signal(&a->changed);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

static void destroy(struct ahead *a)
{
	pthread_mutex_destroy(&a->lock);
	pthread_cond_destroy(&a->changed);
	free(a);
}

struct ahead *ahead_new(ahead_read_fn *read, void *arg)
{
	struct ahead *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->read = read;
	a->arg = arg;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->changed, NULL);
	if (thread_start(&a->thread, run, a) == 0)
		return a;
	destroy(a);
	return NULL;
}

ssize_t ahead_read(struct ahead *a, void *buf, size_t size)
{
	pthread_mutex_lock(&a->lock);
	while (a->filled == 0 && !a->ended)
		pthread_cond_wait(&a->changed, &a->lock);
	size_t start = a->start;
	size_t there = smaller(a->filled, AHEAD_BYTES - start);
	pthread_mutex_unlock(&a->lock);

	if (there == 0) { /* it has ended, and changes no more */
		errno = a->last_errno;
		return a->last;
	}
	size_t taken = smaller(there, size);
	memcpy(buf, a->bytes + start, taken);
	pthread_mutex_lock(&a->lock);
	a->start = (start + taken) % AHEAD_BYTES;
	a->filled -= taken;
	pthread_cond_signal(&a->changed);
	pthread_mutex_unlock(&a->lock);
	return (ssize_t)taken;
}

void ahead_free(struct ahead *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->stopping = true;
	pthread_cond_signal(&a->changed);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->thread, NULL);
	destroy(a);
}
