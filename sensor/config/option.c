/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/config/option.h"

#include <string.h>

#define REQUIRED NULL

static const struct config_option option_table[CONFIG_OPTION_COUNT] = {
#define CONFIG_OPTION(section_, key_, type_, initial_, min_, max_, unit_, meaning_)            \
	[CONFIG_##section_##_##key_] = {                                                       \
		.section = CONFIG_SECTION_##section_,                                          \
		.key = #key_,                                                                  \
		.type = CONFIG_TYPE_##type_,                                                   \
		.initial = initial_,                                                           \
		.min = (min_),                                                                 \
		.max = (max_),                                                                 \
		.unit = (unit_),                                                               \
		.meaning = (meaning_),                                                         \
	},
#define CONFIG_PART(section_, key_, many_, part_, meaning_)                                    \
	[CONFIG_##section_##_##key_] = {                                                       \
		.section = CONFIG_SECTION_##section_,                                          \
		.key = #key_,                                                                  \
		.type = CONFIG_TYPE_##many_,                                                   \
		.initial = "",                                                                 \
		.min = "",                                                                     \
		.max = "",                                                                     \
		.unit = "",                                                                    \
		.part = CONFIG_SECTION_##part_,                                                \
		.meaning = (meaning_),                                                         \
	},
#include "sensor/config/options.def"
#undef CONFIG_OPTION
#undef CONFIG_PART
};

static const char *const section_names[CONFIG_SECTION_RULE] = {
	[CONFIG_SECTION_TOP] = "",
	[CONFIG_SECTION_SENSOR] = "sensor",
	[CONFIG_SECTION_CAPTURE] = "capture[]",
	[CONFIG_SECTION_TUNNELS] = "tunnels",
	[CONFIG_SECTION_TENANT] = "tenants[]",
	[CONFIG_SECTION_SELECT] = "tenants[].select",
	[CONFIG_SECTION_DDNS] = "tenants[].ddns",
	[CONFIG_SECTION_APPROVED] = "tenants[].ddns.approved[]",
	[CONFIG_SECTION_ZONE] = "tenants[].zones[]",
	[CONFIG_SECTION_EXCLUDE] = "tenants[].exclude[]",
	[CONFIG_SECTION_FEED] = "feeds[]",
	[CONFIG_SECTION_OUTPUT] = "outputs[]",
	[CONFIG_SECTION_GEOIP] = "geoip",
	[CONFIG_SECTION_CONTROL] = "control",
	[CONFIG_SECTION_METRICS] = "metrics",
	[CONFIG_SECTION_STATE] = "state",
	[CONFIG_SECTION_RULES] = "rules",
};

static const struct {
	enum config_shape shape;
	const char *name;
} types[] = {
	[CONFIG_TYPE_TEXT] = { CONFIG_SHAPE_VALUE, "text" },
	[CONFIG_TYPE_PATH] = { CONFIG_SHAPE_VALUE, "path" },
	[CONFIG_TYPE_COUNT] = { CONFIG_SHAPE_VALUE, "count" },
	[CONFIG_TYPE_NUMBER] = { CONFIG_SHAPE_VALUE, "number" },
	[CONFIG_TYPE_DURATION] = { CONFIG_SHAPE_VALUE, "duration" },
	[CONFIG_TYPE_BOOL] = { CONFIG_SHAPE_VALUE, "true or false" },
	[CONFIG_TYPE_DAY] = { CONFIG_SHAPE_VALUE, "day" },
	[CONFIG_TYPE_CHOICE] = { CONFIG_SHAPE_VALUE, "one of" },
	[CONFIG_TYPE_COUNTS] = { CONFIG_SHAPE_VALUES, "list of counts" },
	[CONFIG_TYPE_TEXTS] = { CONFIG_SHAPE_VALUES, "list of texts" },
	[CONFIG_TYPE_NAMES] = { CONFIG_SHAPE_VALUES, "list of names" },
	[CONFIG_TYPE_NETWORKS] = { CONFIG_SHAPE_VALUES, "list of networks" },
	[CONFIG_TYPE_ONE] = { CONFIG_SHAPE_MAPPING, "mapping" },
	[CONFIG_TYPE_MANY] = { CONFIG_SHAPE_MAPPINGS, "list of mappings" },
};

