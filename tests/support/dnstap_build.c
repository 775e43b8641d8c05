/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/dnstap_build.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/base/ip.h"

static void die(const char *what)
{
	fprintf(stderr, "dnstap_build: %s\n", what);
	abort();
}

void dnstap_build_deinit(struct dnstap_build *b)
{
	free(b->at);
	*b = (struct dnstap_build){ 0 };
}

void dnstap_build_octets(struct dnstap_build *b, const void *octets, size_t octets_len)
{
	if (b->size - b->len < octets_len) {
		b->size = 2 * (b->len + octets_len) + 64;
		b->at = realloc(b->at, b->size);
		if (!b->at)
			die("out of memory");
	}
	if (octets_len > 0)
		memcpy(b->at + b->len, octets, octets_len);
	b->len += octets_len;
}

void dnstap_build_u32(struct dnstap_build *b, uint32_t number)
{
	uint8_t octets[] = { (uint8_t)(number >> 24), (uint8_t)(number >> 16),
		(uint8_t)(number >> 8), (uint8_t)number };

	dnstap_build_octets(b, octets, sizeof(octets));
}

static void put_varint(struct dnstap_build *b, uint64_t number)
{
	do {
		uint8_t octet = number & 0x7f;
		number >>= 7;
		octet |= number ? 0x80 : 0;
		dnstap_build_octets(b, &octet, 1);
	} while (number);
}

void dnstap_build_varint(struct dnstap_build *b, unsigned field, uint64_t number)
{
	put_varint(b, field << 3 | 0);
	put_varint(b, number);
}

void dnstap_build_fixed32(struct dnstap_build *b, unsigned field, uint32_t number)
{
	uint8_t octets[] = { (uint8_t)number, (uint8_t)(number >> 8), (uint8_t)(number >> 16),
		(uint8_t)(number >> 24) };

	put_varint(b, field << 3 | 5);
	dnstap_build_octets(b, octets, sizeof(octets));
}

void dnstap_build_bytes(
	struct dnstap_build *b, unsigned field, const void *octets, size_t octets_len)
{
	put_varint(b, field << 3 | 2);
	put_varint(b, octets_len);
	dnstap_build_octets(b, octets, octets_len);
}

static void put_address(struct dnstap_build *b, unsigned field, const char *text)
{
	struct ip ip;

	if (!ip_parse(&ip, text))
		die("no address");
	bool v4 = ip_is_v4(&ip);
	dnstap_build_bytes(b, field, ip.bytes + (v4 ? 12 : 0), v4 ? 4 : 16);
}

static void put_dns(struct dnstap_build *b, unsigned field, const struct dnstap_spec *spec)
{
	uint8_t octets[DNSTAP_BUILD_QUERY_LEN];

	if (spec->message) {
		dnstap_build_bytes(b, field, spec->message, spec->message_len);
		return;
	}
	memcpy(octets, DNSTAP_BUILD_QUERY, sizeof(octets));
	if (field == 14)
		octets[2] |= 0x80;
	dnstap_build_bytes(b, field, octets, sizeof(octets));
}

static bool has(const struct dnstap_spec *spec, unsigned field)
{
	return !(spec->without & DNSTAP_WITHOUT(field));
}

static void put_ends(struct dnstap_build *b, const struct dnstap_spec *spec)
{
	if (has(spec, 4))
		put_address(b, 4, spec->query_address ? spec->query_address : "10.1.0.7");
	if (has(spec, 5))
		put_address(
			b, 5, spec->response_address ? spec->response_address : "10.1.0.53");
	if (has(spec, 6))
		dnstap_build_varint(b, 6, spec->query_port ? spec->query_port : 40000);
	if (has(spec, 7))
		dnstap_build_varint(b, 7, spec->response_port ? spec->response_port : 53);
}

static void put_message(struct dnstap_build *b, const struct dnstap_spec *spec)
{
	unsigned type = spec->type ? spec->type : 5;
	bool response = type % 2 == 0;
	int64_t asked_s = spec->query_time_s ? spec->query_time_s : DNSTAP_BUILD_TIME_S;

	if (has(spec, 1))
		dnstap_build_varint(b, 1, type);
	if (has(spec, 2))
		dnstap_build_varint(b, 2, 1);
	if (has(spec, 3))
		dnstap_build_varint(b, 3, spec->protocol ? spec->protocol : 1);
	put_ends(b, spec);
	if (has(spec, 8))
		dnstap_build_varint(b, 8, (uint64_t)asked_s);
	if (has(spec, 9))
		dnstap_build_fixed32(b, 9, 123456789);
	if (has(spec, 10) && !response)
		put_dns(b, 10, spec);
	if (response && has(spec, 12))
		dnstap_build_varint(b, 12, (uint64_t)asked_s + 1);
	if (response && has(spec, 13))
		dnstap_build_fixed32(b, 13, 987654321);
	if (response && has(spec, 14))
		put_dns(b, 14, spec);
}

void dnstap_build_tap(struct dnstap_build *b, const struct dnstap_spec *spec)
{
	struct dnstap_build message = { 0 };

	dnstap_build_bytes(b, 1, "ns1", 3); /* identity and version: nothing to us */
	dnstap_build_bytes(b, 2, "test 1.0", 8);
	put_message(&message, spec);
	dnstap_build_bytes(b, 14, message.at, message.len);
	dnstap_build_varint(b, 15, spec->dnstap_type ? spec->dnstap_type : 1);
	dnstap_build_deinit(&message);
}

void dnstap_build_frame(struct dnstap_build *b, const struct dnstap_spec *spec)
{
	struct dnstap_build tap = { 0 };

	dnstap_build_tap(&tap, spec);
	dnstap_build_u32(b, (uint32_t)tap.len);
	dnstap_build_octets(b, tap.at, tap.len);
	dnstap_build_deinit(&tap);
}

void dnstap_build_control(struct dnstap_build *b, unsigned type, const char *content)
{
	size_t content_len = content ? strlen(content) : 0;

	dnstap_build_u32(b, 0);
	dnstap_build_u32(b, (uint32_t)(4 + (content ? 8 + content_len : 0)));
	dnstap_build_u32(b, type);
	if (!content)
		return;
	dnstap_build_u32(b, 1); /* the field CONTENT_TYPE */
	dnstap_build_u32(b, (uint32_t)content_len);
	dnstap_build_octets(b, content, content_len);
}
