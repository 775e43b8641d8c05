/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json.h -- writing JSON in order, straight into a struct text (RFC 8259).
 *
 * Commas are placed by the writer. Bytes that are not valid UTF-8 become \u00XX of the byte, so
 * the output is always valid JSON whatever the input; control characters are escaped.
 *
 *	struct json j = json_start(&text);
 *	json_object(&j, NULL);
 *		json_string(&j, "name", "acme");
 *		json_array(&j, "ids");
 *			json_number(&j, NULL, 7);
 *		json_array_end(&j);
 *	json_object_end(&j);
 *
 * `key` is NULL inside an array and for the outermost value; keys are escaped like values.
 * Limits: nesting 16.  Threads: no shared state.
 */
#ifndef SENSOR_BASE_JSON_H
#define SENSOR_BASE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "sensor/base/text.h"

struct json {
	struct text *out;
	uint32_t has_value; /* bit per nesting level: a comma is due before the next value */
	unsigned depth;
};

/*
 * Values alone, for lines that are made of pieces (text.h): written at `to`, which has the room that is
 * named here. Returns what follows; no NUL.
 */
#define JSON_ESCAPED_MAX 6  /* \u00XX: the most that one octet becomes */
#define JSON_TEXT_SLACK  16 /* octets read at once */
#define JSON_NUMBER_MAX  32

/* In quotes: JSON_ESCAPED_MAX octets for each, and two. */
char *json_put_string(char *to, const char *string, size_t string_len);
/*
 * The same of a text that ends with a NUL, in one look at it: JSON_TEXT_SLACK octets from its NUL on
 * can be read, and as many more be written.
 */
char *json_put_text(char *to, const char *text);
char *json_put_number(char *to, double value);

struct json json_start(struct text *out);
void json_object(struct json *j, const char *key);
void json_object_end(struct json *j);
void json_array(struct json *j, const char *key);
void json_array_end(struct json *j);
void json_string(struct json *j, const char *key, const char *value);
void json_string_len(struct json *j, const char *key, const char *value, size_t value_len);
void json_integer(struct json *j, const char *key, int64_t value);
void json_unsigned(struct json *j, const char *key, uint64_t value);
/* Whole numbers in full, others with up to 6 significant digits; NaN and infinity are null. */
void json_number(struct json *j, const char *key, double value);
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);

#endif
