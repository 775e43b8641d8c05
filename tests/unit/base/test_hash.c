/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/attribute.h"
#include "sensor/base/hash.h"

#include <criterion/criterion.h>

#include "tests/support/guard.h"

Test(hash, depends_on_content_length_and_seed)
{
	cr_assert_eq(hash_bytes(1, "abc", 3), hash_bytes(1, "abc", 3));
	cr_assert_neq(hash_bytes(1, "abc", 3), hash_bytes(2, "abc", 3));
	cr_assert_neq(hash_bytes(1, "abc", 3), hash_bytes(1, "abd", 3));
	cr_assert_neq(hash_bytes(1, "a\0", 1), hash_bytes(1, "a\0", 2));
	cr_assert_neq(hash_bytes(hash_bytes(1, "ab", 2), "c", 1),
		hash_bytes(hash_bytes(1, "a", 1), "bc", 2));
	cr_assert_neq(hash_word(hash_word(1, 2), 3), hash_word(hash_word(1, 3), 2));
}

Test(hash, reads_no_byte_past_the_end)
{
	static const char text[] = "0123456789abcdefghijklmnop";
	struct guard g = { 0 };

	for (size_t len = 0; len < sizeof(text); len++)
		cr_assert_eq(hash_bytes(7, guard_place(&g, text, len), len),
			hash_bytes(7, text, len), "length %zu", len);
	guard_deinit(&g);
}

/* Tables use the low bits: counters must not pile up there. */
Test(hash, spreads_counters_over_the_low_bits)
{
	static unsigned bucket[1024];
	unsigned most = 0;

	for (uint64_t i = 0; i < 64 * 1024; i++)
		bucket[hash_word(0, i) % 1024]++;
	for (size_t i = 0; i < 1024; i++)
		most = bucket[i] > most ? bucket[i] : most;
	cr_assert_lt(most, 2 * 64, "64 are expected in each, one has %u", most);
}

Test(hash, no_chosen_word_makes_a_key_forget_what_stands_before_it)
{
	static const uint64_t chosen[] = { 0, HASH_K0, HASH_K1, HASH_K2, ~HASH_K0 };

	for (size_t i = 0; i < ARRAY_LEN(chosen); i++) {
		uint64_t one[2] = { 1, chosen[i] }, other[2] = { 2, chosen[i] };
		cr_expect_neq(hash_key(7, one, 16), hash_key(7, other, 16), "%zu", i);
		cr_expect_neq(hash_key(7, one, 16), hash_key(8, one, 16), "%zu", i);
	}
}

Test(hash, of_a_key_reads_no_byte_past_the_end)
{
	static const char text[] = "0123456789abcdefghijklmnop";
	struct guard g = { 0 };

	for (size_t len = 0; len < sizeof(text); len++)
		cr_assert_eq(hash_key(7, guard_place(&g, text, len), len),
			hash_key(7, text, len), "length %zu", len);
	guard_deinit(&g);
}

Test(hash, random_seeds_differ)
{
	cr_assert_neq(hash_random_seed(), hash_random_seed());
}
