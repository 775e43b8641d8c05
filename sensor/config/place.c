/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/config/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* An open list or mapping during the walk. */
struct level {
	uint32_t node, last; /* last: its newest child, or PLACE_NONE */
	uint32_t count;
	bool wants_key; /* in a mapping */
};

struct walk {
	struct places *places;
	const char *bytes, *name;
	size_t bytes_len;
	struct err_ctx *why;
	struct level level[PLACE_DEPTH_MAX];
	unsigned depth;
	uint32_t key; /* read, its value is due */
	struct place_mark key_at;
	bool done; /* the document has ended */
};

const char *path_format(const struct path *path, char text[PATH_TEXT_MAX])
{
	size_t len = 0;

	text[0] = '\0';
	if (!path)
		return text;
	if (path->up)
		len = strlen(path_format(path->up, text));
	if (!path->key)
		snprintf(text + len, PATH_TEXT_MAX - len, "[%zu]", path->index);
	else
		snprintf(text + len, PATH_TEXT_MAX - len, "%s%s", len ? "." : "", path->key);
	return text;
}

static uint32_t child_by_key(const struct places *p, uint32_t parent, const char *key)
{
	uint32_t at = p->node[parent].first;

	while (at != PLACE_NONE && strcmp(place_key(p, &p->node[at]), key) != 0)
		at = p->node[at].next;
	return at;
}

static uint32_t child_by_index(const struct places *p, uint32_t parent, size_t index)
{
	const struct place *list = &p->node[parent];

	return index < list->element_count ? p->element[list->element + index] : PLACE_NONE;
}

/* The node of the longest part of the path that is there. */
static uint32_t find(const struct places *p, const struct path *path, bool *whole)
{
	*whole = true;
	if (!path)
		return PLACE_ROOT;
	uint32_t parent = find(p, path->up, whole);
	if (!*whole)
		return parent;

	enum place_kind kind = p->node[parent].kind;
	uint32_t at = PLACE_NONE;
	if (path->key && kind == PLACE_MAPPING)
		at = child_by_key(p, parent, path->key);
	else if (!path->key && kind == PLACE_LIST)
		at = child_by_index(p, parent, path->index);
	*whole = at != PLACE_NONE;
	return *whole ? at : parent;
}

struct place_mark place_find(const struct places *p, const struct path *path)
{
	bool whole;

	return p->node[find(p, path, &whole)].value_at;
}

bool place_is_empty_list(const struct places *p, const struct path *path)
{
	bool whole;
	const struct place *node = &p->node[find(p, path, &whole)];

	return whole && node->kind == PLACE_LIST && node->first == PLACE_NONE;
}

static struct place_mark mark_of(yaml_mark_t mark)
{
	return (struct place_mark){ (uint32_t)mark.line + 1, (uint32_t)mark.column + 1 };
}

/* Line and column of a byte. */
static struct place_mark mark_of_offset(const char *bytes, size_t offset)
{
	struct place_mark mark = { 1, 1 };

	for (size_t i = 0; i < offset; i++) {
		mark.column++;
		if (bytes[i] == '\n')
			mark = (struct place_mark){ mark.line + 1, 1 };
	}
	return mark;
}

/* The way to where the walk stands, for messages. */
static void describe_way(const struct walk *w, char text[PATH_TEXT_MAX])
{
	struct path path[PLACE_DEPTH_MAX + 1];
	const struct path *up = NULL;
	unsigned used = 0;

	for (unsigned i = 0; i < w->depth; i++) {
		const struct level *level = &w->level[i];
		const struct places *p = w->places;
		bool open_inside = i + 1 < w->depth;
		if (p->node[level->node].kind == PLACE_LIST)
			path[used] = path_item(up, level->count - (open_inside ? 1 : 0));
		else if (open_inside)
			path[used] = path_key(up, place_key(p, &p->node[level->last]));
		else if (!level->wants_key)
			path[used] = path_key(up, p->keys.at + w->key);
		else
			continue;
		up = &path[used++];
	}
	path_format(up, text);
}

static enum err fail(const struct walk *w, struct place_mark at, const char *format, ...)
	PRINTF_LIKE(3, 4);
static enum err fail(const struct walk *w, struct place_mark at, const char *format, ...)
{
	char way[PATH_TEXT_MAX], what[512];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	describe_way(w, way);
	return err_set(w->why, ERR_USAGE, "%s:%u:%u: %s%s%s", w->name, at.line, at.column, way,
		way[0] ? ": " : "", what);
}

/* What the scanner stumbled over is most often one of two mistakes. */
static const char *hint_of(const struct walk *w, const yaml_parser_t *parser)
{
	static const char quotes[] =
		"; a value that begins with one of @ ` % * & ! needs quotes";
	const char *context = parser->context ? parser->context : "";
	bool indent = parser->problem_mark.index < w->bytes_len &&
		      w->bytes[parser->problem_mark.index] == '\t';

	if (indent)
		return "; indent with spaces, not tabs";
	if (strstr(parser->problem, "cannot start any token") || strstr(context, "an alias") ||
		strstr(context, "an anchor") || strstr(context, "a tag"))
		return quotes;
	return "";
}

