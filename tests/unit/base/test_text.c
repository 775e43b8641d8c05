/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/text.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

Test(text, grows_as_it_is_appended_to)
{
	struct text t = { 0 };
	char want[3000] = "";

	for (int i = 0; i < 500; i++) {
		char part[16];
		snprintf(part, sizeof(part), "%d,", i);
		strcat(want, part);
		text_puts(&t, part);
		cr_assert_eq(t.len, strlen(want), "after %d", i);
		cr_assert_eq(t.at[t.len], '\0', "after %d", i);
	}
	cr_assert_str_eq(t.at, want);
	cr_assert_not(t.failed);
	text_deinit(&t);
	cr_assert_null(t.at);
	cr_assert_eq(t.len, 0);
}

Test(text, each_way_of_appending_adds_at_the_end)
{
	struct text t = { 0 };

	text_add(&t, "ab\0c", 4);
	text_putc(&t, 'd');
	text_printf(&t, "<%d %s>", 7, "x");
	text_put_u64(&t, 42);
	text_puts(&t, "");
	cr_assert_eq(t.len, 12);
	cr_assert_arr_eq(t.at, "ab\0cd<7 x>42", 13);
	text_deinit(&t);
}

Test(text, appending_nothing_makes_an_empty_string)
{
	struct text t = { 0 };

	text_add(&t, NULL, 0);
	cr_assert_str_eq(t.at, "");
	text_deinit(&t);
}

Test(text, clearing_keeps_the_memory_and_ends_the_string)
{
	struct text t = { 0 };

	text_clear(&t);
	cr_assert_eq(t.len, 0);
	text_puts(&t, "hello");
	const char *before = t.at;
	text_clear(&t);
	cr_assert_str_eq(t.at, "");
	text_puts(&t, "hi");
	cr_assert_eq(t.at, before);
	cr_assert_str_eq(t.at, "hi");
	text_deinit(&t);
}

Test(text, numbers_are_written_in_full)
{
	static const unsigned long long numbers[] = { 0, 1, 9, 10, 99, 100, 4294967295,
		4294967296, INT64_MAX, ULLONG_MAX };

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		struct text t = { 0 };
		char want[32];
		snprintf(want, sizeof(want), "%llu", numbers[i]);
		text_put_u64(&t, numbers[i]);
		cr_assert_str_eq(t.at, want);
		text_deinit(&t);
	}
}

/* One below, at and above the room that is there. */
Test(text, reserve_makes_the_room_it_promises)
{
	for (size_t more = 250; more <= 260; more++) {
		struct text t = { 0 };
		cr_assert(text_reserve(&t, more), "%zu", more);
		cr_assert_gt(t.size, more, "%zu and the NUL", more);
		memset(t.at, 'x', more);
		t.len = more;
		text_putc(&t, 'y');
		cr_assert_eq(t.len, more + 1);
		cr_assert_eq(t.at[more + 1], '\0');
		text_deinit(&t);
	}
}

Test(text, a_failure_is_sticky_and_harmless)
{
	struct text t = { 0 };

	text_puts(&t, "kept");
	cr_assert_not(text_reserve(&t, SIZE_MAX));
	cr_assert(t.failed);
	text_puts(&t, "lost");
	text_printf(&t, "%s", "lost");
	text_put_u64(&t, 1);
	cr_assert_str_eq(t.at, "kept");
	text_clear(&t);
	cr_assert(t.failed, "what was lost is not made good by clearing");
	text_deinit(&t);
	cr_assert_not(t.failed);
}

Test(text, parts_are_joined_and_cut_where_the_room_ends)
{
	char to[8];

	cr_assert_eq(text_join(to, sizeof(to), "ab", "", "c"), 3);
	cr_assert_str_eq(to, "abc");
	cr_assert_eq(text_join(to, sizeof(to), "abcdef", "g", "h"), 7);
	cr_assert_str_eq(to, "abcdefg");
	cr_assert_eq(text_join(to, 3, "a", "bcd", "e"), 2);
	cr_assert_str_eq(to, "ab");
	cr_assert_eq(text_join(to, 1, "a"), 0);
	cr_assert_str_eq(to, "");
}

/* Pieces of a line: moved along when the room ends, dropped when there is no memory. */
Test(text, pieces_follow_each_other_wherever_the_text_moves_to)
{
	struct text t = { 0 };
	char want[3 * 2000 + 1];

	cr_assert(text_reserve(&t, 64));
	char *at = t.at;
	for (size_t i = 0; i < 2000; i++) {
		at = text_room(&t, at, 64);
		cr_assert_geq((size_t)(t.at + t.size - at), 64);
		at = TEXT_PUT(at, "abc");
		memcpy(want + 3 * i, "abc", 4);
	}
	*at = '\0';
	cr_assert_eq((size_t)(at - t.at), 3 * 2000);
	cr_assert_str_eq(t.at, want);
	text_deinit(&t);
}

Test(text, pieces_without_memory_go_to_where_the_others_were)
{
	struct text t = { 0 };

	cr_assert(text_reserve(&t, 64));
	char *at = TEXT_PUT(t.at, "lost");
	at = text_room(&t, at, SIZE_MAX / 2);
	cr_assert(t.failed);
	cr_assert_eq(at, t.at);
	text_deinit(&t);
}
