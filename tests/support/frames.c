/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/frames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>

/* A frame in the making; `end` is one past what was written. */
struct writer {
	uint8_t *start;
	uint8_t *end;
};

static uint8_t *put(struct writer *w, const void *bytes, size_t len)
{
	uint8_t *at = w->end;

	if (len > (size_t)(w->start + FRAMES_BYTES_MAX - w->end)) {
		fprintf(stderr, "frames_build: longer than FRAMES_BYTES_MAX\n");
		abort();
	}
	if (bytes)
		memcpy(at, bytes, len);
	else
		memset(at, 0, len);
	w->end += len;
	return at;
}

static void put8(struct writer *w, unsigned value)
{
	uint8_t byte = (uint8_t)value;

	put(w, &byte, 1);
}

static void put16(struct writer *w, unsigned value)
{
	put8(w, value >> 8 & 0xff);
	put8(w, value & 0xff);
}

static void put32(struct writer *w, uint32_t value)
{
	put16(w, value >> 16);
	put16(w, value & 0xffff);
}

static void set16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* One's complement sum, the plain way, so that it is no copy of the code it tests. */
static unsigned sum16(unsigned sum, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? bytes[i] : (unsigned)bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static void put_tags(struct writer *w, const struct frame_spec *spec)
{
	for (unsigned i = 0; i < spec->tag_count; i++) {
		put16(w, spec->tag[i].tpid);
		put16(w, spec->tag[i].vid);
	}
}

/* Everything up to the IP header; returns where an 802.3 length has to be set, or NULL. */
static uint8_t *put_link(struct writer *w, const struct frame_spec *spec)
{
	unsigned ethertype = spec->ethertype ? spec->ethertype : spec->v6 ? 0x86dd : 0x0800;
	unsigned first = spec->tag_count > 0 ? spec->tag[0].tpid : ethertype;
	uint32_t family = spec->family ? spec->family : spec->v6 ? 24 : 2;

	switch (spec->link) {
	case 1: /* Ethernet */
		put(w, "\x02\x00\x00\x00\x00\x53\x02\x00\x00\x00\x00\x01", 12);
		put_tags(w, spec);
		if (!spec->snap) {
			put16(w, ethertype);
			return NULL;
		}
		uint8_t *len = put(w, NULL, 2);
		put(w, "\xaa\xaa\x03\x00\x00\x00", 6);
		put16(w, ethertype);
		return len;
	case 113: /* Linux cooked */
		put(w, "\x00\x00\x00\x01\x00\x06\x02\x00\x00\x00\x00\x01\x00\x00", 14);
		put16(w, first);
		break;
	case 276: /* Linux cooked, version 2 */
		put16(w, first);
		put(w,
			"\x00\x00\x00\x00\x00\x02\x00\x01\x00\x06\x02\x00\x00\x00\x00\x01\x00"
			"\x00",
			18);
		break;
	case 0:   /* BSD null */
	case 108: /* OpenBSD loop */
		put32(w, spec->family_swapped ? __builtin_bswap32(family) : family);
		return NULL;
	default: /* raw IP */
		return NULL;
	}
	/* cooked: the first tag's TPID is the protocol field, then comes the rest */
	for (unsigned i = 0; i < spec->tag_count; i++) {
		put16(w, spec->tag[i].vid);
		put16(w, i + 1 < spec->tag_count ? spec->tag[i + 1].tpid : ethertype);
	}
	return NULL;
}

static void put_address(struct writer *w, bool v6, const char *text)
{
	uint8_t address[16];

	if (inet_pton(v6 ? AF_INET6 : AF_INET, text, address) != 1) {
		fprintf(stderr, "frames_build: %s is no address\n", text);
		abort();
	}
	put(w, address, v6 ? 16 : 4);
}

static void put_ipv4(struct writer *w, const struct frame_spec *spec, uint8_t protocol)
{
	put8(w, 0x40u | (5u + spec->options_len / 4u));
	put8(w, 0);
	put16(w, 0); /* total length: set at the end */
	put16(w, 0x1234);
	put16(w, (spec->more_fragments ? 0x2000u : 0) | spec->fragment_offset);
	put8(w, FRAMES_TTL);
	put8(w, protocol);
	put16(w, 0);
	put_address(w, false, spec->src ? spec->src : FRAMES_SRC_V4);
	put_address(w, false, spec->dst ? spec->dst : FRAMES_DST_V4);
	for (unsigned i = 0; i < spec->options_len; i++)
		put8(w, 1); /* no operation */
}

static void put_extension(
	struct writer *w, const struct frame_spec *spec, uint8_t kind, uint8_t next)
{
	put8(w, next);
	switch (kind) {
	case 44:
		put8(w, 0);
		put16(w, (unsigned)spec->fragment_offset << 3 | spec->more_fragments);
		put32(w, 0xabcd1234);
		break;
	case 51:
		put8(w, 4); /* 24 bytes: 12 fixed, 12 of integrity check value */
		put(w, NULL, 22);
		break;
	case 43:
		put8(w, 0);
		put(w, "\x03\x00\x00\x00\x00\x00", 6); /* no segments left */
		break;
	default:
		put8(w, 1); /* 16 bytes; one PadN option */
		put(w, "\x01\x0c", 2);
		put(w, NULL, 12);
	}
}

static void put_ipv6(struct writer *w, const struct frame_spec *spec, uint8_t protocol)
{
	put32(w, 0x60000000);
	put16(w, 0); /* payload length: set at the end */
	put8(w, spec->extension_count > 0 ? spec->extension[0] : protocol);
	put8(w, FRAMES_TTL);
	put_address(w, true, spec->src ? spec->src : FRAMES_SRC_V6);
	put_address(w, true, spec->dst ? spec->dst : FRAMES_DST_V6);
	for (unsigned i = 0; i < spec->extension_count; i++) {
		bool last = i + 1 == spec->extension_count;
		put_extension(
			w, spec, spec->extension[i], last ? protocol : spec->extension[i + 1]);
	}
}

static void put_transport(struct writer *w, const struct frame_spec *spec, uint8_t protocol)
{
	if (protocol == IPPROTO_UDP) {
		put16(w, spec->sport);
		put16(w, spec->dport);
		put16(w, spec->udp_len_set ? spec->udp_len : 8u + (unsigned)spec->payload_len);
		put16(w, 0);
	} else if (protocol == IPPROTO_TCP) {
		unsigned words = spec->tcp_header_words ? spec->tcp_header_words : 5;
		put16(w, spec->sport);
		put16(w, spec->dport);
		put32(w, 1000);
		put32(w, 2000);
		put8(w, words << 4);
		put8(w, 0x18);
		put16(w, 65535);
		put32(w, 0);
		for (unsigned i = 5; i < words; i++)
			put32(w, 0x01010101);
	}
	if (spec->payload_len > 0)
		put(w, spec->payload, spec->payload_len);
}

static void set_checksum(uint8_t *ip, uint8_t *transport, const uint8_t *end,
	const struct frame_spec *spec, uint8_t protocol)
{
	size_t at = protocol == IPPROTO_UDP ? 6 : 16;
	unsigned len = (unsigned)(end - transport);

	if (spec->checksum_none || (protocol != IPPROTO_UDP && protocol != IPPROTO_TCP))
		return;
	unsigned sum = protocol + len;
	sum = sum16(sum, ip + (spec->v6 ? 8 : 12), spec->v6 ? 32 : 8);
	sum = ~sum16(sum, transport, len) & 0xffff;
	if (sum == 0)
		sum = 0xffff; /* RFC 768: 0 means none */
	if (spec->checksum_wrong)
		sum = sum == 1 ? 2 : 1;
	set16(transport + at, sum);
}

/* The spec with its defaults filled in. */
static struct frame_spec completed(const struct frame_spec *given)
{
	struct frame_spec spec = *given;

	if (!spec.payload) {
		spec.payload = FRAMES_QUERY;
		spec.payload_len = FRAMES_QUERY_LEN;
	}
	if (spec.empty)
		spec.payload_len = 0;
	if (spec.protocol == 0)
		spec.protocol = IPPROTO_UDP;
	if (spec.sport == 0)
		spec.sport = FRAMES_SPORT;
	if (spec.dport == 0)
		spec.dport = FRAMES_DPORT;
	return spec;
}

size_t frames_build(uint8_t out[FRAMES_BYTES_MAX], const struct frame_spec *given)
{
	struct frame_spec complete = completed(given);
	const struct frame_spec *spec = &complete;
	struct writer w = { .start = out, .end = out };
	uint8_t protocol = spec->protocol;
	uint8_t *llc_len = put_link(&w, spec);
	uint8_t *ip = w.end;

	if (spec->v6)
		put_ipv6(&w, spec, protocol);
	else
		put_ipv4(&w, spec, protocol);
	uint8_t *transport = w.end;
	put_transport(&w, spec, protocol);
	set_checksum(ip, transport, w.end, spec, protocol);

	long ip_len = (w.end - ip) - (spec->v6 ? 40 : 0) + spec->ip_len_add;
	if (!spec->ip_len_zero)
		set16(ip + (spec->v6 ? 4 : 2), (size_t)ip_len);
	if (!spec->v6)
		set16(ip + 10, ~sum16(0, ip, 20u + spec->options_len) & 0xffff);
	if (llc_len)
		set16(llc_len, (size_t)(w.end - llc_len - 2));
	put(&w, NULL, spec->padding_len);
	return (size_t)(w.end - w.start);
}
