/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/octet_store.h"

#include <criterion/criterion.h>

#include <string.h>

Test(octet_store, keeps_what_was_added_last)
{
	struct octet_store *s = octet_store_new(0);
	uint64_t place[2000];
	uint8_t octets[100];
	size_t len, kept = 0;

	for (size_t i = 0; i < 2000; i++) {
		memset(octets, (int)i, sizeof(octets));
		place[i] = octet_store_add(s, octets, i % 100);
	}
	for (size_t i = 0; i < 2000; i++) {
		const uint8_t *at = octet_store_find(s, place[i], &len);
		if (!at) {
			cr_assert_eq(kept, 0, "the oldest go first");
			continue;
		}
		kept++;
		cr_assert_eq(len, i % 100);
		for (size_t k = 0; k < len; k++)
			cr_assert_eq(at[k], (uint8_t)i);
	}
	/* 4096 octets, of which up to one piece is lost at the end; the last ones take about 88. */
	cr_assert(kept >= 44 && kept <= 47, "%zu kept", kept);
	octet_store_free(s);
}

Test(octet_store, refuses_what_would_take_most_of_it)
{
	struct octet_store *s = octet_store_new(4096);
	static const uint8_t octets[4096];
	size_t len;

	cr_assert_eq(octet_store_add(s, octets, 1017), 0);
	uint64_t place = octet_store_add(s, octets, 1016);
	cr_assert_neq(place, 0);
	cr_assert(octet_store_find(s, place, &len) && len == 1016);
	cr_assert_null(octet_store_find(s, 0, &len));
	octet_store_free(s);
	octet_store_free(NULL);
}
