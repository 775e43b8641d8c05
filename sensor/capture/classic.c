/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/capture/classic.h"

#include <assert.h>
#include <string.h>

#include "sensor/base/clock.h"

#define HEADER_BYTES 16
#define RECORD_MAX   (LIBPCAP_FRAME_MAX + HEADER_BYTES)

/* What stands before each record, in the byte order of the machine that wrote it. */
struct record_header {
	uint32_t seconds, fraction, caplen, wire_len;
};
static_assert(sizeof(struct record_header) == HEADER_BYTES, "as on disk");

bool classic_init(struct classic *c, pcap_t *pcap,
	const uint8_t header[CLASSIC_FILE_HEADER_BYTES], readbuf_read_fn *read, void *arg)
{
	uint32_t magic;
	memcpy(&magic, header, sizeof(magic));
	bool micro = magic == 0xa1b2c3d4, nano = magic == 0xa1b23c4d;

	if (!(micro || nano) || pcap_major_version(pcap) != 2 || pcap_minor_version(pcap) != 4)
		return false;
	*c = (struct classic){
		.fraction_ns = nano ? 1 : NS_PER_US,
		.snaplen = (uint32_t)pcap_snapshot(pcap),
		.link = (uint16_t)pcap_datalink(pcap),
	};
	return readbuf_init(&c->in, read, arg, NULL, 0);
}

void classic_deinit(struct classic *c)
{
	readbuf_deinit(&c->in);
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
	const uint8_t *at = readbuf_at(&c->in), *end = at + readbuf_len(&c->in);
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
			.interface = c->interface,
		};
		at += *needed;
		*needed = HEADER_BYTES;
	}
	c->in.start = (size_t)(at - c->in.buffer);
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
		if (!readbuf_more(&c->in))
			return readbuf_finish(&c->in, needed, why);
	}
	if (*count > 0)
		return SOURCE_OK;
	err_set(why, ERR_INPUT, "a record claims more than %d bytes: the file is damaged",
		LIBPCAP_FRAME_MAX);
	return SOURCE_ERROR;
}
