/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/arena.h"

#include <criterion/criterion.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>

Test(arena, pieces_are_zeroed_aligned_and_apart)
{
	struct arena a = { 0 };
	unsigned char *piece[100];

	for (size_t i = 0; i < 100; i++) {
		piece[i] = arena_take(&a, i + 1, i % 7 ? 0 : 300);
		cr_assert(piece[i]);
		cr_assert_eq((uintptr_t)piece[i] % _Alignof(max_align_t), 0);
		for (size_t k = 0; k <= i; k++)
			cr_assert_eq(piece[i][k], 0);
		memset(piece[i], (int)i, i + 1);
	}
	for (size_t i = 0; i < 100; i++)
		cr_assert(piece[i][0] == i && piece[i][i] == i, "piece %zu", i);
	arena_deinit(&a);
	arena_deinit(&a);
}

Test(arena, texts_are_copied_with_their_end)
{
	struct arena a = { 0 };
	char *text[500], expected[32];

	for (int i = 0; i < 500; i++) {
		int len = snprintf(expected, sizeof(expected), "text %d", i);
		text[i] = arena_text(&a, expected, (size_t)len);
	}
	for (int i = 0; i < 500; i++) {
		snprintf(expected, sizeof(expected), "text %d", i);
		cr_assert_str_eq(text[i], expected);
	}
	cr_assert_str_eq(arena_text(&a, "xyz", 0), "");
	arena_deinit(&a);
}

Test(arena, what_cannot_be_had_fails_for_good)
{
	struct arena a = { 0 };

	cr_assert_null(arena_take(&a, SIZE_MAX - 4, 0));
	cr_assert(a.failed);
	cr_assert_null(arena_text(&a, "x", 1));
	arena_deinit(&a);
	cr_assert(arena_text(&a, "x", 1), "an empty arena again");
	arena_deinit(&a);
}
