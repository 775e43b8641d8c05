/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/jsonl.h"

#include "sensor/base/log.h"
#include "sensor/base/text.h"
#include "sensor/output/append_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct jsonl {
	struct sink sink;
	char *path; /* NULL: standard output */
	int fd;
	struct text pending; /* whole lines, but for the first: see torn */
	bool torn;           /* the file ends in the middle of pending's first line */
	bool failing;        /* said so */
	bool closed;
};

static struct jsonl *jsonl_of(struct sink *s)
{
	return (struct jsonl *)s;
}

static void say_failure(struct jsonl *f, const char *doing)
{
	if (!f->failing)
		log_error("%s: %s: %s", f->sink.name, doing, strerror(errno));
	f->failing = true;
}

static void say_recovery(struct jsonl *f)
{
	if (f->failing)
		log_notice("%s: written again, %llu lines lost so far", f->sink.name,
			(unsigned long long)sink_lost(&f->sink));
	f->failing = false;
}

/* Forget the first `bytes` of what is pending. */
static void pending_take(struct jsonl *f, size_t bytes)
{
	if (bytes == 0)
		return;
	f->torn = f->pending.at[bytes - 1] != '\n';
	f->pending.len -= bytes;
	memmove(f->pending.at, f->pending.at + bytes, f->pending.len + 1);
}

static void write_pending(struct jsonl *f)
{
	size_t done = 0;

	while (done < f->pending.len) {
		ssize_t n = write(f->fd, f->pending.at + done, f->pending.len - done);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			say_failure(f, "cannot write");
			break;
		}
		done += (size_t)n;
	}
	if (done > 0 && done == f->pending.len)
		say_recovery(f);
	pending_take(f, done);
}

static void jsonl_write(struct sink *s, const struct sink_record *record)
{
	struct jsonl *f = jsonl_of(s);

	if (f->pending.len + record->json_len + 1 > JSONL_PENDING_MAX ||
		!text_reserve(&f->pending, record->json_len + 1)) {
		f->pending.failed = false; /* this line is lost, the next may fit */
		gauge_add(&s->lost, 1);
		return;
	}
	text_add(&f->pending, record->json, record->json_len);
	text_putc(&f->pending, '\n');
	/* While writing fails, the flush tries some times a second, not each line. */
	if (f->pending.len >= JSONL_BUFFER_BYTES && !f->failing)
		write_pending(f);
}

/* The rest of a line whose beginning is in the old file makes no sense in the new one. */
static void drop_torn(struct jsonl *f)
{
	if (!f->torn)
		return;
	const char *end = memchr(f->pending.at, '\n', f->pending.len);
	pending_take(f, (size_t)(end - f->pending.at) + 1);
	gauge_add(&f->sink.lost, 1);
}

/* What is pending goes to the old file; when the new one cannot be opened the old one stays. */
static void jsonl_reopen(struct sink *s)
{
	struct jsonl *f = jsonl_of(s);

	if (!f->path || f->closed)
		return;
	write_pending(f);
	int fd = append_file_open(f->path, 0);
	if (fd == -1) {
		say_failure(f, "cannot open it anew");
		return;
	}
	close(f->fd);
	f->fd = fd;
	drop_torn(f);
	if (f->pending.len == 0)
		say_recovery(f);
}

static void jsonl_flush(struct sink *s)
{
	struct jsonl *f = jsonl_of(s);

	if (f->closed)
		return;
	if (f->path && append_file_has_moved(f->fd, f->path))
		jsonl_reopen(s);
	write_pending(f);
}

static uint64_t count_lines(const struct text *t)
{
	uint64_t lines = 0;

	for (size_t i = 0; i < t->len; i++)
		lines += t->at[i] == '\n';
	return lines;
}

static void jsonl_close(struct sink *s, int timeout_ms)
{
	struct jsonl *f = jsonl_of(s);

	(void)timeout_ms; /* a local file takes its bytes or fails at once */
	if (f->closed)
		return;
	jsonl_flush(s);
	gauge_add(&s->lost, count_lines(&f->pending));
	/* Network file systems tell here that they could not keep what they took. */
	if (f->path && close(f->fd) == -1)
		say_failure(f, "cannot close");
	f->closed = true;
}

static void jsonl_free(struct sink *s)
{
	struct jsonl *f = jsonl_of(s);

	jsonl_close(s, 0);
	text_deinit(&f->pending);
	free(f->path);
	free(f);
}

static const struct sink_api jsonl_api = {
	.write = jsonl_write,
	.flush = jsonl_flush,
	.reopen = jsonl_reopen,
	.close = jsonl_close,
	.free = jsonl_free,
};

enum err jsonl_open(
	struct sink **out, const char *path, enum jsonl_mode mode, struct err_ctx *why)
{
	bool to_file = strcmp(path, "-") != 0;
	struct jsonl *f = calloc(1, sizeof(*f));

	if (f && to_file)
		f->path = strdup(path);
	if (!f || (to_file && !f->path)) {
		free(f);
		return err_set(why, ERR_FAILED, "%s: out of memory", path);
	}
	f->sink.api = &jsonl_api;
	f->sink.name = to_file ? f->path : "standard output";
	f->fd = to_file ? append_file_open(path, mode == JSONL_TRUNCATE ? O_TRUNC : 0)
			: STDOUT_FILENO;
	if (f->fd == -1) {
		free(f->path);
		free(f);
		return err_set(why, ERR_FAILED, "%s: cannot open for writing: %s", path,
			strerror(errno));
	}
	*out = &f->sink;
	return ERR_OK;
}
