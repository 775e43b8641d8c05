/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `waiting` has the files that are still to be opened, by the time of their first frame; `open` is
 * a heap of those that are, by the time of their next frame. A frame stays with its file's source
 * until that is asked for more; so a batch ends where one of the files has no frame left, and that
 * file is asked at the start of the next batch.
 *
 * Frames are taken from the first file of the heap for as long as no other comes before; where
 * files do not overlap, this is all that is done per frame.
 */
#include "sensor/capture/merge.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "sensor/base/log.h"
#include "sensor/capture/file.h"

struct merged_file {
	char *path;
	size_t number; /* of the path */
	uint64_t size_bytes;
	int64_t first_ns;      /* while it waits */
	struct source *source; /* NULL: to be opened */
	uint64_t position_bytes;
	size_t at, count;
	struct frame frame[SOURCE_BATCH_MAX];
};

struct merged {
	struct source base; /* first: the ops get a pointer to it */
	/* of all files: interrupted at once; and whether they may be decompressed ahead */
	struct file_options options;
	size_t file_count;
	struct merged_file **waiting; /* [next..wait_count) still to be opened */
	size_t next, wait_count;
	struct merged_file **open; /* heap */
	size_t open_count;
	struct merged_file *starved; /* has no frame left; not in the heap */
	size_t failed;
	bool interrupted;
	char name[32];
};

static struct merged *merged_of(struct source *s)
{
	return (struct merged *)s;
}

/* --- order ----------------------------------------------------------------------------------- */

static int64_t next_ns(const struct merged_file *f)
{
	return f->frame[f->at].ts_ns;
}

static bool comes_before(const struct merged_file *a, const struct merged_file *b)
{
	if (next_ns(a) != next_ns(b))
		return next_ns(a) < next_ns(b);
	return a->number < b->number;
}

