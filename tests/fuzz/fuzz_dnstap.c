/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_dnstap -- a Frame Streams stream and the dnstap frames in it. The first byte says in what
 * pieces it comes; whatever they are, the same must come out.
 */
#include <stdlib.h>
#include <string.h>

#include "sensor/capture/dnstap.h"
#include "sensor/capture/dnstap_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t bytes_len);

static void expect(bool holds)
{
	if (!holds)
		abort();
}

struct tally {
	size_t frames, dns, replies, stops;
	bool failed;
	enum dnstap_end why;
};

static void take_frame(struct tally *t, const uint8_t *bytes, size_t bytes_len)
{
	struct packet p;
	int64_t ts_ns;
	enum packet_result result = dnstap_decode(&p, &ts_ns, bytes, bytes_len);

	expect(bytes_len > 0 && bytes_len <= DNSTAP_FRAME_MAX);
	expect(result == PACKET_DNS || result == PACKET_REJECT_DNSTAP_MALFORMED ||
		result == PACKET_REJECT_DNSTAP_TYPE || result == PACKET_REJECT_DNSTAP_TIME ||
		result == PACKET_REJECT_DNSTAP_CLIENT);
	expect((p.payload != NULL) == (result == PACKET_DNS));
	t->frames++;
	if (!p.payload)
		return;
	t->dns++;
	expect(ts_ns >= 0);
	expect(p.payload_len > 0 && p.payload >= bytes &&
		p.payload + p.payload_len <= bytes + bytes_len);
}

static void take(struct dnstap_stream *s, struct tally *t)
{
	const uint8_t *bytes;
	size_t bytes_len;

	for (;;) {
		switch (dnstap_stream_next(s, &bytes, &bytes_len)) {
		case DNSTAP_STREAM_FRAME:
			take_frame(t, bytes, bytes_len);
			break;
		case DNSTAP_STREAM_REPLY:
			expect(bytes_len <= DNSTAP_STREAM_REPLY_MAX);
			t->replies++;
			break;
		case DNSTAP_STREAM_STOP:
			t->stops++;
			dnstap_stream_restart(s);
			break;
		case DNSTAP_STREAM_FAIL:
			t->failed = true;
			t->why = s->why;
			break;
		case DNSTAP_STREAM_MORE:
			return;
		}
	}
}

static struct tally run(const uint8_t *bytes, size_t bytes_len, size_t piece)
{
	struct dnstap_stream s;
	struct tally t = { 0 };

	expect(dnstap_stream_init(&s));
	while (bytes_len > 0 && !t.failed) {
		size_t room;
		uint8_t *to = dnstap_stream_room(&s, &room);
		expect(room > 0);
		size_t some = piece < bytes_len ? piece : bytes_len;
		some = some < room ? some : room;
		memcpy(to, bytes, some);
		dnstap_stream_filled(&s, some);
		bytes += some;
		bytes_len -= some;
		take(&s, &t);
	}
	dnstap_stream_deinit(&s);
	return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t bytes_len)
{
	struct packet p;
	int64_t ts_ns;

	if (bytes_len < 1)
		return 0;
	struct tally whole = run(bytes + 1, bytes_len - 1, bytes_len);
	struct tally pieces = run(bytes + 1, bytes_len - 1, bytes[0] + 1u);
	expect(whole.frames == pieces.frames && whole.dns == pieces.dns);
	expect(whole.replies == pieces.replies && whole.stops == pieces.stops);
	expect(whole.failed == pieces.failed && whole.why == pieces.why);
	/* and as a bare frame, which is found sooner */
	dnstap_decode(&p, &ts_ns, bytes + 1, bytes_len - 1);
	return 0;
}
