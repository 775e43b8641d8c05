/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/cursor.h"

#include <criterion/criterion.h>

#include "tests/support/guard.h"

static const uint8_t bytes[] = { 0x01, 0x82, 0x03, 0x84, 0x05, 0x86, 0x07, 0x88 };

Test(cursor, reads_numbers_in_network_order)
{
	struct cursor c = cursor_init(bytes, 7);

	cr_assert_eq(cursor_u8(&c), 0x01);
	cr_assert_eq(cursor_be16(&c), 0x8203);
	cr_assert_eq(cursor_be32(&c), 0x84058607);
	cr_assert_eq(cursor_left(&c), 0);
	cr_assert_not(c.failed);
}

/* One byte short, exact, one byte more than needed, for each width, at a guard page. */
Test(cursor, every_width_reads_up_to_the_last_byte_and_not_past_it)
{
	struct guard g = { 0 };

	for (size_t have = 0; have <= 5; have++) {
		const uint8_t *at = guard_place(&g, bytes, have);
		struct cursor u8 = cursor_init(at, have);
		struct cursor be16 = u8, be32 = u8;

		cr_assert_eq(cursor_u8(&u8), have >= 1 ? 0x01 : 0, "u8 of %zu", have);
		cr_assert_eq(u8.failed, have < 1, "u8 of %zu", have);
		cr_assert_eq(cursor_be16(&be16), have >= 2 ? 0x0182 : 0, "be16 of %zu", have);
		cr_assert_eq(be16.failed, have < 2, "be16 of %zu", have);
		cr_assert_eq(
			cursor_be32(&be32), have >= 4 ? 0x01820384 : 0, "be32 of %zu", have);
		cr_assert_eq(be32.failed, have < 4, "be32 of %zu", have);
	}
	guard_deinit(&g);
}

Test(cursor, take_claims_up_to_the_end_and_not_past_it)
{
	static const struct {
		size_t take;
		bool fits;
	} rows[] = { { 0, true }, { 1, true }, { 7, true }, { 8, true }, { 9, false },
		{ SIZE_MAX, false } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cursor c = cursor_init(bytes, sizeof(bytes));
		const uint8_t *at = cursor_take(&c, rows[i].take);
		cr_assert_eq(at, rows[i].fits ? bytes : NULL, "take %zu", rows[i].take);
		cr_assert_eq(c.failed, !rows[i].fits, "take %zu", rows[i].take);
		cr_assert_eq(cursor_left(&c), rows[i].fits ? sizeof(bytes) - rows[i].take : 8,
			"take %zu", rows[i].take);
	}
}

Test(cursor, the_first_failure_stays)
{
	struct cursor c = cursor_init(bytes, 3);

	cr_assert_eq(cursor_be32(&c), 0);
	cr_assert(c.failed);
	cr_assert_eq(cursor_u8(&c), 0, "the byte is there, but the cursor has failed");
	cr_assert_null(cursor_take(&c, 0));
	cr_assert_eq(cursor_left(&c), 3);
}

Test(cursor, an_inner_cursor_cannot_leave_its_part)
{
	struct cursor outer = cursor_init(bytes, sizeof(bytes));
	struct cursor inner = cursor_sub(&outer, 3);

	cr_assert_eq(cursor_be16(&inner), 0x0182);
	cr_assert_eq(cursor_be16(&inner), 0, "only one byte of the part is left");
	cr_assert(inner.failed);
	cr_assert_not(outer.failed, "the outer cursor has its own state");
	cr_assert_eq(cursor_u8(&outer), 0x84, "the outer cursor stepped over the part");
}

Test(cursor, an_inner_cursor_that_does_not_fit_fails_both)
{
	struct cursor outer = cursor_init(bytes, 2);
	struct cursor inner = cursor_sub(&outer, 3);

	cr_assert(outer.failed);
	cr_assert(inner.failed);
	cr_assert_eq(cursor_left(&inner), 0);
	cr_assert_eq(cursor_u8(&inner), 0);
}
