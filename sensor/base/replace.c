/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void release(struct replace *r)
{
	free(r->path);
	free(r->new_path);
	*r = (struct replace){ .fd = -1 };
}

bool replace_open(struct replace *r, const char *path, mode_t mode)
{
	*r = (struct replace){ .path = strdup(path), .fd = -1 };
	if (!r->path || asprintf(&r->new_path, "%s.new", path) == -1) {
		r->new_path = NULL;
		release(r);
		errno = ENOMEM;
		return false;
	}
	(void)unlink(r->new_path);
	r->fd = open(r->new_path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (r->fd != -1)
		return true;
	int error = errno;
	release(r);
	errno = error;
	return false;
}

void replace_write(struct replace *r, const void *bytes, size_t bytes_len)
{
	const char *at = bytes;

	while (bytes_len > 0 && !r->failed) {
		ssize_t put = write(r->fd, at, bytes_len);
		if (put == -1 && errno == EINTR)
			continue;
		if (put == -1) {
			r->failed = errno;
			return;
		}
		at += put;
		bytes_len -= (size_t)put;
	}
}

/* A rename holds over a crash only when its folder is on the disk. */
static void sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	free(folder);
	if (fd == -1)
		return;
	(void)!fsync(fd);
	close(fd);
}

bool replace_commit(struct replace *r)
{
	if (!r->failed && (fsync(r->fd) != 0 || rename(r->new_path, r->path) != 0))
		r->failed = errno;
	if (r->failed) {
		int error = r->failed;
		replace_cancel(r);
		errno = error;
		return false;
	}
	sync_folder(r->path);
	close(r->fd);
	release(r);
	return true;
}

void replace_cancel(struct replace *r)
{
	if (!r->path)
		return;
	(void)unlink(r->new_path);
	close(r->fd);
	release(r);
}
