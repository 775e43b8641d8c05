/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/capture/dnstap_stream.h"

#include <fstrm.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/base/cursor.h"
#include "sensor/capture/dnstap.h"

#define LENGTH_BYTES 4 /* of a frame's length, and of a control frame's type */

static const struct {
	const char *text;
	bool clean;
} ends[] = {
#define END(id, is_clean, what) { what, is_clean },
#include "sensor/capture/dnstap_ends.def"
#undef END
};

const char *dnstap_end_text(enum dnstap_end end)
{
	return ends[end].text;
}

bool dnstap_end_is_clean(enum dnstap_end end)
{
	return ends[end].clean;
}

bool dnstap_stream_init(struct dnstap_stream *s)
{
	*s = (struct dnstap_stream){ .state = DNSTAP_STREAM_NEW };
	s->buffer = malloc(DNSTAP_STREAM_BYTES);
	s->control = fstrm_control_init();
	return s->buffer && s->control;
}

void dnstap_stream_deinit(struct dnstap_stream *s)
{
	if (s->control)
		fstrm_control_destroy(&s->control);
	free(s->buffer);
	*s = (struct dnstap_stream){ .state = DNSTAP_STREAM_NEW };
}

uint8_t *dnstap_stream_room(struct dnstap_stream *s, size_t *room)
{
	size_t left = s->end - s->start;

	/* A whole frame must fit behind what is there; until then moving it would be for nothing. */
	if (DNSTAP_STREAM_BYTES - s->start < DNSTAP_FRAME_MAX + LENGTH_BYTES || left == 0) {
		memmove(s->buffer, s->buffer + s->start, left);
		s->start = 0;
		s->end = left;
	}
	*room = DNSTAP_STREAM_BYTES - s->end;
	return s->buffer + s->end;
}

void dnstap_stream_filled(struct dnstap_stream *s, size_t count)
{
	s->end += count;
}

void dnstap_stream_restart(struct dnstap_stream *s)
{
	s->state = DNSTAP_STREAM_NEW;
	s->two_ways = false;
}

bool dnstap_stream_has_bytes(const struct dnstap_stream *s)
{
	return s->end > s->start;
}

bool dnstap_stream_is_within(const struct dnstap_stream *s)
{
	return dnstap_stream_has_bytes(s) || s->state == DNSTAP_STREAM_NEW ||
	       s->state == DNSTAP_STREAM_READY;
}

static enum dnstap_event fail(struct dnstap_stream *s, enum dnstap_end why)
{
	s->why = why;
	s->state = DNSTAP_STREAM_STOPPED;
	s->start = s->end;
	return DNSTAP_STREAM_FAIL;
}

static const uint8_t *content_type(void)
{
	return (const uint8_t *)DNSTAP_CONTENT_TYPE;
}

#define CONTENT_TYPE_LEN (sizeof(DNSTAP_CONTENT_TYPE) - 1)

/* Our side of the handshake: ACCEPT with the one content type, or FINISH. */
static enum dnstap_event reply(struct dnstap_stream *s, fstrm_control_type type,
	const uint8_t **bytes, size_t *bytes_len)
{
	size_t size = sizeof(s->reply);

	fstrm_control_reset(s->control);
	if (fstrm_control_set_type(s->control, type) != fstrm_res_success)
		return fail(s, DNSTAP_END_SYSTEM);
	if (type == FSTRM_CONTROL_ACCEPT &&
		fstrm_control_add_field_content_type(
			s->control, content_type(), CONTENT_TYPE_LEN) != fstrm_res_success)
		return fail(s, DNSTAP_END_SYSTEM);
	if (fstrm_control_encode(s->control, s->reply, &size, FSTRM_CONTROL_FLAG_WITH_HEADER) !=
		fstrm_res_success)
		return fail(s, DNSTAP_END_SYSTEM);
	*bytes = s->reply;
	*bytes_len = size;
	return DNSTAP_STREAM_REPLY;
}

static enum dnstap_event take_ready(
	struct dnstap_stream *s, const uint8_t **bytes, size_t *bytes_len)
{
	s->state = DNSTAP_STREAM_READY;
	s->two_ways = true;
	return reply(s, FSTRM_CONTROL_ACCEPT, bytes, bytes_len);
}

static enum dnstap_event take_stop(
	struct dnstap_stream *s, const uint8_t **bytes, size_t *bytes_len)
{
	s->state = s->two_ways ? DNSTAP_STREAM_STOPPING : DNSTAP_STREAM_STOPPED;
	return s->two_ways ? reply(s, FSTRM_CONTROL_FINISH, bytes, bytes_len)
			   : DNSTAP_STREAM_STOP;
}

