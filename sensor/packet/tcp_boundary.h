/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_boundary.h -- does a DNS message begin here? Asked where a stream's framing is not known.
 *
 * DNS over TCP is a length of two octets and a message, over and over (RFC 1035 4.2.2, RFC 7766
 * 8). Whoever did not see a stream from its first byte has to find a place where a length
 * stands, and has to be sure: a wrong place makes messages that nobody sent.
 *
 * Threads:  no shared state.  Input: untrusted, any bytes.
 * Limits:   a handful of headers and one name, however many bytes are given.
 */
#ifndef SENSOR_PACKET_TCP_BOUNDARY_H
#define SENSOR_PACKET_TCP_BOUNDARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TCP_LENGTH_LEN     2
#define TCP_DNS_HEADER_LEN 12
/* From so many bytes on a boundary can be judged: the length and the header behind it. */
#define TCP_JUDGE_LEN (TCP_LENGTH_LEN + TCP_DNS_HEADER_LEN)

/*
 * Could this be a message of `message_len` octets, of which at least the header is given? The
 * opcode is an assigned one and what the header counts fits. Enough where a boundary is known.
 */
bool tcp_boundary_header(const uint8_t *header, size_t message_len);

/* Where in a segment the bytes begin: at its start a boundary is likely, elsewhere it is not. */
enum tcp_place {
	TCP_PLACE_START,
	TCP_PLACE_INSIDE,
};

/*
 * Is the length of a message certain to stand at the first byte? True when a strict header
 * follows it and either the bytes end with that message or one after it, or what follows is again
 * a length and a strict header, or the first question (at a segment's start: or the first record)
 * reads well. Inside a segment the first question must read well in any case.
 */
bool tcp_boundary_proven(const uint8_t *bytes, size_t bytes_len, enum tcp_place place);

#endif