enum config_shape config_type_shape(enum config_type type)
{
	return types[type].shape;
}

const char *config_type_name(enum config_type type)
{
	return types[type].name;
}

const char *config_section_name(enum config_section section)
{
	if (section >= CONFIG_SECTION_RULE)
		return rule_table[section - CONFIG_SECTION_RULE].id;
	return section_names[section];
}

size_t config_section_first(enum config_section section)
{
	size_t i = 0;

	while (i < CONFIG_OPTION_COUNT && option_table[i].section != section)
		i++;
	return i;
}

/* The keys of a rule: those of every rule, then its own. The nth of them, or NULL. */
static const struct rule_option *rule_key(enum rule_id rule, size_t nth)
{
	if (nth < RULE_COMMON_COUNT)
		return &rule_common_table[nth];
	nth -= RULE_COMMON_COUNT;
	for (size_t i = 0; i < RULE_OPTION_COUNT; i++) {
		if (rule_option_table[i].rule == rule && nth-- == 0)
			return &rule_option_table[i];
	}
	return NULL;
}

size_t config_section_key_count(enum config_section section)
{
	size_t count = 0;

	if (section == CONFIG_SECTION_RULES)
		return RULE_COUNT;
	if (section >= CONFIG_SECTION_RULE) {
		while (rule_key((enum rule_id)(section - CONFIG_SECTION_RULE), count))
			count++;
		return count;
	}
	for (size_t i = 0; i < CONFIG_OPTION_COUNT; i++)
		count += option_table[i].section == section;
	return count;
}

static struct config_option option_of_rule(enum rule_id rule)
{
	return (struct config_option){
		.section = CONFIG_SECTION_RULES,
		.key = rule_table[rule].id,
		.type = CONFIG_TYPE_ONE,
		.initial = "",
		.min = "",
		.max = "",
		.unit = "",
		.part = (enum config_section)(CONFIG_SECTION_RULE + (int)rule),
		.meaning = rule_table[rule].meaning,
	};
}

static struct config_option option_of_rule_option(
	enum config_section section, const struct rule_option *rule_option)
{
	static const enum config_type type[] = {
		[OPTION_DURATION] = CONFIG_TYPE_DURATION,
		[OPTION_COUNT] = CONFIG_TYPE_COUNT,
		[OPTION_NUMBER] = CONFIG_TYPE_NUMBER,
		[OPTION_BOOL] = CONFIG_TYPE_BOOL,
		[OPTION_SEVERITY] = CONFIG_TYPE_CHOICE,
	};
	bool severity = rule_option->type == OPTION_SEVERITY;

	return (struct config_option){
		.section = section,
		.key = rule_option->key,
		.type = type[rule_option->type],
		.initial = severity
				   ? severity_name(
					     rule_table[section - CONFIG_SECTION_RULE].severity)
				   : rule_option->initial,
		.min = rule_option->min,
		.max = rule_option->max,
		.unit = severity ? "info|low|medium|high|critical" : "",
		.meaning = rule_option->meaning,
	};
}

struct config_option config_section_key(enum config_section section, size_t key)
{
	if (section == CONFIG_SECTION_RULES)
		return option_of_rule((enum rule_id)key);
	if (section >= CONFIG_SECTION_RULE)
		return option_of_rule_option(
			section, rule_key((enum rule_id)(section - CONFIG_SECTION_RULE), key));
	return option_table[config_section_first(section) + key];
}

bool config_choice_find(unsigned *out, const char *words, const char *word)
{
	size_t word_len = strlen(word);

	for (unsigned nth = 0;; nth++) {
		size_t len = strcspn(words, "|");
		if (len == word_len && memcmp(words, word, len) == 0) {
			*out = nth;
			return true;
		}
		if (!words[len])
			return false;
		words += len + 1;
	}
}
