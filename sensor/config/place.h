/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * place.h -- where everything stands in a configuration file: its shape with line and column.
 *
 * One walk over the events of libyaml. It refuses what a configuration has no use for and what
 * could be meant as an attack: aliases (and with them entities that unfold without end), tags, more
 * than one document, deep nesting, NUL bytes, double keys. What remains can be loaded by libcyaml
 * without surprise, and every later error finds its place here.
 *
 * Owner:    places_new/places_free; copies what it keeps.  Threads: no shared state.
 * Input:    untrusted bytes.
 * Limits:   PLACE_DEPTH_MAX levels, PLACE_KEYS_MAX keys in one mapping, PLACE_NODES_MAX values.
 */
#ifndef SENSOR_CONFIG_PLACE_H
#define SENSOR_CONFIG_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/base/error.h"
#include "sensor/base/text.h"

#define PLACE_DEPTH_MAX 16
#define PLACE_KEYS_MAX  256
#define PLACE_NODES_MAX 1000000u
#define PLACE_NONE      UINT32_MAX
#define PLACE_ROOT      0u

enum place_kind {
	PLACE_EMPTY, /* nothing, or a plain null */
	PLACE_VALUE,
	PLACE_LIST,
	PLACE_MAPPING,
};

struct place_mark {
	uint32_t line, column; /* from 1; 0: not known */
};

struct place {
	struct place_mark key_at, value_at; /* key_at: in a mapping only */
	uint32_t key;                       /* in the text pool: use place_key */
	uint32_t first, next;               /* child and sibling, or PLACE_NONE */
	uint32_t element, element_count;    /* of a list: its part of places.element */
	uint8_t kind;
};

struct places {
	struct place *node; /* node[PLACE_ROOT] is the whole document */
	size_t count, size;
	uint32_t *element; /* the children of every list, so that any is found at once */
	struct text keys;
};

/* The way to a value, held on the caller's stack: "tenants[2].select.networks[0]". */
struct path {
	const struct path *up; /* NULL: from the root */
	const char *key;       /* NULL: an element of a list */
	size_t index;
};

static inline struct path path_key(const struct path *up, const char *key)
{
	return (struct path){ .up = up, .key = key };
}

static inline struct path path_item(const struct path *up, size_t index)
{
	return (struct path){ .up = up, .index = index };
}

#define PATH_TEXT_MAX 200
/* Returns text; what is too long is cut. */
const char *path_format(const struct path *path, char text[PATH_TEXT_MAX]);

/* ERR_USAGE with "NAME:LINE:COLUMN: ..." for all that is not one plain YAML mapping. */
NODISCARD enum err places_new(struct places **out, const char *bytes, size_t bytes_len,
	const char *name, struct err_ctx *why);
void places_free(struct places *p);

static inline const char *place_key(const struct places *p, const struct place *place)
{
	return p->keys.at + place->key;
}

/* Is there a list without elements? */
bool place_is_empty_list(const struct places *p, const struct path *path);
/* The value's mark, or that of the nearest part of the path that is there. */
struct place_mark place_find(const struct places *p, const struct path *path);

#endif
