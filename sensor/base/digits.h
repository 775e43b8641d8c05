/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * digits.h -- numbers as text where text is written per message: without printf, without a loop
 * per digit and, what costs more, without a branch that depends on how many digits there are.
 *
 * The digits are made side by side in one word, by a multiplication for each halving. Every function
 * writes at `at` and returns what follows; no NUL is written.
 *
 * Limits: DIGITS_SLACK octets behind the last digit may be written, too: the caller has the room.
 * Threads: no shared state.
 */
#ifndef SENSOR_BASE_DIGITS_H
#define SENSOR_BASE_DIGITS_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sensor/base/attribute.h"

#define DIGITS_SLACK   8
#define DIGITS_U32_MAX 10
#define DIGITS_U64_MAX 20

#define DIGITS_ZEROS UINT64_C(0x3030303030303030)

/* The four decimal digits of a number below 10^4, each an octet of 0..9, the first one lowest. */
static inline uint32_t digits_of_four(uint32_t number)
{
	uint32_t tens = number * 10486 >> 20;
	uint32_t part = tens | (number - 100 * tens) << 16;

	tens = (part * 103 >> 10) & 0x000f000f;
	return tens | (part - 10 * tens) << 8;
}

/* The same of eight, of a number below 10^8. */
static inline uint64_t digits_of_eight(uint32_t number)
{
	uint64_t part = number / 10000 | (uint64_t)(number % 10000) << 32;
	uint64_t tens = (part * 10486 >> 20) & UINT64_C(0x0000007f0000007f);

	part = tens | (part - 100 * tens) << 16;
	tens = (part * 103 >> 10) & UINT64_C(0x000f000f000f000f);
	return tens | (part - 10 * tens) << 8;
}

/* The low 16 bits as four octets of 0..15, the highest digit lowest. */
static inline uint32_t digits_of_nibbles(uint32_t bits)
{
	bits = (bits >> 8 & 0xff) | (bits & 0xff) << 16;
	return (bits >> 4 & 0x000f000f) | (bits & 0x000f000f) << 8;
}

/* Four octets in memory as their eight nibbles, likewise. */
static inline uint64_t digits_of_octets(const uint8_t octets[4])
{
	uint32_t word;

	memcpy(&word, octets, 4);
	uint64_t spread = le32toh(word);
	spread = (spread | spread << 16) & UINT64_C(0x0000ffff0000ffff);
	spread = (spread | spread << 8) & UINT64_C(0x00ff00ff00ff00ff);
	return (spread >> 4 | spread << 8) & UINT64_C(0x0f0f0f0f0f0f0f0f);
}

/* Octets of 0..15 as hexadecimal digits, lower case. */
static inline uint64_t digits_hexadecimal(uint64_t values)
{
	uint64_t letters =
		(values + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);
	return values + DIGITS_ZEROS + letters * ('a' - '0' - 10);
}

static inline char *digits_store(char *at, uint64_t octets, unsigned count)
{
	octets = htole64(octets);
	memcpy(at, &octets, 8);
	return at + count;
}

/* Exactly eight digits of a number below 10^8. */
static inline char *digits_put_eight(char *at, uint32_t number)
{
	return digits_store(at, digits_of_eight(number) | DIGITS_ZEROS, 8);
}

/* Up to `most` digits, of which `digits` has the first one lowest, without leading zeros. */
static inline char *digits_put_stripped(char *at, uint64_t digits, unsigned most)
{
	/* the last digit stands, zero or not */
	unsigned leading =
		(unsigned)__builtin_ctzll(digits | UINT64_C(1) << 8 * (most - 1)) / 8;
	return digits_store(at, (digits | DIGITS_ZEROS) >> 8 * leading, most - leading);
}

/* Ports, ids, lengths and most TTLs have five digits at most. */
static inline char *digits_put_u32(char *at, uint32_t number)
{
	if (LIKELY(number < 100000)) {
		uint32_t high = number / 10000;
		uint64_t low = digits_of_four(number - 10000 * high);
		return digits_put_stripped(at, high | low << 8, 5);
	}
	if (number >= 100000000) {
		at = digits_put_stripped(at, digits_of_eight(number / 100000000), 8);
		return digits_put_eight(at, number % 100000000);
	}
	return digits_put_stripped(at, digits_of_eight(number), 8);
}

/* 0..65535 as one to four hexadecimal digits. */
static inline char *digits_put_hex_group(char *at, uint16_t group)
{
	uint32_t nibbles = digits_of_nibbles(group);
	unsigned leading = (unsigned)__builtin_ctz(nibbles | UINT32_C(1) << 24) / 8;
	uint32_t text = htole32((uint32_t)digits_hexadecimal(nibbles) >> 8 * leading);
	memcpy(at, &text, 4);
	return at + 4 - leading;
}

/* "0" to "255", left in their four octets. */
extern const char digits_octet[256][4];

/* An octet as decimal digits without leading zeros. */
static inline char *digits_put_octet(char *at, uint8_t octet)
{
	memcpy(at, digits_octet[octet], 4);
	return at + 1 + (octet > 9) + (octet > 99);
}

char *digits_put_u64(char *at, uint64_t number);

/* Two hexadecimal digits for each octet, lower case. */
char *digits_put_hex(char *at, const uint8_t *octets, size_t octets_len);

#endif
