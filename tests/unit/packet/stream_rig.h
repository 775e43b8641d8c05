/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stream_rig.h -- for the tests of TCP streams: a conversation in memory, cut into segments at will.
 *
 * A script is the byte stream of one direction, messages with their lengths; a rig feeds pieces of
 * it to tcp_streams and keeps what comes out.
 */
#ifndef TESTS_UNIT_PACKET_STREAM_RIG_H
#define TESTS_UNIT_PACKET_STREAM_RIG_H

#include <stdbool.h>

#include "sensor/base/clock.h"
#include "sensor/packet/tcp_stream.h"

#define SCRIPT_MESSAGES_MAX 2048
#define RIG_PORT            40000

struct script {
	uint8_t *bytes;
	size_t len;
	size_t start[SCRIPT_MESSAGES_MAX +
		     1]; /* of each message's length; the last is the end */
	size_t count;
};

/* Messages of these sizes (0: as short as they get), each another; true: answers, not queries. */
void script_add(struct script *script, size_t message_len, bool response);
/* Bytes that are no message. */
void script_add_bytes(struct script *script, const void *bytes, size_t bytes_len);
void script_free(struct script *script);

struct rig {
	struct tcp_streams *streams;
	uint32_t isn;         /* sequence number before the script's first byte */
	uint16_t client_port; /* of the next segment */
	uint16_t vlan, interface;
	uint32_t vni;
	bool from_server;
	size_t cut_bytes; /* of the next segment, by the snapshot length */
	int64_t now_ns;
	size_t count; /* messages that came out */
	struct rig_message {
		uint8_t *bytes;
		size_t len;
		struct tcp_message message;
	} message[SCRIPT_MESSAGES_MAX];
};

void rig_start(struct rig *rig, size_t memory_bytes);
void rig_end(struct rig *rig);
/* Forget what came out. */
void rig_clear(struct rig *rig);

void rig_syn(struct rig *rig);
/* Script bytes [from, to) in one segment. */
void rig_send(struct rig *rig, const struct script *script, size_t from, size_t to);
/* Any segment: `at` counts as in a script. */
void rig_segment(
	struct rig *rig, uint8_t flags, size_t at, const void *bytes, size_t bytes_len);
/* The other side acknowledges everything before script byte `at`. */
void rig_acknowledge(struct rig *rig, size_t at);
/* A tick after so much time. */
void rig_wait(struct rig *rig, int64_t ns);
void rig_flush(struct rig *rig);
struct tcp_streams_stats rig_stats(const struct rig *rig);

/* Exactly the script's messages [first, first + count) came out, in order. */
void rig_expect(const struct rig *rig, const struct script *script, size_t first, size_t count,
	const char *name);
/* Is what came out at `i` the script's message `k`? */
bool rig_is(const struct rig *rig, size_t i, const struct script *script, size_t k);

/* A small generator of test numbers; the same seed gives the same run. */
uint32_t rig_random(uint64_t *state, uint32_t below);

#endif
