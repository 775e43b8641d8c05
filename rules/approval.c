/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/approval.h"

#include <stdlib.h>

struct approval {
	uint32_t tenant, provider;
	uint32_t entry; /* of the tenant's approved[] */
};

static int compare(const void *a, const void *b)
{
	const struct approval *l = a, *r = b;

	if (l->tenant != r->tenant)
		return l->tenant < r->tenant ? -1 : 1;
	if (l->provider != r->provider)
		return l->provider < r->provider ? -1 : 1;
	return 0;
}

static bool add(struct approvals *a, struct approval approval)
{
	/* Grown by powers of two, so the room follows from the count. */
	if ((a->count & (a->count - 1)) == 0) {
		size_t room = a->count ? 2 * a->count : 1;
		struct approval *grown = realloc(a->entry, room * sizeof(*grown));
		if (!grown)
			return false;
		a->entry = grown;
	}
	a->entry[a->count++] = approval;
	return true;
}

/* The providers whose suffixes one approved name is below. */
static bool read_entry(struct approvals *a, const struct knowledge *known,
	const struct policy *p, uint32_t entry)
{
	struct index_hit hit[INDEX_HITS_MAX];
	struct dns_name name;

	if (!p->approved[entry].name || !dns_name_parse(&name, p->approved[entry].name))
		return true;
	size_t hits = index_match_name(known->index, &name, hit);
	for (size_t i = 0; i < hits; i++) {
		size_t count;
		const struct mark *mark = index_marks(known->index, hit[i].entry, &count);
		for (size_t k = 0; k < count; k++) {
			struct approval found = { p->number, mark[k].detail, entry };
			if (mark[k].kind == MARK_PROVIDER && !add(a, found))
				return false;
		}
	}
	return true;
}

bool approvals_read(struct approvals *a, const struct knowledge *known)
{
	bool complete = true;

	approvals_deinit(a);
	for (size_t i = 0; i < known->policies->tenant_count; i++) {
		const struct policy *p = &known->policies->tenant[i];
		for (uint32_t entry = 0; complete && entry < p->approved_count; entry++)
			complete = read_entry(a, known, p, entry);
	}
	if (a->count)
		qsort(a->entry, a->count, sizeof(*a->entry), compare);
	return complete;
}

void approvals_deinit(struct approvals *a)
{
	free(a->entry);
	*a = (struct approvals){ .count = 0 };
}

bool approvals_hold(const struct approvals *a, const struct policy *tenant, uint32_t provider,
	const struct ip *client, int64_t ts_ns)
{
	struct approval wanted = { tenant->number, provider, 0 };
	size_t low = 0, high = a->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare(&a->entry[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < a->count && compare(&a->entry[low], &wanted) == 0; low++) {
		if (policy_approves_entry(tenant, a->entry[low].entry, client, ts_ns))
			return true;
	}
	return false;
}
