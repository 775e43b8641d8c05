/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * word.h -- eight bytes at once, wherever they lie; not for other modules.
 *
 * Input:   the caller has made sure that there are eight.
 * Threads: no shared state.
 */
#ifndef SENSOR_PACKET_WORD_H
#define SENSOR_PACKET_WORD_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

/* In the machine's byte order. */
static inline uint64_t word_at(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

/* The first byte is the highest. */
static inline uint64_t word_be_at(const uint8_t *bytes)
{
	return be64toh(word_at(bytes));
}

#endif
