/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/nearest.h"

#include "sensor/base/attribute.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <string.h>

static const char *const known[] = { "window", "min_domains", "min_ratio", "hard_domains",
	"spool" };

static const struct near_row {
	const char *name, *typed, *word;
} near_rows[] = {
	{ "a letter missing", "min_domain", "min_domains" },
	{ "a letter too many", "windoww", "window" },
	{ "two swapped", "widnow", "window" },
	{ "another case", "WINDOW", "window" },
	{ "hyphen for underscore", "hard-domains", "hard_domains" },
	{ "nothing alike", "frobnicate", NULL },
	{ "nothing typed", "", NULL },
	{ "short and unlike", "xy", NULL },
};

Test(nearest, the_nearest_known_word_or_none)
{
	for (size_t i = 0; i < ARRAY_LEN(near_rows); i++) {
		struct nearest n = nearest_to(near_rows[i].typed);
		for (size_t j = 0; j < ARRAY_LEN(known); j++)
			nearest_offer(&n, known[j]);
		if (near_rows[i].word)
			cr_assert(n.word && strcmp(n.word, near_rows[i].word) == 0, "%s: %s",
				near_rows[i].name, n.word ? n.word : "none");
		else
			cr_assert_null(n.word, "%s", near_rows[i].name);
	}
}

Test(nearest, overlong_words_are_not_compared)
{
	char typed[3 * NEAREST_MAX];

	memset(typed, 'a', sizeof(typed));
	typed[sizeof(typed) - 1] = '\0';
	struct nearest n = nearest_to(typed);
	nearest_offer(&n, typed);
	cr_assert_null(n.word);
	typed[NEAREST_MAX] = '\0';
	n = nearest_to(typed);
	nearest_offer(&n, typed);
	cr_assert_eq(n.word, typed, "the longest word that is compared");
}
