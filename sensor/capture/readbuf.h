/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * readbuf.h -- the octets of a capture file, so that its records can be looked at where they lie; for classic.c
 * and pcapng.c.
 *
 * Owner:   readbuf_deinit frees the buffer.
 * Threads: one input thread.
 */
#ifndef SENSOR_CAPTURE_READBUF_H
#define SENSOR_CAPTURE_READBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sensor/capture/libpcap.h"
#include "sensor/capture/source.h"

/* The longest record: a frame, and what stands around it. */
#define READBUF_RECORD_MAX ((size_t)LIBPCAP_FRAME_MAX + 65536)

/* As read(2): how many bytes, 0 at the end, -1 with errno. */
typedef ssize_t readbuf_read_fn(void *arg, void *buf, size_t size);

/* Zero-initialised is valid and not in use. */
struct readbuf {
	readbuf_read_fn *read;
	void *arg;
	uint8_t *buffer;
	size_t start, end; /* of what has been read and not been used */
	bool at_end, failed;
	int error; /* errno of the read that failed */
};

/* `first`: octets that were read already, READBUF_RECORD_MAX at most. False: out of memory. */
NODISCARD bool readbuf_init(struct readbuf *b, readbuf_read_fn *read, void *arg,
	const uint8_t *first, size_t first_len);
void readbuf_deinit(struct readbuf *b);

static inline bool readbuf_is_used(const struct readbuf *b)
{
	return b->buffer != NULL;
}

static inline const uint8_t *readbuf_at(const struct readbuf *b)
{
	return b->buffer + b->start;
}

static inline size_t readbuf_len(const struct readbuf *b)
{
	return b->end - b->start;
}

/*
 * Read on, when what there is is no whole record; of a pipe what is there. What was looked at before is gone.
 * False: there is nothing more.
 */
bool readbuf_more(struct readbuf *b);

/* There is nothing more: was that the end, or had a record of `wanted` bytes to come? */
enum source_status readbuf_finish(const struct readbuf *b, size_t wanted, struct err_ctx *why);

#endif
