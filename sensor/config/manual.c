/* SPDX-License-Identifier: BSD-2-Clause */
/* What people read about the keys, made from the same lines that the loader reads by. */
#include "sensor/config/config.h"
#include "sensor/config/option.h"

#include <stdlib.h>
#include <string.h>

/* "count from 16 to 1048576 (MiB), default 512" */
static void describe_type(const struct config_option *o, struct text *out)
{
	bool choice = o->type == CONFIG_TYPE_CHOICE;

	text_puts(out, config_type_name(o->type));
	if (choice) {
		for (const char *word = o->unit; *word; word += strspn(word, "|")) {
			size_t len = strcspn(word, "|");
			text_puts(out, word == o->unit ? " " : ", ");
			text_add(out, word, len);
			word += len;
		}
	}
	if (o->min && o->min[0])
		text_printf(out, " from %s to %s", o->min, o->max);
	if (!choice && o->unit[0])
		text_printf(out, " (%s)", o->unit);
	if (!o->initial)
		text_puts(out, ", required");
	else if (o->initial[0])
		text_printf(out, ", default %s", o->initial);
}

static bool is_part(const struct config_option *o)
{
	return o->type == CONFIG_TYPE_ONE || o->type == CONFIG_TYPE_MANY;
}

static void print_key(FILE *out, const char *section, const struct config_option *o)
{
	struct text type = { 0 };

	describe_type(o, &type);
	fprintf(out, "%s%s%s\n    %s\n    %s\n", section, section[0] ? "." : "", o->key,
		type.at ? type.at : "", o->meaning);
	text_deinit(&type);
}

void config_print_options(FILE *out)
{
	for (int s = CONFIG_SECTION_TOP; s < CONFIG_SECTION_COUNT; s++) {
		enum config_section section = (enum config_section)s;
		char name[80];
		snprintf(name, sizeof(name), "%s%s", s >= CONFIG_SECTION_RULE ? "rules." : "",
			config_section_name(section));
		if (section == CONFIG_SECTION_RULES)
			continue; /* its keys are the rules, which follow one by one */
		for (size_t i = 0; i < config_section_key_count(section); i++) {
			struct config_option option = config_section_key(section, i);
			if (!is_part(&option))
				print_key(out, name, &option);
		}
	}
}

/* --- mdoc(7) ------------------------------------------------------------------------------- */

/* One line of running text: nothing in it may be taken for a macro or an escape. */
static void print_text(FILE *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (; *text; text++) {
		if (*text == '\\')
			fputs("\\e", out);
		else if (*text == '-')
			fputs("\\-", out);
		else
			fputc(*text, out);
	}
	fputc('\n', out);
}

static void print_item(FILE *out, const struct config_option *o)
{
	struct text type = { 0 };

	describe_type(o, &type);
	fprintf(out, ".It Cm %s\n", o->key);
	print_text(out, o->meaning);
	fputs(".br\n", out);
	print_text(out, type.at ? type.at : "");
	text_deinit(&type);
}

static void print_section(FILE *out, enum config_section section)
{
	fputs(".Bl -tag -width Ds\n", out);
	for (size_t i = 0; i < config_section_key_count(section); i++) {
		struct config_option option = config_section_key(section, i);
		print_item(out, &option);
	}
	fputs(".El\n", out);
}

static void print_rules(FILE *out)
{
	for (size_t i = 0; i < RULE_COUNT; i++) {
		fprintf(out, ".Ss %s\n", rule_table[i].id);
		print_text(out, rule_table[i].meaning);
		print_section(out, (enum config_section)(CONFIG_SECTION_RULE + (int)i));
	}
}

/* "top" is the section without a name. */
static bool section_find(enum config_section *out, const char *name)
{
	for (int s = CONFIG_SECTION_TOP; s < CONFIG_SECTION_RULES; s++) {
		const char *known = config_section_name((enum config_section)s);
		if (strcmp(known[0] ? known : "top", name) == 0) {
			*out = (enum config_section)s;
			return true;
		}
	}
	return false;
}

static bool print_line(FILE *out, char *line)
{
	static const char options[] = "@options ";
	enum config_section section;
	char *end = line + strcspn(line, "\n");

	if (strcmp(line, "@rules@\n") == 0) {
		print_rules(out);
		return true;
	}
	if (strncmp(line, options, sizeof(options) - 1) != 0) {
		fputs(line, out);
		return true;
	}
	if (end == line || end[-1] != '@')
		return false;
	end[-1] = '\0';
	if (!section_find(&section, line + sizeof(options) - 1))
		return false;
	print_section(out, section);
	return true;
}

bool config_print_manual(FILE *out, FILE *page)
{
	char *line = NULL;
	size_t size = 0;
	bool known = true;

	while (known && getline(&line, &size, page) != -1)
		known = print_line(out, line);
	free(line);
	return known;
}
