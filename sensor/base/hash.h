/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hash.h -- the one hash: 64-bit multiply-and-fold, seeded.
 *
 * Keys come from the wire, so tables take a random seed outside replay; within a replay the
 * seed is fixed, so that eviction, and with it the output, is the same in every run. Not for
 * secrets.
 */
#ifndef SENSOR_BASE_HASH_H
#define SENSOR_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define HASH_K0 UINT64_C(0x9e3779b97f4a7c15)
#define HASH_K1 UINT64_C(0xd6e8feb86659fd93)
#define HASH_K2 UINT64_C(0xa0761d6478bd642f)

/* Fold the 128-bit product of two words: every bit of both reaches every bit of the result. */
static inline uint64_t hash_fold(uint64_t a, uint64_t b)
{
	__uint128_t product = (__uint128_t)a * b;
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Combine a running hash with one more word; order matters. */
static inline uint64_t hash_word(uint64_t hash, uint64_t word)
{
	return hash_fold(hash ^ HASH_K1, word ^ HASH_K0);
}

/*
 * Combine a running hash with bytes; length is part of it, so "ab","c" differs from "a","bc".
 */
static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t bytes_len)
{
	const uint8_t *at = bytes;
	size_t left = bytes_len;
	uint64_t word;

	while (left >= 8) {
		memcpy(&word, at, 8);
		hash = hash_fold(hash ^ HASH_K1, word ^ HASH_K0);
		at += 8;
		left -= 8;
	}
	word = 0;
	memcpy(&word, at, left);
	return hash_fold(hash ^ word ^ HASH_K1, HASH_K2 ^ bytes_len);
}

/* The first `count` (0..8) octets in memory of a word, the others zero. */
static inline uint64_t hash_first_octets(uint64_t word, size_t count)
{
	static const uint8_t masks[16] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	uint64_t mask;

	memcpy(&mask, masks + 8 - count, 8);
	return word & mask;
}

/*
 * The same for keys that somebody on the wire chooses: the hash stands in both factors. Were one of
 * them the word alone, a word could make the product zero, and all before it would be forgotten.
 */
static inline uint64_t hash_key(uint64_t seed, const void *bytes, size_t bytes_len)
{
	const uint8_t *at = bytes;
	size_t left = bytes_len;
	uint64_t hash = seed;
	uint64_t word;

	for (; left >= 8; left -= 8, at += 8) {
		memcpy(&word, at, 8);
		hash = hash_fold(hash ^ HASH_K1, word ^ HASH_K0 ^ (hash << 32 | hash >> 32));
	}
	word = 0;
	memcpy(&word, at, left);
	return hash_fold(hash ^ word ^ HASH_K1, HASH_K2 ^ bytes_len);
}

/* A seed from the operating system (getrandom); never fails: falls back to clock and pid. */
uint64_t hash_random_seed(void);

#endif
