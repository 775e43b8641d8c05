/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dnstap_stream.h -- one stream of Frame Streams (https://github.com/farsightsec/fstrm, control.h):
 * bytes go in as they come, in pieces of any length; dnstap frames come out.
 *
 *	for (;;) {
 *		at = dnstap_stream_room(&s, &room);           frames given before are gone
 *		dnstap_stream_filled(&s, read(fd, at, room));
 *		while ((event = dnstap_stream_next(&s, &bytes, &len)) == DNSTAP_STREAM_FRAME)
 *			...
 *	}
 *
 * A frame is 4 bytes of length, big endian, and as many bytes; length 0 announces a control frame,
 * which has a length of its own. Both ways to begin are understood:
 *
 *	one way      START frame... STOP
 *	both ways    READY, our ACCEPT, START frame... STOP, our FINISH
 *
 * Control frames are libfstrm's (fstrm_control_*). Its readers are not used: they block, one
 * connection each, and a server has many.
 *
 * Owner:    dnstap_stream_init/deinit; frames point into the stream's buffer, which never grows.
 * Threads:  no shared state.
 * Input:    untrusted.
 */
#ifndef SENSOR_CAPTURE_DNSTAP_STREAM_H
#define SENSOR_CAPTURE_DNSTAP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/base/attribute.h"

/* Two frames of the largest size, so that a large one does not hold up those behind it. */
#define DNSTAP_STREAM_BYTES     (256 * 1024)
#define DNSTAP_STREAM_REPLY_MAX 64

enum dnstap_end {
#define END(id, clean, text) DNSTAP_END_##id,
#include "sensor/capture/dnstap_ends.def"
#undef END
	DNSTAP_END_COUNT,
};

enum dnstap_event {
	DNSTAP_STREAM_MORE,  /* no whole frame: read on */
	DNSTAP_STREAM_FRAME, /* one frame */
	DNSTAP_STREAM_REPLY, /* send these bytes back, then go on */
	DNSTAP_STREAM_STOP,  /* STOP was read (any FINISH was given before) */
	DNSTAP_STREAM_FAIL,  /* s->why says it; nothing more comes */
};

struct dnstap_stream {
	uint8_t *buffer;
	size_t start, end; /* of what is not read yet */
	struct fstrm_control *control;
	enum dnstap_stream_state {
		DNSTAP_STREAM_NEW,
		DNSTAP_STREAM_READY, /* READY was read, START is to come */
		DNSTAP_STREAM_STARTED,
		DNSTAP_STREAM_STOPPING, /* FINISH was given, the stop is to be told */
		DNSTAP_STREAM_STOPPED,
	} state;
	bool two_ways;       /* began with READY */
	enum dnstap_end why; /* after DNSTAP_STREAM_FAIL */
	uint8_t reply[DNSTAP_STREAM_REPLY_MAX];
};

/* False when out of memory; deinit is in order all the same. Zero-initialised is valid to deinit. */
NODISCARD bool dnstap_stream_init(struct dnstap_stream *s);
void dnstap_stream_deinit(struct dnstap_stream *s);

/*
 * Where to put bytes that come, and how many fit: never 0 when dnstap_stream_next has said
 * DNSTAP_STREAM_MORE.
 */
uint8_t *dnstap_stream_room(struct dnstap_stream *s, size_t *room);
void dnstap_stream_filled(struct dnstap_stream *s, size_t count);

enum dnstap_event dnstap_stream_next(
	struct dnstap_stream *s, const uint8_t **bytes, size_t *bytes_len);

/* Begin again: after a stop, another stream may follow in the same file. */
void dnstap_stream_restart(struct dnstap_stream *s);

/* Is a frame begun and not whole, or the beginning not complete? */
bool dnstap_stream_is_within(const struct dnstap_stream *s);
/* Is there anything that was not taken out yet? */
bool dnstap_stream_has_bytes(const struct dnstap_stream *s);

const char *dnstap_end_text(enum dnstap_end end);
bool dnstap_end_is_clean(enum dnstap_end end);

#endif
