/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * classic.h -- the records of a classic pcap file (version 2.4, this machine's byte order) where they
 * lie in a read buffer: what most captures are, at a fraction of the cost of going through libpcap,
 * which reads the file's header all the same and everything that is not such a file.
 *
 * Owner:   classic_deinit frees the buffer; the stream stays its owner's.
 * Threads: one input thread.
 * Input:   untrusted: lengths and times may lie.
 */
#ifndef SENSOR_CAPTURE_CLASSIC_H
#define SENSOR_CAPTURE_CLASSIC_H

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "sensor/capture/source.h"

/* Zero-initialised is valid and reads nothing. */
struct classic {
	FILE *stream;
	uint8_t *buffer;
	size_t start, end; /* of what has been read and not been delivered */
	bool at_end;
	int fraction_ns;
	uint32_t snaplen;
	uint16_t link;
};

/*
 * Take the records over from a handle that has just read the file's header, whose first four bytes
 * are `magic`. False: it is no such file, or out of memory; then libpcap goes on.
 */
NODISCARD bool classic_init(
	struct classic *c, pcap_t *pcap, FILE *stream, const uint8_t magic[4]);
void classic_deinit(struct classic *c);

static inline bool classic_is_used(const struct classic *c)
{
	return c->buffer != NULL;
}

/*
 * The next frames; they stay valid until the next call. SOURCE_OK: go on, SOURCE_END: these were
 * the last, SOURCE_ERROR: these were the last before the damage that *why tells of.
 */
enum source_status classic_read(struct classic *c, struct frame batch[SOURCE_BATCH_MAX],
	size_t *count, struct err_ctx *why);

#endif
