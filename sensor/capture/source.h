/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source.h -- where frames come from: one small table of functions per kind of source.
 *
 * Kinds: capture file (file.c) and live interface (live.c, over libpcap); dnstap from a socket and from a
 * file (dnstap.h).
 *
 * Owner:    source_* functions open, source_close frees. Frames of a batch belong to the source and live
 *           until its next call.
 * Threads:  a source belongs to one input thread; source_interrupt may be called from any thread or
 *           signal handler.
 * Input:    untrusted (capture files): pcapng.c, classic.c or libpcap validates the container, packet/ the frames.
 */
#ifndef SENSOR_CAPTURE_SOURCE_H
#define SENSOR_CAPTURE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/base/error.h"
#include "sensor/packet/packet.h"

#define SOURCE_BATCH_MAX 64

enum source_status {
	SOURCE_OK,    /* count frames delivered (live: possibly 0 after a poll interval) */
	SOURCE_END,   /* end of file, or interrupted */
	SOURCE_ERROR, /* damaged or cut capture, interface failed for good; err_ctx says */
};

/* What the kernel and the interface lost, accumulated to 64 bits (libpcap's wrap at 32). */
struct source_losses {
	uint64_t received;
	uint64_t dropped_kernel;
	uint64_t dropped_interface;
};

struct source;

struct source_ops {
	enum source_status (*next_batch)(struct source *s, struct frame batch[SOURCE_BATCH_MAX],
		size_t *count, struct err_ctx *why);
	void (*losses)(struct source *s, struct source_losses *out);
	void (*interrupt)(struct source *s);
	void (*close)(struct source *s);
};

struct source {
	const struct source_ops *ops;
	const char *name;        /* path or interface, for messages; owned by the source */
	uint64_t size_bytes;     /* of a file, 0 when not known (pipe, live) */
	uint64_t position_bytes; /* read so far, for progress; single writer, approximate */
};

/* Who takes the time of a frame. */
enum live_timestamps {
	LIVE_TIMESTAMPS_AUTO, /* the adapter, if it offers times synchronised with the host's */
	LIVE_TIMESTAMPS_HOST, /* the kernel, when it gets the frame */
	LIVE_TIMESTAMPS_ADAPTER, /* the adapter, whatever its clock goes by, or it is an error */
};

/*
 * What the frames of files are told apart by: frame.interface is a place in name[]. A file that does not say
 * where a frame was captured (all but pcapng), or says another name, has `otherwise`.
 */
struct source_interfaces {
	const char *const *name;
	size_t count;
	uint16_t otherwise;
};
#define SOURCE_INTERFACE_NONE UINT16_MAX /* for `otherwise` */

/* That number; NULL: frames are not told apart, all have 0. */
static inline uint16_t source_interface_otherwise(const struct source_interfaces *interfaces)
{
	return interfaces ? interfaces->otherwise : 0;
}

struct fanout;

struct live_options {
	const char *interface;
	const char *filter;    /* BPF, added (and) to the built-in one; NULL or "" for none */
	const uint16_t *ports; /* DNS ports for the built-in filter */
	size_t port_count;
	int snaplen;   /* bytes; 0: 65535 */
	int buffer_mb; /* kernel buffer; 0: 64 */
	bool promiscuous;
	uint16_t interface_index; /* copied into each frame */
	enum live_timestamps timestamps;
	/* Several sources share the interface (fanout.h), each of them gets its part; else NULL. */
	struct fanout *fanout;
	/* of the fanout, from 0; the drops of the interface are counted by 0 */
	unsigned member;
};

/*
 * Open a capture file: pcap or pcapng, either byte order, micro- or nanoseconds; "-" is
 * standard input. A link type that packet/ cannot decode is an error that names it; with several
 * interfaces (pcapng), if none has another one. A recorded dnstap file is recognised by its content (see dnstap.h).
 */
NODISCARD enum err source_open_file(struct source **out, const char *path, struct err_ctx *why);

/*
 * Open a live interface. The handle is non-blocking behind a poll of at most 100 ms. After this,
 * next_batch never fails: an interface that is down, deleted or replaced is waited for, and opened
 * anew every second, for which the process has to keep CAP_NET_RAW. An interface that is down at
 * the start is waited for as well. ERR_USAGE: wrong name or filter, times that are not offered;
 * ERR_FAILED: not permitted.
 */
NODISCARD enum err source_open_live(
	struct source **out, const struct live_options *options, struct err_ctx *why);

static inline enum source_status source_next_batch(struct source *s,
	struct frame batch[SOURCE_BATCH_MAX], size_t *count, struct err_ctx *why)
{
	return s->ops->next_batch(s, batch, count, why);
}

static inline void source_losses(struct source *s, struct source_losses *out)
{
	s->ops->losses(s, out);
}

static inline void source_interrupt(struct source *s)
{
	s->ops->interrupt(s);
}

static inline void source_close(struct source *s)
{
	if (s)
		s->ops->close(s);
}

/*
 * The built-in BPF for DNS ports: lets through untagged, 802.1Q and QinQ DNS over UDP and TCP,
 * later fragments of either family, and tunnels. malloc'ed text, NULL when out of memory.
 */
char *source_builtin_filter(const uint16_t *ports, size_t port_count, const char *extra);

#endif
