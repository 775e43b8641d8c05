/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/config/config.h"
#include "sensor/config/option.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* What config_print_manual makes of a page; freed with free(). */
static char *manual_of(const char *page_text, bool expected)
{
	char *out = NULL;
	size_t out_len = 0;
	FILE *page = fmemopen((void *)(uintptr_t)page_text, strlen(page_text), "r");
	FILE *stream = open_memstream(&out, &out_len);

	cr_assert(page && stream);
	cr_assert_eq(config_print_manual(stream, page), expected, "%s", page_text);
	fclose(page);
	fclose(stream);
	return out;
}

static char *read_whole(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = calloc(1, 65536);

	cr_assert(file && text, "%s", path);
	cr_assert_lt(fread(text, 1, 65535, file), 65535);
	fclose(file);
	return text;
}

Test(manual, the_page_has_every_key_of_every_section)
{
	char *page = read_whole("tools/man/dynwatch.conf.5.in");
	char *manual = manual_of(page, true);

	for (int s = CONFIG_SECTION_TOP; s < CONFIG_SECTION_COUNT; s++) {
		enum config_section section = (enum config_section)s;
		if (section == CONFIG_SECTION_RULES)
			continue;
		for (size_t i = 0; i < config_section_key_count(section); i++) {
			char item[80];
			snprintf(item, sizeof(item), ".It Cm %s\n",
				config_section_key(section, i).key);
			cr_assert(strstr(manual, item), "%s", item);
		}
		char line[80];
		snprintf(line, sizeof(line), "@options %s@", config_section_name(section));
		cr_assert(section == CONFIG_SECTION_TOP || section >= CONFIG_SECTION_RULE ||
				  strstr(page, line),
			"the page has no line %s", line);
	}
	for (size_t i = 0; i < RULE_COUNT; i++) {
		char heading[80];
		snprintf(heading, sizeof(heading), ".Ss %s\n", rule_table[i].id);
		cr_assert(strstr(manual, heading), "%s", heading);
	}
	cr_assert_null(strstr(manual, "\n@"), "a line was not filled in");
	free(manual);
	free(page);
}

Test(manual, a_section_that_does_not_exist_is_refused)
{
	free(manual_of("@options sensor@\n", true));
	free(manual_of("@options sensr@\n", false));
	free(manual_of("@options sensor\n", false));
	free(manual_of("@options \n", false));
}

Test(manual, other_lines_are_copied)
{
	char *manual = manual_of(".Sh NAME\nmail me@example\n", true);

	cr_assert_str_eq(manual, ".Sh NAME\nmail me@example\n");
	free(manual);
}

Test(manual, the_list_for_people_has_type_range_and_default)
{
	char *out = NULL;
	size_t out_len = 0;
	FILE *stream = open_memstream(&out, &out_len);

	config_print_options(stream);
	fclose(stream);
	cr_assert(strstr(out,
		"sensor.memory_mb\n    count from 16 to 1048576 (MiB), default 512\n"
		"    cap of all tracking tables together\n"));
	cr_assert(strstr(out, "tenants[].id\n    text, required\n"));
	cr_assert(strstr(
		out, "rules.nxdomain.spike.window\n    duration from 1m to 1h, default 5m\n"));
	cr_assert(strstr(out, "feeds[].match\n    one of suffix, exact, default suffix\n"));
	free(out);
}
