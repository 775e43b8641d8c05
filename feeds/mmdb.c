/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/mmdb.h"

#include <stdlib.h>
#include <string.h>

#include "sensor/base/cursor.h"

/* The metadata starts behind the last marker in the last 128 kB of the file. */
static const uint8_t marker[] = "\xab\xcd\xefMaxMind.com";
#define MARKER_LEN    (sizeof(marker) - 1)
#define METADATA_MAX  131072
#define SEPARATOR_LEN 16
/* Steps allowed for each byte of a section. A sound file takes fewer than two: every value is
 * met once where it lies and once through the first pointer to it. */
#define STEPS_PER_BYTE 4

enum value_type {
	TYPE_EXTENDED = 0,
	TYPE_POINTER = 1,
	TYPE_STRING = 2,
	TYPE_DOUBLE = 3,
	TYPE_BYTES = 4,
	TYPE_UINT16 = 5,
	TYPE_UINT32 = 6,
	TYPE_MAP = 7,
	TYPE_INT32 = 8,
	TYPE_UINT64 = 9,
	TYPE_UINT128 = 10,
	TYPE_ARRAY = 11,
	TYPE_BOOLEAN = 14,
	TYPE_FLOAT = 15,
};

/* One section of values; pointers in it count from its start. */
struct section {
	const uint8_t *base;
	size_t len;
	uint8_t *seen; /* bit per byte: a value that starts here was walked to its end */
	uint64_t steps_left;
	const char *key; /* looked for in maps */
	bool has_key;
	const char *wrong;
	size_t wrong_at;
};

/* A value as its control bytes describe it. */
struct value {
	enum value_type type;
	uint32_t size;     /* bytes, pairs or elements; of a pointer: where to */
	const uint8_t *at; /* content of a string or number */
};

static bool refuse(struct section *s, const struct cursor *c, const char *wrong)
{
	if (!s->wrong) {
		s->wrong = wrong;
		s->wrong_at = c && c->pos ? (size_t)(c->pos - s->base) : 0;
	}
	return false;
}

static uint32_t big_endian(struct cursor *c, unsigned count)
{
	uint32_t number = 0;
	while (count-- > 0)
		number = number << 8 | cursor_u8(c);
	return number;
}

static uint32_t pointer_target(struct cursor *c, uint8_t control)
{
	static const uint32_t base[4] = { 0, 2048, 526336, 0 };
	unsigned width = control >> 3 & 3;
	uint32_t high = width < 3 ? control & 7u : 0;

	return (high << (8 * (width + 1) % 32)) + big_endian(c, width + 1) + base[width];
}

static uint32_t content_size(struct cursor *c, uint8_t control)
{
	static const uint32_t base[3] = { 29, 285, 65821 };
	unsigned size = control & 31u;

	return size < 29 ? size : base[size - 29] + big_endian(c, size - 28);
}

/* Largest size in bytes of the types that are numbers. */
static uint32_t size_max(enum value_type type)
{
	switch (type) {
	case TYPE_UINT16:
		return 2;
	case TYPE_UINT32:
	case TYPE_INT32:
	case TYPE_FLOAT:
		return 4;
	case TYPE_UINT64:
	case TYPE_DOUBLE:
		return 8;
	case TYPE_UINT128:
		return 16;
	default:
		return UINT32_MAX;
	}
}

/* Read the control bytes, and the content unless it is a container's. */
static bool read_value(struct section *s, struct cursor *c, struct value *value)
{
	if (s->steps_left == 0)
		return refuse(s, c, "values that overlap without end");
	s->steps_left--;
	uint8_t control = cursor_u8(c);
	unsigned type = control >> 5;
	if (type == TYPE_POINTER) {
		*value = (struct value){ .type = TYPE_POINTER };
		value->size = pointer_target(c, control);
		return !c->failed || refuse(s, c, "a value that is cut off");
	}
	if (type == TYPE_EXTENDED)
		type = cursor_u8(c) + 7u;
	if (type > TYPE_FLOAT || type < TYPE_STRING || type == 12 || type == 13)
		return refuse(s, c,
			c->failed ? "a value that is cut off" : "a value of unknown type");
	*value = (struct value){ .type = (enum value_type)type };
	value->size = content_size(c, control);
	if (value->size > size_max(value->type))
		return refuse(s, c, "a number of impossible size");
	if (type != TYPE_MAP && type != TYPE_ARRAY && type != TYPE_BOOLEAN)
		value->at = cursor_take(c, value->size);
	return !c->failed || refuse(s, c, "a value that is cut off");
}

