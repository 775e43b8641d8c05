/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/suspect.h"

#include <stdio.h>

/* How many places a domain may stand in, so that a full set costs no more than an empty one. */
#define DOMAIN_PROBES 16

static bool is_fresh(const struct suspect_domain *d, uint32_t now_s, uint32_t window_s)
{
	return d->hash != 0 && now_s - d->at_s <= window_s;
}

bool suspect_add(
	struct suspect *t, uint32_t hash, bool generated, uint32_t now_s, uint32_t window_s)
{
	struct suspect_domain *take = NULL;
	for (unsigned i = 0; i < DOMAIN_PROBES; i++) {
		struct suspect_domain *d = &t->domain[(hash + i) % SUSPECT_DOMAINS_MAX];
		if (d->hash == hash) {
			bool fresh = is_fresh(d, now_s, window_s);
			d->at_s = now_s;
			return !fresh;
		}
		if (!is_fresh(d, now_s, window_s)) {
			if (!take || is_fresh(take, now_s, window_s))
				take = d;
		} else if (!take || (is_fresh(take, now_s, window_s) && d->at_s < take->at_s)) {
			take = d; /* full here: the oldest goes */
		}
	}
	*take = (struct suspect_domain){ hash, now_s, generated };
	return true;
}

void suspect_sample(struct suspect *t, const struct dns_name *n)
{
	char text[DNS_NAME_TEXT_MAX];
	if (t->sample_count == SUSPECT_SAMPLES_MAX)
		return;
	dns_name_format(n, text);
	snprintf(t->sample[t->sample_count++], SUSPECT_SAMPLE_MAX, "%.*s",
		SUSPECT_SAMPLE_MAX - 1, text);
}

void suspect_count(const struct suspect *t, uint32_t now_s, uint32_t window_s,
	uint32_t *domains, uint32_t *generated)
{
	*domains = *generated = 0;
	for (unsigned i = 0; i < SUSPECT_DOMAINS_MAX; i++) {
		bool fresh = is_fresh(&t->domain[i], now_s, window_s);
		*domains += fresh;
		*generated += fresh && t->domain[i].generated;
	}
}
