/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule.h -- the rules as a table: ids, names, severities, options (rules.def, options.def).
 *
 * Threads: immutable.
 */
#ifndef RULES_RULE_H
#define RULES_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/base/error.h"

enum severity {
	SEVERITY_INFO,
	SEVERITY_LOW,
	SEVERITY_MEDIUM,
	SEVERITY_HIGH,
	SEVERITY_CRITICAL,
};

enum rule_id {
#define RULE(id, dotted, name, severity, techniques, category, type, meaning) RULE_##id,
#include "rules/rules.def"
#undef RULE
	RULE_COUNT,
};

enum rule_option_id {
#define RULE_OPTION(rule, key, type, initial, min, max, meaning) OPTION_##rule##_##key,
#include "rules/options.def"
#undef RULE_OPTION
	RULE_OPTION_COUNT,
};

enum rule_option_type {
	OPTION_DURATION,
	OPTION_COUNT,
	OPTION_NUMBER,
	OPTION_BOOL,
	OPTION_SEVERITY, /* only in rule_common_table */
};

struct rule {
	const char *id; /* "lookup.malicious" */
	const char *name;
	enum severity severity; /* default */
	const char *techniques; /* "T1568 T1071.004", space-separated, may be empty */
	const char *category;
	const char *type;
	const char *meaning;
};

struct rule_option {
	enum rule_id rule;
	const char *key;
	enum rule_option_type type;
	const char *initial, *min, *max; /* min and max are "" for BOOL */
	const char *meaning;
};

union rule_value {
	int64_t ns;     /* OPTION_DURATION */
	uint64_t count; /* OPTION_COUNT */
	double number;  /* OPTION_NUMBER */
	bool on;        /* OPTION_BOOL */
};

/* The rules as one tenant has them. */
struct rule_settings {
	struct {
		bool enabled;
		enum severity severity;
		bool severity_set; /* configured, so it beats a feed's own severity */
		int64_t suppress_ns;
	} rule[RULE_COUNT];
	union rule_value option[RULE_OPTION_COUNT];
};

extern const struct rule rule_table[RULE_COUNT];
extern const struct rule_option rule_option_table[RULE_OPTION_COUNT];
/* What every rule has besides its own: enabled, severity (initial "": the rule's), suppress. */
#define RULE_COMMON_COUNT 3
extern const struct rule_option rule_common_table[RULE_COMMON_COUNT];

/* All rules enabled, at the tables' defaults, suppress 1h. */
void rule_settings_init(struct rule_settings *s);
/*
 * Set one option from text: key is "enabled", "severity", "suppress" or one of options.def. False
 * with the reason in *why (unknown key with the nearest known one, bad value with range and unit).
 */
NODISCARD bool rule_settings_set(struct rule_settings *s, enum rule_id rule, const char *key,
	const char *value, struct err_ctx *why);

/* RULE_COUNT when there is none of that id. */
enum rule_id rule_find(const char *dotted);
const char *severity_name(enum severity s); /* "high" */
/* "duration", "count", "number", "boolean", "severity" */
const char *rule_option_type_name(enum rule_option_type type);
int severity_ecs(enum severity s); /* 10 21 47 73 99 */
NODISCARD bool severity_parse(enum severity *out, const char *text);

#endif
