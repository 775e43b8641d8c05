/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/app/kept.h"

#include <stdio.h>

static void keep(struct sink *s, const struct sink_record *record)
{
	struct kept *k = (struct kept *)s;

	k->count++;
	snprintf(k->line, sizeof(k->line), "%s", record->json);
}

static void nothing(struct sink *s)
{
	(void)s;
}

static void nothing_to_close(struct sink *s, int timeout_ms)
{
	(void)s;
	(void)timeout_ms;
}

static const struct sink_api keep_api = {
	.write = keep,
	.flush = nothing,
	.close = nothing_to_close,
	.free = nothing,
};

struct kept kept_start(void)
{
	return (struct kept){ .sink = { .api = &keep_api, .name = "kept" } };
}
