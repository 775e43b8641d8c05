/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/dns_build.h"

#include <string.h>

void build_start(struct dns_build *b, uint16_t id, uint16_t flags)
{
	b->len = 0;
	build_u16(b, id);
	build_u16(b, flags);
	for (int i = 0; i < 4; i++)
		build_u16(b, 0);
}

void build_u8(struct dns_build *b, unsigned number)
{
	uint8_t octet = (uint8_t)number;
	build_octets(b, &octet, 1);
}

void build_u16(struct dns_build *b, unsigned number)
{
	build_u8(b, number >> 8);
	build_u8(b, number);
}

void build_u32(struct dns_build *b, uint32_t number)
{
	build_u16(b, number >> 16);
	build_u16(b, number & 0xffff);
}

void build_octets(struct dns_build *b, const void *octets, size_t octets_len)
{
	if (octets_len > sizeof(b->at) - b->len)
		octets_len = sizeof(b->at) - b->len;
	if (octets_len)
		memcpy(b->at + b->len, octets, octets_len);
	b->len += octets_len;
}

void build_labels(struct dns_build *b, const char *dotted)
{
	while (*dotted) {
		size_t len = strcspn(dotted, ".");
		build_u8(b, (unsigned)len);
		build_octets(b, dotted, len);
		dotted += len;
		if (*dotted == '.')
			dotted++;
	}
}

void build_name(struct dns_build *b, const char *dotted)
{
	build_labels(b, dotted);
	build_u8(b, 0);
}

void build_pointer(struct dns_build *b, unsigned offset)
{
	build_u16(b, 0xc000 | offset);
}

void build_set_count(struct dns_build *b, enum build_count which, unsigned count)
{
	b->at[4 + 2 * which] = (uint8_t)(count >> 8);
	b->at[5 + 2 * which] = (uint8_t)count;
}

static void count_one(struct dns_build *b, enum build_count which)
{
	const uint8_t *at = b->at + 4 + 2 * which;
	build_set_count(b, which, ((unsigned)at[0] << 8 | at[1]) + 1);
}

void build_question(struct dns_build *b, const char *qname, unsigned qtype, unsigned qclass)
{
	build_name(b, qname);
	build_u16(b, qtype);
	build_u16(b, qclass);
	count_one(b, BUILD_QUESTION);
}

void build_record(struct dns_build *b, enum build_count section, const char *owner,
	unsigned type, unsigned class_, uint32_t ttl)
{
	if (owner)
		build_name(b, owner);
	else
		build_pointer(b, 12);
	build_u16(b, type);
	build_u16(b, class_);
	build_u32(b, ttl);
	b->rdlength_at = b->len;
	build_u16(b, 0);
	count_one(b, section);
}

void build_record_end(struct dns_build *b)
{
	size_t len = b->len - b->rdlength_at - 2;
	b->at[b->rdlength_at] = (uint8_t)(len >> 8);
	b->at[b->rdlength_at + 1] = (uint8_t)len;
}

void build_opt(struct dns_build *b, unsigned udp_size, uint32_t ttl, const void *options,
	size_t options_len)
{
	build_record(b, BUILD_ADDITIONAL, "", 41, udp_size, ttl);
	build_octets(b, options, options_len);
	build_record_end(b);
}
