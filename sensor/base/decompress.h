/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decompress.h -- the bytes of a file that may be compressed, as a stream.
 *
 * The format is told by the first bytes, never by a name: gzip (RFC 1952), Zstandard (RFC 8878)
 * and xz, each with several members or frames one after the other; everything else is given as
 * it is. lz4 and bzip2 are recognised to say that they are not read.
 *
 * What was decompressed before damage or a cut is given first, then the failure. It stays.
 *
 * Owner:    the caller owns the struct (zero-initialised is valid and empty); it holds buffers
 *           and a decoder until decompress_deinit.
 * Threads:  no shared state.
 * Input:    untrusted, any bytes.
 * Limits:   DECOMPRESS_MEMORY_MAX for the decoder's window (what zstd and xz use without their
 *           options for huge windows, and more than xz -9); output only as it is asked for, so a
 *           few bytes that stand for many cost time and no memory.
 */
#ifndef SENSOR_BASE_DECOMPRESS_H
#define SENSOR_BASE_DECOMPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DECOMPRESS_MEMORY_MAX ((size_t)128 << 20)
#define DECOMPRESS_MAGIC_MAX  6 /* bytes that tell a format */

/* As read(2): how many bytes, 0 at the end, -1 with errno. */
typedef ssize_t decompress_read_fn(void *arg, void *buf, size_t size);

struct decompress_format;

struct decompress {
	decompress_read_fn *read; /* set by the caller, as is arg */
	void *arg;
	const struct decompress_format *format; /* NULL: not known yet */
	uint8_t *in;
	size_t in_at, in_len;
	bool in_end;
	bool between; /* at the end of a member: here the file may end */
	void *decoder;
	char why[128]; /* of the failure in the compressed data; empty: none */
};

/*
 * Up to `size` bytes of the uncompressed stream; 0 at its end. -1: reading failed (errno), or the
 * compressed data is damaged, cut or of a kind that is not read: then why[] says so.
 */
ssize_t decompress_read(struct decompress *d, void *buf, size_t size);

/* Is the stream another one than the file? As soon as something was read. */
bool decompress_is_needed(const struct decompress *d);

void decompress_deinit(struct decompress *d);

#endif