static enum err fail_parser(const struct walk *w, const yaml_parser_t *parser)
{
	if (parser->error == YAML_MEMORY_ERROR || !parser->problem)
		return err_set(w->why, ERR_FAILED, "%s: out of memory", w->name);
	if (parser->error == YAML_READER_ERROR) {
		size_t offset = parser->problem_offset < w->bytes_len ? parser->problem_offset
								      : w->bytes_len;
		return fail(w, mark_of_offset(w->bytes, offset), "not valid UTF-8 text: %s",
			parser->problem);
	}
	return fail(w, mark_of(parser->problem_mark), "not valid YAML: %s%s%s%s",
		parser->problem, parser->context ? ", " : "",
		parser->context ? parser->context : "", hint_of(w, parser));
}

/* A new node, linked to the level it stands in. */
static enum err add_node(
	struct walk *w, enum place_kind kind, struct place_mark at, uint32_t *added)
{
	struct places *p = w->places;

	if (p->count == PLACE_NODES_MAX)
		return fail(w, at, "more than 1000000 values");
	if (p->count == p->size) {
		size_t size = p->size ? p->size * 2 : 64;
		struct place *grown = realloc(p->node, size * sizeof(*grown));
		if (!grown)
			return err_set(w->why, ERR_FAILED, "%s: out of memory", w->name);
		p->node = grown;
		p->size = size;
	}
	*added = (uint32_t)p->count++;
	p->node[*added] = (struct place){
		.value_at = at,
		.first = PLACE_NONE,
		.next = PLACE_NONE,
		.kind = (uint8_t)kind,
	};
	if (w->depth == 0)
		return ERR_OK;

	struct level *level = &w->level[w->depth - 1];
	if (level->last == PLACE_NONE)
		p->node[level->node].first = *added;
	else
		p->node[level->last].next = *added;
	level->last = *added;
	level->count++;
	if (p->node[level->node].kind == PLACE_MAPPING) {
		p->node[*added].key = w->key;
		p->node[*added].key_at = w->key_at;
		level->wants_key = true;
	}
	return ERR_OK;
}

static bool wants_key(const struct walk *w)
{
	return w->depth > 0 && w->level[w->depth - 1].wants_key;
}

static enum err open_level(struct walk *w, enum place_kind kind, const yaml_event_t *event)
{
	struct place_mark at = mark_of(event->start_mark);
	uint32_t node;

	if (wants_key(w))
		return fail(w, at, "a key must be a word");
	if (w->depth == PLACE_DEPTH_MAX)
		return fail(w, at, "nested too deep");
	enum err err = add_node(w, kind, at, &node);
	if (err)
		return err;
	w->level[w->depth++] = (struct level){
		.node = node,
		.last = PLACE_NONE,
		.wants_key = kind == PLACE_MAPPING,
	};
	return ERR_OK;
}

static enum err take_key(struct walk *w, const yaml_event_t *event)
{
	const char *key = (const char *)event->data.scalar.value;
	const struct level *level = &w->level[w->depth - 1];
	struct place_mark at = mark_of(event->start_mark);

	if (level->count == PLACE_KEYS_MAX)
		return fail(w, at, "too many keys in one mapping");
	uint32_t twin = child_by_key(w->places, level->node, key);
	if (twin != PLACE_NONE) {
		return fail(w, at, "\"%.80s\" stands twice, first in line %u", key,
			w->places->node[twin].key_at.line);
	}
	w->key = (uint32_t)w->places->keys.len;
	w->key_at = at;
	text_add(&w->places->keys, key, event->data.scalar.length + 1);
	if (w->places->keys.failed)
		return err_set(w->why, ERR_FAILED, "%s: out of memory", w->name);
	w->level[w->depth - 1].wants_key = false;
	return ERR_OK;
}

static bool is_null(const yaml_event_t *event)
{
	static const char *const word[] = { "", "~", "null", "Null", "NULL" };

	if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(word); i++) {
		if (strcmp((const char *)event->data.scalar.value, word[i]) == 0)
			return true;
	}
	return false;
}

static enum err fail_tag(const struct walk *w, const yaml_event_t *event, const char *tag)
{
	/* "!!int" comes as "tag:yaml.org,2002:int". */
	if (tag[0] != '!')
		return fail(w, mark_of(event->start_mark),
			"YAML tags are not read here (%.80s)", tag);
	return fail(w, mark_of(event->start_mark),
		"%.80s is read as a YAML tag; a value that begins with ! needs quotes: "
		"\"%.80s\"",
		tag, tag);
}

static enum err take_scalar(struct walk *w, const yaml_event_t *event)
{
	struct place_mark at = mark_of(event->start_mark);
	uint32_t node;

