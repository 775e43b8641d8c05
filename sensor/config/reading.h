/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reading.h -- from loaded text to values: what config.c, tenants.c, feeds.c and outputs.c read with.
 *
 * Errors are sticky: the first one is kept with its place, everything after it does nothing and
 * gives empty values, so that a section is read straight on and checked once.
 *
 * Owner: strings and arrays given out are new and the caller's.
 */
#ifndef SENSOR_CONFIG_READING_H
#define SENSOR_CONFIG_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/base/ip.h"
#include "sensor/config/config.h"
#include "sensor/config/option.h"
#include "sensor/config/place.h"
#include "sensor/config/schema.h"

/* Sets of networks are searched from end to end. */
#define READING_NETWORKS_MAX 16384

struct reading {
	struct config *config;
	const struct places *places;
	const char *name; /* of the file */
	struct err_ctx *why;
	enum err err;
};

/* One mapping of the file and where it stands. `raw` is NULL when it is not there. */
struct part {
	const struct raw *raw;
	enum config_section section;
	const struct path *path; /* NULL: the top */
};

/* Keep the first error: "FILE:LINE:COLUMN: KEY: ...". */
void reading_fail(struct reading *r, const struct path *path, const char *format, ...)
	PRINTF_LIKE(3, 4);
/* The same with the key of a part. */
void reading_fail_key(struct reading *r, const struct part *part, enum config_option_id id,
	const char *format, ...) PRINTF_LIKE(4, 5);
void reading_out_of_memory(struct reading *r);
struct place_mark reading_mark(
	const struct reading *r, const struct part *part, enum config_option_id id);

/* The way to a key of a part. */
struct path reading_key(const struct part *part, enum config_option_id id);
/* Is the key there? */
bool reading_has(const struct part *part, enum config_option_id id);
/* Is there a list without elements? reading_has is false then. */
bool reading_is_empty(
	const struct reading *r, const struct part *part, enum config_option_id id);
/* What stands behind the key; all zero when it is not there. */
struct raw reading_raw(const struct part *part, enum config_option_id id);
/* The mapping behind a key of type ONE; `path` is filled in and must live as long as the part. */
struct part reading_one(const struct part *part, enum config_option_id id, struct path *path);
/* Element i of a key of type MANY; `list` and `item` are filled in. */
struct part reading_item(const struct part *part, enum config_option_id id, size_t i,
	struct path *list, struct path *item);

/* One value by its type, range checked, the table's default when it is not there. */
uint64_t reading_count(struct reading *r, const struct part *part, enum config_option_id id);
int64_t reading_duration(struct reading *r, const struct part *part, enum config_option_id id);
bool reading_bool(struct reading *r, const struct part *part, enum config_option_id id);
/* The last nanosecond of the day; INT64_MAX when it is not there. */
int64_t reading_day(struct reading *r, const struct part *part, enum config_option_id id);
/* Which of the option's words. */
unsigned reading_choice(struct reading *r, const struct part *part, enum config_option_id id);
/* A new string. NULL when it is not there and has no default (or after an error). */
char *reading_text(struct reading *r, const struct part *part, enum config_option_id id);
/* The same with a default of the caller's. */
char *reading_text_or(struct reading *r, const struct part *part, enum config_option_id id,
	const char *otherwise);
/* The same for a name of a person's choosing: 1 to 63 letters, digits and . _ - */
char *reading_id(struct reading *r, const struct part *part, enum config_option_id id);
/* An id of a provider: the same in lower case. */
char *reading_provider(struct reading *r, const struct part *part, enum config_option_id id);
/* A path, relative ones from the folder of the configuration file; NULL when it is not there. */
char *reading_path(struct reading *r, const struct part *part, enum config_option_id id);
/* The same, of a unix socket: no longer than an address can hold. */
char *reading_socket(struct reading *r, const struct part *part, enum config_option_id id);
/* A domain name in presentation form (lower case, no trailing dot, IDN as A-labels). */
char *reading_name(struct reading *r, const struct part *part, enum config_option_id id);

/* Lists. An array of `size` zero bytes each, or NULL (also when count is 0). */
void *reading_array(struct reading *r, size_t count, size_t size);
/* Numbers in the option's range; no number twice. */
uint32_t *reading_counts(
	struct reading *r, const struct part *part, enum config_option_id id, size_t *count);
char **reading_texts(
	struct reading *r, const struct part *part, enum config_option_id id, size_t *count);
/* Domain names; with `stars` "*.x" is allowed too. */
char **reading_names(struct reading *r, const struct part *part, enum config_option_id id,
	bool stars, size_t *count);
/* Networks, "!NET" excludes. */
void reading_networks(struct reading *r, const struct part *part, enum config_option_id id,
	struct ip_set *out);
/* Networks without exclusions, in the order of the file. */
struct ip_net *reading_selected(
	struct reading *r, const struct part *part, enum config_option_id id, size_t *count);
/* An empty list where a missing one means "all" is an error: nobody knows what was meant. */
void reading_refuse_empty(struct reading *r, const struct part *part, enum config_option_id id);

/*
 * Refuse the first text that stands twice. `text` has the texts of key `key` of each element of
 * `list`, in order; NULL where there is none.
 */
void reading_refuse_twins(struct reading *r, const struct part *part,
	enum config_option_id list, const char *key, char *const *text, size_t count);

/* The parts of the file that have their own C file. */
void reading_tenants(struct reading *r, const struct part *top);
void reading_rules(struct reading *r, const struct part *part, enum config_option_id id,
	struct rule_settings *out);
void reading_captures(struct reading *r, const struct part *top);
void reading_feeds(struct reading *r, const struct part *top);
/* Of one of the feeds. */
void reading_fetch(struct reading *r, const struct part *feed, struct config_fetch *out);
void reading_outputs(struct reading *r, const struct part *top);

#endif
