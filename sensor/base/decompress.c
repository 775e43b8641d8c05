/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One row per format: how it is recognised, and a function that turns some input into some
 * output. The loop that feeds it is the same for all.
 */
#include "sensor/base/decompress.h"

#include <errno.h>
#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "sensor/base/attribute.h"

#define INPUT_BYTES ((size_t)64 << 10)
#define GZIP_WINDOW (15 + 16) /* the largest, with a gzip header and trailer */
#define WINDOW_LOG  27        /* log2(DECOMPRESS_MEMORY_MAX) */

/* One step of a decoder: input as in struct decompress, output from `out` on. */
struct step {
	uint8_t *out;
	size_t size;
	size_t made;
};

struct decompress_format {
	const char *name;
	uint8_t magic[DECOMPRESS_MAGIC_MAX];
	size_t magic_len;
	bool (*open)(struct decompress *d);
	/* Use and make as much as possible; false: damaged, why[] is set. */
	bool (*step)(struct decompress *d, struct step *step);
	void (*close)(struct decompress *d);
};

static const char too_large[] = "it needs more than 128 MiB of memory to decompress";

static bool fail(struct decompress *d, const char *reason)
{
	snprintf(d->why, sizeof(d->why), "%s", reason);
	return false;
}

static bool fail_damaged(struct decompress *d, const char *reason)
{
	snprintf(d->why, sizeof(d->why), "the %s data is damaged: %s", d->format->name, reason);
	return false;
}

/* --- gzip ---------------------------------------------------------------------------------- */

static bool gzip_open(struct decompress *d)
{
	z_stream *z = calloc(1, sizeof(*z));

	if (!z || inflateInit2(z, GZIP_WINDOW) != Z_OK) {
		free(z);
		return fail(d, "out of memory");
	}
	d->decoder = z;
	return true;
}

/* Behind a member there may be another one, or the zeros that fill up a tape block. */
static bool gzip_next(struct decompress *d, z_stream *z)
{
	while (d->in_at < d->in_len && d->in[d->in_at] == 0)
		d->in_at++;
	if (d->in_at == d->in_len)
		return true;
	if (d->in[d->in_at] != d->format->magic[0])
		return fail_damaged(d, "something else follows it");
	d->between = false;
	return inflateReset(z) == Z_OK;
}

static bool gzip_step(struct decompress *d, struct step *step)
{
	z_stream *z = d->decoder;

	if (d->between && (!gzip_next(d, z) || d->in_at == d->in_len))
		return d->why[0] == '\0';
	z->next_in = d->in + d->in_at;
	z->avail_in = (uInt)(d->in_len - d->in_at);
	z->next_out = step->out;
	z->avail_out = (uInt)step->size;
	int result = inflate(z, Z_NO_FLUSH);
	d->in_at = d->in_len - z->avail_in;
	step->made = step->size - z->avail_out;
	if (result == Z_STREAM_END)
		d->between = true;
	else if (result != Z_OK && result != Z_BUF_ERROR)
		return fail_damaged(d, z->msg ? z->msg : zError(result));
	return true;
}

static void gzip_close(struct decompress *d)
{
	inflateEnd(d->decoder);
	free(d->decoder);
}

/* --- Zstandard ----------------------------------------------------------------------------- */

static bool zstd_open(struct decompress *d)
{
	ZSTD_DCtx *z = ZSTD_createDCtx();

	if (!z || ZSTD_isError(ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, WINDOW_LOG))) {
		ZSTD_freeDCtx(z);
		return fail(d, "out of memory");
	}
	d->decoder = z;
	return true;
}

static bool zstd_step(struct decompress *d, struct step *step)
{
	ZSTD_inBuffer in = { d->in, d->in_len, d->in_at };
	ZSTD_outBuffer out = { step->out, step->size, 0 };
	size_t result = ZSTD_decompressStream(d->decoder, &out, &in);

	d->in_at = in.pos;
	step->made = out.pos;
	if (ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge)
		return fail(d, too_large);
	if (ZSTD_isError(result))
		return fail_damaged(d, ZSTD_getErrorName(result));
	d->between = result == 0;
	return true;
}

static void zstd_close(struct decompress *d)
{
	ZSTD_freeDCtx(d->decoder);
}

/* --- xz ------------------------------------------------------------------------------------ */

static bool xz_open(struct decompress *d)
{
	static const lzma_stream empty = LZMA_STREAM_INIT;
	lzma_stream *x = malloc(sizeof(*x));

	if (x)
		*x = empty;
	if (!x || lzma_stream_decoder(x, DECOMPRESS_MEMORY_MAX, LZMA_CONCATENATED) != LZMA_OK) {
		free(x);
		return fail(d, "out of memory");
	}
	d->decoder = x;
	return true;
}

static const char *xz_reason(lzma_ret result)
{
	switch (result) {
	case LZMA_MEMLIMIT_ERROR:
		return too_large;
	case LZMA_MEM_ERROR:
		return "out of memory";
	case LZMA_OPTIONS_ERROR:
		return "unsupported options";
	case LZMA_FORMAT_ERROR:
		return "something else follows it";
	default:
		return "its checks fail";
	}
}

