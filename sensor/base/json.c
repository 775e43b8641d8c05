/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/json.h"

#include "sensor/base/digits.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define DEPTH_MAX 16

/*
 * Bytes that stand for themselves: printable ASCII but for the quote and the backslash. Control
 * characters, DEL and everything from 0x80 on take the slow path.
 */
static inline bool is_plain(uint8_t byte)
{
	return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/*
 * Copy `len` bytes as long as they are plain; false when there is another one, and then what was
 * written counts for nothing. Nearly all keys and texts are plain: 16 bytes at a time, and what is
 * left over as one block that overlaps the one before, instead of byte by byte. copy_sixteen tells
 * which of its bytes are not plain, a bit for each.
 */
#ifdef __SSE2__
static inline unsigned special_of(__m128i bytes)
{
	/* As signed numbers everything from 0x80 on is less than a space, too. */
	__m128i visible = _mm_cmpgt_epi8(bytes, _mm_set1_epi8(0x1f));
	__m128i special = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
		_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')),
			_mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f))));

	return (unsigned)_mm_movemask_epi8(_mm_andnot_si128(special, visible)) ^ 0xffff;
}

static inline unsigned copy_sixteen(char *to, const uint8_t *at)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)at);

	_mm_storeu_si128((__m128i *)to, bytes);
	return special_of(bytes);
}

static inline bool is_plain_block(__m128i bytes)
{
	return special_of(bytes) == 0;
}

/* Eight bytes from each of two places, which may overlap. */
static inline bool copy_halves(char *to, const uint8_t *at, size_t second)
{
	uint64_t low, high;

	memcpy(&low, at, 8);
	memcpy(&high, at + second, 8);
	memcpy(to, &low, 8);
	memcpy(to + second, &high, 8);
	return is_plain_block(_mm_set_epi64x((long long)high, (long long)low));
}

static inline bool copy_quarters(char *to, const uint8_t *at, size_t second)
{
	uint32_t low, high;

	memcpy(&low, at, 4);
	memcpy(&high, at + second, 4);
	memcpy(to, &low, 4);
	memcpy(to + second, &high, 4);
	uint64_t both = (uint64_t)high << 32 | low;
	return is_plain_block(_mm_set_epi64x((long long)both, (long long)both));
}

static inline bool copy_plain(char *to, const uint8_t *at, size_t len)
{
	if (len < 4) {
		for (; len > 0 && is_plain(*at); len--)
			*to++ = (char)*at++;
		return len == 0;
	}
	if (len < 8)
		return copy_quarters(to, at, len - 4);
	if (len < 16)
		return copy_halves(to, at, len - 8);
	for (size_t i = 0; i + 16 <= len; i += 16) {
		if (copy_sixteen(to + i, at + i) != 0)
			return false;
	}
	return copy_sixteen(to + len - 16, at + len - 16) == 0;
}
#else
static inline unsigned copy_sixteen(char *to, const uint8_t *at)
{
	unsigned special = 0;

	for (unsigned i = 0; i < 16; i++) {
		to[i] = (char)at[i];
		special |= (unsigned)!is_plain(at[i]) << i;
	}
	return special;
}

static inline bool copy_plain(char *to, const uint8_t *at, size_t len)
{
	for (; len > 0 && is_plain(*at); len--)
		*to++ = (char)*at++;
	return len == 0;
}
#endif

/*
 * Length of the UTF-8 sequence at `at` (RFC 3629 section 4: no overlong forms, no surrogates,
 * nothing above U+10FFFF); 0 when it is not one, or is a C1 control character, which a terminal
 * may obey.
 */
static size_t utf8_len(const uint8_t *at, size_t left)
{
	uint8_t low = 0x80, high = 0xbf;
	size_t len;

	if (at[0] >= 0xc2 && at[0] <= 0xdf) {
		len = 2;
		low = at[0] == 0xc2 ? 0xa0 : 0x80;
	} else if (at[0] >= 0xe0 && at[0] <= 0xef) {
		len = 3;
		low = at[0] == 0xe0 ? 0xa0 : 0x80;
		high = at[0] == 0xed ? 0x9f : 0xbf;
	} else if (at[0] >= 0xf0 && at[0] <= 0xf4) {
		len = 4;
		low = at[0] == 0xf0 ? 0x90 : 0x80;
		high = at[0] == 0xf4 ? 0x8f : 0xbf;
	} else {
		return 0;
	}
	if (left < len || at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	}
	return len;
}

static char *put_escape(char *to, uint8_t byte)
{
	static const char hex[] = "0123456789abcdef";
	char letter = 0;

	switch (byte) {
	case '"':
	case '\\':
		letter = (char)byte;
		break;
	case '\n':
		letter = 'n';
		break;
	case '\r':
		letter = 'r';
		break;
	case '\t':
		letter = 't';
		break;
	}
	*to++ = '\\';
	if (letter) {
		*to++ = letter;
		return to;
	}
	memcpy(to, "u00", 3);
	to[3] = hex[byte >> 4];
	to[4] = hex[byte & 0xf];
	return to + 5;
}

