/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/rule.h"

#include "sensor/base/clock.h"
#include "sensor/base/quantity.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(rule, defaults_are_those_of_the_tables)
{
	struct rule_settings s;

	rule_settings_init(&s);
	for (size_t i = 0; i < RULE_COUNT; i++) {
		cr_assert(s.rule[i].enabled, "%s", rule_table[i].id);
		cr_assert_eq(
			s.rule[i].severity, rule_table[i].severity, "%s", rule_table[i].id);
		cr_assert(!s.rule[i].severity_set, "%s", rule_table[i].id);
		cr_assert_eq(s.rule[i].suppress_ns, 3600 * NS_PER_S, "%s", rule_table[i].id);
	}
	cr_assert_eq(s.option[OPTION_NXDOMAIN_SPIKE_window].ns, 300 * NS_PER_S);
	cr_assert_eq(s.option[OPTION_NXDOMAIN_SPIKE_min_domains].count, 20);
	cr_assert_float_eq(s.option[OPTION_NXDOMAIN_DGA_min_generated].number, 0.6, 1e-9);
	cr_assert(!s.option[OPTION_LOOKUP_UNAPPROVED_vendors].on);
}

Test(rule, every_default_min_and_max_is_accepted)
{
	struct rule_settings s;
	struct err_ctx why;

	rule_settings_init(&s);
	for (size_t i = 0; i < RULE_OPTION_COUNT; i++) {
		const struct rule_option *o = &rule_option_table[i];
		const char *const text[] = { o->initial, o->min, o->max };
		for (size_t j = 0; j < (o->type == OPTION_BOOL ? 1 : 3); j++)
			cr_assert(rule_settings_set(&s, o->rule, o->key, text[j], &why),
				"%s.%s = %s: %s", rule_table[o->rule].id, o->key, text[j],
				why.text);
	}
}

Test(rule, what_is_over_the_range_is_refused_with_the_range_in_the_reason)
{
	struct rule_settings s, before;
	struct err_ctx why;

	rule_settings_init(&s);
	before = s;
	for (size_t i = 0; i < RULE_OPTION_COUNT; i++) {
		const struct rule_option *o = &rule_option_table[i];
		const char *over = o->type == OPTION_DURATION ? "10000d"
				   : o->type == OPTION_BOOL   ? "yes"
							      : "1000000000000";
		cr_assert(!rule_settings_set(&s, o->rule, o->key, over, &why), "%s.%s",
			rule_table[o->rule].id, o->key);
		cr_assert(strstr(why.text, o->min) && strstr(why.text, o->max), "%s.%s: %s",
			rule_table[o->rule].id, o->key, why.text);
	}
	cr_assert_eq(memcmp(&s, &before, sizeof(s)), 0, "a refused value changes nothing");
}

static const struct set_row {
	const char *name;
	enum rule_id rule;
	const char *key, *value;
	const char *why; /* NULL: accepted */
} set_rows[] = {
	{ "severity", RULE_CHURN_DDNS, "severity", "critical", NULL },
	{ "switched off", RULE_CHURN_DDNS, "enabled", "false", NULL },
	{ "suppress off", RULE_CHURN_DDNS, "suppress", "0", NULL },
	{ "too short", RULE_NXDOMAIN_SPIKE, "window", "10s",
		"10s is out of range: must be a duration (90s, 5m, 1h30m, 7d) from 1m to 1h" },
	{ "no unit", RULE_NXDOMAIN_SPIKE, "window", "300",
		"\"300\" is not a duration (90s, 5m, 1h30m, 7d) from 1m to 1h" },
	{ "negative", RULE_NXDOMAIN_SPIKE, "min_domains", "-1",
		"\"-1\" is not a whole number from 3 to 200" },
	{ "one too few", RULE_NXDOMAIN_SPIKE, "min_domains", "2",
		"2 is out of range: must be a whole number from 3 to 200" },
	{ "empty", RULE_NXDOMAIN_SPIKE, "min_domains", "",
		"\"\" is not a whole number from 3 to 200" },
	{ "over one", RULE_NXDOMAIN_SPIKE, "min_ratio", "1.01",
		"1.01 is out of range: must be a number from 0 to 1" },
	{ "yes", RULE_NXDOMAIN_SPIKE, "enabled", "yes", "\"yes\" is not true or false" },
	{ "severity word", RULE_NXDOMAIN_SPIKE, "severity", "severe",
		"\"severe\" is not info, low, medium, high or critical" },
	{ "typing error", RULE_NXDOMAIN_SPIKE, "min_domain", "5",
		"unknown option \"min_domain\" of nxdomain.spike; did you mean "
		"\"min_domains\"?" },
	{ "common key mistyped", RULE_LOOKUP_MALICIOUS, "supress", "1h",
		"unknown option \"supress\" of lookup.malicious; did you mean \"suppress\"?" },
	{ "another rule's option", RULE_LOOKUP_MALICIOUS, "max_return_ratio", "1",
		"unknown option \"max_return_ratio\" of lookup.malicious" },
};

Test(rule, an_option_is_set_or_its_error_says_what_would_be_right)
{
	for (size_t i = 0; i < ARRAY_LEN(set_rows); i++) {
		const struct set_row *row = &set_rows[i];
		struct rule_settings s;
		struct err_ctx why = { "" };
		rule_settings_init(&s);
		bool accepted = rule_settings_set(&s, row->rule, row->key, row->value, &why);
		cr_assert_eq(accepted, row->why == NULL, "%s: %s", row->name, why.text);
		if (row->why)
			cr_assert_str_eq(why.text, row->why, "%s: %s", row->name, why.text);
	}
}

Test(rule, a_configured_severity_is_marked_as_such)
{
	struct rule_settings s;
	struct err_ctx why;

	rule_settings_init(&s);
	cr_assert(rule_settings_set(&s, RULE_LOOKUP_MALICIOUS, "severity", "high", &why));
	cr_assert(s.rule[RULE_LOOKUP_MALICIOUS].severity_set);
	cr_assert(!s.rule[RULE_CHURN_DDNS].severity_set);
	cr_assert(rule_settings_set(&s, RULE_CHURN_DDNS, "suppress", "0", &why));
	cr_assert_eq(s.rule[RULE_CHURN_DDNS].suppress_ns, 0);
}

Test(rule, every_rule_is_found_by_its_id_and_no_other_word_is)
{
	for (size_t i = 0; i < RULE_COUNT; i++)
		cr_assert_eq(rule_find(rule_table[i].id), i, "%s", rule_table[i].id);
	cr_assert_eq(rule_find("nxdomain.spikes"), RULE_COUNT);
	cr_assert_eq(rule_find(""), RULE_COUNT);
}

Test(rule, severities_have_the_numbers_of_the_common_schema)
{
	static const int ecs[] = { 10, 21, 47, 73, 99 };
	enum severity parsed;

	for (int i = SEVERITY_INFO; i <= SEVERITY_CRITICAL; i++) {
		cr_assert_eq(severity_ecs((enum severity)i), ecs[i]);
		cr_assert(severity_parse(&parsed, severity_name((enum severity)i)));
		cr_assert_eq(parsed, i);
	}
	cr_assert(!severity_parse(&parsed, "High"));
}
