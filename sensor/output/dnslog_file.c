/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/dnslog_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/base/log.h"
#include "sensor/output/append_file.h"
#include "sensor/output/dnslog.h"
#include "sensor/output/writer.h"
#include "sensor/ring/gauge.h"

struct dnslog_file {
	int fd;
	unsigned how;
	struct writer *writer;
	int failed_errno;           /* of the write that failed; 0: none */
	bool reopen_failed;         /* said so */
	struct gauge reopen_wanted; /* written by whoever wants it, and here when it is done */
	char path[];                /* empty: standard output */
};

static int open_path(const char *path, unsigned how)
{
	if (how & DNSLOG_APPEND)
		return append_file_open(path, 0);
	return open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_TRUNC, 0644);
}

struct dnslog_file *dnslog_file_open(const char *path, unsigned how, size_t room)
{
	const char *name = strcmp(path, "-") == 0 ? "" : path;
	struct dnslog_file *f = calloc(1, sizeof(*f) + strlen(name) + 1);

	if (!f)
		return NULL;
	memcpy(f->path, name, strlen(name) + 1);
	f->how = how;
	f->fd = *name ? open_path(name, how) : STDOUT_FILENO;
	if (f->fd == -1) {
		int why = errno;
		free(f);
		errno = why;
		return NULL;
	}
	f->writer = writer_new(f->fd, how & DNSLOG_ASIDE, room);
	if (f->writer)
		return f;
	(void)dnslog_file_close(f);
	errno = ENOMEM;
	return NULL;
}

int dnslog_file_put(struct dnslog_file *f, struct text *t)
{
	if (!f->failed_errno) {
		f->failed_errno = writer_put(f->writer, t);
		if (f->failed_errno && f->how & DNSLOG_LASTING)
			log_error("DNS log %s: cannot write: %s", f->path,
				strerror(f->failed_errno));
	}
	text_clear(t);
	return f->failed_errno;
}

bool dnslog_file_is_busy(struct dnslog_file *f)
{
	return writer_is_busy(f->writer);
}

/* The old file has what was put so far; when the new one cannot be opened the old one stays. */
static bool open_anew(struct dnslog_file *f)
{
	if (!*f->path)
		return false;
	(void)!writer_flush(f->writer);
	int fd = open_path(f->path, f->how);
	if (fd == -1) {
		if (!f->reopen_failed)
			log_error("DNS log %s: cannot open it anew: %s", f->path,
				strerror(errno));
		f->reopen_failed = true;
		return false;
	}
	f->reopen_failed = false;
	close(f->fd);
	f->fd = fd;
	writer_go_on(f->writer, fd);
	f->failed_errno = 0;
	return true;
}

/* Is there room again? The line that was torn ends here, so that no other one is spoilt. */
static void try_again(struct dnslog_file *f)
{
	(void)!writer_flush(f->writer);
	if (write(f->fd, "\n", 1) != 1)
		return;
	writer_go_on(f->writer, f->fd);
	f->failed_errno = 0;
}

/* Somebody says so, or it is seen. */
static bool has_moved(struct dnslog_file *f)
{
	bool wanted = gauge_read(&f->reopen_wanted);

	if (wanted) {
		gauge_set(&f->reopen_wanted, 0);
		f->reopen_failed = false; /* who asks is told, each time */
	}
	return wanted ||
	       (f->how & DNSLOG_LASTING && *f->path && append_file_has_moved(f->fd, f->path));
}

int dnslog_file_keep(struct dnslog_file *f)
{
	bool anew = has_moved(f) && open_anew(f);

	if (!anew && f->failed_errno)
		try_again(f);
	return f->failed_errno;
}

void dnslog_file_reopen(struct dnslog_file *f)
{
	gauge_set(&f->reopen_wanted, 1);
}

int dnslog_file_flush(struct dnslog_file *f)
{
	int failed_errno = writer_flush(f->writer);

	if (!f->failed_errno)
		f->failed_errno = failed_errno;
	return f->failed_errno;
}

int dnslog_file_close(struct dnslog_file *f)
{
	int failed_errno = f->writer ? dnslog_file_flush(f) : 0;

	writer_free(f->writer);
	if (*f->path && close(f->fd) == -1 && !failed_errno)
		failed_errno = errno;
	free(f);
	return failed_errno;
}
