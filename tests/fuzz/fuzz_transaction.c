/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_transaction.c -- any octets as UPDATEs through the whole family: the input is cut into
 * messages, each with its length and its direction before it. Every request that the decoder takes
 * is counted under one fault, or under none.
 */
#include "rules/judge.h"
#include "sensor/base/clock.h"
#include "sensor/dns/message.h"

#include <stdlib.h>
#include <string.h>

#define MESSAGES_MAX 64
#define MEMORY_BYTES ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void read_alert(void *arg, const struct alert *a)
{
	(void)arg;
	if (a->kind != ALERT_RAISED)
		return;
	require(a->why_count > 0);
	require(strlen(alert_get(a, a->message)) > 0);
	require(strlen(alert_get(a, a->allow_hint)) > 0);
}

/* What an input thread makes of the message; NULL when it is no UPDATE. */
static struct observation *observe(const uint8_t *wire, size_t wire_len, unsigned direction)
{
	struct dns_message m;

	if (dns_message_decode(&m, wire, wire_len) || m.opcode != DNS_OPCODE_UPDATE)
		return NULL;
	size_t qname_at = sizeof(struct observation);
	size_t message_at = (qname_at + m.qname.wire_len + 3) & ~(size_t)3;
	size_t block_len = (message_at + wire_len + 3) & ~(size_t)3;
	struct observation *o = calloc(1, block_len);
	if (!o)
		return NULL;
	*o = (struct observation){ .size = block_len & 0x3ffff,
		.opcode = m.opcode,
		.response = dns_is_response(&m),
		.client_port = 40000,
		.server_port = 53,
		.id = m.id,
		.flags = m.flags,
		.rcode = m.rcode,
		.qtype = m.qtype,
		.qclass = m.qclass,
		.has_question = m.has_question,
		.has_signature = m.has_tsig,
		.wire_len_message = (uint16_t)wire_len,
		.qname_len = m.qname.wire_len,
		.qname_labels = m.qname.label_count };
	o->client = ip_from_v4((const uint8_t[4]){ 10, 1, 0, (uint8_t)(direction & 3) });
	o->server = ip_from_v4((const uint8_t[4]){ 10, 1, 0, (uint8_t)(direction >> 2 & 3) });
	memcpy((char *)o + qname_at, m.qname.wire, m.qname.wire_len);
	memcpy((char *)o + message_at, wire, wire_len);
	return o;
}

static struct knowledge know(void)
{
	struct policy_set *policies = policy_set_new();
	struct index_builder *builder = index_builder_new(1);

	require(policies && builder);
	return (struct knowledge){ .policies = policies, .index = index_build(builder) };
}

/* Show the next message; returns how much of the input it took. */
static size_t show_next(struct judge *j, const uint8_t *data, size_t size, uint64_t seq)
{
	size_t len = (size_t)data[0] << 8 | data[1];

	if (len > size - 3)
		len = size - 3;
	struct observation *o = observe(data + 3, len, data[2]);
	if (o) {
		o->seq = seq;
		o->ts_ns = (int64_t)seq * (data[2] >> 4) * NS_PER_S;
		judge_observe(j, o);
	}
	free(o);
	return 3 + len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct knowledge known;
	struct judge_stats stats;
	uint64_t seq = 0;

	if (!known.policies)
		known = know();
	struct judge *j = judge_new(
		&(struct judge_options){
			.memory_bytes = MEMORY_BYTES, .seed = 1, .sink = read_alert },
		&known);
	require(j != NULL);
	while (size > 3 && seq < MESSAGES_MAX) {
		size_t used = show_next(j, data, size, ++seq);
		data += used;
		size -= used;
	}
	seq++;
	judge_observe(j, &(struct observation){ .kind = OBSERVATION_TICK,
				 .seq = seq,
				 .ts_ns = (int64_t)seq * 100 * NS_PER_S });
	judge_stats(j, &stats);
	uint64_t told = 0;
	for (size_t i = 0; i < UPDATE_FAULT_COUNT; i++)
		told += stats.update_faults[i];
	require(told <= seq);
	judge_free(j);
	return 0;
}
