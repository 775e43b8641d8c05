/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/alert.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void alert_init(struct alert *a, enum alert_kind kind)
{
	memset(a, 0, offsetof(struct alert, indicator_by));
	a->kind = (uint8_t)kind;
	a->score = -1;
	a->count = 1;
	a->pool[0] = '\0';
	a->pool_len = 1;
}

void alert_copy(struct alert *to, const struct alert *a)
{
#define COPY_LIST(list, count) memcpy(to->list, a->list, a->count * sizeof(a->list[0]))
	memcpy(to, a, offsetof(struct alert, indicator_by));
	COPY_LIST(indicator_by, indicator_count);
	COPY_LIST(why, why_count);
	COPY_LIST(answer, answer_count);
	COPY_LIST(resolved, resolved_count);
	COPY_LIST(related, related_count);
	COPY_LIST(host, host_count);
#undef COPY_LIST
	memcpy(to->pool, a->pool, (size_t)a->pool_len + ALERT_TEXT_SLACK);
}

/* Where the next text goes, and how much room it has with its NUL. */
static char *pool_room(struct alert *a, size_t *room)
{
	if (a->pool_len == 0) {
		a->pool[0] = '\0';
		a->pool_len = 1;
	}
	*room = ALERT_POOL_BYTES - a->pool_len;
	return a->pool + a->pool_len;
}

/* Keep the `len` octets written at pool_len. */
static alert_text pool_keep(struct alert *a, size_t len)
{
	alert_text at = a->pool_len;

	if (len == 0)
		return 0;
	a->pool_len = (uint16_t)(a->pool_len + len + 1);
	return at;
}

alert_text alert_put(struct alert *a, const char *text)
{
	size_t room;
	char *to = pool_room(a, &room);

	if (!text || room < 2)
		return 0;
	size_t len = strnlen(text, room - 1);
	memcpy(to, text, len);
	to[len] = '\0';
	return pool_keep(a, len);
}

alert_text alert_printf(struct alert *a, const char *format, ...)
{
	size_t room;
	char *to = pool_room(a, &room);
	va_list args;

	if (room < 2)
		return 0;
	va_start(args, format);
	int written = vsnprintf(to, room, format, args);
	va_end(args);
	if (written < 0)
		return 0;
	return pool_keep(a, (size_t)written < room ? (size_t)written : room - 1);
}

alert_text alert_join_parts(struct alert *a, const char *const *part, size_t part_count)
{
	size_t room;
	char *to = pool_room(a, &room);

	if (room < 2)
		return 0;
	return pool_keep(a, text_join_parts(to, room, part, part_count));
}

void alert_why(struct alert *a, const char *feature, struct alert_value value,
	struct alert_value threshold, struct alert_value baseline)
{
	if (a->why_count == ALERT_WHY_MAX)
		return;
	a->why[a->why_count++] = (struct alert_why){
		.feature = feature,
		.value = value,
		.threshold = threshold,
		.baseline = baseline,
	};
}
