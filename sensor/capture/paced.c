/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/capture/paced.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define SLEEP_MAX_NS (100 * NS_PER_MS)

struct paced_source {
	struct source base; /* first: the ops get a pointer to it */
	struct source *inner;
	double factor;
	int wake_fd; /* readable once interrupted */
	/* The inner source's batch: frames before `next` are released. */
	struct frame held[SOURCE_BATCH_MAX];
	size_t held_count, next;
	enum source_status last; /* what comes after the held frames; SOURCE_OK: read on */
	struct err_ctx last_why;
	/* The pace: a frame of capture time start_ts_ns was due at start_ns (monotonic). */
	bool started;
	int64_t start_ts_ns, start_ns;
	int64_t previous_ts_ns;
};

static struct paced_source *paced_of(struct source *s)
{
	return (struct paced_source *)s;
}

static void read_inner(struct paced_source *p)
{
	p->next = 0;
	p->held_count = 0;
	p->last = source_next_batch(p->inner, p->held, &p->held_count, &p->last_why);
	p->base.position_bytes = p->inner->position_bytes;
}

static bool is_jump(int64_t from_ns, int64_t to_ns)
{
	return to_ns < from_ns - PACED_BACK_NS || to_ns > from_ns + PACED_GAP_NS;
}

/* How long until this frame, the next in line, may go; 0: now. Capped at SLEEP_MAX_NS. */
static int64_t wait_for(struct paced_source *p, const struct frame *frame, int64_t now_ns)
{
	if (!p->started || is_jump(p->previous_ts_ns, frame->ts_ns)) {
		p->started = true;
		p->start_ts_ns = frame->ts_ns;
		p->start_ns = now_ns;
	}
	p->previous_ts_ns = frame->ts_ns;
	/* In floating point, where no factor can overflow it. */
	double due_ns = (double)(frame->ts_ns - p->start_ts_ns) / p->factor;
	double wait_ns = due_ns - (double)(now_ns - p->start_ns);
	if (wait_ns < 1)
		return 0;
	return wait_ns < (double)SLEEP_MAX_NS ? (int64_t)wait_ns : SLEEP_MAX_NS;
}

/* Sleep so long; true when interrupted (also when that was long ago). */
static bool sleep_interruptible(struct paced_source *p, int64_t wait_ns)
{
	struct pollfd wake = { .fd = p->wake_fd, .events = POLLIN };
	struct timespec timeout = { .tv_sec = 0, .tv_nsec = wait_ns };

	return ppoll(&wake, 1, &timeout, NULL) == 1;
}

/* Release every held frame that is due; returns how long until the next one. */
static int64_t release(
	struct paced_source *p, struct frame batch[SOURCE_BATCH_MAX], size_t *count)
{
	int64_t now_ns = clock_monotonic_ns();

	while (p->next < p->held_count) {
		int64_t wait_ns = wait_for(p, &p->held[p->next], now_ns);
		if (wait_ns > 0)
			return wait_ns;
		batch[(*count)++] = p->held[p->next++];
	}
	return 0;
}

static enum source_status last_status(struct paced_source *p, struct err_ctx *why)
{
	if (p->last == SOURCE_ERROR)
		*why = p->last_why;
	return p->last;
}

static enum source_status paced_next_batch(struct source *s,
	struct frame batch[SOURCE_BATCH_MAX], size_t *count, struct err_ctx *why)
{
	struct paced_source *p = paced_of(s);

	*count = 0;
	if (p->next == p->held_count) {
		if (p->last != SOURCE_OK)
			return last_status(p, why);
		read_inner(p);
	}
	int64_t wait_ns = release(p, batch, count);
	/* With something to give it only looks whether it was interrupted. */
	if (sleep_interruptible(p, *count > 0 ? 0 : wait_ns)) {
		p->next = p->held_count;
		p->last = SOURCE_END;
	}
	return *count > 0 || p->next < p->held_count ? SOURCE_OK : last_status(p, why);
}

static void paced_losses(struct source *s, struct source_losses *out)
{
	source_losses(paced_of(s)->inner, out);
}

static void paced_interrupt(struct source *s)
{
	struct paced_source *p = paced_of(s);
	int saved = errno;

	if (eventfd_write(p->wake_fd, 1) == -1)
		errno = saved; /* the counter is full: it is readable, which is all we want */
	source_interrupt(p->inner);
}

static void paced_close(struct source *s)
{
	struct paced_source *p = paced_of(s);

	source_close(p->inner);
	if (p->wake_fd != -1)
		close(p->wake_fd);
	free(p);
}

static const struct source_ops paced_ops = {
	.next_batch = paced_next_batch,
	.losses = paced_losses,
	.interrupt = paced_interrupt,
	.close = paced_close,
};

enum err source_open_paced(
	struct source **out, struct source *inner, double factor, struct err_ctx *why)
{
	struct paced_source *p = NULL;
	enum err err;

	*out = NULL;
	if (!isfinite(factor) || factor <= 0) {
		err = err_set(why, ERR_USAGE, "the speed must be more than 0, not %g", factor);
		source_close(inner);
		return err;
	}
	p = calloc(1, sizeof(*p));
	if (!p) {
		err = err_set(why, ERR_FAILED, "%s: out of memory", inner->name);
		source_close(inner);
		return err;
	}
	p->base = (struct source){
		.ops = &paced_ops,
		.name = inner->name,
		.size_bytes = inner->size_bytes,
		.position_bytes = inner->position_bytes,
	};
	p->inner = inner;
	p->factor = factor;
	p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->wake_fd == -1) {
		err = err_set(why, ERR_FAILED, "%s: eventfd: %s", inner->name, strerror(errno));
		paced_close(&p->base);
		return err;
	}
	*out = &p->base;
	return ERR_OK;
}
