/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/quantity.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/base/clock.h"

struct unit {
	const char *name;
	uint64_t factor;
};

/* Largest first. What people may write ends at ms; shorter spans are only printed. */
static const struct unit duration_units[] = {
	{ "d", 24 * 3600 * NS_PER_S },
	{ "h", 3600 * NS_PER_S },
	{ "m", 60 * NS_PER_S },
	{ "s", NS_PER_S },
	{ "ms", NS_PER_MS },
};
static const struct unit size_units[] = {
	{ "", 1 },
	{ "k", UINT64_C(1) << 10 },
	{ "K", UINT64_C(1) << 10 },
	{ "M", UINT64_C(1) << 20 },
	{ "G", UINT64_C(1) << 30 },
};

/* The digits at *at, stepping over them; false when there are none or they overflow. */
static bool take_count(uint64_t *out, const char **at)
{
	const char *digit = *at;
	uint64_t count = 0;

	for (; *digit >= '0' && *digit <= '9'; digit++) {
		if (__builtin_mul_overflow(count, 10, &count) ||
			__builtin_add_overflow(count, (uint64_t)(*digit - '0'), &count))
			return false;
	}
	if (digit == *at)
		return false;
	*at = digit;
	*out = count;
	return true;
}

/* The unit at *at, up to the next digit or the end; its place in the table, or `count`. */
static size_t take_unit(const struct unit *units, size_t count, const char **at)
{
	size_t name_len = strcspn(*at, "0123456789");

	for (size_t i = 0; i < count; i++) {
		if (strlen(units[i].name) == name_len &&
			strncmp(units[i].name, *at, name_len) == 0) {
			*at += name_len;
			return i;
		}
	}
	return count;
}

bool quantity_parse_duration(int64_t *out_ns, const char *text)
{
	int64_t total = 0;
	size_t smallest = 0; /* units may only get smaller: "1h30m", never "30m1h" or "1h1h" */

	if (strcmp(text, "0") == 0) {
		*out_ns = 0;
		return true;
	}
	do {
		uint64_t count, ns;
		if (!take_count(&count, &text))
			return false;
		size_t unit = take_unit(duration_units, ARRAY_LEN(duration_units), &text);
		if (unit < smallest || unit == ARRAY_LEN(duration_units))
			return false;
		smallest = unit + 1;
		if (__builtin_mul_overflow(count, duration_units[unit].factor, &ns) ||
			__builtin_add_overflow(total, ns, &total))
			return false;
	} while (*text);
	*out_ns = total;
	return true;
}

bool quantity_parse_size(uint64_t *out_bytes, const char *text)
{
	uint64_t count;

	if (!take_count(&count, &text))
		return false;
	size_t unit = take_unit(size_units, ARRAY_LEN(size_units), &text);
	if (unit == ARRAY_LEN(size_units) || *text ||
		__builtin_mul_overflow(count, size_units[unit].factor, &count))
		return false;
	*out_bytes = count;
	return true;
}

bool quantity_parse_count(uint64_t *out, const char *text)
{
	uint64_t count;

	if (!take_count(&count, &text) || *text)
		return false;
	*out = count;
	return true;
}

bool quantity_parse_number(double *out, const char *text)
{
	char *end;

	/* strtod also reads spaces, hexadecimal, "inf" and "nan", which nobody means. */
	if (!*text || text[strspn(text, "0123456789.eE+-")])
		return false;
	double number = strtod(text, &end);
	if (end == text || *end || !isfinite(number))
		return false;
	*out = number;
	return true;
}

bool quantity_parse_bool(bool *out, const char *text)
{
	bool is_true = strcmp(text, "true") == 0;

	if (!is_true && strcmp(text, "false") != 0)
		return false;
	*out = is_true;
	return true;
}

const char *quantity_format_duration(int64_t ns, char text[QUANTITY_TEXT_MAX])
{
	uint64_t left = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	const char *sign = ns < 0 ? "-" : "";
	int len;

	if (left == 0 || left >= (uint64_t)NS_PER_MS) {
		len = snprintf(text, QUANTITY_TEXT_MAX, "%s", left ? sign : "0s");
	} else {
		bool us = left >= (uint64_t)NS_PER_US;
		snprintf(text, QUANTITY_TEXT_MAX, "%s%u%s", sign,
			(unsigned)(us ? left / NS_PER_US : left), us ? "us" : "ns");
		return text;
	}
	for (size_t i = 0; i < ARRAY_LEN(duration_units); i++) {
		const struct unit *unit = &duration_units[i];
		if (left < unit->factor)
			continue;
		len += snprintf(text + len, (size_t)(QUANTITY_TEXT_MAX - len), "%llu%s",
			(unsigned long long)(left / unit->factor), unit->name);
		left %= unit->factor;
	}
	return text;
}

const char *quantity_format_size(uint64_t bytes, char text[QUANTITY_TEXT_MAX])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double shown = (double)bytes;
	size_t unit = 0;

	/* 1023.95 and more would be printed as 1024.0 of the smaller unit. */
	while (shown >= (unit ? 1023.95 : 1024) && unit + 1 < ARRAY_LEN(units)) {
		shown /= 1024;
		unit++;
	}
	int len = snprintf(text, QUANTITY_TEXT_MAX, "%.1f", shown);
	if (text[len - 1] == '0')
		len -= 2;
	snprintf(text + len, (size_t)(QUANTITY_TEXT_MAX - len), " %s", units[unit]);
	return text;
}
