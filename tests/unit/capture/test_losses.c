/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>

#include "sensor/capture/losses.h"

Test(losses, counters_that_wrap_go_on_counting)
{
	struct losses l = { 0 };

	for (uint64_t n = 0; n <= 5 * UINT64_C(0x100000000); n += 0x70000001) {
		struct losses_reading now = { .received = (uint32_t)n,
			.dropped_kernel = (uint32_t)(n / 2),
			.dropped_interface = (uint32_t)(n / 4) };
		losses_update(&l, &now);
		cr_assert_eq(l.total.received, n);
		cr_assert_eq(l.total.dropped_kernel, n / 2);
		cr_assert_eq(l.total.dropped_interface, n / 4);
	}
}

Test(losses, a_wrap_of_one_is_one)
{
	struct losses l = { .last = { .received = UINT32_MAX } };

	losses_update(&l, &(struct losses_reading){ .received = 0 });
	cr_assert_eq(l.total.received, 1);
}

Test(losses, a_new_handle_adds_to_the_totals)
{
	struct losses l = { 0 };

	losses_update(&l, &(struct losses_reading){ 100, 10, 1 });
	losses_restart(&l);
	losses_update(&l, &(struct losses_reading){ 20, 2, 0 });
	cr_assert_eq(l.total.received, 120);
	cr_assert_eq(l.total.dropped_kernel, 12);
	cr_assert_eq(l.total.dropped_interface, 1);
}

Test(losses, a_counter_that_was_reset_adds_nothing_and_counts_on_from_there)
{
	struct losses l = { 0 };

	losses_update(&l, &(struct losses_reading){ .dropped_interface = 5000 });
	losses_update(&l, &(struct losses_reading){ .dropped_interface = 10 });
	cr_assert_eq(l.total.dropped_interface, 5000);
	losses_update(&l, &(struct losses_reading){ .dropped_interface = 15 });
	cr_assert_eq(l.total.dropped_interface, 5005);
}
