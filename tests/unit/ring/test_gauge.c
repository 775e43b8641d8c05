/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/ring/gauge.h"

#include <criterion/criterion.h>

Test(gauge, reads_what_was_added_and_set)
{
	struct gauge g = { 0 };

	cr_assert_eq(gauge_read(&g), 0);
	gauge_add(&g, 5);
	gauge_add(&g, 7);
	cr_assert_eq(gauge_read(&g), 12);
	gauge_set(&g, UINT64_MAX);
	cr_assert_eq(gauge_read(&g), UINT64_MAX);
}
