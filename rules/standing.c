/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/standing.h"

static void weigh_mark(struct standing *st, const struct exchange *x, const struct mark *m,
	const struct observation_match *match)
{
	const struct observation *o = x->now;
	switch (m->kind) {
	case MARK_POOL:
	case MARK_LOOKUP_SERVICE:
	case MARK_ALLOW:
		st->exempt = true;
		break;
	case MARK_ZONE:
		st->exempt = true;
		break;
	case MARK_APPROVED:
		if (policy_approves_entry(x->tenant, m->detail, &o->client, x->ts_ns))
			st->exempt = true;
		break;
	case MARK_PROVIDER:
		if (match->name != 0 || o->qname_labels <= match->labels)
			break;
		st->provider = m->detail;
		st->host_labels = match->labels + 1u;
		if (policy_approves_provider(x->tenant, m->detail, &o->client, x->ts_ns))
			st->exempt = true;
		break;
	default:
		break;
	}
}

struct standing standing_of(const struct index *index, const struct exchange *x)
{
	struct standing st = { .provider = PROVIDER_NONE };
	const struct observation *o = x->now;
	const struct observation_match *match = observation_matches(o);

	for (unsigned i = 0; i < o->match_count; i++) {
		unsigned labels = o->qname_labels;
		/* A further question says nothing of where this name leads. */
		if (match[i].name != 0 &&
			observation_names(o)[match[i].name - 1].section == OBSERVATION_QUESTION)
			continue;
		if (match[i].name != 0) {
			struct dns_name n;
			observation_name(o, match[i].name - 1u, &n);
			labels = n.label_count;
		}
		struct index_concerns it =
			index_concerns_start(index, match[i].entry, x->tenant_number);
		for (const struct mark *m; (m = index_concerns_next(&it));)
			if (mark_applies(m, match[i].labels, labels))
				weigh_mark(&st, x, m, &match[i]);
	}
	return st;
}