static bool xz_step(struct decompress *d, struct step *step)
{
	lzma_stream *x = d->decoder;

	x->next_in = d->in + d->in_at;
	x->avail_in = d->in_len - d->in_at;
	x->next_out = step->out;
	x->avail_out = step->size;
	lzma_ret result = lzma_code(x, d->in_end ? LZMA_FINISH : LZMA_RUN);
	d->in_at = d->in_len - x->avail_in;
	step->made = step->size - x->avail_out;
	if (result == LZMA_STREAM_END)
		d->between = true;
	else if (result == LZMA_MEMLIMIT_ERROR || result == LZMA_MEM_ERROR)
		return fail(d, xz_reason(result));
	else if (result != LZMA_OK && result != LZMA_BUF_ERROR)
		return fail_damaged(d, xz_reason(result));
	return true;
}

static void xz_close(struct decompress *d)
{
	lzma_end(d->decoder);
	free(d->decoder);
}

/* --- recognised, not read -------------------------------------------------------------------- */

static bool unread_open(struct decompress *d)
{
	snprintf(d->why, sizeof(d->why),
		"compressed with %s, which is not read; decompress it first", d->format->name);
	return false;
}

static const struct decompress_format plain = { .name = "plain" };

static const struct decompress_format formats[] = {
	{ "gzip", "\x1f\x8b", 2, gzip_open, gzip_step, gzip_close },
	{ "zstd", "\x28\xb5\x2f\xfd", 4, zstd_open, zstd_step, zstd_close },
	{ "zstd", "\x50\x2a\x4d\x18", 4, zstd_open, zstd_step,
		zstd_close }, /* as pzstd begins */
	{ "xz",
		"\xfd"
		"7zXZ",
		6, xz_open, xz_step, xz_close },
	{ "lz4", "\x04\x22\x4d\x18", 4, unread_open, NULL, NULL },
	{ "lz4", "\x02\x21\x4c\x18", 4, unread_open, NULL, NULL }, /* its legacy frame */
	{ "bzip2", "BZh", 3, unread_open, NULL, NULL },
};

/* --- the stream ------------------------------------------------------------------------------ */

/* Read more behind what is there; -1: errno is set. */
static int fill(struct decompress *d)
{
	if (d->in_at == d->in_len)
		d->in_at = d->in_len = 0;
	ssize_t got = d->read(d->arg, d->in + d->in_len, INPUT_BYTES - d->in_len);
	if (got == -1)
		return -1;
	d->in_len += (size_t)got;
	d->in_end = got == 0;
	return 0;
}

/* A pipe may give the first bytes one by one. */
static int recognise(struct decompress *d)
{
	if (!d->in)
		d->in = malloc(INPUT_BYTES);
	if (!d->in) {
		fail(d, "out of memory");
		return -1;
	}
	while (d->in_len < DECOMPRESS_MAGIC_MAX && !d->in_end)
		if (fill(d) == -1)
			return -1;
	const struct decompress_format *found = &plain;
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		const struct decompress_format *f = &formats[i];
		if (d->in_len >= f->magic_len && memcmp(d->in, f->magic, f->magic_len) == 0)
			found = f;
	}
	d->format = found;
	return !found->open || found->open(d) ? 0 : -1;
}

static ssize_t read_plain(struct decompress *d, void *buf, size_t size)
{
	size_t left = d->in_len - d->in_at;

	if (left == 0)
		return d->in_end ? 0 : d->read(d->arg, buf, size);
	if (left > size)
		left = size;
	memcpy(buf, d->in + d->in_at, left);
	d->in_at += left;
	return (ssize_t)left;
}

/* Steps until something was made, or the input ends. */
static ssize_t read_steps(struct decompress *d, void *buf, size_t size)
{
	struct step step = { .out = buf, .size = size };

	for (;;) {
		bool starved = d->in_at == d->in_len;
		if (starved && !d->in_end) {
			if (fill(d) == -1)
				return -1;
			starved = d->in_at == d->in_len;
		}
		if (starved && d->between)
			return 0;
		size_t before = d->in_at;
		bool good = d->format->step(d, &step);
		if (step.made > 0)
			return (ssize_t)step.made;
		if (!good)
			return -1;
		/* Decoders keep output back until there is room: only now nothing more comes. */
		if (d->in_end && d->in_at == before && !d->between) {
			snprintf(d->why, sizeof(d->why), "the %s data ends in the middle",
				d->format->name);
			return -1;
		}
	}
}

ssize_t decompress_read(struct decompress *d, void *buf, size_t size)
{
	if (size == 0)
		return 0;
	if (!d->format && !d->why[0] && recognise(d) == -1 && !d->why[0])
		return -1;
	ssize_t got = -1;
	if (!d->why[0])
		got = d->format == &plain ? read_plain(d, buf, size) : read_steps(d, buf, size);
	if (got == -1 && d->why[0])
		errno = EBADMSG;
	return got;
}

bool decompress_is_needed(const struct decompress *d)
{
	return d->format && d->format != &plain;
}

void decompress_deinit(struct decompress *d)
{
	if (d->decoder)
		d->format->close(d);
	free(d->in);
	*d = (struct decompress){ 0 };
}
