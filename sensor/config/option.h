/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * option.h -- the keys of the configuration as tables: options.def, and the rules' own options
 * in the same shape.
 *
 * A section is a mapping and knows its keys by number. Sections are those of options.def,
 * CONFIG_SECTION_RULES (one key for each rule) and, from CONFIG_SECTION_RULE on, one for each
 * rule.
 *
 * Threads: immutable.
 */
#ifndef SENSOR_CONFIG_OPTION_H
#define SENSOR_CONFIG_OPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "rules/rule.h"

enum config_section {
	CONFIG_SECTION_TOP,
	CONFIG_SECTION_SENSOR,
	CONFIG_SECTION_CAPTURE,
	CONFIG_SECTION_TUNNELS,
	CONFIG_SECTION_TENANT,
	CONFIG_SECTION_SELECT,
	CONFIG_SECTION_DDNS,
	CONFIG_SECTION_APPROVED,
	CONFIG_SECTION_ZONE,
	CONFIG_SECTION_EXCLUDE,
	CONFIG_SECTION_FEED,
	CONFIG_SECTION_OUTPUT,
	CONFIG_SECTION_GEOIP,
	CONFIG_SECTION_CONTROL,
	CONFIG_SECTION_METRICS,
	CONFIG_SECTION_STATE,
	CONFIG_SECTION_RULES,
	CONFIG_SECTION_RULE, /* + enum rule_id */
	CONFIG_SECTION_COUNT = CONFIG_SECTION_RULE + (int)RULE_COUNT,
};

enum config_option_id {
#define CONFIG_OPTION(section, key, type, initial, min, max, unit, meaning)                    \
	CONFIG_##section##_##key,
#define CONFIG_PART(section, key, many, part, meaning) CONFIG_##section##_##key,
#include "sensor/config/options.def"
#undef CONFIG_OPTION
#undef CONFIG_PART
	CONFIG_OPTION_COUNT,
};

enum config_type {
	/* one value */
	CONFIG_TYPE_TEXT,
	CONFIG_TYPE_PATH,
	CONFIG_TYPE_COUNT,
	CONFIG_TYPE_NUMBER,
	CONFIG_TYPE_DURATION,
	CONFIG_TYPE_BOOL,
	CONFIG_TYPE_DAY,
	CONFIG_TYPE_CHOICE,
	/* a list of values */
	CONFIG_TYPE_COUNTS,
	CONFIG_TYPE_TEXTS,
	CONFIG_TYPE_NAMES,
	CONFIG_TYPE_NETWORKS,
	/* a mapping, a list of mappings */
	CONFIG_TYPE_ONE,
	CONFIG_TYPE_MANY,
};

enum config_shape {
	CONFIG_SHAPE_VALUE,
	CONFIG_SHAPE_VALUES,
	CONFIG_SHAPE_MAPPING,
	CONFIG_SHAPE_MAPPINGS,
};

struct config_option {
	enum config_section section;
	const char *key;
	enum config_type type;
	const char *initial;      /* NULL: the key is required */
	const char *min, *max;    /* COUNT, NUMBER, DURATION, COUNTS */
	const char *unit;         /* for people; CHOICE: the words, split by "|" */
	enum config_section part; /* ONE, MANY */
	const char *meaning;
};

size_t config_section_key_count(enum config_section section);
/* Key number `key` of a section, for sections of rules too. */
struct config_option config_section_key(enum config_section section, size_t key);
/* Where the keys of a section of options.def start in enum config_option_id. */
size_t config_section_first(enum config_section section);
/* "tenants[].select" for people; "" for the top. Sections of rules: "rules", "nxdomain.spike".
 */
const char *config_section_name(enum config_section section);

enum config_shape config_type_shape(enum config_type type);
const char *config_type_name(enum config_type type); /* "count", "list of networks" */
/* Place of `word` among the words of a CHOICE; false when it is not one of them. */
NODISCARD bool config_choice_find(unsigned *out, const char *words, const char *word);

#endif
