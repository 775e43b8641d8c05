/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire.h -- octets of a message or frame, written one after the other.
 *
 * Limits: WIRE_MAX holds the largest frame that mkpcap's options allow: 40 AAAA records of 28
 * octets, a chain of CNAMEs, OPT and TSIG are under 1,500. Nothing here comes from outside.
 */
#ifndef TOOLS_MKPCAP_WIRE_H
#define TOOLS_MKPCAP_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define WIRE_MAX 2048

struct wire {
	size_t len;
	uint8_t at[WIRE_MAX];
};

static inline void wire_u8(struct wire *w, unsigned v)
{
	w->at[w->len++] = (uint8_t)v;
}

static inline void wire_u16(struct wire *w, unsigned v)
{
	wire_u8(w, v >> 8);
	wire_u8(w, v & 255);
}

static inline void wire_u32(struct wire *w, uint32_t v)
{
	wire_u16(w, v >> 16);
	wire_u16(w, v & 65535);
}

static inline void wire_bytes(struct wire *w, const void *bytes, size_t len)
{
	memcpy(w->at + w->len, bytes, len);
	w->len += len;
}

#endif
