/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/provider.h"

#include <criterion/criterion.h>
#include <stdio.h>

Test(provider, an_id_has_one_number_and_its_first_tier)
{
	struct provider_registry *r = provider_registry_new();
	uint32_t one = provider_register(r, "no-ip", TIER_A);
	uint32_t two = provider_register(r, "ngrok", TIER_C);

	cr_expect_neq(one, two);
	cr_expect_eq(provider_register(r, "no-ip", TIER_V), one);
	cr_expect_eq(provider_at(r, one)->tier, TIER_A);
	cr_expect_str_eq(provider_at(r, two)->id, "ngrok");
	cr_expect_eq(provider_find(r, "ngrok"), two);
	cr_expect_eq(provider_find(r, "dyn"), PROVIDER_NONE);
	cr_expect_eq(provider_count(r), 2);
	cr_expect_null(provider_at(r, 2));
	cr_expect_null(provider_at(r, PROVIDER_NONE));
	provider_registry_free(r);
}

Test(provider, ids_are_of_1_to_63_lower_case_characters)
{
	static const char *const bad[] = { "", "No-IP", "a b", "a:b", "\xc3\xb4",
		"0123456789012345678901234567890123456789012345678901234567890123" };
	struct provider_registry *r = provider_registry_new();

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		cr_expect_eq(
			provider_register(r, bad[i], TIER_A), PROVIDER_NONE, "'%s'", bad[i]);
	cr_expect_neq(provider_register(r, bad[ARRAY_LEN(bad) - 1] + 1, TIER_A), PROVIDER_NONE);
	provider_registry_free(r);
}

Test(provider, numbers_stay_while_the_registry_grows)
{
	struct provider_registry *r = provider_registry_new();
	char id[16];

	for (unsigned i = 0; i < 1000; i++) {
		sprintf(id, "p%u", i);
		cr_assert_eq(provider_register(r, id, TIER_B), i);
	}
	for (unsigned i = 0; i < 1000; i++) {
		sprintf(id, "p%u", i);
		cr_assert_eq(provider_find(r, id), i);
		cr_assert_str_eq(provider_at(r, i)->id, id);
	}
	provider_registry_free(r);
}

Test(provider, tiers_have_letters)
{
	cr_expect_str_eq(provider_tier_name(TIER_A), "A");
	cr_expect_str_eq(provider_tier_name(TIER_B), "B");
	cr_expect_str_eq(provider_tier_name(TIER_C), "C");
	cr_expect_str_eq(provider_tier_name(TIER_V), "V");
}
