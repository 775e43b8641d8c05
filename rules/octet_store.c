/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/octet_store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/*
 * Places are counted on for ever and taken modulo the size; the size is a multiple of the
 * alignment, so that a piece's length is never split. A piece that would reach over the end
 * begins at the start.
 */
#define ALIGN      8u
#define SIZE_LEAST 4096u

struct octet_store {
	uint8_t *at;
	size_t size;
	uint64_t next; /* place of the next piece; 0 is never one */
};

struct octet_store *octet_store_new(size_t memory_bytes)
{
	struct octet_store *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->size = memory_bytes < SIZE_LEAST ? SIZE_LEAST : memory_bytes / ALIGN * ALIGN;
	s->next = s->size;
	s->at = mmap(NULL, s->size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (s->at == MAP_FAILED) {
		free(s);
		return NULL;
	}
	return s;
}

void octet_store_free(struct octet_store *s)
{
	if (!s)
		return;
	munmap(s->at, s->size);
	free(s);
}

uint64_t octet_store_add(struct octet_store *s, const uint8_t *octets, size_t len)
{
	uint64_t piece_len = len;
	size_t whole = (sizeof(piece_len) + len + ALIGN - 1) / ALIGN * ALIGN;
	size_t at = (size_t)(s->next % s->size);

	if (whole > s->size / 4)
		return 0;
	if (whole > s->size - at) {
		s->next += s->size - at;
		at = 0;
	}
	uint64_t place = s->next;
	memcpy(s->at + at, &piece_len, sizeof(piece_len));
	memcpy(s->at + at + sizeof(piece_len), octets, len);
	s->next += whole;
	return place;
}

const uint8_t *octet_store_find(const struct octet_store *s, uint64_t place, size_t *len)
{
	uint64_t piece_len;

	if (place == 0 || s->next - place > s->size)
		return NULL;
	const uint8_t *piece = s->at + place % s->size;
	memcpy(&piece_len, piece, sizeof(piece_len));
	*len = (size_t)piece_len;
	return piece + sizeof(piece_len);
}
