/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/packet/packet.h"

#include <stdlib.h>
#include <string.h>

#include "sensor/packet/fingerprint.h"
#include "sensor/packet/fragment.h"
#include "sensor/packet/layer.h"
#include "sensor/packet/plain.h"

static const struct {
	const char *name;
	const char *meaning;
} results[PACKET_RESULT_COUNT] = {
	[PACKET_DNS] = { "dns", "carries bytes to or from a DNS port" },
	[PACKET_OTHER] = { "other", "well-formed traffic that is not DNS" },
	[PACKET_HELD] = { "held", "IP fragment that waits for the rest of its datagram" },
#define REJECT(id, name, meaning) [PACKET_REJECT_##id] = { name, meaning },
#include "sensor/packet/reject.def"
#undef REJECT
};

void packet_options_init(struct packet_options *options)
{
	*options = (struct packet_options){
		.vxlan = { 4789, 8472 }, /* 8472: Linux before there was a number for it */
		.geneve = { 6081 },
		.gtpu = { 2152 },
		.tzsp = { 37008 },
	};
}

struct decoder *decoder_new(const struct packet_options *options, size_t memory_bytes)
{
	struct decoder *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	if (memory_bytes < DECODER_BYTES_MIN)
		memory_bytes = DECODER_BYTES_MIN;
	d->options = options;
	fingerprint_key(d->key, options->seed);
	udp_tunnel_ports(&d->tunnel_ports, options);
	d->fragments = fragments_new(memory_bytes - sizeof(*d), options->seed);
	if (!d->fragments) {
		decoder_free(d);
		return NULL;
	}
	return d;
}

void decoder_free(struct decoder *d)
{
	if (!d)
		return;
	fragments_free(d->fragments);
	free(d);
}

/*
 * Cleared in two parts, because gcc makes `rep stos` of the whole, and starting that takes as
 * long as all the decoding of a query.
 */
static inline void packet_clear(struct packet *out)
{
	const size_t half = offsetof(struct packet, vlan);

	memset(out, 0, half);
	memset((char *)out + half, 0, sizeof(*out) - half);
	out->vni = PACKET_NO_VNI;
}

OUT_OF_LINE enum packet_result layers_decode(
	struct packet *out, const struct frame *frame, struct decoder *d)
{
	struct cursor c = cursor_init(frame->bytes, frame->caplen);
	struct layer layer = {
		.decoder = d,
		.ports = &d->options->ports,
		.ts_ns = frame->ts_ns,
	};

	if (frame->wire_len > frame->caplen)
		layer.missing = frame->wire_len - frame->caplen;
	packet_clear(out);
	enum packet_result result = link_decode(out, &c, &layer, frame->link);
	if (result == PACKET_DNS)
		out->fingerprint = fingerprint_of(out, d->key);
	return result;
}

enum packet_result packet_begin(struct packet *out, enum packet_rest *rest,
	const struct frame *frame, struct decoder *d)
{
	if (LIKELY(plain_begin(out, rest, frame, &d->options->ports)))
		return PACKET_DNS;
	*rest = PACKET_REST_NONE;
	return layers_decode(out, frame, d);
}

void packet_finish(struct packet *out, enum packet_rest rest, const struct decoder *d)
{
	plain_finish(out, rest, d->key);
}

enum packet_result packet_decode(
	struct packet *out, const struct frame *frame, struct decoder *d)
{
	enum packet_rest rest;
	enum packet_result result = packet_begin(out, &rest, frame, d);

	if (rest != PACKET_REST_NONE)
		packet_finish(out, rest, d);
	return result;
}

void decoder_expire(struct decoder *d, int64_t now_ns)
{
	fragments_expire(d->fragments, now_ns);
}

void decoder_flush(struct decoder *d)
{
	fragments_flush(d->fragments);
}

struct decoder_settled decoder_settled(struct decoder *d)
{
	return fragments_settled(d->fragments);
}

struct decoder_stats decoder_stats(const struct decoder *d)
{
	return fragments_stats(d->fragments);
}

const char *packet_result_name(enum packet_result result)
{
	return (unsigned)result < PACKET_RESULT_COUNT ? results[result].name : "unknown";
}

const char *packet_result_meaning(enum packet_result result)
{
	return (unsigned)result < PACKET_RESULT_COUNT ? results[result].meaning : "unknown";
}

bool packet_link_supported(int link)
{
	switch (link) {
#define LINK(id, number, decode, meaning) case PACKET_LINK_##id:
#include "sensor/packet/link.def"
#undef LINK
		return true;
	default:
		return false;
	}
}
