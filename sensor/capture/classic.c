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
#include "sensor/capture/classic.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/base/clock.h"
#include "sensor/capture/libpcap.h"

#define PAGE_BYTES   ((size_t)4096)
#define BLOCK_BYTES  ((size_t)128 << 10)
#define HEADER_BYTES 16
#define RECORD_MAX   (LIBPCAP_FRAME_MAX + HEADER_BYTES)
#define BLOCK_START  ((RECORD_MAX + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES)

/* What stands before each record, in the byte order of the machine that wrote it. */
struct record_header {
	uint32_t seconds, fraction, caplen, wire_len;
};
static_assert(sizeof(struct record_header) == HEADER_BYTES, "as on disk");

bool classic_init(struct classic *c, pcap_t *pcap,
	const uint8_t header[CLASSIC_FILE_HEADER_BYTES], classic_read_fn *read, void *arg)
{
	uint32_t magic;
	memcpy(&magic, header, sizeof(magic));
	bool micro = magic == 0xa1b2c3d4, nano = magic == 0xa1b23c4d;

	if (!(micro || nano) || pcap_major_version(pcap) != 2 || pcap_minor_version(pcap) != 4)
		return false;
	uint8_t *buffer = aligned_alloc(PAGE_BYTES, BLOCK_START + BLOCK_BYTES);
	if (!buffer)
		return false;
	*c = (struct classic){
		.read = read,
		.arg = arg,
		.buffer = buffer,
		.fraction_ns = nano ? 1 : NS_PER_US,
		.snaplen = (uint32_t)pcap_snapshot(pcap),
		.link = (uint16_t)pcap_datalink(pcap),
	};
	return true;
}

void classic_deinit(struct classic *c)
{
	free(c->buffer);
	*c = (struct classic){ 0 };
}

/* Move what is left before the block and read the next one. False when there is nothing more. */
static bool refill(struct classic *c)
{
	if (c->at_end)
		return false;
	size_t left = c->end - c->start;
	memmove(c->buffer + BLOCK_START - left, c->buffer + c->start, left);
	ssize_t got = c->read(c->arg, c->buffer + BLOCK_START, BLOCK_BYTES);
	c->failed = got == -1;
	c->error = errno;
	c->at_end = got <= 0;
	c->start = BLOCK_START - left;
	c->end = BLOCK_START + (got > 0 ? (size_t)got : 0);
	return got > 0;
}

/* Nothing more comes: was that the end, or had more to come? */
static enum source_status finish(const struct classic *c, size_t wanted, struct err_ctx *why)
{
	if (c->failed)
		err_set(why, ERR_INPUT, "error reading dump file: %s", strerror(c->error));
	else if (c->start != c->end)
		err_set(why, ERR_INPUT,
			"truncated dump file; a record of %zu bytes has only %zu", wanted,
			c->end - c->start);
	else
		return SOURCE_END;
	return SOURCE_ERROR;
}

/* In nanoseconds since 1970; a fraction of a second or more is none. */
static inline int64_t time_of(const struct record_header *h, uint32_t fraction_ns)
{
	uint64_t fraction = (uint64_t)h->fraction * fraction_ns;

	return h->seconds * NS_PER_S + (fraction < (uint64_t)NS_PER_S ? (int64_t)fraction : 0);
}

/*
 * The records that are whole, up to SOURCE_BATCH_MAX. *needed is how many bytes the one behind them
 * takes, as far as is known. False: its header cannot be one.
 */
static bool take_records(struct classic *c, struct frame batch[], size_t *count, size_t *needed)
{
	const uint8_t *at = c->buffer + c->start, *end = c->buffer + c->end;
	struct record_header h = { 0 };
	size_t taken = 0;

	*needed = HEADER_BYTES;
	while (taken < SOURCE_BATCH_MAX && (size_t)(end - at) >= HEADER_BYTES) {
		memcpy(&h, at, sizeof(h));
		*needed = HEADER_BYTES + (size_t)h.caplen;
		if (UNLIKELY(h.caplen > LIBPCAP_FRAME_MAX || (size_t)(end - at) < *needed))
			break;
		batch[taken++] = (struct frame){
			.bytes = at + HEADER_BYTES,
			.caplen = h.caplen < c->snaplen ? h.caplen : c->snaplen,
			/* some captures claim fewer bytes on the wire than they hold */
			.wire_len = h.wire_len > h.caplen ? h.wire_len : h.caplen,
			.ts_ns = time_of(&h, c->fraction_ns),
			.link = c->link,
		};
		at += *needed;
		*needed = HEADER_BYTES;
	}
	c->start = (size_t)(at - c->buffer);
	*count = taken;
	return *needed <= RECORD_MAX;
}

enum source_status classic_next(struct classic *c, struct frame batch[SOURCE_BATCH_MAX],
	size_t *count, struct err_ctx *why)
{
	size_t needed;

	while (take_records(c, batch, count, &needed)) {
		/* Those delivered lie where a refill would write. */
		if (*count > 0)
			return SOURCE_OK;
		if (!refill(c))
			return finish(c, needed, why);
	}
	if (*count > 0)
		return SOURCE_OK;
	err_set(why, ERR_INPUT, "a record claims more than %d bytes: the file is damaged",
		LIBPCAP_FRAME_MAX);
	return SOURCE_ERROR;
}
