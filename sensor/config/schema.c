/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/config/schema.h"

#include "sensor/base/nearest.h"

#include <cyaml/cyaml.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct schema {
	struct schema_section {
		struct config_option *key;
		size_t key_count;
		cyaml_schema_field_t *field;  /* the keys for libcyaml, closed by a zero key */
		cyaml_schema_value_t one;     /* the section as a mapping of its own */
		cyaml_schema_value_t element; /* the section inside a list */
	} section[CONFIG_SECTION_COUNT];
};

static const cyaml_schema_value_t text_element = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, CYAML_UNLIMITED),
};

/* --- made from the tables ------------------------------------------------------------------ */

static cyaml_schema_field_t field_of(
	const struct schema *s, const struct config_option *option, size_t nth)
{
	cyaml_schema_field_t field = {
		.key = option->key,
		.data_offset = (uint32_t)(nth * sizeof(struct raw) + offsetof(struct raw, at)),
		.count_offset =
			(uint32_t)(nth * sizeof(struct raw) + offsetof(struct raw, count)),
		.count_size = sizeof(((struct raw *)NULL)->count),
	};

	switch (config_type_shape(option->type)) {
	case CONFIG_SHAPE_VALUE:
		field.value = text_element;
		break;
	case CONFIG_SHAPE_VALUES:
		field.value = (cyaml_schema_value_t){
			CYAML_VALUE_SEQUENCE(
				CYAML_FLAG_POINTER, char *, &text_element, 0, CYAML_UNLIMITED),
		};
		break;
	case CONFIG_SHAPE_MAPPING:
		field.value = s->section[option->part].one;
		break;
	case CONFIG_SHAPE_MAPPINGS:
		field.value = (cyaml_schema_value_t){
			CYAML_VALUE_SEQUENCE(CYAML_FLAG_POINTER, struct raw,
				&s->section[option->part].element, 0, CYAML_UNLIMITED),
		};
		field.value.data_size = s->section[option->part].element.data_size;
		break;
	}
	field.value.flags |= CYAML_FLAG_OPTIONAL; /* schema_check knows which are required */
	return field;
}

static bool section_alloc(struct schema_section *section, enum config_section number)
{
	section->key_count = config_section_key_count(number);
	section->key = calloc(section->key_count, sizeof(*section->key));
	section->field = calloc(section->key_count + 1, sizeof(*section->field));
	if (!section->key || !section->field)
		return false;
	for (size_t i = 0; i < section->key_count; i++)
		section->key[i] = config_section_key(number, i);
	section->element = (cyaml_schema_value_t){
		CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw, section->field),
	};
	section->element.data_size = (uint32_t)(section->key_count * sizeof(struct raw));
	section->one = section->element;
	section->one.flags = CYAML_FLAG_POINTER;
	return true;
}

struct schema *schema_new(void)
{
	struct schema *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	for (size_t i = 0; i < CONFIG_SECTION_COUNT; i++) {
		if (!section_alloc(&s->section[i], (enum config_section)i)) {
			schema_free(s);
			return NULL;
		}
	}
	for (size_t i = 0; i < CONFIG_SECTION_COUNT; i++) {
		for (size_t j = 0; j < s->section[i].key_count; j++)
			s->section[i].field[j] = field_of(s, &s->section[i].key[j], j);
	}
	return s;
}

void schema_free(struct schema *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < CONFIG_SECTION_COUNT; i++) {
		free(s->section[i].key);
		free(s->section[i].field);
	}
	free(s);
}

/* --- the file's shape ---------------------------------------------------------------------- */

struct check {
	const struct schema *schema;
	const struct places *places;
	const char *name;
	struct err_ctx *why;
};

static enum err fail(const struct check *c, struct place_mark at, const struct path *path,
	const char *format, ...) PRINTF_LIKE(4, 5);
static enum err fail(const struct check *c, struct place_mark at, const struct path *path,
	const char *format, ...)
{
	char key[PATH_TEXT_MAX], what[512];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	path_format(path, key);
	return err_set(c->why, ERR_USAGE, "%s:%u:%u: %s%s%s", c->name, at.line, at.column, key,
		key[0] ? ": " : "", what);
}

static enum err fail_unknown(const struct check *c, enum config_section section,
	const struct place *child, const struct path *path)
{
	const struct schema_section *s = &c->schema->section[section];
	struct nearest near = nearest_to(path->key);
	struct text known = { 0 };

	for (size_t i = 0; i < s->key_count; i++) {
		nearest_offer(&near, s->key[i].key);
		text_printf(&known, "%s%s", i ? ", " : "", s->key[i].key);
	}
	const char *kind = section == CONFIG_SECTION_RULES ? "rule" : "key";
	enum err err;
	if (near.word)
		err = fail(c, child->key_at, path, "unknown %s; did you mean \"%s\"?", kind,
			near.word);
	else if (section == CONFIG_SECTION_RULES)
		err = fail(c, child->key_at, path, "unknown rule; `dynwatch rules` lists them");
	else
		err = fail(c, child->key_at, path, "unknown key; known are %s",
			known.at ? known.at : "");
	text_deinit(&known);
	return err;
}

static enum err check_section(const struct check *c, enum config_section section,
	const struct place *node, const struct path *path);

static const char *shape_wanted(enum config_shape shape)
{
	switch (shape) {
	case CONFIG_SHAPE_VALUE:
		return "one value is expected";
	case CONFIG_SHAPE_VALUES:
		return "a list of values is expected, like [a, b]";
	case CONFIG_SHAPE_MAPPING:
		return "a mapping is expected, like {key: value}";
	case CONFIG_SHAPE_MAPPINGS:
		return "a list of mappings is expected, like [{key: value}]";
	}
	return "";
}

