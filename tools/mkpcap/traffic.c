/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/mkpcap/traffic.h"

#include "sensor/dns/message.h"
#include "tools/mkpcap/message.h"

/* How many clients know one dynamic name: whose camera it is, and some who may look. */
#define DYNAMIC_CLIENTS 3

/* Of 64 queries: so many ask for IPv6 addresses, so many for HTTPS records. */
#define AAAA_OF_64  16
#define HTTPS_OF_64 5
#define EDNS_OF_64  40

static uint64_t time_us(const struct traffic *t)
{
	return t->written * 1000000 / t->options->rate;
}

static bool is_full(const struct traffic *t)
{
	return t->written >= t->options->packets;
}

static bool give_frame(struct traffic *t, const struct wire *frame)
{
	uint64_t us = time_us(t);
	t->written++;
	return t->sink(t->sink_arg, frame, us);
}

/* The shortest connection there is: opened with the query, closed with the answer. */
static bool give_segments(
	struct traffic *t, struct exchange *x, const struct wire *message, bool answer)
{
	static const struct {
		bool from_server, message;
		unsigned flags;
	} parts[2][3] = {
		{ { false, false, FRAME_TCP_SYN },
			{ true, false, FRAME_TCP_SYN | FRAME_TCP_ACK },
			{ false, true, FRAME_TCP_PUSH | FRAME_TCP_ACK } },
		{ { true, true, FRAME_TCP_PUSH | FRAME_TCP_ACK },
			{ true, false, FRAME_TCP_FIN | FRAME_TCP_ACK },
			{ false, false, FRAME_TCP_FIN | FRAME_TCP_ACK } },
	};
	for (size_t i = 0; i < 3 && !is_full(t); i++) {
		struct wire frame;
		frame.len = 0;
		frame_put_tcp(&frame, &t->layout, x, parts[answer][i].message ? message : NULL,
			parts[answer][i].from_server, parts[answer][i].flags);
		if (!give_frame(t, &frame))
			return false;
	}
	return true;
}

static bool give_message(struct traffic *t, struct exchange *x, bool answer)
{
	struct wire message, frame;

	if (is_full(t))
		return true;
	message.len = frame.len = 0;
	if (answer)
		message_put_answer(&message, x, (unsigned)t->options->records);
	else
		message_put_query(&message, x);
	/* cut at the very end: it costs most to find that out */
	if (draw_unit(&t->draw) < t->options->malformed)
		message.len -= 1 + draw_below(&t->draw, 3);
	if (x->tcp)
		return give_segments(t, x, &message, answer);
	frame_put_udp(&frame, &t->layout, x, &message, answer);
	return give_frame(t, &frame);
}

/* What is asked for, and its kind; `client` may become one that knows the name. */
static void choose_name(struct traffic *t, struct exchange *x, uint64_t *client)
{
	const struct options *o = t->options;
	double share = draw_unit(&t->draw);
	uint64_t rank;

	x->name = &x->own;
	if (share < o->flood) {
		name_make_flood(&x->own, &t->draw);
	} else if ((share -= o->flood) < o->missing) {
		name_make_missing(&x->own, t->names, &t->draw);
	} else if ((share -= o->missing) < o->updates) {
		name_make_zone(&x->own);
		x->qtype = DNS_TYPE_SOA;
		x->signed_at_s =
			o->is_signed
				? (uint32_t)(TRAFFIC_START_S + (int64_t)(time_us(t) / 1000000))
				: 0;
	} else if (share - o->updates < o->dynamic) {
		x->name = name_pool_draw(&t->names->dynamic, &t->draw, &rank);
		*client = hash_word(rank, draw_below(&t->draw, DYNAMIC_CLIENTS)) % o->clients;
	} else {
		x->name = name_pool_draw(&t->names->ordinary, &t->draw, NULL);
	}
}

static uint16_t qtype_of(uint64_t sixty_fourth)
{
	if (sixty_fourth < AAAA_OF_64)
		return DNS_TYPE_AAAA;
	return sixty_fourth < AAAA_OF_64 + HTTPS_OF_64 ? DNS_TYPE_HTTPS : DNS_TYPE_A;
}

static void make_exchange(struct traffic *t, struct exchange *x)
{
	const struct options *o = t->options;
	uint64_t client = draw_below(&t->draw, o->clients);
	uint64_t bits = draw_u64(&t->draw);

	*x = (struct exchange){
		.id = (uint16_t)bits,
		.port = (uint16_t)(1024 + (bits >> 16) % 64000),
		.qtype = qtype_of(bits >> 34 & 63),
		.edns = (bits >> 40 & 63) < EDNS_OF_64,
		.cookie = bits >> 49 & 1 ? (uint32_t)(bits >> 16) | 1 : 0,
		.variant = (uint8_t)(bits >> 46 & 7),
	};
	choose_name(t, x, &client);
	x->tenant = (uint32_t)(client % o->tenants);
	x->host = (uint32_t)(client / o->tenants);
	x->tcp = draw_unit(&t->draw) < o->tcp;
	x->ipv6 = draw_unit(&t->draw) < o->ipv6;
	x->seq[0] = (uint32_t)draw_u64(&t->draw);
	x->seq[1] = (uint32_t)draw_u64(&t->draw);
}

bool traffic_run(struct traffic *t)
{
	while (!is_full(t)) {
		struct exchange *x = &t->pending[draw_below(&t->draw, TRAFFIC_PENDING_MAX)];
		if (x->name && !give_message(t, x, true))
			return false;
		make_exchange(t, x);
		if (!t->options->answers_only && !give_message(t, x, false))
			return false;
	}
	return true;
}