static bool was_seen(const struct section *s, size_t at)
{
	return s->seen[at / 8] >> (at % 8) & 1;
}

static bool walk_value(struct section *s, struct cursor *c, unsigned depth);

/* Follow a pointer, whose target is no pointer, once for each target. */
static bool walk_target(struct section *s, size_t target, unsigned depth)
{
	if (target >= s->len)
		return refuse(s, NULL, "a pointer out of the data");
	if (s->base[target] >> 5 == TYPE_POINTER)
		return refuse(s, NULL, "a pointer to a pointer");
	if (was_seen(s, target))
		return true;
	struct cursor c = cursor_init(s->base + target, s->len - target);
	return walk_value(s, &c, depth + 1);
}

/* A map's key: a string, or a pointer to one. */
static bool walk_key(struct section *s, struct cursor *c)
{
	struct value key;

	if (!read_value(s, c, &key))
		return false;
	if (key.type == TYPE_POINTER) {
		if (key.size >= s->len)
			return refuse(s, c, "a pointer out of the data");
		struct cursor target = cursor_init(s->base + key.size, s->len - key.size);
		if (!read_value(s, &target, &key))
			return false;
	}
	if (key.type != TYPE_STRING)
		return refuse(s, c, "a key that is no string");
	if (key.size == strlen(s->key) && memcmp(key.at, s->key, key.size) == 0)
		s->has_key = true;
	return true;
}

/* One value and all below it; the depth limit also ends loops of pointers. */
static bool walk_value(struct section *s, struct cursor *c, unsigned depth)
{
	size_t start = (size_t)(c->pos - s->base);
	struct value value;

	if (depth > MMDB_DEPTH_MAX)
		return refuse(s, c, "values nested too deep");
	if (!read_value(s, c, &value))
		return false;
	if (value.type == TYPE_POINTER)
		return walk_target(s, value.size, depth);
	if (value.type == TYPE_MAP || value.type == TYPE_ARRAY) {
		for (uint32_t i = 0; i < value.size; i++) {
			if (value.type == TYPE_MAP && !walk_key(s, c))
				return false;
			if (!walk_value(s, c, depth + 1))
				return false;
		}
	}
	s->seen[start / 8] |= (uint8_t)(1u << (start % 8));
	return true;
}

static bool section_init(struct section *s, const uint8_t *base, size_t len, const char *key)
{
	*s = (struct section){ .base = base, .len = len, .key = key };
	s->steps_left = (uint64_t)len * STEPS_PER_BYTE + 4 * MMDB_DEPTH_MAX;
	s->seen = calloc(1, len / 8 + 1);
	return s->seen || refuse(s, NULL, "out of memory");
}

static size_t find_metadata(const uint8_t *bytes, size_t bytes_len)
{
	size_t from = bytes_len > METADATA_MAX ? bytes_len - METADATA_MAX : 0;

	for (size_t at = bytes_len; at-- > from;) {
		if (bytes_len - at >= MARKER_LEN && memcmp(bytes + at, marker, MARKER_LEN) == 0)
			return at;
	}
	return SIZE_MAX;
}

/* An unsigned number of the metadata's outermost map; 0 when it is not there. The section has
 * been walked before, so everything in it is well-formed. */
static uint32_t metadata_number(struct section *s, const char *name)
{
	struct cursor c = cursor_init(s->base, s->len);
	struct value map;
	struct value key;
	struct value value;

	if (!read_value(s, &c, &map) || map.type != TYPE_MAP)
		return 0;
	for (uint32_t i = 0; i < map.size; i++) {
		if (!read_value(s, &c, &key))
			return 0;
		const uint8_t *after = c.pos;
		bool wanted = key.type == TYPE_STRING && key.size == strlen(name) &&
			      memcmp(key.at, name, key.size) == 0;
		if (wanted) {
			if (!read_value(s, &c, &value) ||
				(value.type != TYPE_UINT16 && value.type != TYPE_UINT32))
				return 0;
			struct cursor number = cursor_init(value.at, value.size);
			return big_endian(&number, value.size);
		}
		c.pos = after;
		if (!walk_value(s, &c, 1))
			return 0;
	}
	return 0;
}

