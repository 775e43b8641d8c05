/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/writer.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "sensor/base/thread.h"

struct writer {
	int fd;
	bool aside;
	bool started;
	pthread_t thread;
	/* what follows, but for `full` while it holds something: the thread's */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct text full; /* on its way out; empty: the next one may come */
	int failed_errno;
	bool ending;
};

struct writer *writer_new(int fd, bool aside, size_t room)
{
	struct writer *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	if (aside && !text_reserve(&w->full, room)) {
		free(w);
		return NULL;
	}
	w->fd = fd;
	w->aside = aside;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	return w;
}

/* Wait until a descriptor that does not block takes more. */
static void wait_writable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	poll(&p, 1, 1000);
}

/* Returns 0 or errno. */
static int write_all(int fd, const struct text *t)
{
	const char *at = t->at;
	size_t left = t->len;

	while (left > 0) {
		ssize_t written = write(fd, at, left);
		if (written >= 0) {
			at += written;
			left -= (size_t)written;
		} else if (errno == EAGAIN) {
			wait_writable(fd);
		} else if (errno != EINTR) {
			return errno;
		}
	}
	return 0;
}

static void *run(void *arg)
{
	struct writer *w = arg;

	pthread_setname_np(pthread_self(), "dw-writer");
	pthread_mutex_lock(&w->lock);
	for (;;) {
		while (w->full.len == 0 && !w->ending)
			pthread_cond_wait(&w->changed, &w->lock);
		if (w->full.len == 0)
			break;
		pthread_mutex_unlock(&w->lock);
		int failed_errno = write_all(w->fd, &w->full);
		pthread_mutex_lock(&w->lock);
		w->failed_errno = failed_errno;
		text_clear(&w->full);
		pthread_cond_signal(&w->changed);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static bool start(struct writer *w)
{
	w->started = thread_start(&w->thread, run, w) == 0;
	return w->started;
}

/* With the lock, until the thread has nothing to write. */
static void await_empty(struct writer *w)
{
	while (w->full.len > 0)
		pthread_cond_wait(&w->changed, &w->lock);
}

static int hand_over(struct writer *w, struct text *t)
{
	pthread_mutex_lock(&w->lock);
	await_empty(w);
	int failed_errno = w->failed_errno;
	if (failed_errno == 0) {
		struct text empty = w->full;
		w->full = *t;
		*t = empty;
		pthread_cond_signal(&w->changed);
	}
	pthread_mutex_unlock(&w->lock);
	return failed_errno;
}

int writer_put(struct writer *w, struct text *t)
{
	int failed_errno = w->started ? 0 : w->failed_errno;

	if (t->len > 0 && !failed_errno) {
		if (w->aside && (w->started || start(w)))
			failed_errno = hand_over(w, t);
		else
			failed_errno = w->failed_errno = write_all(w->fd, t);
	}
	text_clear(t);
	return failed_errno;
}

int writer_flush(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	await_empty(w);
	int failed_errno = w->failed_errno;
	pthread_mutex_unlock(&w->lock);
	return failed_errno;
}

bool writer_is_busy(struct writer *w)
{
	pthread_mutex_lock(&w->lock);
	bool busy = w->full.len > 0;
	pthread_mutex_unlock(&w->lock);
	return busy;
}

void writer_go_on(struct writer *w, int fd)
{
	pthread_mutex_lock(&w->lock);
	w->fd = fd;
	w->failed_errno = 0;
	pthread_mutex_unlock(&w->lock);
}

void writer_free(struct writer *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->ending = true;
	pthread_cond_signal(&w->changed);
	pthread_mutex_unlock(&w->lock);
	if (w->started)
		pthread_join(w->thread, NULL);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->changed);
	text_deinit(&w->full);
	free(w);
}
