/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * checksum.h -- one's complement sums (RFC 1071), as UDP's checksum wants them; not for other modules.
 *
 * A sum modulo 2^16 - 1 does not care how wide the words are, nor, as long as it is only compared with
 * 0, in which byte order they are read (RFC 1071 2): all here add in the machine's own.
 *
 * checksum_sum is for any bytes; checksum_sum_behind adds 16 bytes at a time with SSE2, where there is
 * any: 65 instructions for the 90 bytes of the usual message in place of 95 (callgrind), and one branch
 * on their number in place of two.
 *
 * Threads: no shared state.
 */
#ifndef SENSOR_PACKET_CHECKSUM_H
#define SENSOR_PACKET_CHECKSUM_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "sensor/base/attribute.h"

/* How many bytes before the end of its own checksum_sum_behind reads, whosever they are. */
#define CHECKSUM_BEHIND    33
#define CHECKSUM_BYTES_MAX 66000

/* Is this sum of something that is not all zero what a right checksum makes of it? */
static inline bool checksum_is_right(uint64_t sum)
{
	return sum % 0xffff == 0;
}

static inline uint64_t checksum_word(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

/* The sum of at least 8 bytes, as if zeros came behind them; less than 2^49, so that some more can be
 * added to it. */
static inline uint64_t checksum_sum(const uint8_t *bytes, size_t bytes_len)
{
	uint64_t sum = 0, carries = 0;

	for (; bytes_len > 8; bytes_len -= 8, bytes += 8)
		carries += __builtin_add_overflow(sum, checksum_word(bytes), &sum);
	/* The last 1 to 8 bytes without a branch on their number: shift out what was counted. */
	uint64_t word = be64toh(checksum_word(bytes + bytes_len - 8)) << (64 - 8 * bytes_len);
	carries += __builtin_add_overflow(sum, htobe64(word), &sum);
	return (sum & 0xffffffff) + (sum >> 32) + carries;
}

#ifdef __SSE2__
/* The words of 16 bytes less 2^15 each, in pairs: so that they have a sign, as pmaddwd wants it. */
static inline __m128i checksum_pairs(__m128i words)
{
	const __m128i top = _mm_set1_epi16((short)0x8000);

	return _mm_madd_epi16(_mm_xor_si128(words, top), _mm_set1_epi16(1));
}

static inline __m128i checksum_load(const uint8_t *bytes)
{
	return _mm_loadu_si128((const __m128i *)(const void *)bytes);
}
#endif

/* The same of at most CHECKSUM_BYTES_MAX bytes; the CHECKSUM_BEHIND before their end are readable. */
static inline uint64_t checksum_sum_behind(const uint8_t *bytes, size_t bytes_len)
{
#ifdef __SSE2__
	/* Read from [n] on it lets the last n bytes of 32 through. */
	static const uint8_t mask[64] = { [32 ... 63] = 0xff };
	const uint8_t odd = bytes[bytes_len - 1];
	const uint8_t *end = bytes + (bytes_len & ~(size_t)1);
	__m128i pairs = _mm_setzero_si128();
	size_t left = bytes_len & 30;
	uint64_t vectors = bytes_len / 32 * 2 + 2;

	for (; bytes != end - left; bytes += 32) {
		pairs = _mm_add_epi32(pairs, checksum_pairs(checksum_load(bytes)));
		pairs = _mm_add_epi32(pairs, checksum_pairs(checksum_load(bytes + 16)));
	}
	__m128i rest = _mm_and_si128(checksum_load(end - 32), checksum_load(mask + left));
	pairs = _mm_add_epi32(pairs, checksum_pairs(rest));
	rest = _mm_and_si128(checksum_load(end - 16), checksum_load(mask + left + 16));
	pairs = _mm_add_epi32(pairs, checksum_pairs(rest));
	pairs = _mm_add_epi32(pairs, _mm_shuffle_epi32(pairs, 0x4e));
	pairs = _mm_add_epi32(pairs, _mm_shuffle_epi32(pairs, 0xb1));
	/* What was taken off was 2^15 eight times a vector. An odd byte is the first of a word. */
	return (uint64_t)(_mm_cvtsi128_si32(pairs) + (int64_t)(vectors << 18)) +
	       (odd & -(uint64_t)(bytes_len & 1));
#else
	return checksum_sum(bytes, bytes_len);
#endif
}

#endif
