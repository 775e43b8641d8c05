/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/dynwatch-feeds/export_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PIECE_BYTES 65536
#define MODE_NEW    0644
#define SERIAL_LEN  10

static const char serial_mark[] = " ; serial\n";

static enum err fail(const struct export_file *f, struct err_ctx *why)
{
	return err_set(why, ERR_FAILED, "%s: %s", f->path ? f->path : "standard output",
		strerror(errno));
}

/* --- opening -------------------------------------------------------------------------------- */

static int open_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	free(folder);
	return fd;
}

/* Two that write one file at once would rename each other's halves. */
static bool lock_folder(struct export_file *f)
{
	static const struct timespec pause = { .tv_nsec = 100000000 };

	f->lock = open_folder(f->path);
	for (int tries = EXPORT_FILE_WAIT_S * 10; f->lock != -1 && tries > 0; tries--) {
		if (flock(f->lock, LOCK_EX | LOCK_NB) == 0)
			return true;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return false;
		nanosleep(&pause, NULL);
	}
	errno = f->lock == -1 ? errno : EBUSY;
	return false;
}

/* Beside the old one, with its owner and mode. */
static bool open_new(struct export_file *f)
{
	struct stat st;
	bool exists = stat(f->path, &st) == 0;

	if (!lock_folder(f) || !replace_open(&f->replace, f->path, MODE_NEW))
		return false;
	/* Only root can give it away, and others need not. */
	if (exists && fchown(f->replace.fd, st.st_uid, st.st_gid) != 0 && errno != EPERM)
		return false;
	if (exists && fchmod(f->replace.fd, st.st_mode & 07777) != 0)
		return false;
	int fd = dup(f->replace.fd);
	f->out = fd == -1 ? NULL : fdopen(fd, "w");
	if (!f->out && fd != -1)
		close(fd);
	return f->out != NULL;
}

/* What is no file cannot be replaced by one. */
static bool is_other(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

enum err export_file_open(struct export_file *f, const char *path, struct err_ctx *why)
{
	*f = (struct export_file){ .out = stdout, .lock = -1 };
	if (strcmp(path, "-") == 0)
		return ERR_OK;
	if (is_other(path))
		return err_set(why, ERR_FAILED, "%s: not a regular file", path);
	f->out = NULL;
	f->path = realpath(path, NULL);
	if (!f->path)
		f->path = strdup(path);
	if (f->path && open_new(f))
		return ERR_OK;
	enum err err = fail(f, why);
	export_file_cancel(f);
	return err;
}

/* --- the file that is there ----------------------------------------------------------------- */

static bool parse_serial(const char *text, uint32_t *serial)
{
	const char *mark = strstr(text, serial_mark);

	if (!mark || mark - text < SERIAL_LEN)
		return false;
	unsigned long long value = strtoull(mark - SERIAL_LEN, NULL, 10);
	*serial = (uint32_t)value;
	return value > 0 && value <= UINT32_MAX;
}

bool export_file_serial(const struct export_file *f, uint32_t *serial)
{
	char head[PIECE_BYTES + 1];
	int fd = f->path ? open(f->path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd == -1)
		return false;
	ssize_t len = read(fd, head, PIECE_BYTES);
	close(fd);
	head[len > 0 ? len : 0] = '\0';
	return parse_serial(head, serial);
}

static bool read_equal(FILE *a, FILE *b)
{
	char left[PIECE_BYTES], right[PIECE_BYTES];

	for (;;) {
		size_t left_len = fread(left, 1, sizeof(left), a);
		size_t right_len = fread(right, 1, sizeof(right), b);
		if (left_len != right_len || memcmp(left, right, left_len) != 0)
			return false;
		if (left_len == 0)
			return !ferror(a) && !ferror(b);
	}
}

static bool is_equal(const struct export_file *f)
{
	FILE *old = fopen(f->path, "re"), *new = fopen(f->replace.new_path, "re");
	bool equal = old && new &&read_equal(old, new);

	if (old)
		fclose(old);
	if (new)
		fclose(new);
	return equal;
}

/* --- finishing ------------------------------------------------------------------------------ */

uint32_t export_file_next_serial(uint32_t last, uint32_t wanted)
{
	uint32_t ahead = wanted - last;

	if (ahead > 0 && ahead < UINT32_C(1) << 31)
		return wanted;
	return last + 1 ? last + 1 : 1; /* 0 means something else to some */
}

static bool put_serial(const struct export_file *f, long serial_at, uint32_t serial)
{
	char text[SERIAL_LEN + 1];

	if (serial_at == 0)
		return true;
	snprintf(text, sizeof(text), "%*u", SERIAL_LEN, serial);
	return pwrite(f->replace.fd, text, SERIAL_LEN, serial_at) == SERIAL_LEN;
}

static void release(struct export_file *f)
{
	if (f->lock != -1)
		close(f->lock);
	free(f->path);
	*f = (struct export_file){ .lock = -1 };
}

enum err export_file_finish(struct export_file *f, long serial_at, uint32_t serial,
	bool *unchanged, struct err_ctx *why)
{
	enum err err = ERR_OK;

	*unchanged = false;
	if (!f->path) {
		err = fflush(f->out) == 0 ? ERR_OK : fail(f, why);
		release(f);
		return err;
	}
	int closed = fclose(f->out);
	f->out = NULL;
	*unchanged = closed == 0 && is_equal(f);
	if (*unchanged) {
		export_file_cancel(f);
		return ERR_OK;
	}
	if (closed != 0 || !put_serial(f, serial_at, serial) || !replace_commit(&f->replace))
		err = fail(f, why);
	export_file_cancel(f);
	return err;
}

void export_file_cancel(struct export_file *f)
{
	if (f->out && f->path)
		fclose(f->out);
	replace_cancel(&f->replace);
	release(f);
}