static enum err fail_shape(const struct check *c, enum config_shape shape,
	const struct place *node, const struct path *path)
{
	static const char *const found[] = {
		[PLACE_EMPTY] = "this is empty; leave the key out for its default",
		[PLACE_VALUE] = "this is one value",
		[PLACE_LIST] = "this is a list",
		[PLACE_MAPPING] = "this is a mapping",
	};

	return fail(c, node->value_at, path, "%s; %s", shape_wanted(shape), found[node->kind]);
}

static enum err check_elements(const struct check *c, const struct config_option *option,
	const struct place *list, const struct path *path)
{
	size_t i = 0;
	bool mappings = config_type_shape(option->type) == CONFIG_SHAPE_MAPPINGS;

	for (uint32_t at = list->first; at != PLACE_NONE; at = c->places->node[at].next, i++) {
		const struct place *node = &c->places->node[at];
		struct path here = path_item(path, i);
		enum err err = ERR_OK;
		if (node->kind != (mappings ? PLACE_MAPPING : PLACE_VALUE))
			err = fail_shape(c,
				mappings ? CONFIG_SHAPE_MAPPING : CONFIG_SHAPE_VALUE, node,
				&here);
		else if (mappings)
			err = check_section(c, option->part, node, &here);
		if (err)
			return err;
	}
	return ERR_OK;
}

static enum err check_node(const struct check *c, const struct config_option *option,
	const struct place *node, const struct path *path)
{
	static const enum place_kind wanted[] = {
		[CONFIG_SHAPE_VALUE] = PLACE_VALUE,
		[CONFIG_SHAPE_VALUES] = PLACE_LIST,
		[CONFIG_SHAPE_MAPPING] = PLACE_MAPPING,
		[CONFIG_SHAPE_MAPPINGS] = PLACE_LIST,
	};
	enum config_shape shape = config_type_shape(option->type);

	if (node->kind != wanted[shape])
		return fail_shape(c, shape, node, path);
	if (shape == CONFIG_SHAPE_MAPPING)
		return check_section(c, option->part, node, path);
	if (node->kind == PLACE_LIST)
		return check_elements(c, option, node, path);
	return ERR_OK;
}

static const struct config_option *option_find(
	const struct schema_section *section, const char *key)
{
	for (size_t i = 0; i < section->key_count; i++) {
		if (strcmp(section->key[i].key, key) == 0)
			return &section->key[i];
	}
	return NULL;
}

static bool has_key(const struct check *c, const struct place *mapping, const char *key)
{
	for (uint32_t at = mapping->first; at != PLACE_NONE; at = c->places->node[at].next) {
		if (strcmp(place_key(c->places, &c->places->node[at]), key) == 0)
			return true;
	}
	return false;
}

static enum err check_section(const struct check *c, enum config_section number,
	const struct place *node, const struct path *path)
{
	const struct schema_section *section = &c->schema->section[number];
	enum err err = ERR_OK;

	for (uint32_t at = node->first; !err && at != PLACE_NONE;
		at = c->places->node[at].next) {
		const struct place *child = &c->places->node[at];
		struct path here = path_key(path, place_key(c->places, child));
		const struct config_option *option = option_find(section, here.key);
		err = option ? check_node(c, option, child, &here)
			     : fail_unknown(c, number, child, &here);
	}
	for (size_t i = 0; !err && i < section->key_count; i++) {
		const struct config_option *option = &section->key[i];
		struct path here = path_key(path, option->key);
		if (option->initial || has_key(c, node, option->key))
			continue;
		err = fail(c, node->value_at, &here, "missing, but required (%s)",
			option->meaning);
	}
	return err;
}

enum err schema_check(
	const struct schema *s, const struct places *p, const char *name, struct err_ctx *why)
{
	const struct check c = { .schema = s, .places = p, .name = name, .why = why };

	return check_section(&c, CONFIG_SECTION_TOP, &p->node[PLACE_ROOT], NULL);
}

/* --- loading ------------------------------------------------------------------------------- */

/* libcyaml's first complaint; the lines after it are its backtrace. */
static void keep_complaint(cyaml_log_t level, void *ctx, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));
static void keep_complaint(cyaml_log_t level, void *ctx, const char *format, va_list args)
{
	struct err_ctx *complaint = ctx;

	(void)level;
	if (!complaint->text[0])
		vsnprintf(complaint->text, sizeof(complaint->text), format, args);
}

static cyaml_config_t loader(struct err_ctx *complaint)
{
	return (cyaml_config_t){
		.log_fn = keep_complaint,
		.log_ctx = complaint,
		.mem_fn = cyaml_mem,
		.log_level = CYAML_LOG_ERROR,
		.flags = CYAML_CFG_NO_ALIAS,
	};
}

enum err raw_load(struct raw **out, const struct schema *s, const char *bytes, size_t bytes_len,
	const char *name, struct err_ctx *why)
{
	struct err_ctx complaint = { "" };
	cyaml_config_t config = loader(&complaint);
	cyaml_data_t *data = NULL;
	cyaml_err_t error = cyaml_load_data((const uint8_t *)bytes, bytes_len, &config,
		&s->section[CONFIG_SECTION_TOP].one, &data, NULL);

	*out = data;
	if (error == CYAML_OK)
		return ERR_OK;
	*out = NULL;
	return err_set(why, error == CYAML_ERR_OOM ? ERR_FAILED : ERR_USAGE, "%s: %s%s%s", name,
		cyaml_strerror(error), complaint.text[0] ? ": " : "", complaint.text);
}

void raw_free(const struct schema *s, struct raw *top)
{
	struct err_ctx complaint = { "" };
	cyaml_config_t config = loader(&complaint);

	if (top)
		cyaml_free(&config, &s->section[CONFIG_SECTION_TOP].one, top, 0);
}
