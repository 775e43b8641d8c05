/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/capture/classic.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/base/clock.h"
#include "sensor/capture/libpcap.h"

#define BUFFER_BYTES ((size_t)1 << 20)
#define HEADER_BYTES 16

static_assert(BUFFER_BYTES > LIBPCAP_FRAME_MAX + HEADER_BYTES, "a record fits into the buffer");

/* What stands before each record, in the byte order of the machine that wrote it. */
struct record_header {
	uint32_t seconds, fraction, caplen, wire_len;
};
static_assert(sizeof(struct record_header) == HEADER_BYTES, "as on disk");

bool classic_init(struct classic *c, pcap_t *pcap, FILE *stream, const uint8_t magic[4])
{
	uint32_t word;
	memcpy(&word, magic, sizeof(word));
	bool micro = word == 0xa1b2c3d4, nano = word == 0xa1b23c4d;

	if (!(micro || nano) || pcap_major_version(pcap) != 2 || pcap_minor_version(pcap) != 4)
		return false;
	uint8_t *buffer = malloc(BUFFER_BYTES);
	if (!buffer)
		return false;
	*c = (struct classic){
		.stream = stream,
		.buffer = buffer,
		.fraction_ns = nano ? 1 : (int)NS_PER_US,
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

/* Move what is left to the front and fill up. False when there is nothing more. */
static bool refill(struct classic *c)
{
	if (c->at_end)
		return false;
	memmove(c->buffer, c->buffer + c->start, c->end - c->start);
	c->end -= c->start;
	c->start = 0;
	size_t got = fread(c->buffer + c->end, 1, BUFFER_BYTES - c->end, c->stream);
	c->at_end = got < BUFFER_BYTES - c->end;
	c->end += got;
	return got > 0;
}

/* The last record is not whole: the stream failed, or the file was cut. */
static enum source_status cut(const struct classic *c, size_t wanted, struct err_ctx *why)
{
	if (ferror(c->stream))
		err_set(why, ERR_INPUT, "error reading dump file: %s", strerror(errno));
	else
		err_set(why, ERR_INPUT,
			"truncated dump file; a record of %zu bytes has only %zu", wanted,
			c->end - c->start);
	return SOURCE_ERROR;
}

/*
 * One record from the buffer. *needed is how many bytes it takes: more than there are when it is
 * not all here. False: the header cannot be one.
 */
static bool take_record(struct classic *c, struct frame *frame, size_t *needed)
{
	struct record_header h;
	size_t have = c->end - c->start;

	*needed = HEADER_BYTES;
	if (have < HEADER_BYTES)
		return true;
	memcpy(&h, c->buffer + c->start, sizeof(h));
	if (h.caplen > LIBPCAP_FRAME_MAX)
		return false;
	*needed += h.caplen;
	if (have < *needed)
		return true;

	uint32_t caplen = h.caplen < c->snaplen ? h.caplen : c->snaplen;
	const struct timeval ts = { .tv_sec = h.seconds, .tv_usec = h.fraction };
	*frame = (struct frame){
		.bytes = c->buffer + c->start + HEADER_BYTES,
		.caplen = caplen,
		/* some captures claim fewer bytes on the wire than they hold */
		.wire_len = h.wire_len > h.caplen ? h.wire_len : h.caplen,
		.ts_ns = libpcap_time_ns(&ts, c->fraction_ns),
		.link = c->link,
	};
	c->start += *needed;
	return true;
}

enum source_status classic_read(struct classic *c, struct frame batch[SOURCE_BATCH_MAX],
	size_t *count, struct err_ctx *why)
{
	*count = 0;
	while (*count < SOURCE_BATCH_MAX) {
		size_t before = c->start, needed;
		if (!take_record(c, &batch[*count], &needed)) {
			err_set(why, ERR_INPUT,
				"a record claims more than %d bytes: the file is damaged",
				LIBPCAP_FRAME_MAX);
			return SOURCE_ERROR;
		}
		if (c->start != before) {
			++*count;
		} else if (*count > 0 && !c->at_end) {
			return SOURCE_OK; /* those delivered lie where a refill would write */
		} else if (!refill(c)) {
			return c->start == c->end ? SOURCE_END : cut(c, needed, why);
		}
	}
	return SOURCE_OK;
}
