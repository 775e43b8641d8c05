/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/interfaces.h"

#include <stdlib.h>
#include <string.h>

static uint16_t find(const struct source_interfaces *in, const char *name)
{
	for (size_t i = 0; i < in->count; i++) {
		if (strcmp(in->name[i], name) == 0)
			return (uint16_t)i;
	}
	return SOURCE_INTERFACE_NONE;
}

/* Each name once. */
static void gather(struct source_interfaces *out, const char **name, size_t most,
	const struct policy_set *policies)
{
	out->name = name;
	for (size_t i = 0; i < policies->tenant_count; i++) {
		const struct policy *p = &policies->tenant[i];
		for (size_t k = 0; k < p->select.interface_count && out->count < most; k++) {
			if (find(out, p->select.interface[k]) == SOURCE_INTERFACE_NONE)
				name[out->count++] = p->select.interface[k];
		}
	}
}

enum err interfaces_init(struct source_interfaces *out, const struct policy_set *policies,
	const char *otherwise, struct err_ctx *why)
{
	size_t most = 0;

	*out = (struct source_interfaces){ .otherwise = SOURCE_INTERFACE_NONE };
	for (size_t i = 0; i < policies->tenant_count; i++)
		most += policies->tenant[i].select.interface_count;
	if (most > SOURCE_INTERFACE_NONE)
		most = SOURCE_INTERFACE_NONE;
	const char **name = calloc(most + 1, sizeof(*name));
	if (!name)
		return err_set(why, ERR_FAILED, "out of memory");
	gather(out, name, most, policies);
	if (!otherwise)
		return ERR_OK;
	out->otherwise = find(out, otherwise);
	if (out->otherwise != SOURCE_INTERFACE_NONE)
		return ERR_OK;
	return err_set(why, ERR_USAGE,
		"--interface %s: no tenant is selected by that interface (tenants[].select.interfaces)",
		otherwise);
}

void interfaces_deinit(struct source_interfaces *interfaces)
{
	free((void *)(uintptr_t)interfaces->name);
	*interfaces = (struct source_interfaces){ .otherwise = SOURCE_INTERFACE_NONE };
}
