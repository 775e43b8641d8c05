/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/dynwatch-feeds/export_tenant.h"

#include "sensor/base/clock.h"
#include "sensor/base/log.h"

#include <string.h>

static int64_t now_of(const struct export_wanted *w)
{
	return w->now_s * NS_PER_S;
}

bool export_tenant_says(const struct policy *tenant, const struct export_wanted *wanted,
	const struct mark *m, enum blocklist_say *say)
{
	if (!tenant || m->source != tenant->number)
		return false;
	if (m->kind == MARK_APPROVED) {
		*say = SAY_APPROVED;
		return policy_approves_entry(tenant, m->detail, NULL, now_of(wanted));
	}
	/* Whoever has a zone below a provider's suffix knows about it. */
	*say = SAY_ALLOWED;
	return m->kind == MARK_ZONE && !(wanted->kinds & 1u << MARK_MALICIOUS);
}

bool export_tenant_approves_provider(
	const struct policy *tenant, const struct export_wanted *wanted, const struct mark *m)
{
	bool has_provider = m->kind == MARK_PROVIDER || m->kind == MARK_TUNNEL ||
			    m->kind == MARK_UPDATE_HOST || m->kind == MARK_IP_CHECK;

	return tenant && has_provider &&
	       policy_approves_provider(tenant, m->detail, NULL, now_of(wanted));
}

/* Is the rule one of those that speak of what is exported? */
static bool is_about(const struct policy_exclude *exclude, unsigned kinds)
{
	switch (exclude->rule) {
	case RULE_COUNT:
		return true;
	case RULE_LOOKUP_MALICIOUS:
		return kinds & 1u << MARK_MALICIOUS;
	case RULE_LOOKUP_UNAPPROVED:
		return kinds & 1u << MARK_PROVIDER;
	case RULE_LOOKUP_TUNNEL_SERVICE:
		return kinds & 1u << MARK_TUNNEL;
	case RULE_LOOKUP_UPDATE_HOST:
		return kinds & 1u << MARK_UPDATE_HOST;
	default:
		return false;
	}
}

static bool applies(const struct policy_exclude *exclude, const struct export_wanted *w)
{
	return is_about(exclude, w->kinds) && now_of(w) <= exclude->until_ns &&
	       exclude->clients.count == 0;
}

/* "x" is x alone, "*.x" all below x. */
static bool add_pattern(struct blocklist *list, const char *pattern)
{
	bool below = strncmp(pattern, "*.", 2) == 0;
	struct dns_name name;

	if (!dns_name_parse(&name, pattern + (below ? 2 : 0)) || name.label_count == 0)
		return true; /* it matches no name */
	return blocklist_add_name(list, &name, below ? SCOPE_BELOW : SCOPE_EXACT, SAY_EXCLUDED,
		BLOCKLIST_NO_ORIGIN);
}

bool export_tenant_add_excludes(
	const struct policy *tenant, const struct export_wanted *wanted, struct blocklist *list)
{
	for (size_t i = 0; tenant && i < tenant->exclude_count; i++) {
		const struct policy_exclude *exclude = &tenant->exclude[i];
		for (size_t k = 0; applies(exclude, wanted) && k < exclude->name_count; k++) {
			if (!add_pattern(list, exclude->name[k]))
				return false;
		}
	}
	return true;
}

void export_tenant_warn(const struct policy *tenant, const struct export_wanted *wanted)
{
	size_t approved = 0, excludes = 0, nameless = 0;

	for (size_t i = 0; tenant && i < tenant->approved_count; i++) {
		const struct policy_approved *entry = &tenant->approved[i];
		approved += entry->clients.count > 0 && now_of(wanted) <= entry->until_ns;
	}
	for (size_t i = 0; tenant && i < tenant->exclude_count; i++) {
		const struct policy_exclude *exclude = &tenant->exclude[i];
		if (!is_about(exclude, wanted->kinds) || now_of(wanted) > exclude->until_ns)
			continue;
		excludes += exclude->clients.count > 0;
		nameless += exclude->clients.count == 0 && exclude->name_count == 0;
	}
	if (approved > 0)
		log_warning(
			"tenant %s: approved for some clients only, which lets nothing pass "
			"here: %zu",
			tenant->id, approved);
	if (excludes > 0)
		log_warning(
			"tenant %s: excluded for some clients only, which lets nothing pass "
			"here: %zu",
			tenant->id, excludes);
	if (nameless > 0)
		log_warning(
			"tenant %s: excludes without names, which let nothing pass here: %zu",
			tenant->id, nameless);
}
