/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/error.h"

#include <criterion/criterion.h>
#include <string.h>

Test(error, returns_the_code_and_keeps_the_sentence)
{
	struct err_ctx why = { "" };

	cr_assert_eq(
		err_set(&why, ERR_USAGE, "%s:%d:%d: no such key", "a.yaml", 3, 7), ERR_USAGE);
	cr_assert_str_eq(why.text, "a.yaml:3:7: no such key");
}

Test(error, a_long_sentence_is_cut_and_still_ends)
{
	struct err_ctx why = { "" };
	char big[2000];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	cr_assert_eq(err_set(&why, ERR_INPUT, "%s", big), ERR_INPUT);
	cr_assert_eq(strlen(why.text), sizeof(why.text) - 1);
}

Test(error, what_is_quoted_cannot_break_the_line)
{
	struct err_ctx why = { "" };

	cr_assert_eq(err_set(&why, ERR_FAILED, "bad name 'a\nb\x1b[2J\x7f'"), ERR_FAILED);
	cr_assert_str_eq(why.text, "bad name 'a b [2J '");
}

Test(error, the_codes_are_the_exit_codes_of_the_commands)
{
	cr_assert_eq(ERR_OK, 0);
	cr_assert_eq(ERR_FAILED, 1);
	cr_assert_eq(ERR_USAGE, 2);
	cr_assert_eq(ERR_INPUT, 3);
}
