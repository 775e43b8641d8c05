/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What a further chunk holds at least. */
#define CHUNK_BYTES 2048

struct arena_chunk {
	struct arena_chunk *before;
	size_t size, used;
	_Alignas(max_align_t) char at[];
};

static struct arena_chunk *add_chunk(struct arena *a, size_t bytes)
{
	struct arena_chunk *chunk = NULL;

	if (bytes <= SIZE_MAX - sizeof(*chunk))
		chunk = malloc(sizeof(*chunk) + bytes);
	if (!chunk) {
		a->failed = true;
		return NULL;
	}
	chunk->before = a->last;
	chunk->size = bytes;
	chunk->used = 0;
	a->last = chunk;
	return chunk;
}

static void *take(struct arena *a, size_t bytes, size_t align, size_t hint)
{
	struct arena_chunk *chunk = a->last;
	size_t at = chunk ? (chunk->used + align - 1) & ~(align - 1) : 0;

	if (a->failed)
		return NULL;
	if (!chunk || at > chunk->size || chunk->size - at < bytes) {
		chunk = add_chunk(a, bytes > hint ? bytes : hint);
		at = 0;
	}
	if (!chunk)
		return NULL;
	chunk->used = at + bytes;
	return chunk->at + at;
}

void *arena_take(struct arena *a, size_t bytes, size_t hint)
{
	void *at = take(a, bytes, _Alignof(max_align_t), hint);

	if (at)
		memset(at, 0, bytes);
	return at;
}

char *arena_text(struct arena *a, const char *bytes, size_t len)
{
	char *at = take(a, len + 1, 1, CHUNK_BYTES);

	if (!at)
		return NULL;
	memcpy(at, bytes, len);
	at[len] = '\0';
	return at;
}

void arena_deinit(struct arena *a)
{
	while (a->last) {
		struct arena_chunk *before = a->last->before;
		free(a->last);
		a->last = before;
	}
	a->failed = false;
}
