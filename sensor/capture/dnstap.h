/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dnstap.h -- messages that a DNS server writes down itself: one dnstap frame, and the two sources
 * of them (a socket that servers connect to, and a recorded file).
 *
 * A dnstap frame (dnstap.proto, https://dnstap.info) tells a DNS message, both ends, the time and
 * what carried it; there is no packet. So a source gives frames with `decoded` set.
 *
 * Input:    untrusted: any bytes are a message or a counted reason.
 * Owner:    the frame's bytes belong to the source until its next batch; a struct packet points into
 *           them.
 * Threads:  dnstap_decode has no state; the sources as in source.h.
 * Limits:   DNSTAP_FRAME_MAX for a frame, DNSTAP_CONNECTIONS_MAX servers on a socket.
 */
#ifndef SENSOR_CAPTURE_DNSTAP_H
#define SENSOR_CAPTURE_DNSTAP_H

#include <stdint.h>
#include <sys/types.h>

#include "sensor/capture/source.h"

#define DNSTAP_CONTENT_TYPE    "protobuf:dnstap.Dnstap"
#define DNSTAP_FRAME_MAX       (128 * 1024)
#define DNSTAP_CONNECTIONS_MAX 64

/*
 * Decode one dnstap frame. PACKET_DNS: *out has the payload and both ends, source and destination by
 * the type: for a query from the query address to the response address, for a response the other way.
 * An end that is not told is unspecified; the query address has to be there. *ts_ns is when a query
 * or a response was seen; 0 when nothing could be read. Otherwise the value is the reason.
 */
enum packet_result dnstap_decode(
	struct packet *out, int64_t *ts_ns, const uint8_t *bytes, size_t bytes_len);

struct dnstap_options {
	const char *socket_path;
	uint16_t interface_index; /* copied into each frame */
	/* The socket's owner and group: who may connect, with mode 0660. -1: who we are. */
	uid_t owner;
	gid_t group;
	/* How long a connection may take to start, or be silent inside a frame; 0: 10 s. */
	unsigned stall_ms;
};

/*
 * Listen on a unix socket. A socket left over is replaced, unless somebody listens there: ERR_USAGE
 * for a path that cannot be, ERR_FAILED for the rest. After this next_batch never fails: a connection
 * in trouble is closed, with one line of log and counted by reason, and nobody else is harmed.
 * source_close removes the socket.
 */
NODISCARD enum err source_open_dnstap(
	struct source **out, const struct dnstap_options *options, struct err_ctx *why);

struct file_options;

/* Does this file begin like a recorded Frame Streams file? False when it cannot be read at all. */
bool dnstap_is_recorded(const char *path);

/*
 * Open a recorded file, as fstrm_capture writes it; "-" is standard input. Several streams one
 * after the other are one. Content other than dnstap is an error of the first batch. Options: file.h.
 */
NODISCARD enum err dnstap_file_open(struct source **out, const char *path,
	const struct file_options *options, struct err_ctx *why);

#endif
