/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * export_tenant.h -- a tenant's word on what feeds list: what it approved, its zones, what it wants no
 * alerts about.
 *
 * What holds for some clients only is nothing that a file for all of them could say: it is not
 * listed as passing, and that is said. So is an exclude that names no names. A tenant of NULL says
 * nothing.
 */
#ifndef TOOLS_DYNWATCH_FEEDS_EXPORT_TENANT_H
#define TOOLS_DYNWATCH_FEEDS_EXPORT_TENANT_H

#include "tools/dynwatch-feeds/export_set.h"

/* What a mark of a tenant's kinds says now; false: nothing, or it is another tenant's. */
NODISCARD bool export_tenant_says(const struct policy *tenant,
	const struct export_wanted *wanted, const struct mark *m, enum blocklist_say *say);
/* Is it a name of a provider that the tenant approves as a whole? */
bool export_tenant_approves_provider(
	const struct policy *tenant, const struct export_wanted *wanted, const struct mark *m);
/* False: out of memory. */
NODISCARD bool export_tenant_add_excludes(const struct policy *tenant,
	const struct export_wanted *wanted, struct blocklist *list);
/* Tell the operator what of the tenant's word is not in the list. */
void export_tenant_warn(const struct policy *tenant, const struct export_wanted *wanted);

#endif
