/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/dynwatch-feeds/received.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "sensor/base/attribute.h"
#include "sensor/base/decompress.h"

#define START_MAX 512 /* bytes that are looked at to tell a web page */

/* --- unpacking ----------------------------------------------------------------------------- */

struct reader {
	int fd;
	off_t at;
};

static ssize_t read_on(void *arg, void *buf, size_t size)
{
	struct reader *r = arg;
	ssize_t got;

	do
		got = pread(r->fd, buf, size, r->at);
	while (got == -1 && errno == EINTR);
	if (got > 0)
		r->at += got;
	return got;
}

/* As much as there is, up to `size`: from a decoder, or as it is. */
static ssize_t fill(struct decompress *d, struct reader *plain, char *buf, size_t size)
{
	size_t len = 0;

	while (len < size) {
		ssize_t got = d ? decompress_read(d, buf + len, size - len)
				: read_on(plain, buf + len, size - len);
		if (got == -1)
			return -1;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	return (ssize_t)len;
}

static enum err too_large(const struct received *r, struct err_ctx *why)
{
	return err_set(why, ERR_INPUT, "more than %llu MiB (max_mb)",
		(unsigned long long)(r->max_bytes >> 20));
}

static enum err unreadable(const struct decompress *d, struct err_ctx *why)
{
	return err_set(why, ERR_INPUT, "%s", d->why[0] ? d->why : strerror(errno));
}

static bool is_gzip(int fd)
{
	unsigned char start[2];

	return pread(fd, start, sizeof(start), 0) == sizeof(start) && start[0] == 0x1f &&
	       start[1] == 0x8b;
}

static enum err copy(
	const struct received *r, struct replace *to, struct fetched *out, struct err_ctx *why)
{
	struct reader from = { .fd = r->fd };
	struct decompress d = { .read = read_on, .arg = &from };
	char piece[FETCHED_PIECE];
	enum err err = ERR_OK;
	ssize_t got;

	out->bytes = 0;
	out->content = fetched_hash_start();
	while ((got = fill(r->is_gzip ? &d : NULL, &from, piece, sizeof(piece))) > 0) {
		out->bytes += (uint64_t)got;
		if (out->bytes > r->max_bytes) {
			err = too_large(r, why);
			break;
		}
		fetched_hash_add(&out->content, piece, (size_t)got);
		replace_write(to, piece, (size_t)got);
	}
	if (!err && got == -1)
		err = unreadable(&d, why);
	decompress_deinit(&d);
	if (!err && to->failed)
		err = err_set(why, ERR_FAILED, "%s: %s", to->new_path, strerror(to->failed));
	return err;
}

/* --- looking ------------------------------------------------------------------------------- */

static bool is_web_page(const char *start)
{
	static const char *const signs[] = { "<!doctype html", "<html", "<head", "<body",
		"<?xml", "<title", "<!--", "<script" };

	if (strncmp(start, "\xef\xbb\xbf", 3) == 0)
		start += 3;
	start += strspn(start, " \t\r\n");
	for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
		if (strncasecmp(start, signs[i], strlen(signs[i])) == 0)
			return true;
	}
	return false;
}

/* Uncompressed, once to the end: damage, size and both ends are known then. */
static enum err look(const struct received *r, int fd, struct err_ctx *why)
{
	struct reader from = { .fd = fd };
	struct decompress d = { .read = read_on, .arg = &from };
	char piece[FETCHED_PIECE], start[START_MAX + 1] = "", last = '\n';
	uint64_t bytes = 0;
	enum err err = ERR_OK;
	ssize_t got;

	while ((got = fill(&d, NULL, piece, sizeof(piece))) > 0) {
		if (bytes == 0)
			memcpy(start, piece, got < START_MAX ? (size_t)got : START_MAX);
		last = piece[got - 1];
		bytes += (uint64_t)got;
		if (bytes > r->max_bytes) {
			err = too_large(r, why);
			break;
		}
	}
	if (!err && got == -1)
		err = unreadable(&d, why);
	bool was_packed = r->is_gzip || (uint64_t)from.at != bytes;
	decompress_deinit(&d);
	if (err)
		return err;
	if (bytes == 0)
		return err_set(why, ERR_INPUT, "empty");
	if (is_web_page(start))
		return err_set(why, ERR_INPUT, "a web page, not a list");
	/* A JSON text is known to be whole when it is read. */
	if (!r->length_known && !was_packed && !strchr("\n\r}]", last))
		return err_set(why, ERR_INPUT,
			"cut off: it ends within a line, and the server did not say how long "
			"it is");
	return ERR_OK;
}

enum err received_store(
	const struct received *r, struct replace *to, struct fetched *out, struct err_ctx *why)
{
	if (r->is_gzip && !is_gzip(r->fd))
		return err_set(why, ERR_INPUT, "not gzip, as the server says it is");
	enum err err = copy(r, to, out, why);
	return err ? err : look(r, to->fd, why);
}
