/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_fragment -- sequences of frames through one decoder: what it remembers from frame to frame.
 *
 * The input is a row of steps. A step begins with a byte: its top bit set, time goes on by the
 * other bits in seconds; otherwise a frame follows. Either 2 bytes of length and the frame as it
 * is (bit 6), or the few bytes that an IP fragment is made from, so that fragments which belong
 * together are found soon: flags 1 (bit 0: IPv6, bit 1: more, bit 2: inside VXLAN, bit 3: protocol
 * UDP or IP in IP), id 1, offset 1, length 1 (both in units of 8), and as many bytes of payload.
 */
#include <stdlib.h>
#include <string.h>

#include "sensor/base/clock.h"
#include "sensor/packet/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t bytes_len);

#define STEP_TIME  0x80
#define STEP_FRAME 0x40
#define FRAMES_MAX 4096

struct input {
	const uint8_t *at, *end;
};

static void expect(bool holds)
{
	if (!holds)
		abort();
}

static uint8_t take(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

static size_t take_bytes(struct input *in, uint8_t *out, size_t len)
{
	if (len > (size_t)(in->end - in->at))
		len = (size_t)(in->end - in->at);
	memcpy(out, in->at, len);
	in->at += len;
	return len;
}

static void put16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static size_t ip_header(uint8_t *ip, uint8_t flags, uint8_t id, uint8_t offset, size_t len)
{
	uint8_t protocol = flags & 8 ? flags & 1 ? 41 : 4 : 17;

	if (flags & 1) {
		static const uint8_t start[48] = { 0x60, [6] = 44,
			64, [8] = 0x20, [24] = 0x20 };
		memcpy(ip, start, sizeof(start));
		put16(ip + 4, 8 + len);
		ip[40] = protocol;
		put16(ip + 42, (size_t)offset << 3 | (flags >> 1 & 1));
		ip[47] = id;
		return sizeof(start);
	}
	static const uint8_t start[20] = { 0x45, [8] = 64, [12] = 10, [16] = 10 };
	memcpy(ip, start, sizeof(start));
	put16(ip + 2, 20 + len);
	ip[5] = id;
	put16(ip + 6, (flags & 2 ? 0x2000u : 0) | offset);
	ip[9] = protocol;
	return sizeof(start);
}

/* An IP fragment, alone or in VXLAN; returns the frame's length. */
static size_t fragment_make(struct input *in, uint8_t *frame)
{
	static const uint8_t vxlan[14 + 20 + 8 + 8] = { [12] = 8,
		[14] = 0x45,
		[23] = 17,
		[26] = 1,
		[36] = 0x12,
		0xb5,
		[42] = 8,
		[48] = 3 };
	uint8_t payload[255 * 8];
	size_t at = 0;
	uint8_t flags = take(in);
	uint8_t id = take(in);
	uint8_t offset = take(in);
	size_t len = take_bytes(in, payload, take(in) * 8u);

	if (flags & 4) {
		memcpy(frame, vxlan, sizeof(vxlan));
		at = sizeof(vxlan);
	}
	memset(frame + at, 0, 12);
	put16(frame + at + 12, flags & 1 ? 0x86dd : 0x0800);
	at += 14;
	at += ip_header(frame + at, flags, id, offset, len);
	memcpy(frame + at, payload, len);
	at += len;
	if (flags & 4) {
		put16(frame + 16, at - 14);
		put16(frame + 38, at - 34);
	}
	return at;
}

static size_t frame_make(struct input *in, uint8_t step, uint8_t *frame)
{
	if (!(step & STEP_FRAME))
		return fragment_make(in, frame);
	size_t len = (size_t)take(in) << 8;
	len |= take(in);
	return take_bytes(in, frame, len < FRAMES_MAX ? len : FRAMES_MAX);
}

/* In memory of its own, so that a sanitizer sees one byte too many. */
static enum packet_result decode(
	struct decoder *d, const uint8_t *bytes, size_t len, int64_t now_ns, struct packet *p)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct frame frame = { .bytes = copy,
		.caplen = (uint32_t)len,
		.wire_len = (uint32_t)len,
		.link = PACKET_LINK_ETHERNET,
		.ts_ns = now_ns };

	if (!copy)
		abort();
	memcpy(copy, bytes, len);
	enum packet_result result = packet_decode(p, &frame, d);
	expect(result < PACKET_RESULT_COUNT);
	expect(result != PACKET_HELD || p->held == 0);
	volatile uint8_t sum = 0;
	for (uint32_t i = 0; i < p->payload_len; i++)
		sum = (uint8_t)(sum + p->payload[i]);
	free(copy);
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t bytes_len)
{
	static struct packet_options options;
	static struct decoder *d;
	uint8_t frame[FRAMES_MAX];
	struct input in = { bytes, bytes + bytes_len };
	uint64_t frames = 0, counted = 0;
	int64_t now_ns = NS_PER_S;
	struct packet p;

	if (!d) { /* one for all: an input leaves nothing behind */
		packet_options_init(&options);
		port_set_add(&options.ports, 53);
		d = decoder_new(&options, 0);
	}
	if (!d)
		abort();
	while (in.at < in.end) {
		uint8_t step = take(&in);
		if (step & STEP_TIME) {
			now_ns += (step & 0x7f) * NS_PER_S;
			decoder_expire(d, now_ns);
			continue;
		}
		size_t len = frame_make(&in, step, frame);
		frames++;
		if (decode(d, frame, len, now_ns, &p) != PACKET_HELD)
			counted += 1 + p.held;
		expect(decoder_stats(d).used <= decoder_stats(d).capacity);
	}
	decoder_flush(d);
	struct decoder_settled settled = decoder_settled(d);
	expect(counted + settled.incomplete + settled.evicted == frames);
	expect(decoder_stats(d).used == 0);
	return 0;
}
