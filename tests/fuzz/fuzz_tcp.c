/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_tcp -- a conversation in segments. Each begins with four bytes: what it is, where it lies
 * relative to the last of its stream (two bytes), and how long it is in units of 1 to 4 bytes; its
 * payload follows. Segments that give it no bytes take them from a valid message over and over.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/base/clock.h"
#include "sensor/base/cursor.h"
#include "sensor/packet/tcp_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t bytes_len);

enum {
	KIND_SERVER = 0x01, /* from port 53 */
	KIND_OTHER = 0x02,  /* another connection */
	KIND_TAGGED = 0x04,
	KIND_VALID = 0x08, /* payload out of a valid stream */
	KIND_TIME = 0x10,  /* time passes before it */
	KIND_CUT = 0x20,   /* by the snapshot length */
	KIND_ACK_OF_ALL = 0x40,
	KIND_FLAGS = 0x80, /* the next byte is the flags */
};

struct run {
	struct tcp_streams *streams;
	uint32_t next[4]; /* by direction and connection */
	int64_t now_ns;
	uint64_t messages, payload_bytes;
};

static void expect(bool holds)
{
	if (!holds)
		abort();
}

/* Read every byte, so that a wrong length shows. */
static void take(void *arg, const struct tcp_message *m)
{
	struct run *run = arg;
	uint32_t sum = 0;

	for (uint32_t i = 0; i < m->packet.payload_len; i++)
		sum += m->packet.payload[i];
	expect(sum <= 255u * 65535 && m->packet.payload_len <= 65535);
	expect(m->packet.protocol == IPPROTO_TCP && m->packet.tcp_flags == 0);
	expect(m->packet.sport == 53 || m->packet.dport == 53);
	run->messages++;
	run->payload_bytes += m->packet.payload_len + 2;
}

static const uint8_t valid[] =
	"\0\x21\x12\x34\1\0\0\1\0\0\0\0\0\0\3www\7example\3com\0\0\1\0\1";

static struct packet addressed(unsigned kind)
{
	bool server = kind & KIND_SERVER;
	struct packet p = { .protocol = IPPROTO_TCP, .vni = PACKET_NO_VNI };

	p.sport = server ? 53 : (uint16_t)(4000 + (kind & KIND_OTHER));
	p.dport = server ? (uint16_t)(4000 + (kind & KIND_OTHER)) : 53;
	p.src.bytes[15] = server ? 1 : 2;
	p.dst.bytes[15] = server ? 2 : 1;
	if (kind & KIND_TAGGED) {
		p.vlan_count = 1;
		p.vlan[0] = 7;
	}
	return p;
}

/* One segment's description and payload off the input. */
static void show_segment(struct run *run, struct cursor *c)
{
	static uint8_t repeated[1024];
	unsigned kind = cursor_u8(c);
	int16_t step = (int16_t)cursor_be16(c);
	size_t len = cursor_u8(c);
	struct packet p = addressed(kind);
	uint32_t *next = &run->next[kind & 3];

	p.tcp_flags = kind & KIND_FLAGS ? cursor_u8(c) : PACKET_TCP_ACK;
	if (len > 128)
		len = 128 + (len - 128) * 4;
	if (kind & KIND_VALID) {
		for (size_t i = 0; i < len; i++)
			repeated[i] = valid[(i + (uint16_t)step) % (sizeof(valid) - 1)];
		p.payload = repeated;
	} else {
		len = len < cursor_left(c) ? len : cursor_left(c);
		p.payload = cursor_take(c, len);
	}
	if (kind & KIND_TIME)
		run->now_ns += (int64_t)(uint16_t)step * (NS_PER_S / 100);
	p.tcp_seq = *next + (uint32_t)(step % 4 ? 0 : step / 4);
	p.tcp_ack = kind & KIND_ACK_OF_ALL ? run->next[(kind & 3) ^ KIND_SERVER] : 0;
	p.tcp_len = (uint32_t)len;
	p.payload_len = (uint32_t)(kind & KIND_CUT ? len / 2 : len);
	*next = p.tcp_seq + p.tcp_len + !!(p.tcp_flags & PACKET_TCP_SYN);

	struct frame frame = { .ts_ns = run->now_ns };
	tcp_streams_segment(run->streams, &p, &frame, take, run);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t bytes_len)
{
	struct run run = { .streams = tcp_streams_new(0, 1), .next = { 0, 1000, 0xfffffff0 } };
	struct cursor c = cursor_init(bytes, bytes_len);
	struct tcp_streams_stats stats;

	expect(run.streams != NULL);
	while (cursor_left(&c) > 0 && !c.failed) {
		show_segment(&run, &c);
		tcp_streams_stats(run.streams, &stats);
		expect(stats.used <= stats.capacity &&
			stats.held_bytes <= stats.held_bytes_max);
		if (stats.messages % 16 == 0)
			tcp_streams_expire(run.streams, run.now_ns, take, &run);
	}
	tcp_streams_flush(run.streams, take, &run);
	tcp_streams_stats(run.streams, &stats);
	expect(stats.messages == run.messages);
	/* silence frees everything, or pieces went astray */
	tcp_streams_expire(run.streams, run.now_ns + 1000 * NS_PER_S, take, &run);
	tcp_streams_stats(run.streams, &stats);
	expect(stats.used == 0 && stats.held_bytes == 0);
	tcp_streams_free(run.streams);
	return 0;
}
