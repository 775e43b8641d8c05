/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/listen.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 64

static enum err fail(struct listener *l, struct err_ctx *why)
{
	return err_set(why, ERR_FAILED, "%s: %s", l->address.sun_path, strerror(errno));
}

static int bind_path(const struct listener *l)
{
	return bind(l->fd, (const struct sockaddr *)&l->address, sizeof(l->address));
}

/* Is there somebody who would take a connection? A listener with a full queue counts. */
static bool is_answered(const struct listener *l)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1)
		return true;
	int result = connect(fd, (const struct sockaddr *)&l->address, sizeof(l->address));
	bool refused = result == -1 && errno == ECONNREFUSED;
	close(fd);
	return !refused;
}

/* The path is there already: what a process left behind that is no more goes, anything else stays. */
static enum err replace(struct listener *l, struct err_ctx *why)
{
	const char *path = l->address.sun_path;
	struct stat st;

	if (lstat(path, &st) == -1)
		return fail(l, why);
	if (!S_ISSOCK(st.st_mode))
		return err_set(why, ERR_USAGE,
			"%s: there is something else than a socket already", path);
	if (is_answered(l))
		return err_set(why, ERR_FAILED, "%s: somebody listens there already", path);
	if (unlink(path) == -1 || bind_path(l) == -1)
		return fail(l, why);
	return ERR_OK;
}

static enum err bind_or_replace(struct listener *l, struct err_ctx *why)
{
	const char *path = l->address.sun_path;

	if (bind_path(l) == 0)
		return ERR_OK;
	switch (errno) {
	case EADDRINUSE:
		return replace(l, why);
	case ENOENT:
	case ENOTDIR:
		return err_set(
			why, ERR_USAGE, "%s: the directory of the socket does not exist", path);
	default:
		return fail(l, why);
	}
}

/* Nobody can connect before listen, so the mode is right when the first one can. */
static enum err publish(
	struct listener *l, const struct listener_options *options, struct err_ctx *why)
{
	const char *path = l->address.sun_path;
	struct stat st;

	if (lstat(path, &st) == -1)
		return fail(l, why);
	l->device = st.st_dev;
	l->inode = st.st_ino;
	if (chown(path, options->owner, options->group) == -1 ||
		chmod(path, options->mode) == -1 || listen(l->fd, BACKLOG) == -1)
		return fail(l, why);
	return ERR_OK;
}

enum err listener_open(
	struct listener *l, const struct listener_options *options, struct err_ctx *why)
{
	const char *path = options->path;
	size_t path_len = strlen(path);

	*l = (struct listener){ .fd = -1, .address = { .sun_family = AF_UNIX } };
	if (path_len == 0 || path_len >= sizeof(l->address.sun_path))
		return err_set(why, ERR_USAGE,
			"%s: the path of a socket has 1 to %zu characters, not %zu", path,
			sizeof(l->address.sun_path) - 1, path_len);
	memcpy(l->address.sun_path, path, path_len + 1);
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	enum err err = l->fd == -1 ? fail(l, why) : bind_or_replace(l, why);
	if (err == ERR_OK)
		err = publish(l, options, why);
	if (err != ERR_OK)
		listener_close(l);
	return err;
}

void listener_close(struct listener *l)
{
	struct stat st;

	if (l->fd == -1)
		return;
	close(l->fd);
	l->fd = -1;
	if (l->inode != 0 && lstat(l->address.sun_path, &st) == 0 && st.st_dev == l->device &&
		st.st_ino == l->inode)
		unlink(l->address.sun_path);
}