/* What is not plain: kept when it is UTF-8, otherwise escaped. */
static char *put_special(char *to, const uint8_t **at, size_t left)
{
	size_t len = utf8_len(*at, left);

	if (len == 0)
		return put_escape(to, *(*at)++);
	for (; len > 0; len--)
		*to++ = (char)*(*at)++;
	return to;
}

/* What has to be escaped, and what may: byte by byte. */
static OUT_OF_LINE char *put_escaped(char *to, const uint8_t *at, const uint8_t *end)
{
	while (at < end) {
		if (is_plain(*at))
			*to++ = (char)*at++;
		else
			to = put_special(to, &at, (size_t)(end - at));
	}
	return to;
}

char *json_put_text(char *to, const char *text)
{
	const uint8_t *at = (const uint8_t *)text;

	*to++ = '"';
	for (;;) {
		unsigned special = copy_sixteen(to, at);
		unsigned plain = special ? (unsigned)__builtin_ctz(special) : 16;
		to += plain;
		at += plain;
		if (plain == 16)
			continue;
		if (*at == '\0')
			break;
		to = put_special(to, &at, SIZE_MAX); /* the NUL is the end of any sequence */
	}
	*to++ = '"';
	return to;
}

char *json_put_string(char *to, const char *string, size_t string_len)
{
	const uint8_t *at = (const uint8_t *)string;

	*to++ = '"';
	if (LIKELY(copy_plain(to, at, string_len)))
		to += string_len;
	else
		to = put_escaped(to, at, at + string_len);
	*to++ = '"';
	return to;
}

static char *put_integer(char *to, int64_t value)
{
	*to = '-';
	return digits_put_u64(to + (value < 0), value < 0 ? -(uint64_t)value : (uint64_t)value);
}

char *json_put_number(char *to, double value)
{
	if (!isfinite(value))
		return TEXT_PUT(to, "null");
	if (fabs(value) < 1e15 && value == trunc(value))
		return put_integer(to, (int64_t)value);
	int len = snprintf(to, JSON_NUMBER_MAX, "%.6g", value);
	char *comma = strchr(to, ','); /* the decimal point of some locales */
	if (comma)
		*comma = '.';
	return to + len;
}

/*
 * Write the comma and the key that come before a value and reserve `more` bytes for the value.
 * Returns where it goes, or NULL when memory is out. Finished by end_value.
 */
static char *start_value(struct json *j, const char *key, size_t more)
{
	struct text *out = j->out;
	uint32_t level = UINT32_C(1) << j->depth;
	size_t key_len = key ? strlen(key) : 0;

	if (!text_reserve(
		    out, more + JSON_ESCAPED_MAX * key_len + 4)) /* comma, quotes, colon */
		return NULL;
	char *to = out->at + out->len;
	if (j->has_value & level)
		*to++ = ',';
	j->has_value |= level;
	if (key) {
		to = json_put_string(to, key, key_len);
		*to++ = ':';
	}
	return to;
}

static void end_value(struct json *j, char *to)
{
	*to = '\0';
	j->out->len = (size_t)(to - j->out->at);
}

static void put_literal(
	struct json *j, const char *key, const char *literal, size_t literal_len)
{
	char *to = start_value(j, key, literal_len);

	if (!to)
		return;
	memcpy(to, literal, literal_len);
	end_value(j, to + literal_len);
}

struct json json_start(struct text *out)
{
	return (struct json){ .out = out };
}

static void open_level(struct json *j, const char *key, const char *bracket)
{
	put_literal(j, key, bracket, 1);
	assert(j->depth < DEPTH_MAX);
	j->depth++;
	j->has_value &= ~(UINT32_C(1) << j->depth);
}

static void close_level(struct json *j, char bracket)
{
	assert(j->depth > 0);
	j->depth--;
	text_putc(j->out, bracket);
}

void json_object(struct json *j, const char *key)
{
	open_level(j, key, "{");
}

void json_object_end(struct json *j)
{
	close_level(j, '}');
}

void json_array(struct json *j, const char *key)
{
	open_level(j, key, "[");
}

void json_array_end(struct json *j)
{
	close_level(j, ']');
}

void json_string(struct json *j, const char *key, const char *value)
{
	json_string_len(j, key, value, strlen(value));
}

void json_string_len(struct json *j, const char *key, const char *value, size_t value_len)
{
	char *to = start_value(j, key, JSON_ESCAPED_MAX * value_len + 2);

	if (to)
		end_value(j, json_put_string(to, value, value_len));
}

void json_integer(struct json *j, const char *key, int64_t value)
{
	char *to = start_value(j, key, JSON_NUMBER_MAX);

	if (to)
		end_value(j, put_integer(to, value));
}

void json_unsigned(struct json *j, const char *key, uint64_t value)
{
	char *to = start_value(j, key, JSON_NUMBER_MAX);

	if (to)
		end_value(j, digits_put_u64(to, value));
}

void json_number(struct json *j, const char *key, double value)
{
	char *to = start_value(j, key, JSON_NUMBER_MAX);

	if (to)
		end_value(j, json_put_number(to, value));
}

void json_bool(struct json *j, const char *key, bool value)
{
	put_literal(j, key, value ? "true" : "false", value ? 4 : 5);
}

void json_null(struct json *j, const char *key)
{
	put_literal(j, key, "null", 4);
}
