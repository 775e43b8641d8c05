/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libpcap.h -- what the file and the live source share: frames out of a libpcap handle.
 *
 * libpcap's bytes are gone with its callback, so a batch is copied into an arena. That has room
 * for SOURCE_BATCH_MAX frames of the largest size; it is allocated once, and the system only
 * backs the part that batches really touch.
 *
 * Owner:   libpcap_batch_deinit frees the arena; the handle stays with its source.
 * Threads: one batch belongs to one input thread.
 * Input:   untrusted headers: captured length, wire length and time may lie.
 */
#ifndef SENSOR_CAPTURE_LIBPCAP_H
#define SENSOR_CAPTURE_LIBPCAP_H

#include <pcap/pcap.h>

#include "sensor/capture/source.h"

#define LIBPCAP_FRAME_MAX 262144 /* libpcap's own limit for a captured frame */

/* Zero-initialised is valid and empty. */
struct libpcap_batch {
	uint8_t *arena;
	size_t frame_bytes_max;
	size_t used_bytes;
	struct frame *frames; /* the caller's array, during libpcap_read */
	size_t count;
	int fraction_ns; /* what one unit of the handle's tv_usec is: 1 or 1000 */
	uint16_t link;
	uint16_t interface;
};

NODISCARD enum err libpcap_batch_init(
	struct libpcap_batch *b, size_t frame_bytes_max, struct err_ctx *why);
void libpcap_batch_deinit(struct libpcap_batch *b);

/* ERR_INPUT when packet/ cannot decode this link type; the text names it. */
NODISCARD enum err libpcap_check_link(int link, struct err_ctx *why);
/*
 * Take over the handle's link type and time resolution. ERR_INPUT when packet/ cannot decode
 * the link type; the text names it and `name`.
 */
NODISCARD enum err libpcap_batch_adopt(
	struct libpcap_batch *b, pcap_t *pcap, const char *name, struct err_ctx *why);

/*
 * Read up to SOURCE_BATCH_MAX frames; *count is how many, whatever is returned: what
 * pcap_dispatch returned.
 */
int libpcap_read(struct libpcap_batch *b, pcap_t *pcap, struct frame batch[SOURCE_BATCH_MAX],
	size_t *count);

/* A header's time in nanoseconds since 1970. */
int64_t libpcap_time_ns(const struct timeval *ts, int fraction_ns);

#endif
