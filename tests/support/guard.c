/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static void map_body(struct guard *g, size_t bytes)
{
	size_t page = page_bytes();

	guard_deinit(g);
	g->body_bytes = (bytes / page + 1) * page;
	g->map = mmap(NULL, g->body_bytes + page, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (g->map == MAP_FAILED || mprotect(g->map + g->body_bytes, page, PROT_NONE) == -1) {
		perror("guard");
		abort();
	}
}

const uint8_t *guard_place(struct guard *g, const void *bytes, size_t len)
{
	if (!g->map || len > g->body_bytes)
		map_body(g, len);
	uint8_t *at = g->map + g->body_bytes - len;
	if (len)
		memcpy(at, bytes, len);
	return at;
}

void guard_deinit(struct guard *g)
{
	if (g->map)
		munmap(g->map, g->body_bytes + page_bytes());
	*g = (struct guard){ 0 };
}