	if (event->data.scalar.tag)
		return fail_tag(w, event, (const char *)event->data.scalar.tag);
	if (strlen((const char *)event->data.scalar.value) != event->data.scalar.length)
		return fail(w, at, "holds a NUL byte");
	if (wants_key(w))
		return take_key(w, event);
	return add_node(w, is_null(event) ? PLACE_EMPTY : PLACE_VALUE, at, &node);
}

static enum err fail_alias(const struct walk *w, const yaml_event_t *event)
{
	return fail(w, mark_of(event->start_mark),
		"YAML aliases are not read here; a value that begins with * needs quotes: "
		"\"*%.80s\"",
		(const char *)event->data.alias.anchor);
}

static enum err fail_anchor(const struct walk *w, const yaml_event_t *event, const char *anchor)
{
	return fail(w, mark_of(event->start_mark),
		"YAML anchors are not read here; a value that begins with & needs quotes: "
		"\"&%.80s\"",
		anchor);
}

static enum err refuse_anchor(const struct walk *w, const yaml_event_t *event)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	if (event->type == YAML_SCALAR_EVENT)
		anchor = event->data.scalar.anchor;
	if (event->type == YAML_SEQUENCE_START_EVENT) {
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
	}
	if (event->type == YAML_MAPPING_START_EVENT) {
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
	}
	if (anchor)
		return fail_anchor(w, event, (const char *)anchor);
	return tag ? fail_tag(w, event, (const char *)tag) : ERR_OK;
}

static enum err take_event(struct walk *w, const yaml_event_t *event)
{
	enum err err = refuse_anchor(w, event);

	if (err)
		return err;
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (w->places->count)
			return fail(w, mark_of(event->start_mark),
				"a second YAML document; a configuration is one");
		return ERR_OK;
	case YAML_SCALAR_EVENT:
		return take_scalar(w, event);
	case YAML_SEQUENCE_START_EVENT:
		return open_level(w, PLACE_LIST, event);
	case YAML_MAPPING_START_EVENT:
		return open_level(w, PLACE_MAPPING, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		w->depth--;
		return ERR_OK;
	case YAML_ALIAS_EVENT:
		return fail_alias(w, event);
	case YAML_STREAM_END_EVENT:
		w->done = true;
		return ERR_OK;
	default:
		return ERR_OK;
	}
}

static enum err walk_events(struct walk *w, yaml_parser_t *parser)
{
	enum err err = ERR_OK;

	while (!err && !w->done) {
		yaml_event_t event;
		if (!yaml_parser_parse(parser, &event))
			return fail_parser(w, parser);
		err = take_event(w, &event);
		yaml_event_delete(&event);
	}
	return err;
}

/* Files have lists of many thousands, which are asked for by number. */
static bool number_elements(struct places *p)
{
	uint32_t used = 0;

	p->element = calloc(p->count, sizeof(*p->element));
	if (!p->element)
		return false;
	for (size_t i = 0; i < p->count; i++) {
		struct place *list = &p->node[i];
		if (list->kind != PLACE_LIST)
			continue;
		list->element = used;
		for (uint32_t at = list->first; at != PLACE_NONE; at = p->node[at].next)
			p->element[used++] = at;
		list->element_count = used - list->element;
	}
	return true;
}

static enum err check_whole(const struct walk *w)
{
	if (w->places->count == 0)
		return err_set(w->why, ERR_USAGE,
			"%s:1:1: the configuration is empty; {} is one that leaves everything "
			"at its default",
			w->name);
	if (w->places->node[PLACE_ROOT].kind != PLACE_MAPPING)
		return fail(w, w->places->node[PLACE_ROOT].value_at,
			"a mapping of keys (sensor:, tenants:, ...) is expected");
	return ERR_OK;
}

enum err places_new(struct places **out, const char *bytes, size_t bytes_len, const char *name,
	struct err_ctx *why)
{
	struct walk w = { .bytes = bytes, .bytes_len = bytes_len, .name = name, .why = why };
	const char *nul = memchr(bytes, '\0', bytes_len);
	yaml_parser_t parser;

	*out = NULL;
	if (nul) {
		struct place_mark at = mark_of_offset(bytes, (size_t)(nul - bytes));
		return err_set(why, ERR_USAGE,
			"%s:%u:%u: a NUL byte; the file is not UTF-8 text", name, at.line,
			at.column);
	}
	if (!yaml_parser_initialize(&parser))
		return err_set(why, ERR_FAILED, "%s: out of memory", name);
	yaml_parser_set_input_string(&parser, (const unsigned char *)bytes, bytes_len);
	w.places = calloc(1, sizeof(*w.places));
	enum err err =
		w.places ? walk_events(&w, &parser) : err_set(why, ERR_FAILED, "out of memory");
	if (!err)
		err = check_whole(&w);
	if (!err && !number_elements(w.places))
		err = err_set(why, ERR_FAILED, "%s: out of memory", name);
	yaml_parser_delete(&parser);
	if (err)
		places_free(w.places);
	else
		*out = w.places;
	return err;
}

void places_free(struct places *p)
{
	if (!p)
		return;
	free(p->node);
	free(p->element);
	text_deinit(&p->keys);
	free(p);
}
