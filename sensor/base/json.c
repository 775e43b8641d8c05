/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/json.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define DEPTH_MAX   16
#define ESCAPED_MAX 6 /* \u00XX: the most that one byte of input becomes */

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
 * left over as one block that overlaps the one before, instead of byte by byte (a quarter of the
 * instructions of writing an alert: callgrind, replay of the benchmark mix).
 */
#ifdef __SSE2__
static inline bool is_plain_block(__m128i bytes)
{
	/* As signed numbers everything from 0x80 on is less than a space, too. */
	__m128i visible = _mm_cmpgt_epi8(bytes, _mm_set1_epi8(0x1f));
	__m128i special = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
		_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')),
			_mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f))));

	return _mm_movemask_epi8(_mm_andnot_si128(special, visible)) == 0xffff;
}

static inline bool copy_block(char *to, const uint8_t *at)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)at);

	_mm_storeu_si128((__m128i *)to, bytes);
	return is_plain_block(bytes);
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
		if (!copy_block(to + i, at + i))
			return false;
	}
	return copy_block(to + len - 16, at + len - 16);
}
#else
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

/* What has to be escaped, and what may: byte by byte. */
static OUT_OF_LINE char *put_escaped(char *to, const uint8_t *at, const uint8_t *end)
{
	while (at < end) {
		if (is_plain(*at)) {
			*to++ = (char)*at++;
			continue;
		}
		size_t len = utf8_len(at, (size_t)(end - at));
		if (len == 0) {
			to = put_escape(to, *at++);
			continue;
		}
		memcpy(to, at, len);
		to += len;
		at += len;
	}
	return to;
}

/* The string in quotes; the caller has reserved ESCAPED_MAX per byte and the quotes. */
static inline char *put_quoted(char *to, const char *string, size_t string_len)
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

/*
 * Write the comma and the key that come before a value and reserve `more` bytes for the value.
 * Returns where it goes, or NULL when memory is out. Finished by end_value.
 */
static char *start_value(struct json *j, const char *key, size_t more)
{
	struct text *out = j->out;
	uint32_t level = UINT32_C(1) << j->depth;
	size_t key_len = key ? strlen(key) : 0;

	if (!text_reserve(out, more + ESCAPED_MAX * key_len + 4)) /* comma, quotes, colon */
		return NULL;
	char *to = out->at + out->len;
	if (j->has_value & level)
		*to++ = ',';
	j->has_value |= level;
	if (key) {
		to = put_quoted(to, key, key_len);
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
	char *to = start_value(j, key, ESCAPED_MAX * value_len + 2);

	if (to)
		end_value(j, put_quoted(to, value, value_len));
}

void json_integer(struct json *j, const char *key, int64_t value)
{
	char *to = start_value(j, key, 1);

	if (!to)
		return;
	if (value < 0)
		*to++ = '-';
	end_value(j, to);
	text_put_u64(j->out, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void json_unsigned(struct json *j, const char *key, uint64_t value)
{
	char *to = start_value(j, key, 0);

	if (!to)
		return;
	end_value(j, to);
	text_put_u64(j->out, value);
}

void json_number(struct json *j, const char *key, double value)
{
	char digits[32];

	if (!isfinite(value)) {
		json_null(j, key);
		return;
	}
	if (fabs(value) < 1e15 && value == trunc(value)) {
		json_integer(j, key, (int64_t)value);
		return;
	}
	int len = snprintf(digits, sizeof(digits), "%.6g", value);
	char *comma = strchr(digits, ','); /* the decimal point of some locales */
	if (comma)
		*comma = '.';
	put_literal(j, key, digits, (size_t)len);
}

void json_bool(struct json *j, const char *key, bool value)
{
	put_literal(j, key, value ? "true" : "false", value ? 4 : 5);
}

void json_null(struct json *j, const char *key)
{
	put_literal(j, key, "null", 4);
}
