/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/dns/name.h"

#include <string.h>

#include "sensor/base/hash.h"

/*
 * Thirty-two octets a step, of which nearly every name and suffix takes one: how long it is is what nobody
 * can predict, so that a loop over its words costs more than the words.
 */

static inline uint64_t masked_word(const uint8_t *wire, const uint8_t *mask)
{
	uint64_t word, bits;

	memcpy(&word, wire, 8);
	memcpy(&bits, mask, 8);
	return word & bits;
}

/*
 * The first `len` (0..32) octets, of which thirty-two are read; without a branch. The hash so far is in
 * every factor: nobody who does not know the seed can make a product zero, and all before it forgotten.
 */
static inline uint64_t hash_block(uint64_t hash, const uint8_t *wire, size_t len, size_t salt)
{
	static const uint8_t masks[64] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	const uint8_t *mask = masks + 32 - len;
	uint64_t straight = hash ^ HASH_K1;
	uint64_t turned = (hash << 32 | hash >> 32) ^ HASH_K0;
	uint64_t low = hash_fold(
		masked_word(wire, mask) ^ straight, masked_word(wire + 8, mask + 8) ^ turned);
	uint64_t high = hash_fold(masked_word(wire + 16, mask + 16) ^ turned,
		masked_word(wire + 24, mask + 24) ^ straight);

	return hash_fold(low ^ turned, high ^ straight ^ salt);
}

OUT_OF_LINE static uint64_t hash_long(const uint8_t *wire, size_t wire_len, uint64_t seed)
{
	uint64_t hash = seed;
	size_t left = wire_len;

	for (; left > 32; left -= 32, wire += 32)
		hash = hash_block(hash, wire, 32, 0);
	return hash_block(hash, wire, left, wire_len);
}

static inline uint64_t hash_wire(const uint8_t *wire, size_t wire_len, uint64_t seed)
{
	if (UNLIKELY(wire_len > 32))
		return hash_long(wire, wire_len, seed);
	return hash_block(seed, wire, wire_len, wire_len);
}

INLINE_BY_LINKER uint64_t dns_name_hash_suffix(
	const struct dns_name *name, unsigned labels, uint64_t seed)
{
	size_t wire_len;
	const uint8_t *wire = dns_name_suffix(name, labels, &wire_len);

	return hash_wire(wire, wire_len, seed);
}

uint64_t dns_name_hash(const struct dns_name *name, uint64_t seed)
{
	return hash_wire(name->wire, name->wire_len, seed);
}

unsigned dns_name_hash_suffixes(const struct dns_name *name, uint64_t seed,
	uint64_t hash[DNS_LABELS_MAX + 1], unsigned labels_max)
{
	unsigned count = name->label_count < labels_max ? name->label_count : labels_max;

	for (unsigned k = 0; k <= count; k++)
		hash[k] = dns_name_hash_suffix(name, k, seed);
	return count;
}
