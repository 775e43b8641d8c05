/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fingerprint.h -- one word for what all copies of a packet have in common (dedup.h): addresses,
 * ports, protocol, IPv4 identification, TCP's numbers and flags, and all of the payload, since of two
 * answers that differ in one octet neither is a copy. Keyed: nobody can make two packets look alike.
 *
 * fingerprint_of is for any packet. plain.c takes the same steps while it adds up the checksum, so
 * that the payload is gone over once.
 *
 * Input:   untrusted.
 * Threads: no shared state.
 */
#ifndef SENSOR_PACKET_FINGERPRINT_H
#define SENSOR_PACKET_FINGERPRINT_H

#include <stddef.h>
#include <stdint.h>

#include "sensor/base/hash.h"
#include "sensor/packet/packet.h"
#include "sensor/packet/word.h"

/* Of the payload so much is taken at a time; what has less than half of it is hashed otherwise. */
#define FINGERPRINT_STEP 32

/* Two chains that do not wait for each other. */
struct fingerprint {
	uint64_t one, two;
};

static inline void fingerprint_key(uint64_t key[2], uint64_t seed)
{
	key[0] = hash_word(seed, 0);
	key[1] = hash_word(seed, 1);
}

/* Half a step into each chain. */
static inline void fingerprint_add(
	struct fingerprint *f, const uint8_t *one, const uint8_t *two, const uint64_t key[2])
{
	f->one = hash_fold(word_at(one) ^ f->one, word_at(one + 8) ^ key[1]);
	f->two = hash_fold(word_at(two) ^ f->two, word_at(two + 8) ^ key[1]);
}

/*
 * The first `count` bytes (1 to FINGERPRINT_STEP) of at least half of that many: what is read twice
 * does no harm, since the length is hashed too, and no branch depends on how many they are.
 */
static inline void fingerprint_add_first(
	struct fingerprint *f, const uint8_t *bytes, size_t count, const uint64_t key[2])
{
	const size_t half = FINGERPRINT_STEP / 2;

	fingerprint_add(f, bytes, bytes + (count > half ? count - half : 0), key);
}

/* How many come first, so that all the others are whole steps. */
static inline size_t fingerprint_first(size_t bytes_len)
{
	return (bytes_len - 1) % FINGERPRINT_STEP + 1;
}

/* Ports, protocol and identification; a TTL may differ, TCP's flags have its place. */
static inline uint64_t fingerprint_ends(
	uint32_t ports, uint8_t protocol, uint8_t flags, uint16_t id)
{
	return (uint64_t)ports << 32 | (uint32_t)protocol << 24 | (uint32_t)flags << 16 | id;
}

/* Both addresses of version 4 in a word, as they stand in their header. */
static inline struct fingerprint fingerprint_start_v4(
	uint64_t addresses, uint64_t ends, const uint64_t key[2])
{
	uint64_t hash = hash_fold(addresses ^ key[0], ends ^ key[1]);

	return (struct fingerprint){ hash, ~hash };
}

/* Any others; one chain begins with the source and the other one with the destination. */
static inline struct fingerprint fingerprint_start_v6(
	const uint8_t src[16], const uint8_t dst[16], uint64_t ends, const uint64_t key[2])
{
	struct fingerprint f = { key[0], ~key[0] };

	fingerprint_add(&f, src, dst, key);
	f.one = hash_fold(f.one ^ ends, f.two ^ key[1]);
	return f;
}

/* With the lengths of what is there of the payload and of what is missing, and TCP's two numbers. */
static inline uint64_t fingerprint_end(
	const struct fingerprint *f, uint64_t lengths, uint64_t numbers, const uint64_t key[2])
{
	return hash_fold(f->one ^ lengths, f->two ^ numbers ^ key[1]) | 1;
}

/* Of a PACKET_DNS; never 0. */
uint64_t fingerprint_of(const struct packet *p, const uint64_t key[2]);

#endif
