/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * classic.h -- the records of a classic pcap file (version 2.4, this machine's byte order) where they
 * lie in a read buffer: what most captures are, at a fraction of the cost of going through libpcap,
 * which reads the file's header all the same and everything that is neither such a file nor pcapng.
 *
 * Owner:   classic_deinit frees the buffer.
 * Threads: one input thread.
 * Input:   untrusted: lengths and times may lie.
 */
#ifndef SENSOR_CAPTURE_CLASSIC_H
#define SENSOR_CAPTURE_CLASSIC_H

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/capture/readbuf.h"

#define CLASSIC_FILE_HEADER_BYTES 24

/* Zero-initialised is valid and reads nothing. */
struct classic {
	struct readbuf in;
	uint32_t fraction_ns; /* what one unit of a record's fraction is: 1 or 1000 */
	uint32_t snaplen;
	uint16_t link;
	uint16_t interface; /* of all frames; 0 unless set by the caller */
};

/*
 * Take the records over from a handle that has just read the file's header, which is `header`, and
 * nothing behind it; `read` gives what comes behind it. False: it is no such file, or out of memory; then
 * libpcap goes on.
 */
NODISCARD bool classic_init(struct classic *c, pcap_t *pcap,
	const uint8_t header[CLASSIC_FILE_HEADER_BYTES], readbuf_read_fn *read, void *arg);
void classic_deinit(struct classic *c);

static inline bool classic_is_used(const struct classic *c)
{
	return readbuf_is_used(&c->in);
}

/*
 * The next frames; they stay valid until the next call. Of a pipe those that are there, as soon as
 * there is one. SOURCE_END and SOURCE_ERROR come when all frames before them were delivered; *why
 * tells of the damage.
 */
enum source_status classic_next(struct classic *c, struct frame batch[SOURCE_BATCH_MAX],
	size_t *count, struct err_ctx *why);

#endif
