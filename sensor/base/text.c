/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/text.h"

#include "sensor/base/digits.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_FIRST 256

bool text_grow(struct text *t, size_t more)
{
	if (t->failed || more >= SIZE_MAX / 4 - t->len) {
		t->failed = true;
		return false;
	}
	size_t size = t->size ? t->size : SIZE_FIRST;
	while (size <= t->len + more)
		size *= 2;
	char *grown = realloc(t->at, size);
	if (!grown) {
		t->failed = true;
		return false;
	}
	t->at = grown;
	t->size = size;
	return true;
}

void text_add(struct text *t, const char *bytes, size_t bytes_len)
{
	if (!text_reserve(t, bytes_len))
		return;
	if (bytes_len)
		memcpy(t->at + t->len, bytes, bytes_len);
	t->len += bytes_len;
	t->at[t->len] = '\0';
}

void text_puts(struct text *t, const char *string)
{
	text_add(t, string, strlen(string));
}

void text_putc(struct text *t, char c)
{
	text_add(t, &c, 1);
}

void text_printf(struct text *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int needed = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (needed < 0) {
		t->failed = true;
		return;
	}
	if (!text_reserve(t, (size_t)needed))
		return;
	va_start(args, format);
	vsnprintf(t->at + t->len, (size_t)needed + 1, format, args);
	va_end(args);
	t->len += (size_t)needed;
}

void text_put_u64(struct text *t, unsigned long long number)
{
	if (!text_reserve(t, DIGITS_U64_MAX + DIGITS_SLACK))
		return;
	t->len = (size_t)(digits_put_u64(t->at + t->len, number) - t->at);
	t->at[t->len] = '\0';
}

COLD char *text_move(struct text *t, char *at, size_t more)
{
	t->len = (size_t)(at - t->at);
	if (!text_reserve(t, more))
		t->len = 0;
	return t->at + t->len;
}

void text_deinit(struct text *t)
{
	free(t->at);
	*t = (struct text){ 0 };
}

size_t text_join_parts(char *to, size_t size, const char *const *part, size_t part_count)
{
	size_t len = 0;

	for (size_t i = 0; i < part_count; i++) {
		size_t part_len = strlen(part[i]);
		if (part_len > size - 1 - len)
			part_len = size - 1 - len;
		memcpy(to + len, part[i], part_len);
		len += part_len;
	}
	to[len] = '\0';
	return len;
}
