/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/pages.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BYTES_MAX (SIZE_MAX / 2) /* so that rounding has room */

static size_t rounded(size_t bytes)
{
	return (bytes + PAGES_HUGE - 1) & ~(PAGES_HUGE - 1);
}

/*
 * Address space that starts at a multiple of PAGES_HUGE. Asked for with one more, of which the ends
 * are given back: Linux aligns by itself only from 6.7 on.
 */
static void *map_aligned(size_t bytes)
{
	size_t len = rounded(bytes);
	char *map = mmap(NULL, len + PAGES_HUGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return NULL;
	size_t before = rounded((uintptr_t)map) - (uintptr_t)map;
	if (before > 0)
		munmap(map, before);
	if (before < PAGES_HUGE)
		munmap(map + before + len, PAGES_HUGE - before);
	/* Without huge pages (an old kernel, or forbidden) it is slower, and right. */
	(void)madvise(map + before, len, MADV_HUGEPAGE);
	return map + before;
}

void *pages_new(size_t bytes)
{
	if (bytes > BYTES_MAX)
		return NULL;
	return bytes < PAGES_HUGE ? calloc(1, bytes) : map_aligned(bytes);
}

static void *resize_small(void *at, size_t bytes, size_t new_bytes)
{
	char *larger = realloc(at, new_bytes);

	if (larger && new_bytes > bytes)
		memset(larger + bytes, 0, new_bytes - bytes);
	return larger;
}

/* Into a new aligned place, so that what is a huge page stays one. */
static void *resize_large(void *at, size_t bytes, size_t new_bytes)
{
	size_t len = rounded(bytes);
	size_t new_len = rounded(new_bytes);

	if (new_len < len)
		munmap((char *)at + new_len, len - new_len);
	size_t end = bytes < new_len ? bytes : new_len;
	if (new_bytes < end) /* what may come back later is zero again */
		memset((char *)at + new_bytes, 0, end - new_bytes);
	if (new_len <= len)
		return at;
	void *place = map_aligned(new_bytes);
	if (!place)
		return NULL;
	if (mremap(at, len, new_len, MREMAP_MAYMOVE | MREMAP_FIXED, place) == MAP_FAILED) {
		munmap(place, new_len);
		return NULL;
	}
	return place;
}

void *pages_resize(void *at, size_t bytes, size_t new_bytes)
{
	if (new_bytes > BYTES_MAX)
		return NULL;
	if (bytes < PAGES_HUGE && new_bytes < PAGES_HUGE)
		return resize_small(at, bytes, new_bytes);
	if (bytes >= PAGES_HUGE && new_bytes >= PAGES_HUGE)
		return resize_large(at, bytes, new_bytes);
	void *other = pages_new(new_bytes);
	if (!other)
		return NULL;
	memcpy(other, at, bytes < new_bytes ? bytes : new_bytes);
	pages_free(at, bytes);
	return other;
}

void pages_free(void *at, size_t bytes)
{
	if (bytes < PAGES_HUGE)
		free(at);
	else if (at)
		munmap(at, rounded(bytes));
}
