/* SPDX-License-Identifier: BSD-2-Clause */
/* wire_copy.h -- names copied a word at a time (private to feeds/). */
#ifndef FEEDS_WIRE_COPY_H
#define FEEDS_WIRE_COPY_H

#include <stdint.h>
#include <string.h>

/*
 * Copy the octets of a name; up to seven behind them are read and written as well. Names are short,
 * and of a copy of up to 255 octets the compiler makes one `rep movs`, whose start alone costs more
 * than this.
 */
static inline void wire_copy(uint8_t *out, const uint8_t *wire, unsigned len)
{
	for (unsigned i = 0; i < len; i += 8)
		memcpy(out + i, wire + i, 8);
}

#endif
