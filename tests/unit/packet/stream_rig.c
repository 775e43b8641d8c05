/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/packet/stream_rig.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static void put16(uint8_t *at, size_t number)
{
	at[0] = (uint8_t)(number >> 8);
	at[1] = (uint8_t)number;
}

uint32_t rig_random(uint64_t *state, uint32_t below)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((*state >> 32) % below);
}

void script_add_bytes(struct script *script, const void *bytes, size_t bytes_len)
{
	script->bytes = realloc(script->bytes, script->len + bytes_len + 1);
	memcpy(script->bytes + script->len, bytes, bytes_len);
	script->len += bytes_len;
}

void script_add(struct script *script, size_t message_len, bool response)
{
	static uint8_t m[2 + 65535];
	uint64_t random = script->count + 1;
	/* header, question "m.example" and an OPT record that fills up */
	static const uint8_t question[] = "\1m\7example\0\0\1\0\1";
	size_t question_len = sizeof(question) - 1, least = 12 + question_len;
	size_t fill = message_len > least + 11 ? message_len - least - 11 : 0;
	size_t len = least + (fill ? 11 + fill : 0);

	memset(m, 0, sizeof(m));
	put16(m, len);
	put16(m + 2, script->count * 257 + 1);
	put16(m + 4, response ? 0x8180 : 0x0100);
	put16(m + 6, 1);
	memcpy(m + 14, question, question_len);
	if (fill) {
		uint8_t *opt = m + 2 + least;
		put16(m + 12, 1);
		put16(opt + 1, 41);
		put16(opt + 3, 1232);
		put16(opt + 9, fill);
		for (size_t i = 0; i < fill; i++)
			opt[11 + i] = (uint8_t)rig_random(&random, 256);
	}
	script->start[script->count++] = script->len;
	script_add_bytes(script, m, 2 + len);
	script->start[script->count] = script->len;
}

void script_free(struct script *script)
{
	free(script->bytes);
	*script = (struct script){ 0 };
}

void rig_start(struct rig *rig, size_t memory_bytes)
{
	memset(rig, 0, sizeof(*rig));
	rig->streams = tcp_streams_new(memory_bytes, 7);
	rig->isn = 1000;
	rig->client_port = RIG_PORT;
	rig->vni = PACKET_NO_VNI;
	rig->now_ns = 1700000000 * NS_PER_S;
	cr_assert(rig->streams != NULL);
}

void rig_clear(struct rig *rig)
{
	for (size_t i = 0; i < rig->count; i++)
		free(rig->message[i].bytes);
	rig->count = 0;
}

void rig_end(struct rig *rig)
{
	rig_clear(rig);
	tcp_streams_free(rig->streams);
}

static void keep(void *arg, const struct tcp_message *message)
{
	struct rig *rig = arg;
	cr_assert_lt(rig->count, SCRIPT_MESSAGES_MAX);
	struct rig_message *m = &rig->message[rig->count++];
	m->message = *message;
	m->len = message->packet.payload_len;
	m->bytes = malloc(m->len + 1);
	memcpy(m->bytes, message->packet.payload, m->len);
}

static struct packet packet_of(const struct rig *rig, bool from_server)
{
	struct ip client = { .bytes = { [10] = 0xff, 0xff, 10, 0, 0, 1 } };
	struct ip server = { .bytes = { [10] = 0xff, 0xff, 10, 0, 0, 53 } };
	struct packet p = {
		.src = from_server ? server : client,
		.dst = from_server ? client : server,
		.sport = from_server ? 53 : rig->client_port,
		.dport = from_server ? rig->client_port : 53,
		.protocol = IPPROTO_TCP,
		.ip_ttl = 63,
		.vni = rig->vni,
		.vlan_count = rig->vlan != 0,
		.vlan = { rig->vlan },
	};
	return p;
}

static void show(struct rig *rig, struct packet *p)
{
	struct frame frame = { .ts_ns = rig->now_ns, .interface = rig->interface };
	tcp_streams_segment(rig->streams, p, &frame, keep, rig);
}

void rig_segment(struct rig *rig, uint8_t flags, size_t at, const void *bytes, size_t bytes_len)
{
	struct packet p = packet_of(rig, rig->from_server);
	/* a block that ends where the payload ends: a byte too many is seen by the sanitizer */
	uint8_t *copy = bytes_len ? malloc(bytes_len) : NULL;

	if (bytes_len)
		memcpy(copy, bytes, bytes_len);
	p.tcp_flags = flags;
	p.tcp_seq = rig->isn + 1 + (uint32_t)at;
	p.payload = copy;
	p.tcp_len = (uint32_t)bytes_len;
	p.payload_len = (uint32_t)(bytes_len - rig->cut_bytes);
	show(rig, &p);
	free(copy);
}

void rig_syn(struct rig *rig)
{
	rig_segment(rig, PACKET_TCP_SYN, (size_t)-1, NULL, 0);
}

void rig_send(struct rig *rig, const struct script *script, size_t from, size_t to)
{
	rig_segment(rig, 0, from, script->bytes + from, to - from);
}

void rig_acknowledge(struct rig *rig, size_t at)
{
	struct packet p = packet_of(rig, !rig->from_server);
	p.tcp_flags = PACKET_TCP_ACK;
	p.tcp_seq = 77;
	p.tcp_ack = rig->isn + 1 + (uint32_t)at;
	show(rig, &p);
}

void rig_wait(struct rig *rig, int64_t ns)
{
	rig->now_ns += ns;
	tcp_streams_expire(rig->streams, rig->now_ns, keep, rig);
}

void rig_flush(struct rig *rig)
{
	tcp_streams_flush(rig->streams, keep, rig);
}

struct tcp_streams_stats rig_stats(const struct rig *rig)
{
	struct tcp_streams_stats stats;
	tcp_streams_stats(rig->streams, &stats);
	return stats;
}

bool rig_is(const struct rig *rig, size_t i, const struct script *script, size_t k)
{
	size_t len = script->start[k + 1] - script->start[k] - 2;
	return rig->message[i].len == len &&
	       memcmp(rig->message[i].bytes, script->bytes + script->start[k] + 2, len) == 0;
}

void rig_expect(const struct rig *rig, const struct script *script, size_t first, size_t count,
	const char *name)
{
	cr_assert_eq(rig->count, count, "%s: %zu messages, not %zu", name, rig->count, count);
	for (size_t i = 0; i < count; i++)
		cr_assert(rig_is(rig, i, script, first + i), "%s: message %zu", name, i);
}
