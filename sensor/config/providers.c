/* SPDX-License-Identifier: BSD-2-Clause */
/* What approvals of whole providers mean, which only the feeds know. */
#include "sensor/config/config.h"

#include <string.h>

#include "sensor/base/nearest.h"
#include "sensor/base/text.h"

#define NEAR_IDS_MAX 4

/* "no-ip, noip-me": ids near to the word, or the first ones when none is near. */
static void list_near_ids(
	const struct provider_registry *providers, const char *word, struct text *out)
{
	const char *listed[NEAR_IDS_MAX];
	size_t count = 0;

	while (count < NEAR_IDS_MAX) {
		struct nearest near = nearest_to(word);
		for (uint32_t i = 0; i < provider_count(providers); i++) {
			const char *id = provider_at(providers, i)->id;
			bool is_new = true;
			for (size_t k = 0; k < count; k++)
				is_new = is_new && strcmp(listed[k], id) != 0;
			if (is_new)
				nearest_offer(&near, id);
		}
		if (!near.word)
			break;
		listed[count++] = near.word;
	}
	if (count)
		text_puts(out, "; did you mean ");
	for (size_t i = 0; i < count; i++)
		text_printf(out, "%s%s",
			i == 0          ? ""
			: i + 1 < count ? ", "
					: " or ",
			listed[i]);
	text_puts(out, count ? "?" : "; `dynwatch check --providers` lists them");
}

static enum err fail(const struct config *c, const struct config_provider *wanted,
	const struct provider_registry *providers, struct err_ctx *why)
{
	struct text near = { 0 };

	list_near_ids(providers, wanted->id, &near);
	err_set(why, ERR_USAGE, "%s:%u:%u: %s: there is no provider \"%s\"%s", c->path,
		wanted->at.line, wanted->at.column, wanted->key, wanted->id,
		near.at ? near.at : "");
	text_deinit(&near);
	return ERR_USAGE;
}

enum err config_resolve_providers(
	struct config *c, const struct provider_registry *providers, struct err_ctx *why)
{
	for (size_t i = 0; i < c->provider_count; i++) {
		const struct config_provider *wanted = &c->provider[i];
		struct policy *p = &c->policies->tenant[wanted->tenant];
		uint32_t number = provider_find(providers, wanted->id);
		if (number == PROVIDER_NONE)
			return fail(c, wanted, providers, why);
		p->approved[wanted->approved].provider = number;
	}
	return ERR_OK;
}
