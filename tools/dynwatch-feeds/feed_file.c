/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/dynwatch-feeds/feed_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/base/log.h"

#define LOCK_NAME ".dynwatch-feeds.lock"
#define NEW_MODE  0644

/* "PATH" up to its last slash, with `name` behind it. */
static char *beside(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');
	char *out;

	if (asprintf(&out, "%.*s%s", slash ? (int)(slash - path) + 1 : 0, path, name) == -1)
		return NULL;
	return out;
}

static void give(const struct feed_file *f, int fd)
{
	/* Only root can, and nobody else needs to. */
	if (geteuid() == 0)
		(void)!fchown(fd, f->uid, f->gid);
}

/* As it is now, or as its folder is. */
static enum err look(struct feed_file *f, struct err_ctx *why)
{
	struct stat st;
	char *folder = beside(f->path, ".");
	bool found = folder && stat(folder, &st) == 0;

	free(folder);
	if (!found)
		return err_set(
			why, ERR_FAILED, "the folder of %s: %s", f->path, strerror(errno));
	f->mode = NEW_MODE;
	f->uid = st.st_uid;
	f->gid = st.st_gid;
	if (stat(f->path, &st) != 0)
		return errno == ENOENT
			       ? ERR_OK
			       : err_set(why, ERR_FAILED, "%s: %s", f->path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(why, ERR_FAILED, "%s: not a regular file", f->path);
	f->exists = true;
	f->modified_s = st.st_mtim.tv_sec;
	f->mode = st.st_mode & 0777;
	f->uid = st.st_uid;
	f->gid = st.st_gid;
	return ERR_OK;
}

static enum err lock(struct feed_file *f, struct err_ctx *why)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char *path = beside(f->path, LOCK_NAME);
	enum err err = ERR_OK;

	if (!path)
		return err_set(why, ERR_FAILED, "out of memory");
	f->lock = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (f->lock == -1) {
		err = err_set(why, ERR_FAILED, "%s: %s", path, strerror(errno));
	} else if (fcntl(f->lock, F_SETLK, &all) == 0) {
		give(f, f->lock);
	} else {
		bool taken = errno == EAGAIN || errno == EACCES;
		err = err_set(why, ERR_FAILED,
			taken ? "another update is at work (%s)" : "%s: %s", path,
			strerror(errno));
	}
	free(path);
	return err;
}

enum err feed_file_open(struct feed_file *f, const char *path, struct err_ctx *why)
{
	*f = (struct feed_file){ .path = realpath(path, NULL), .lock = -1 };
	if (!f->path)
		f->path = strdup(path); /* there is none yet */
	if (!f->path || asprintf(&f->state_path, "%s.fetched", f->path) == -1) {
		f->state_path = NULL;
		return err_set(why, ERR_FAILED, "out of memory");
	}
	enum err err = look(f, why);
	return err ? err : lock(f, why);
}

void feed_file_close(struct feed_file *f)
{
	if (f->lock != -1)
		close(f->lock);
	free(f->path);
	free(f->state_path);
	*f = (struct feed_file){ .lock = -1 };
}

int feed_file_scratch(const struct feed_file *f)
{
	char *name = beside(f->path, ".dynwatch-feeds.XXXXXX");
	int fd = name ? mkostemp(name, O_CLOEXEC) : -1;
	int error = errno;

	if (fd != -1)
		(void)unlink(name);
	free(name);
	errno = error;
	return fd;
}

bool feed_file_replace(const struct feed_file *f, struct replace *r)
{
	if (!replace_open(r, f->path, 0600))
		return false;
	give(f, r->fd);
	if (fchmod(r->fd, f->mode) == 0)
		return true;
	int error = errno;
	replace_cancel(r);
	errno = error;
	return false;
}

static struct fetched_hash hash_url(const char *url)
{
	struct fetched_hash h = fetched_hash_start();

	fetched_hash_add(&h, url, strlen(url));
	return h;
}

bool feed_file_holds(const struct feed_file *f, const struct fetched *content)
{
	struct fetched_hash is;
	uint64_t bytes;
	int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd == -1)
		return false;
	bool same = fetched_hash_file(&is, &bytes, fd) && bytes == content->bytes &&
		    fetched_hash_equal(&is, &content->content);
	close(fd);
	return same;
}

void feed_file_recall(const struct feed_file *f, const char *url, struct fetched *out)
{
	struct fetched_hash wanted = hash_url(url);
	struct err_ctx why;
	enum err err = fetched_load(out, f->state_path, &why);

	if (err == ERR_INPUT)
		log_warning("%s; the whole file is fetched", why.text);
	if (err == ERR_OK && f->exists && fetched_hash_equal(&out->url, &wanted) &&
		feed_file_holds(f, out))
		return;
	*out = (struct fetched){ .url = wanted };
}

enum err feed_file_remember(
	const struct feed_file *f, const struct fetched *fetched, struct err_ctx *why)
{
	enum err err = fetched_save(fetched, f->state_path, why);

	if (!err && geteuid() == 0)
		(void)!lchown(f->state_path, f->uid, f->gid);
	return err;
}

bool feed_file_renew(const struct feed_file *f)
{
	return utimensat(AT_FDCWD, f->path, NULL, 0) == 0;
}