/* Left and right record of a node (24, 28 or 32 bits each). */
static void read_node(const uint8_t *node, unsigned record_bits, uint32_t record[2])
{
	struct cursor c = cursor_init(node, record_bits / 4);

	record[0] = big_endian(&c, record_bits == 32 ? 4 : 3);
	uint32_t middle = record_bits == 28 ? cursor_u8(&c) : 0;
	record[1] = big_endian(&c, record_bits == 32 ? 4 : 3);
	record[0] |= (middle >> 4) << 24;
	record[1] |= (middle & 15) << 24;
}

/* Every record is a node, "nothing" or an offset into the data. */
static bool walk_tree(struct mmdb_facts *facts, struct section *data, const uint8_t *tree,
	unsigned record_bits)
{
	for (uint32_t i = 0; i < facts->node_count; i++) {
		uint32_t record[2];
		read_node(tree + (size_t)i * (record_bits / 4), record_bits, record);
		for (unsigned side = 0; side < 2; side++) {
			if (record[side] <= facts->node_count)
				continue;
			size_t offset = record[side] - facts->node_count;
			if (offset < SEPARATOR_LEN || offset - SEPARATOR_LEN >= data->len)
				return refuse(data, NULL,
					"a search tree that points out of the data");
			if (!walk_target(data, offset - SEPARATOR_LEN, 0))
				return false;
			facts->record_count++;
		}
	}
	return true;
}

static bool check_metadata(
	struct mmdb_facts *facts, const uint8_t *base, size_t len, unsigned *record_bits)
{
	struct section meta;
	bool ok = false;

	if (!section_init(&meta, base, len, "node_count"))
		goto out;
	struct cursor c = cursor_init(base, len);
	if (!walk_value(&meta, &c, 0))
		goto out;
	meta.steps_left = (uint64_t)len * STEPS_PER_BYTE;
	facts->node_count = metadata_number(&meta, "node_count");
	*record_bits = metadata_number(&meta, "record_size");
	if (facts->node_count == 0)
		refuse(&meta, NULL, "no node_count in its metadata");
	else if (*record_bits != 24 && *record_bits != 28 && *record_bits != 32)
		refuse(&meta, NULL, "no record_size of 24, 28 or 32 in its metadata");
	else
		ok = true;
out:
	facts->wrong = meta.wrong;
	facts->wrong_at = meta.wrong_at;
	free(meta.seen);
	return ok;
}

bool mmdb_check(
	struct mmdb_facts *facts, const uint8_t *bytes, size_t bytes_len, const char *key)
{
	struct section data;
	unsigned record_bits;
	bool ok = false;

	*facts = (struct mmdb_facts){ .wrong = "no MaxMind database (no metadata marker)" };
	size_t marker_at = find_metadata(bytes, bytes_len);
	if (marker_at == SIZE_MAX)
		return false;
	size_t meta_at = marker_at + MARKER_LEN;
	if (!check_metadata(facts, bytes + meta_at, bytes_len - meta_at, &record_bits)) {
		facts->wrong_at += meta_at;
		return false;
	}
	uint64_t tree_len = (uint64_t)facts->node_count * (record_bits / 4);
	if (tree_len + SEPARATOR_LEN > marker_at) {
		facts->wrong = "a search tree larger than the file";
		return false;
	}
	size_t data_at = (size_t)tree_len + SEPARATOR_LEN;
	if (section_init(&data, bytes + data_at, marker_at - data_at, key))
		ok = walk_tree(facts, &data, bytes, record_bits);
	facts->has_key = data.has_key;
	facts->wrong = data.wrong;
	facts->wrong_at = data_at + data.wrong_at;
	free(data.seen);
	return ok;
}
