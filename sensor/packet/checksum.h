/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * checksum.h -- one's complement sums (RFC 1071), as UDP's checksum wants them; not for other modules.
 *
 * A sum modulo 2^16 - 1 does not care how wide the words are, nor, as long as it is only compared with
 * 0, in which byte order they are read (RFC 1071 2): all here add 64 bits at a time in the machine's
 * own, and a carry comes back in below.
 *
 * checksum_sum is for any bytes; the steps are for who goes over them anyway (plain.c).
 *
 * Threads: no shared state.
 */
#ifndef SENSOR_PACKET_CHECKSUM_H
#define SENSOR_PACKET_CHECKSUM_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __x86_64__
#include <x86intrin.h>
#endif

#include "sensor/packet/word.h"

#define CHECKSUM_STEP 32

/* Is this sum of something that is not all zero what a right checksum makes of it? */
static inline bool checksum_is_right(uint64_t sum)
{
	return sum % 0xffff == 0;
}

static inline uint64_t checksum_add(uint64_t sum, uint64_t word)
{
	sum += word;
	return sum + (sum < word);
}

/* Four words more; where there is an instruction for it, with the carry of one added to the next. */
static inline uint64_t checksum_add_words(
	uint64_t sum, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
#ifdef __x86_64__
	unsigned long long all = sum;
	unsigned char carry = _addcarry_u64(0, all, a, &all);

	carry = _addcarry_u64(carry, all, b, &all);
	carry = _addcarry_u64(carry, all, c, &all);
	carry = _addcarry_u64(carry, all, d, &all);
	return all + carry;
#else
	return checksum_add(checksum_add(checksum_add(checksum_add(sum, a), b), c), d);
#endif
}

/* The next CHECKSUM_STEP bytes. */
static inline uint64_t checksum_step(uint64_t sum, const uint8_t *bytes)
{
	return checksum_add_words(sum, word_at(bytes), word_at(bytes + 8), word_at(bytes + 16),
		word_at(bytes + 24));
}

/*
 * The sum of only the last `count` of the CHECKSUM_STEP bytes before the end, without a branch on how
 * many; all are readable, whosever they are.
 */
static inline uint64_t checksum_step_back(const uint8_t *end, size_t count)
{
	static const uint8_t masks[2 * CHECKSUM_STEP] = { [CHECKSUM_STEP... 2 * CHECKSUM_STEP -
								  1] = 0xff };
	const uint8_t *mask = masks + count;

	return checksum_add_words(word_at(end - 32) & word_at(mask),
		word_at(end - 24) & word_at(mask + 8), word_at(end - 16) & word_at(mask + 16),
		word_at(end - 8) & word_at(mask + 24), 0);
}

/* The sum as it would be if every byte were the other one of its word, or as it is. */
static inline uint64_t checksum_swap(uint64_t sum, bool swap)
{
	const unsigned bits = swap * 8u;

	return sum << bits | sum >> (-bits & 63);
}

/* The same sum in 33 bits, so that some more can be added to it. */
static inline uint64_t checksum_fold(uint64_t sum)
{
	return (sum & 0xffffffff) + (sum >> 32);
}

/* The sum of at least 8 bytes, as if zeros came behind them, in 33 bits. */
static inline uint64_t checksum_sum(const uint8_t *bytes, size_t bytes_len)
{
	uint64_t sum = 0;

	for (; bytes_len > 8; bytes_len -= 8, bytes += 8)
		sum = checksum_add(sum, word_at(bytes));
	/* The last 1 to 8 bytes without a branch on their number: shift out what was counted. */
	uint64_t word = word_be_at(bytes + bytes_len - 8) << (64 - 8 * bytes_len);
	return checksum_fold(checksum_add(sum, htobe64(word)));
}

#endif
