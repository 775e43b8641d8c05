/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reading.h -- a message is read: decoded, whose it is and what of it may be listed looked up, counted.
 * By the input's thread; or by the tracker's, while that one has more time (unread.h).
 *
 * Threads:  a tally belongs to the thread that reads; the counters may be read by others at any time.
 * Input:    untrusted.
 */
#ifndef SENSOR_PIPELINE_READING_H
#define SENSOR_PIPELINE_READING_H

#include <netinet/in.h>
#include <stdint.h>

#include "sensor/base/attribute.h"
#include "sensor/dns/message.h"
#include "sensor/packet/packet.h"
#include "sensor/pipeline/observe.h"
#include "sensor/ring/gauge.h"

#define READING_RCODES_MAX 24 /* 23: BADCOOKIE; the last counts all others */

struct reading_counters {
	struct gauge malformed[DNS_ERROR_COUNT]; /* by enum dns_error; [DNS_OK]: well-formed */
	struct gauge queries, responses, tcp;
	struct gauge opcode[16], rcode[READING_RCODES_MAX];
	struct gauge trailing;
};

/* What every message counts for; the counters get it by reading_publish. */
struct reading_tally {
	uint64_t opcode[16]; /* their sum is malformed[DNS_OK] */
	uint64_t responses;
	uint64_t rcode[READING_RCODES_MAX];
	uint64_t tcp, trailing;
};

/* A message under way. */
struct reading {
	enum dns_error error;
	struct parties who;
	struct dns_message message;
};

/*
 * One DNS payload: decode it, and ask the memory for what its observation will need. Of a batch all are
 * prepared before the first is built.
 */
ALWAYS_INLINE static inline void reading_prepare(struct reading *r, struct observer *observer,
	const struct frame *frame, const struct packet *p)
{
	r->error = UNLIKELY(p->payload_missing > 0)
			   ? dns_message_decode_cut(&r->message, p->payload, p->payload_len)
			   : dns_message_decode(&r->message, p->payload, p->payload_len);
	if (LIKELY(r->error == DNS_OK || r->error == DNS_SNAPLEN))
		observe_prepare(observer, &r->who, frame, p, &r->message);
}

/* A well-formed one. Without a branch: queries and answers come in no order. */
static inline void reading_count(
	struct reading_tally *t, const struct packet *p, const struct dns_message *m)
{
	const bool response = dns_is_response(m);
	const unsigned rcode =
		m->rcode < READING_RCODES_MAX ? m->rcode : READING_RCODES_MAX - 1;

	t->opcode[m->opcode]++;
	t->responses += response;
	t->rcode[rcode] += response;
	t->tcp += p->protocol == IPPROTO_TCP;
	t->trailing += m->trailing_len != 0;
}

/* From now on others may read what was counted. */
void reading_publish(struct reading_counters *c, const struct reading_tally *t);

#endif
