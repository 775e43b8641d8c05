/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/tenant_rows.h"

#include <stdint.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "sensor/base/attribute.h"

Test(tenant_rows, new_rows_are_zero_and_old_ones_stay)
{
	size_t count = 0;
	uint64_t(*rows)[3] = NULL; /* no whole number of them is a cache line */

	for (size_t wanted = 1; wanted < 200; wanted += 7) {
		size_t before = count;
		rows = tenant_rows_grow(rows, &count, wanted, sizeof(*rows));
		cr_assert_eq(count, wanted);
		cr_assert_eq((uintptr_t)rows % CACHE_LINE, 0);
		for (size_t i = 0; i < count; i++)
			for (size_t k = 0; k < ARRAY_LEN(*rows); k++)
				cr_assert_eq(rows[i][k], i < before ? i + 1 : 0, "%zu", i);
		for (size_t i = 0; i < count; i++)
			for (size_t k = 0; k < ARRAY_LEN(*rows); k++)
				rows[i][k] = i + 1;
	}
	void *same = tenant_rows_grow(rows, &count, 3, sizeof(*rows));
	cr_assert_eq(same, (void *)rows);
	cr_assert_eq(count, 197, "rows are never given up");
	free(rows);
}
