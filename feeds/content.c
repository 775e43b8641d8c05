/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/content.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static ssize_t read_fd(void *arg, void *buf, size_t size)
{
	ssize_t got;

	do
		got = read(*(const int *)arg, buf, size);
	while (got == -1 && errno == EINTR);
	return got;
}

enum err content_open(struct content *c, const struct feed_spec *spec, struct err_ctx *why)
{
	struct stat st;

	c->path = spec->path;
	c->fd = -1;
	c->held.len = 0;
	c->bytes = c->lines = 0;
	c->modified_s = 0;
	c->ended = false;
	c->decompress = (struct decompress){ .read = read_fd, .arg = &c->fd };
	c->inside = (struct span){ .at = spec->content, .len = spec->content_len };
	if (spec->content) {
		if (c->inside.len == 0)
			c->inside.len = strlen(spec->content);
		return ERR_OK;
	}
	/* O_NONBLOCK: a named pipe must not hang the start. */
	c->fd = open(spec->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (c->fd == -1)
		return err_set(why, ERR_USAGE, "%s: %s", spec->path, strerror(errno));
	if (fstat(c->fd, &st) == 0 && S_ISREG(st.st_mode)) {
		c->modified_s = st.st_mtim.tv_sec;
		return ERR_OK;
	}
	content_close(c);
	return err_set(why, ERR_USAGE, "%s: not a regular file", spec->path);
}

void content_close(struct content *c)
{
	decompress_deinit(&c->decompress);
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
}

/* As read(2), from wherever the content is. */
static ssize_t read_some(struct content *c, char *buf, size_t size)
{
	if (c->fd != -1)
		return decompress_read(&c->decompress, buf, size);
	if (size > c->inside.len)
		size = c->inside.len;
	memcpy(buf, c->inside.at, size);
	c->inside = span_skip(c->inside, size);
	return (ssize_t)size;
}

/* Fill the block up, unless the content ends before. */
static enum err fill(struct content *c, struct block *b, struct err_ctx *why)
{
	while (!c->ended && b->len < CONTENT_BLOCK) {
		ssize_t got = read_some(c, b->at + b->len, CONTENT_BLOCK - b->len);
		if (got == -1)
			return err_set(why, ERR_USAGE, "%s: %s", c->path,
				c->decompress.why[0] ? c->decompress.why : strerror(errno));
		c->ended = got == 0;
		c->bytes += (size_t)got;
		b->len += (size_t)got;
		if (c->bytes > FEED_BYTES_MAX)
			return err_set(why, ERR_USAGE, "%s: more than %zu GiB", c->path,
				FEED_BYTES_MAX >> 30);
	}
	return ERR_OK;
}

static void take_held(struct content *c, struct block *b)
{
	b->len = c->held.len;
	memcpy(b->at, c->held.at, c->held.len);
	c->held.len = 0;
}

static void hold(struct content *c, const char *bytes, size_t len)
{
	memcpy(c->keep, bytes, len);
	c->held = (struct span){ .at = c->keep, .len = len };
}

enum err content_read(struct content *c, struct block *b, struct err_ctx *why)
{
	take_held(c, b);
	return fill(c, b, why);
}

void content_give_back(struct content *c, const struct block *b, size_t from)
{
	hold(c, b->at + from, b->len - from);
}

/* How long the part of the block is that holds whole lines. */
static size_t whole_lines(const struct block *b)
{
	const char *lf = memrchr(b->at, '\n', b->len);
	/* A CR as the last byte may be half of a CR LF. */
	const char *cr = b->len > 1 ? memrchr(b->at, '\r', b->len - 1) : NULL;
	const char *end = lf > cr ? lf : cr;

	return end ? (size_t)(end - b->at) + 1 : 0;
}

/*
 * Bytes of a line that has not ended, but for a CR that may be the last: of one that is too long
 * already, no more are kept than tell that. Returns how many are left.
 */
static size_t shortened(char *at, size_t len)
{
	size_t enough = FEED_LINE_MAX + 1;

	if (len <= enough + 1)
		return len;
	at[enough] = '\r';
	return enough + (at[len - 1] == '\r');
}

static uint64_t count_lines(const struct block *b)
{
	const char *end = b->at + b->len;
	bool has_cr = memchr(b->at, '\r', b->len) != NULL;
	uint64_t count = 0;

	for (const char *at = b->at; !has_cr && (at = memchr(at, '\n', (size_t)(end - at)));
		at++)
		count++;
	for (size_t i = 0; has_cr && i < b->len; i++)
		count += b->at[i] == '\n' ||
			 (b->at[i] == '\r' && !(i + 1 < b->len && b->at[i + 1] == '\n'));
	return count;
}

enum err content_read_lines(struct content *c, struct block *b, struct err_ctx *why)
{
	enum err err;
	size_t len;

	take_held(c, b);
	for (;;) {
		err = fill(c, b, why);
		len = c->ended ? b->len : whole_lines(b);
		if (err || c->ended || len > 0)
			break;
		b->len = shortened(b->at, b->len);
	}
	if (err)
		return err;
	hold(c, b->at + len, shortened(b->at + len, b->len - len));
	b->len = len;
	b->first_line = c->lines;
	c->lines += count_lines(b);
	return ERR_OK;
}