/* A control frame of one of the types we know, where it may be. */
static enum dnstap_event take_control(struct dnstap_stream *s, fstrm_control_type type,
	const uint8_t **bytes, size_t *bytes_len)
{
	bool opening = s->state == DNSTAP_STREAM_NEW || s->state == DNSTAP_STREAM_READY;
	bool ready = type == FSTRM_CONTROL_READY && s->state == DNSTAP_STREAM_NEW;

	if (ready || (type == FSTRM_CONTROL_START && opening)) {
		if (fstrm_control_match_field_content_type(
			    s->control, content_type(), CONTENT_TYPE_LEN) != fstrm_res_success)
			return fail(s, DNSTAP_END_CONTENT);
		if (ready)
			return take_ready(s, bytes, bytes_len);
		s->state = DNSTAP_STREAM_STARTED;
		return DNSTAP_STREAM_MORE;
	}
	if (type == FSTRM_CONTROL_STOP && s->state == DNSTAP_STREAM_STARTED)
		return take_stop(s, bytes, bytes_len);
	return fail(s, DNSTAP_END_CONTROL);
}

static bool is_known(uint32_t type)
{
	return type >= FSTRM_CONTROL_ACCEPT && type <= FSTRM_CONTROL_FINISH;
}

/* The control frame at the cursor: its length, then itself. */
static enum dnstap_event next_control(
	struct dnstap_stream *s, struct cursor *c, const uint8_t **bytes, size_t *bytes_len)
{
	fstrm_control_type type;
	uint32_t len = cursor_be32(c);

	if (!c->failed && (len < LENGTH_BYTES || len > FSTRM_CONTROL_FRAME_LENGTH_MAX))
		return fail(s, s->state == DNSTAP_STREAM_NEW ? DNSTAP_END_NOT_STARTED
							     : DNSTAP_END_CONTROL);
	struct cursor payload = cursor_sub(c, len);
	if (c->failed)
		return DNSTAP_STREAM_MORE;
	s->start = (size_t)(c->pos - s->buffer);

	struct cursor peek = payload;
	/* Types of a later version are to be ignored once the stream has started. */
	if (!is_known(cursor_be32(&peek)))
		return s->state == DNSTAP_STREAM_STARTED ? DNSTAP_STREAM_MORE
							 : fail(s, DNSTAP_END_NOT_STARTED);
	fstrm_control_reset(s->control);
	if (fstrm_control_decode(s->control, payload.pos, len, 0) != fstrm_res_success ||
		fstrm_control_get_type(s->control, &type) != fstrm_res_success)
		return fail(s, DNSTAP_END_CONTROL);
	return take_control(s, type, bytes, bytes_len);
}

static enum dnstap_event next_frame(struct dnstap_stream *s, struct cursor *c, uint32_t len,
	const uint8_t **bytes, size_t *bytes_len)
{
	if (s->state != DNSTAP_STREAM_STARTED)
		return fail(s, s->state == DNSTAP_STREAM_NEW ? DNSTAP_END_NOT_STARTED
							     : DNSTAP_END_CONTROL);
	if (len > DNSTAP_FRAME_MAX)
		return fail(s, DNSTAP_END_OVERSIZE);
	const uint8_t *at = cursor_take(c, len);
	if (!at)
		return DNSTAP_STREAM_MORE;
	s->start = (size_t)(c->pos - s->buffer);
	*bytes = at;
	*bytes_len = len;
	return DNSTAP_STREAM_FRAME;
}

enum dnstap_event dnstap_stream_next(
	struct dnstap_stream *s, const uint8_t **bytes, size_t *bytes_len)
{
	for (;;) {
		if (s->state == DNSTAP_STREAM_STOPPED)
			return DNSTAP_STREAM_MORE;
		if (s->state == DNSTAP_STREAM_STOPPING) {
			s->state = DNSTAP_STREAM_STOPPED;
			return DNSTAP_STREAM_STOP;
		}
		size_t before = s->start;
		struct cursor c = cursor_init(s->buffer + s->start, s->end - s->start);
		uint32_t len = cursor_be32(&c);
		if (c.failed)
			return DNSTAP_STREAM_MORE;
		enum dnstap_event event = len == 0 ? next_control(s, &c, bytes, bytes_len)
						   : next_frame(s, &c, len, bytes, bytes_len);
		/* A control frame that was taken without a word: go on behind it. */
		if (event != DNSTAP_STREAM_MORE || s->start == before)
			return event;
	}
}
