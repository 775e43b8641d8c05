/* SPDX-License-Identifier: BSD-2-Clause */
/* decoded.h -- for the packet tests: build a frame, put it on a guard page, decode it. */
#ifndef TESTS_UNIT_PACKET_DECODED_H
#define TESTS_UNIT_PACKET_DECODED_H

#include "sensor/packet/packet.h"
#include "tests/support/frames.h"

#define QUERY     FRAMES_QUERY
#define QUERY_LEN FRAMES_QUERY_LEN

/* A query, for which only what differs from frames.h's defaults has to be said. */
#define QUERY_SPEC(...) ((struct frame_spec){ __VA_ARGS__ })

/* The decoder of all these: port 53, the usual tunnels, the least memory. */
struct decoder *decoded_by(void);

/* Decode bytes that end at a guard page; wire_len as given. */
enum packet_result decoded_bytes(struct packet *out, uint16_t link, const uint8_t *bytes,
	size_t caplen, size_t wire_len);

/* Build and decode, complete. */
enum packet_result decoded_spec(struct packet *out, const struct frame_spec *spec);

#endif