static int by_first_frame(const void *left, const void *right)
{
	const struct merged_file *a = *(struct merged_file *const *)left;
	const struct merged_file *b = *(struct merged_file *const *)right;

	if (a->first_ns != b->first_ns)
		return a->first_ns < b->first_ns ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

/* Let the file at `at` sink to its place. */
static void heap_sink(struct merged *m, size_t at)
{
	struct merged_file *f = m->open[at];

	for (;;) {
		size_t child = 2 * at + 1;
		if (child >= m->open_count)
			break;
		if (child + 1 < m->open_count &&
			comes_before(m->open[child + 1], m->open[child]))
			child++;
		if (!comes_before(m->open[child], f))
			break;
		m->open[at] = m->open[child];
		at = child;
	}
	m->open[at] = f;
}

static void heap_add(struct merged *m, struct merged_file *f)
{
	size_t at = m->open_count++;

	while (at > 0 && comes_before(f, m->open[(at - 1) / 2])) {
		m->open[at] = m->open[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	m->open[at] = f;
}

static struct merged_file *heap_take(struct merged *m)
{
	struct merged_file *first = m->open[0];

	m->open[0] = m->open[--m->open_count];
	if (m->open_count > 0)
		heap_sink(m, 0);
	return first;
}

/* --- files ----------------------------------------------------------------------------------- */

static void file_close(struct merged_file *f)
{
	source_close(f->source);
	f->source = NULL;
}

static void file_free(struct merged_file *f)
{
	if (!f)
		return;
	file_close(f);
	free(f->path);
	free(f);
}

static void note_position(struct merged *m, struct merged_file *f, uint64_t position_bytes)
{
	m->base.position_bytes += position_bytes - f->position_bytes;
	f->position_bytes = position_bytes;
}

static void note_failure(struct merged *m, const struct err_ctx *why)
{
	log_error("%s", why->text);
	m->failed++;
}

static bool is_interrupted(struct merged *m)
{
	struct pollfd wake = { .fd = m->options.wake_fd, .events = POLLIN };

	m->interrupted = m->interrupted || poll(&wake, 1, 0) == 1;
	return m->interrupted;
}

/*
 * Ask the file for its next frames. False: it has none, now or ever; it is closed and, when that
 * was no proper end, counted.
 */
static bool file_refill(struct merged *m, struct merged_file *f)
{
	struct err_ctx why = { { 0 } };
	enum source_status status;

	f->at = 0;
	do
		status = source_next_batch(f->source, f->frame, &f->count, &why);
	while (status == SOURCE_OK && f->count == 0);
	if (status == SOURCE_OK) {
		note_position(m, f, f->source->position_bytes);
		return true;
	}
	file_close(f);
	if (is_interrupted(m))
		return false;
	if (status == SOURCE_ERROR)
		note_failure(m, &why);
	note_position(
		m, f, f->size_bytes > f->position_bytes ? f->size_bytes : f->position_bytes);
	return false;
}

static bool file_start(struct merged *m, struct merged_file *f)
{
	struct err_ctx why = { { 0 } };

	if (file_open(&f->source, f->path, &m->options, &why) == ERR_OK)
		return file_refill(m, f);
	if (!is_interrupted(m))
		note_failure(m, &why);
	return false;
}

/* Open the files whose time has come: not later than the next frame of those that are open. */
static void open_waiting(struct merged *m)
{
	while (m->next < m->wait_count && !m->interrupted) {
		struct merged_file *f = m->waiting[m->next];
		if (m->open_count > 0 && f->first_ns > next_ns(m->open[0]))
			return;
		m->waiting[m->next++] = NULL;
		if (f->source || file_start(m, f))
			heap_add(m, f);
		else
			file_free(f);
	}
}

/* --- the source ------------------------------------------------------------------------------ */

static void refill_starved(struct merged *m)
{
	struct merged_file *f = m->starved;

	if (!f)
		return;
	m->starved = NULL;
	if (file_refill(m, f))
		heap_add(m, f);
	else
		file_free(f);
}

/* Which frames of the first file come before everything else: those before this one. */
static const struct merged_file *second(const struct merged *m)
{
	if (m->open_count < 2)
		return NULL;
	if (m->open_count > 2 && comes_before(m->open[2], m->open[1]))
		return m->open[2];
	return m->open[1];
}

/* Take from the first file while it stays the first; how many. */
static size_t take_run(struct merged *m, struct frame *out, size_t room)
{
	struct merged_file *f = m->open[0];
	const struct merged_file *other = second(m);
	int64_t until_ns = m->next < m->wait_count ? m->waiting[m->next]->first_ns : INT64_MAX;
	size_t taken = 0;

	do
		out[taken++] = f->frame[f->at++];
	while (taken < room && f->at < f->count && next_ns(f) < until_ns &&
		(!other || comes_before(f, other)));
	return taken;
}

static enum source_status at_end(const struct merged *m, struct err_ctx *why)
{
	if (m->interrupted || m->failed == 0)
		return SOURCE_END;
	err_set(why, ERR_INPUT, "%zu of %zu captures could not be read to the end", m->failed,
		m->file_count);
	return SOURCE_ERROR;
}

static enum source_status merged_next_batch(struct source *s,
	struct frame batch[SOURCE_BATCH_MAX], size_t *count, struct err_ctx *why)
{
	struct merged *m = merged_of(s);

	*count = 0;
	refill_starved(m);
	while (*count < SOURCE_BATCH_MAX && !m->interrupted) {
		/* Opening asks no other file for more, so frames taken before stay valid. */
		open_waiting(m);
		if (m->open_count == 0 || m->interrupted)
			break;
		*count += take_run(m, batch + *count, SOURCE_BATCH_MAX - *count);
		struct merged_file *f = m->open[0];
		if (f->at == f->count) {
			m->starved = heap_take(m);
			break;
		}
		heap_sink(m, 0);
	}
	return *count > 0 ? SOURCE_OK : at_end(m, why);
}

static void merged_losses(struct source *s, struct source_losses *out)
{
	(void)s;
	*out = (struct source_losses){ 0 };
}

static void merged_interrupt(struct source *s)
{
	int saved = errno;

	if (eventfd_write(merged_of(s)->options.wake_fd, 1) == -1)
		errno = saved; /* the counter is full: it is readable, which is all we want */
}

static void merged_close(struct source *s)
{
	struct merged *m = merged_of(s);

	for (size_t i = m->next; i < m->wait_count; i++)
		file_free(m->waiting[i]);
	for (size_t i = 0; i < m->open_count; i++)
		file_free(m->open[i]);
	file_free(m->starved);
	if (m->options.wake_fd != -1)
		close(m->options.wake_fd);
	free(m->waiting);
	free(m->open);
	free(m);
}

static const struct source_ops merged_ops = {
	.next_batch = merged_next_batch,
	.losses = merged_losses,
	.interrupt = merged_interrupt,
	.close = merged_close,
};

/* --- opening --------------------------------------------------------------------------------- */

/* Look for the first frame. False: there is none, which was said if it is an error. */
static bool file_peek(struct merged *m, struct merged_file *f)
{
	if (!file_start(m, f))
		return false;
	f->first_ns = next_ns(f);
	f->size_bytes = f->source->size_bytes;
	if (f->size_bytes > 0) {
		file_close(f);
		note_position(m, f, 0);
	}
	return true;
}

static struct merged_file *file_new(const char *path, size_t number)
{
	struct merged_file *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->number = number;
	f->path = strdup(path);
	if (f->path)
		return f;
	free(f);
	return NULL;
}

static bool peek_all(struct merged *m, char *const path[])
{
	bool sizes_known = true;

	for (size_t i = 0; i < m->file_count; i++) {
		struct merged_file *f = file_new(path[i], i);
		if (!f)
			return false;
		if (!file_peek(m, f)) {
			note_position(m, f, 0);
			file_free(f);
			continue;
		}
		sizes_known = sizes_known && f->size_bytes > 0;
		m->base.size_bytes += f->size_bytes;
		m->waiting[m->wait_count++] = f;
	}
	if (!sizes_known)
		m->base.size_bytes = 0;
	qsort(m->waiting, m->wait_count, sizeof(struct merged_file *), by_first_frame);
	return true;
}

static struct merged *merged_new(size_t count, const struct file_options *options)
{
	struct merged *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->base.ops = &merged_ops;
	m->base.name = m->name;
	m->file_count = count;
	m->options = *options;
	m->options.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	m->waiting = calloc(count, sizeof(struct merged_file *));
	m->open = calloc(count, sizeof(struct merged_file *));
	snprintf(m->name, sizeof(m->name), "%zu captures", count);
	if (m->options.wake_fd != -1 && m->waiting && m->open)
		return m;
	merged_close(&m->base);
	return NULL;
}

enum err source_open_merged(struct source **out, char *const path[], size_t count, bool ahead,
	const struct source_interfaces *interfaces, struct err_ctx *why)
{
	const struct file_options options = {
		.wake_fd = -1, .ahead = ahead, .interfaces = interfaces
	};

	if (count == 1)
		return file_open(out, path[0], &options, why);
	*out = NULL;
	for (size_t i = 0; i < count; i++)
		if (strcmp(path[i], "-") == 0)
			return err_set(why, ERR_USAGE,
				"standard input (-) cannot be merged with other captures; "
				"name it alone");
	struct merged *m = merged_new(count, &options);
	if (!m || !peek_all(m, path)) {
		if (m)
			merged_close(&m->base);
		return err_set(why, ERR_FAILED, "out of memory for %zu captures", count);
	}
	*out = &m->base;
	return ERR_OK;
}
