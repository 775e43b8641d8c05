/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/intake.h"

/* The project's own lists (lists/README): name, provider, and a path that only people read. */

void list_read_line(struct intake *in, struct span line)
{
	char id[FEED_LINE_MAX + 1];

	struct span rest = span_without_comment(line);
	struct span name = span_word(&rest);
	struct span provider = span_word(&rest);
	if (name.len == 0)
		return;
	if (!mark_kind_has_provider(in->spec->kind)) {
		intake_name(in, name, 0);
		return;
	}
	memcpy(id, provider.at, provider.len);
	id[provider.len] = '\0';
	uint32_t number = provider_register(in->target->providers, id, in->spec->tier);
	if (number == PROVIDER_NONE)
		intake_reject(in, FEED_REJECT_SYNTAX);
	else
		intake_name(in, name, number);
}
