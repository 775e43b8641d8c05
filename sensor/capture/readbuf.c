/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buffer: room for a record that is not whole yet, and behind it, on a page of its own, a block.
 *
 *	|      ... start of a record | block as read: the rest of it, records, start of the next |
 *
 * A block is little enough to stay in the second-level cache, beside all else that wants to be there,
 * between being read and being looked at: bench_stages' "read" says 75 ns a packet for 1 MiB through
 * stdio, 50 for 1 MiB, 35 for 128 or 256 KiB, of which 23 are read(2). Mapping the file would take
 * off 10 more, but a mapped file that somebody cuts is a signal.
 */
#include "sensor/capture/readbuf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_BYTES  ((size_t)4096)
#define BLOCK_BYTES ((size_t)128 << 10)
#define BLOCK_START ((READBUF_RECORD_MAX + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES)

bool readbuf_init(struct readbuf *b, readbuf_read_fn *read, void *arg, const uint8_t *first,
	size_t first_len)
{
	uint8_t *buffer = aligned_alloc(PAGE_BYTES, BLOCK_START + BLOCK_BYTES);

	if (!buffer)
		return false;
	*b = (struct readbuf){
		.read = read,
		.arg = arg,
		.buffer = buffer,
		.start = BLOCK_START - first_len,
		.end = BLOCK_START,
	};
	if (first_len > 0)
		memcpy(buffer + b->start, first, first_len);
	return true;
}

void readbuf_deinit(struct readbuf *b)
{
	free(b->buffer);
	*b = (struct readbuf){ 0 };
}

bool readbuf_more(struct readbuf *b)
{
	if (b->at_end)
		return false;
	size_t left = readbuf_len(b);
	memmove(b->buffer + BLOCK_START - left, b->buffer + b->start, left);
	ssize_t got = b->read(b->arg, b->buffer + BLOCK_START, BLOCK_BYTES);
	b->failed = got == -1;
	b->error = errno;
	b->at_end = got <= 0;
	b->start = BLOCK_START - left;
	b->end = BLOCK_START + (got > 0 ? (size_t)got : 0);
	return got > 0;
}

enum source_status readbuf_finish(const struct readbuf *b, size_t wanted, struct err_ctx *why)
{
	if (b->failed)
		err_set(why, ERR_INPUT, "error reading dump file: %s", strerror(b->error));
	else if (readbuf_len(b) > 0)
		err_set(why, ERR_INPUT,
			"truncated dump file; a record of %zu bytes has only %zu", wanted,
			readbuf_len(b));
	else
		return SOURCE_END;
	return SOURCE_ERROR;
}
