/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text.h -- text that grows, for the slow path and for output threads.
 *
 * Out of memory is sticky (`failed`), like a cursor's error: appending goes on doing nothing
 * and the owner checks once. The content is always NUL-terminated once something was appended.
 *
 * Owner: text_deinit frees; zero-initialised is valid and empty.  Threads: no shared state.
 */
#ifndef SENSOR_BASE_TEXT_H
#define SENSOR_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "sensor/base/attribute.h"

struct text {
	char *at;
	size_t len; /* without the NUL */
	size_t size;
	bool failed;
};

/* What text_reserve does when there is no room. */
bool text_grow(struct text *t, size_t more);
/* Make room for `more` bytes and the NUL; false when out of memory (failed is set). */
static inline bool text_reserve(struct text *t, size_t more)
{
	return LIKELY(!t->failed && more < t->size - t->len) || text_grow(t, more);
}
void text_add(struct text *t, const char *bytes, size_t bytes_len);
void text_puts(struct text *t, const char *string);
void text_putc(struct text *t, char c);
void text_printf(struct text *t, const char *format, ...) PRINTF_LIKE(2, 3);
/* Decimal without printf, for output that is written per message. */
void text_put_u64(struct text *t, unsigned long long number);
/* Empty, keeping the memory. A failure stays: what was lost is not made good by clearing. */
static inline void text_clear(struct text *t)
{
	t->len = 0;
	if (t->at)
		t->at[0] = '\0';
}
void text_deinit(struct text *t);

/*
 * Lines of many short pieces are written to where `at` points, which every piece moves on; the
 * length is told at the end: t->len = (size_t)(at - t->at). text_room makes sure, as seldom as
 * may be, that `more` octets fit.
 *
 * Out of memory, what the text held is dropped and the pieces go to where that was. Hence the rule:
 * the text has had room for the largest `more` from the start (text_reserve).
 */
char *text_move(struct text *t, char *at, size_t more);
static inline char *text_room(struct text *t, char *at, size_t more)
{
	return LIKELY((size_t)(t->at + t->size - at) > more) ? at : text_move(t, at, more);
}

static inline char *text_put(char *at, const char *bytes, size_t bytes_len)
{
	memcpy(at, bytes, bytes_len);
	return at + bytes_len;
}
#define TEXT_PUT(at, literal) text_put((at), (literal), sizeof(literal) - 1)

/*
 * Texts one after the other into to[size], cut where that ends: printf's "%s%s..." for a fifth of
 * its cost. `size` is not 0. Returns the length written.
 */
size_t text_join_parts(char *to, size_t size, const char *const *part, size_t part_count);
#define TEXT_PARTS(...)                                                                        \
	((const char *const[]){ __VA_ARGS__ }),                                                \
		ARRAY_LEN(((const char *const[]){ __VA_ARGS__ }))
#define text_join(to, size, ...) text_join_parts(to, size, TEXT_PARTS(__VA_ARGS__))

#endif
