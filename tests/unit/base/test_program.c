/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/program.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>

#include "sensor/base/attribute.h"

static int count_arguments(int argc, char **argv)
{
	cr_expect_str_eq(argv[0], "count");
	return 40 + argc;
}

static void print_libraries(void)
{
	puts("libnothing 1");
}

static int run(const char *first, const char *second)
{
	static const struct program_command commands[] = {
		{ "count", count_arguments, "count arguments" },
	};
	static const struct program program = { "prog", "Does nothing else.", print_libraries,
		commands, ARRAY_LEN(commands) };
	char *argv[] = { (char *)"prog", (char *)first, (char *)second, NULL };

	return program_run(&program, first ? (second ? 3 : 2) : 1, argv);
}

Test(program, hands_a_command_its_arguments_and_gives_its_exit_code)
{
	cr_expect_eq(run("count", NULL), 41);
	cr_expect_eq(run("count", "x"), 42);
}

Test(program, says_who_it_is_on_standard_output, .init = cr_redirect_stdout)
{
	cr_expect_eq(run("--version", NULL), 0);
	fflush(stdout);
	cr_assert_stdout_eq_str("prog " DYNWATCH_VERSION "\nlibnothing 1\n");
}

Test(program, a_wrong_call_is_told_on_standard_error, .init = cr_redirect_stderr)
{
	cr_expect_eq(run("coumt", NULL), 2);
	cr_assert_stderr_eq_str("prog: no command 'coumt'; see prog --help\n");
}

Test(program, a_call_without_a_command_is_a_wrong_one, .init = cr_redirect_stderr)
{
	cr_expect_eq(run(NULL, NULL), 2);
}
