/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/pages.h"

#include <criterion/criterion.h>
#include <stdint.h>

static void check_zero(const unsigned char *at, size_t from, size_t to, const char *what)
{
	for (size_t i = from; i < to; i++)
		cr_assert_eq(at[i], 0, "%s: octet %zu", what, i);
}

Test(pages, new_ones_are_zero_and_large_ones_aligned)
{
	static const size_t sizes[] = { 1, 4096, PAGES_HUGE - 1, PAGES_HUGE,
		PAGES_HUGE * 2 + 5 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		unsigned char *at = pages_new(sizes[i]);
		cr_assert(at);
		check_zero(at, 0, sizes[i], "new");
		if (sizes[i] >= PAGES_HUGE)
			cr_expect_eq((uintptr_t)at % PAGES_HUGE, 0, "%zu", sizes[i]);
		at[0] = at[sizes[i] - 1] = 1;
		pages_free(at, sizes[i]);
	}
	pages_free(NULL, 1);
	pages_free(NULL, PAGES_HUGE);
}

Test(pages, resizing_keeps_what_fits_and_adds_zeros)
{
	static const struct {
		const char *what;
		size_t from, to;
	} rows[] = {
		{ "small to small", 10, 5000 },
		{ "small to large", 5000, PAGES_HUGE + 1 },
		{ "large to larger", PAGES_HUGE + 1, PAGES_HUGE * 3 },
		{ "large within its last page", PAGES_HUGE + 1, PAGES_HUGE + 9999 },
		{ "large to smaller", PAGES_HUGE * 3, PAGES_HUGE * 2 - 7 },
		{ "large to small", PAGES_HUGE, 100 },
		{ "small to smaller", 5000, 10 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned char *at = pages_new(rows[i].from);
		size_t kept = rows[i].from < rows[i].to ? rows[i].from : rows[i].to;
		cr_assert(at, "%s", rows[i].what);
		memset(at, 7, rows[i].from);
		at = pages_resize(at, rows[i].from, rows[i].to);
		cr_assert(at, "%s", rows[i].what);
		for (size_t k = 0; k < kept; k++)
			cr_assert_eq(at[k], 7, "%s: octet %zu", rows[i].what, k);
		check_zero(at, kept, rows[i].to, rows[i].what);
		pages_free(at, rows[i].to);
	}
}

Test(pages, what_was_given_up_comes_back_as_zeros)
{
	unsigned char *at = pages_new(PAGES_HUGE * 2);

	cr_assert(at);
	memset(at, 7, PAGES_HUGE * 2);
	at = pages_resize(at, PAGES_HUGE * 2, PAGES_HUGE + 10);
	cr_assert(at);
	at = pages_resize(at, PAGES_HUGE + 10, PAGES_HUGE * 2);
	cr_assert(at);
	check_zero(at, PAGES_HUGE + 10, PAGES_HUGE * 2, "given up");
	pages_free(at, PAGES_HUGE * 2);
}

Test(pages, more_than_there_can_be_is_refused)
{
	cr_expect_null(pages_new(SIZE_MAX - 5));
	void *at = pages_new(PAGES_HUGE);
	cr_assert(at);
	cr_expect_null(pages_resize(at, PAGES_HUGE, SIZE_MAX - 5));
	pages_free(at, PAGES_HUGE);
}
