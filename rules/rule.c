/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/rule.h"

#include "sensor/base/clock.h"
#include "sensor/base/nearest.h"
#include "sensor/base/quantity.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define SUPPRESS_DEFAULT "1h"

const struct rule rule_table[RULE_COUNT] = {
#define RULE(id_, dotted, name_, severity_, techniques_, category_, type_, meaning_)           \
	[RULE_##id_] = {                                                                       \
		.id = (dotted),                                                                \
		.name = (name_),                                                               \
		.severity = SEVERITY_##severity_,                                              \
		.techniques = (techniques_),                                                   \
		.category = (category_),                                                       \
		.type = (type_),                                                               \
		.meaning = (meaning_),                                                         \
	},
#include "rules/rules.def"
#undef RULE
};

const struct rule_option rule_option_table[RULE_OPTION_COUNT] = {
#define RULE_OPTION(rule_, key_, type_, initial_, min_, max_, meaning_)                        \
	[OPTION_##rule_##_##key_] = {                                                          \
		.rule = RULE_##rule_,                                                          \
		.key = #key_,                                                                  \
		.type = OPTION_##type_,                                                        \
		.initial = (initial_),                                                         \
		.min = (min_),                                                                 \
		.max = (max_),                                                                 \
		.meaning = (meaning_),                                                         \
	},
#include "rules/options.def"
#undef RULE_OPTION
};

enum {
	COMMON_ENABLED,
	COMMON_SEVERITY,
	COMMON_SUPPRESS,
};

const struct rule_option rule_common_table[RULE_COMMON_COUNT] = {
	[COMMON_ENABLED] = { RULE_COUNT, "enabled", OPTION_BOOL, "true", "", "",
		"whether the rule raises alerts" },
	[COMMON_SEVERITY] = { RULE_COUNT, "severity", OPTION_SEVERITY, "", "", "",
		"info, low, medium, high or critical; takes the place of the rule's or feed's "
		"own" },
	[COMMON_SUPPRESS] = { RULE_COUNT, "suppress", OPTION_DURATION, SUPPRESS_DEFAULT, "0",
		"30d",
		"repeats of one key are held back and counted for so long; 0 lets each "
		"through" },
};

static const struct {
	const char *name;
	int ecs;
} severity_table[] = {
	[SEVERITY_INFO] = { "info", 10 },
	[SEVERITY_LOW] = { "low", 21 },
	[SEVERITY_MEDIUM] = { "medium", 47 },
	[SEVERITY_HIGH] = { "high", 73 },
	[SEVERITY_CRITICAL] = { "critical", 99 },
};

/* What a type is called, and what a person is told to write. */
static const struct {
	const char *name, *form;
} type_table[] = {
	[OPTION_DURATION] = { "duration", "a duration (90s, 5m, 1h30m, 7d)" },
	[OPTION_COUNT] = { "count", "a whole number" },
	[OPTION_NUMBER] = { "number", "a number" },
	[OPTION_BOOL] = { "boolean", "true or false" },
	[OPTION_SEVERITY] = { "severity", "info, low, medium, high or critical" },
};

const char *rule_option_type_name(enum rule_option_type type)
{
	return type_table[type].name;
}

const char *severity_name(enum severity s)
{
	return severity_table[s].name;
}

int severity_ecs(enum severity s)
{
	return severity_table[s].ecs;
}

bool severity_parse(enum severity *out, const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(severity_table); i++) {
		if (strcmp(severity_table[i].name, text) == 0) {
			*out = (enum severity)i;
			return true;
		}
	}
	return false;
}

enum rule_id rule_find(const char *dotted)
{
	size_t i = 0;

	while (i < RULE_COUNT && strcmp(rule_table[i].id, dotted) != 0)
		i++;
	return (enum rule_id)i;
}

/* Text to value by type; severity is not a rule_value and is read by its own function. */
static bool value_parse(union rule_value *out, enum rule_option_type type, const char *text)
{
	switch (type) {
	case OPTION_DURATION:
		return quantity_parse_duration(&out->ns, text);
	case OPTION_COUNT:
		return quantity_parse_count(&out->count, text);
	case OPTION_NUMBER:
		return quantity_parse_number(&out->number, text);
	case OPTION_BOOL:
		return quantity_parse_bool(&out->on, text);
	case OPTION_SEVERITY:
		break;
	}
	return false;
}

