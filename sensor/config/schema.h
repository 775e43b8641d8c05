/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * schema.h -- the option tables as a schema of libcyaml, and what libcyaml loads by it.
 *
 * Every value is loaded as text, so that whatever is wrong with it can be said with its place and
 * key. A mapping becomes an array of struct raw, one for each key of its section, in the order of
 * config_section_key.
 *
 * Before libcyaml loads, schema_check compares the file's shape (place.h) with the same tables:
 * unknown keys with the nearest known one, keys that are missing, lists where one value belongs.
 *
 * Owner: schema_new/schema_free, raw_load/raw_free.  Threads: no shared state.
 */
#ifndef SENSOR_CONFIG_SCHEMA_H
#define SENSOR_CONFIG_SCHEMA_H

#include <stddef.h>

#include "sensor/base/error.h"
#include "sensor/config/option.h"
#include "sensor/config/place.h"

struct schema;

/* What stands behind one key. All zero: the key is not there. */
struct raw {
	void *at;       /* VALUE: char *; VALUES: char **; MAPPING, MAPPINGS: struct raw * */
	unsigned count; /* VALUES, MAPPINGS */
};

/* NULL when out of memory. */
struct schema *schema_new(void);
void schema_free(struct schema *s);

/* ERR_USAGE with "NAME:LINE:COLUMN: KEY: ..." when the file's shape is not that of the tables. */
NODISCARD enum err schema_check(
	const struct schema *s, const struct places *p, const char *name, struct err_ctx *why);

/* Load by libcyaml; to be called after schema_check. *out is the top section. */
NODISCARD enum err raw_load(struct raw **out, const struct schema *s, const char *bytes,
	size_t bytes_len, const char *name, struct err_ctx *why);
void raw_free(const struct schema *s, struct raw *top);

/* One value, or NULL when the key is not there. */
static inline const char *raw_value(const struct raw *section, size_t key)
{
	return section ? section[key].at : NULL;
}

/* Element i of a list of values. */
static inline const char *raw_item(const struct raw *list, size_t i)
{
	return ((char *const *)list->at)[i];
}

#endif
