/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tags.h -- which of eight tags of a cache line is the wanted one: what every look-up of a table of
 * lines begins with (table_probe.h, tenant_cache.c).
 *
 * Threads: no shared state.
 */
#ifndef RULES_TAGS_H
#define RULES_TAGS_H

#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define TAGS_COUNT 8u

/* Of the high half of a hash. Its lowest bit is always set: it is never 0, which marks a free place. */
static inline uint32_t tag_of(uint64_t hash)
{
	return (uint32_t)(hash >> 32) | 1;
}

/*
 * The places with this tag, one bit each; `tag` is aligned to 16. Every message asks this several times:
 * eight comparisons at once where every processor of the kind can (x86-64), one by one elsewhere.
 */
static inline unsigned tags_equal(const uint32_t tag[TAGS_COUNT], uint32_t wanted)
{
#ifdef __SSE2__
	const __m128i *tags = (const __m128i *)tag;
	__m128i all = _mm_set1_epi32((int)wanted);
	__m128i low = _mm_cmpeq_epi32(_mm_load_si128(tags), all);
	__m128i high = _mm_cmpeq_epi32(_mm_load_si128(tags + 1), all);
	__m128i equal = _mm_packs_epi16(_mm_packs_epi32(low, high), _mm_setzero_si128());

	return (unsigned)_mm_movemask_epi8(equal);
#else
	unsigned equal = 0;

	for (unsigned i = 0; i < TAGS_COUNT; i++)
		equal |= (unsigned)(tag[i] == wanted) << i;
	return equal;
#endif
}

#endif