static bool value_in_range(const struct rule_option *option, union rule_value value)
{
	union rule_value min = { 0 }, max = { 0 };

	if (option->type == OPTION_BOOL)
		return true;
	bool valid = value_parse(&min, option->type, option->min) &&
		     value_parse(&max, option->type, option->max);
	assert(valid);
	(void)valid;
	switch (option->type) {
	case OPTION_DURATION:
		return value.ns >= min.ns && value.ns <= max.ns;
	case OPTION_COUNT:
		return value.count >= min.count && value.count <= max.count;
	default:
		return value.number >= min.number && value.number <= max.number;
	}
}

/* Read and check; on failure *why says what would be right. */
static bool option_read(union rule_value *out, const struct rule_option *option,
	const char *text, struct err_ctx *why)
{
	union rule_value value = { 0 };
	const char *form = type_table[option->type].form;

	if (!value_parse(&value, option->type, text)) {
		if (option->type == OPTION_BOOL)
			err_set(why, ERR_USAGE, "\"%.80s\" is not %s", text, form);
		else
			err_set(why, ERR_USAGE, "\"%.80s\" is not %s from %s to %s", text, form,
				option->min, option->max);
		return false;
	}
	if (!value_in_range(option, value)) {
		err_set(why, ERR_USAGE, "%.80s is out of range: must be %s from %s to %s", text,
			form, option->min, option->max);
		return false;
	}
	*out = value;
	return true;
}

void rule_settings_init(struct rule_settings *s)
{
	struct err_ctx why;
	union rule_value suppress = { 0 };

	memset(s, 0, sizeof(*s));
	bool valid = option_read(
		&suppress, &rule_common_table[COMMON_SUPPRESS], SUPPRESS_DEFAULT, &why);
	for (size_t i = 0; i < RULE_COUNT; i++) {
		s->rule[i].enabled = true;
		s->rule[i].severity = rule_table[i].severity;
		s->rule[i].suppress_ns = suppress.ns;
	}
	for (size_t i = 0; i < RULE_OPTION_COUNT; i++) {
		const struct rule_option *option = &rule_option_table[i];
		valid &= option_read(&s->option[i], option, option->initial, &why);
	}
	assert(valid); /* a default out of its own range is a mistake in the table */
	(void)valid;
}

static bool common_set(struct rule_settings *s, enum rule_id rule, size_t common,
	const char *text, struct err_ctx *why)
{
	union rule_value value = { 0 };

	if (common == COMMON_SEVERITY) {
		if (!severity_parse(&s->rule[rule].severity, text)) {
			err_set(why, ERR_USAGE, "\"%.80s\" is not %s", text,
				type_table[OPTION_SEVERITY].form);
			return false;
		}
		s->rule[rule].severity_set = true;
		return true;
	}
	if (!option_read(&value, &rule_common_table[common], text, why))
		return false;
	if (common == COMMON_ENABLED)
		s->rule[rule].enabled = value.on;
	else
		s->rule[rule].suppress_ns = value.ns;
	return true;
}

bool rule_settings_set(struct rule_settings *s, enum rule_id rule, const char *key,
	const char *value, struct err_ctx *why)
{
	struct nearest near = nearest_to(key);

	for (size_t i = 0; i < RULE_OPTION_COUNT; i++) {
		const struct rule_option *option = &rule_option_table[i];
		if (option->rule != rule)
			continue;
		if (strcmp(option->key, key) == 0)
			return option_read(&s->option[i], option, value, why);
		nearest_offer(&near, option->key);
	}
	for (size_t i = 0; i < RULE_COMMON_COUNT; i++) {
		if (strcmp(rule_common_table[i].key, key) == 0)
			return common_set(s, rule, i, value, why);
		nearest_offer(&near, rule_common_table[i].key);
	}
	if (near.word)
		err_set(why, ERR_USAGE, "unknown option \"%.80s\" of %s; did you mean \"%s\"?",
			key, rule_table[rule].id, near.word);
	else
		err_set(why, ERR_USAGE, "unknown option \"%.80s\" of %s", key,
			rule_table[rule].id);
	return false;
}
