/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/watch.h"

#include <limits.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/base/clock.h"

#define EVENTS                                                                                 \
	(IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |    \
		IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF)
#define EVENT_BYTES (16 * (sizeof(struct inotify_event) + NAME_MAX + 1))
/* What one call takes at most; the rest is still there for the next one. */
#define READS_MAX 64

/* What tells one content from another; all zero: there is no file. */
struct identity {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified;
};

struct file {
	char *path;
	/* The folder of the path, and that of the file which a link there leads to; -1: none */
	int folder[2];
	char *name[2]; /* in those */
	struct identity identity;
	bool being_written;
};

struct watch {
	int fd;
	struct file *file;
	size_t count;
	int64_t quiet_at_ns; /* 0: nothing has happened */
	int64_t patience_ns; /* until then writers are waited for */
	int64_t look_at_ns;  /* look although nothing has happened */
};

struct watch *watch_new(void)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (w)
		w->fd = -1;
	return w;
}

static void free_files(struct file *file, size_t count)
{
	for (size_t i = 0; file && i < count; i++) {
		free(file[i].path);
		free(file[i].name[0]);
		free(file[i].name[1]);
	}
	free(file);
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	if (w->fd != -1)
		close(w->fd);
	free_files(w->file, w->count);
	free(w);
}

static struct identity identify(const char *path)
{
	struct stat st;

	if (stat(path, &st) == -1)
		return (struct identity){ 0 };
	return (struct identity){ st.st_dev, st.st_ino, st.st_size, st.st_mtim };
}

static bool is_same(const struct identity *a, const struct identity *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->modified.tv_sec == b->modified.tv_sec &&
	       a->modified.tv_nsec == b->modified.tv_nsec;
}

/* Watch the folder of `path`; *name becomes what the file is called there. False: no memory. */
static bool add_folder(int fd, const char *path, int *folder, char **name)
{
	const char *slash = strrchr(path, '/');
	char *directory = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");

	*folder = -1;
	*name = strdup(slash ? slash + 1 : path);
	if (directory && fd != -1)
		*folder = inotify_add_watch(fd, directory, EVENTS | IN_ONLYDIR);
	free(directory);
	return directory && *name;
}

static bool add_file(int fd, struct file *f, const char *path)
{
	char *real = realpath(path, NULL);

	*f = (struct file){ .path = strdup(path), .folder = { -1, -1 } };
	bool added = f->path && add_folder(fd, path, &f->folder[0], &f->name[0]);
	if (added && real)
		added = add_folder(fd, real, &f->folder[1], &f->name[1]);
	free(real);
	/* After it is watched, so that no change falls between. */
	f->identity = identify(path);
	return added;
}

bool watch_files(struct watch *w, const char *const *path, size_t path_count)
{
	/* A new descriptor knows nothing of folders that are no longer wanted. */
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	struct file *file = calloc(path_count + 1, sizeof(*file));
	bool added = file != NULL;

	for (size_t i = 0; added && i < path_count; i++)
		added = add_file(fd, &file[i], path[i]);
	if (!added) {
		free_files(file, path_count);
		if (fd != -1)
			close(fd);
		return false;
	}
	if (w->fd != -1)
		close(w->fd);
	free_files(w->file, w->count);
	w->fd = fd;
	w->file = file;
	w->count = path_count;
	w->quiet_at_ns = w->look_at_ns = 0;
	return true;
}

int watch_fd(const struct watch *w)
{
	return w->fd;
}

/* Is the event about this file? */
static bool is_about(const struct file *f, const struct inotify_event *e)
{
	for (size_t i = 0; e->len > 0 && i < 2; i++) {
		if (f->folder[i] == e->wd && f->name[i] && strcmp(f->name[i], e->name) == 0)
			return true;
	}
	return false;
}

static bool note_event(struct watch *w, const struct inotify_event *e)
{
	bool is_ours = false;

	for (size_t i = 0; i < w->count; i++) {
		struct file *f = &w->file[i];
		if (!is_about(f, e))
			continue;
		is_ours = true;
		if (e->mask & IN_MODIFY)
			f->being_written = true;
		if (e->mask & (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE))
			f->being_written = false;
	}
	return is_ours;
}

/*
 * Other files of a folder may be busy all the time, and are no reason to wait; but a folder or a link
 * that comes in place of another one may bring us a new file.
 */
static void take_event(struct watch *w, const struct inotify_event *e, int64_t now_ns)
{
	bool is_ours = note_event(w, e);

	if (!is_ours && e->len > 0 && !(e->mask & (IN_CREATE | IN_MOVED_TO)))
		return;
	if (w->quiet_at_ns == 0)
		w->patience_ns = now_ns + WATCH_WRITING_MAX_S * NS_PER_S;
	if (is_ours || w->quiet_at_ns == 0)
		w->quiet_at_ns = now_ns + WATCH_QUIET_MS * NS_PER_MS;
}

void watch_read(struct watch *w, int64_t now_ns)
{
	alignas(struct inotify_event) char bytes[EVENT_BYTES];

	for (int reads = 0; w->fd != -1 && reads < READS_MAX; reads++) {
		ssize_t got = read(w->fd, bytes, sizeof(bytes));
		if (got <= 0)
			return;
		for (ssize_t at = 0; at < got;) {
			const struct inotify_event *e =
				(const struct inotify_event *)(bytes + at);
			take_event(w, e, now_ns);
			at += (ssize_t)(sizeof(*e) + e->len);
		}
	}
}

/* When there is something to be looked at. */
static int64_t next_look_ns(const struct watch *w)
{
	if (w->quiet_at_ns != 0 && (w->look_at_ns == 0 || w->quiet_at_ns < w->look_at_ns))
		return w->quiet_at_ns;
	return w->look_at_ns;
}

int watch_timeout_ms(const struct watch *w, int64_t now_ns)
{
	int64_t wait_ns = next_look_ns(w) - now_ns;

	return wait_ns > 0 ? (int)(wait_ns / NS_PER_MS) + 1 : 0;
}

/* Does somebody write that we should wait for? Events may be lost, so not for ever. */
static bool is_being_written(const struct watch *w, int64_t now_ns)
{
	for (size_t i = 0; now_ns < w->patience_ns && i < w->count; i++) {
		if (w->file[i].being_written)
			return true;
	}
	return false;
}

/* Compare all files with what they were, and remember what they are. */
static bool look(struct watch *w)
{
	bool changed = false;

	for (size_t i = 0; i < w->count; i++) {
		struct file *f = &w->file[i];
		struct identity now = identify(f->path);
		changed = changed || !is_same(&now, &f->identity);
		f->identity = now;
		f->being_written = false;
	}
	return changed;
}

bool watch_is_due(struct watch *w, int64_t now_ns)
{
	if (now_ns < next_look_ns(w))
		return false;
	if (w->look_at_ns == 0) { /* asked for the first time */
		w->look_at_ns = now_ns + WATCH_LOOK_S * NS_PER_S;
		if (w->quiet_at_ns == 0)
			return false;
	}
	if (w->quiet_at_ns != 0 && is_being_written(w, now_ns)) {
		w->quiet_at_ns = now_ns + WATCH_QUIET_MS * NS_PER_MS;
		if (w->look_at_ns <= now_ns)
			w->look_at_ns = now_ns + WATCH_LOOK_S * NS_PER_S;
		return false;
	}
	w->quiet_at_ns = 0;
	w->look_at_ns = now_ns + WATCH_LOOK_S * NS_PER_S;
	return look(w);
}
