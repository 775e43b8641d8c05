/* SPDX-License-Identifier: BSD-2-Clause */
/* dynwatch rules: every rule with its options, as text or JSON. */
#include "sensor/app/commands.h"

#include "rules/rule.h"
#include "sensor/base/json.h"
#include "sensor/base/log.h"
#include "sensor/base/usage.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
	"Usage: dynwatch rules [--json]\n"
	"List every rule: id, default severity, ATT&CK ids, what it means, and\n"
	"its options with type, default and range.\n"
	"\n"
	"      --json   as JSON, for programs\n"
	"  -h, --help   this text\n";

/* Visit the options of a rule: those of every rule, then its own. */
static void each_option(enum rule_id rule,
	void (*visit)(void *arg, enum rule_id rule, const struct rule_option *option),
	void *arg)
{
	for (size_t i = 0; i < RULE_COMMON_COUNT; i++)
		visit(arg, rule, &rule_common_table[i]);
	for (size_t i = 0; i < RULE_OPTION_COUNT; i++) {
		if (rule_option_table[i].rule == rule)
			visit(arg, rule, &rule_option_table[i]);
	}
}

/* The severity option starts at the rule's own. */
static const char *initial_of(enum rule_id rule, const struct rule_option *option)
{
	return option->type == OPTION_SEVERITY ? severity_name(rule_table[rule].severity)
					       : option->initial;
}

/* --- text ---------------------------------------------------------------------------------- */

static void print_option(void *arg, enum rule_id rule, const struct rule_option *option)
{
	char range[64] = "";

	(void)arg;
	if (option->min[0])
		snprintf(range, sizeof(range), " from %s to %s", option->min, option->max);
	printf("    %-16s %s%s, default %s: %s\n", option->key,
		rule_option_type_name(option->type), range, initial_of(rule, option),
		option->meaning);
}

static void print_text(void)
{
	for (size_t i = 0; i < RULE_COUNT; i++) {
		const struct rule *rule = &rule_table[i];
		printf("%s%s\n", i ? "\n" : "", rule->id);
		printf("  %s: %s\n", rule->name, rule->meaning);
		printf("  severity %s", severity_name(rule->severity));
		if (rule->techniques[0])
			printf(", ATT&CK %s", rule->techniques);
		printf("\n");
		each_option((enum rule_id)i, print_option, NULL);
	}
}

/* --- JSON ---------------------------------------------------------------------------------- */

static void write_words(struct json *j, const char *key, const char *words)
{
	json_array(j, key);
	while (*words) {
		size_t len = strcspn(words, " ");
		json_string_len(j, NULL, words, len);
		words += len + strspn(words + len, " ");
	}
	json_array_end(j);
}

static void write_option(void *arg, enum rule_id rule, const struct rule_option *option)
{
	struct json *j = arg;

	json_object(j, NULL);
	json_string(j, "key", option->key);
	json_string(j, "type", rule_option_type_name(option->type));
	json_string(j, "default", initial_of(rule, option));
	if (option->min[0]) {
		json_string(j, "min", option->min);
		json_string(j, "max", option->max);
	}
	json_string(j, "meaning", option->meaning);
	json_object_end(j);
}

static void write_rule(struct json *j, enum rule_id id)
{
	const struct rule *rule = &rule_table[id];

	json_object(j, NULL);
	json_string(j, "id", rule->id);
	json_string(j, "name", rule->name);
	json_string(j, "severity", severity_name(rule->severity));
	write_words(j, "techniques", rule->techniques);
	write_words(j, "category", rule->category);
	write_words(j, "type", rule->type);
	json_string(j, "meaning", rule->meaning);
	json_array(j, "options");
	each_option(id, write_option, j);
	json_array_end(j);
	json_object_end(j);
}

static int print_json(void)
{
	struct text text = { 0 };
	struct json j = json_start(&text);

	json_array(&j, NULL);
	for (size_t i = 0; i < RULE_COUNT; i++)
		write_rule(&j, (enum rule_id)i);
	json_array_end(&j);
	if (text.failed)
		log_error("out of memory");
	else
		puts(text.at);
	int code = text.failed ? ERR_FAILED : ERR_OK;
	text_deinit(&text);
	return code;
}

int rules_command(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	bool json = false;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			json = true;
			break;
		case 'h':
			fputs(help, stdout);
			return 0;
		default:
			return usage_bad_option("dynwatch rules", argv, option);
		}
	}
	if (optind < argc)
		return usage_fail("dynwatch rules", "unexpected argument \"%s\"", argv[optind]);
	if (json)
		return print_json();
	print_text();
	return 0;
}
