/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/lookup_refused.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "feeds/feed.h"
#include "feeds/shipped.h"
#include "sensor/base/clock.h"
#include "sensor/base/log.h"

/* A feed may have as many as it likes that concern a name: one a year ago, one a month ago. */
#define REFUSALS_MAX 256

struct refused {
	const struct feed_spec *spec; /* the configuration's */
	struct feed_refusal what;
	struct dns_name name; /* what.name points here, unless it is a network */
};

struct refusals {
	const struct subject *about;
	size_t about_count;
	const struct feed_spec *spec; /* of the feed being read */
	size_t count;
	struct refused refused[REFUSALS_MAX];
};

/* Would the entry mean it? */
static bool concerns(const struct feed_refusal *r, const struct subject *about)
{
	if (about->is_address != !r->name)
		return false;
	if (about->is_address)
		return ip_net_contains(&r->net, &about->ip);
	const struct mark mark = { .scope = (uint8_t)r->scope };
	return dns_name_is_under(&about->name, r->name) &&
	       mark_applies(&mark, r->name->label_count, about->name.label_count);
}

static void note_refusal(void *arg, const struct feed_refusal *r)
{
	struct refusals *all = arg;

	for (size_t i = 0; i < all->about_count && all->count < REFUSALS_MAX; i++) {
		if (!concerns(r, &all->about[i]))
			continue;
		struct refused *to = &all->refused[all->count++];
		to->spec = all->spec;
		to->what = *r;
		if (r->name) {
			to->name = *r->name;
			to->what.name = &to->name;
		}
		return;
	}
}

struct refusals *refusals_gather(
	const struct config *config, const struct subject *about, size_t about_count)
{
	struct refusals *all = calloc(1, sizeof(*all));
	struct index *rail = NULL;
	struct err_ctx why;

	if (!all || shipped_build_rail(&rail, 0, &why) != ERR_OK) {
		free(all);
		return NULL;
	}
	all->about = about;
	all->about_count = about_count;
	for (size_t i = 0; i < config->feed_count; i++) {
		struct feed_spec spec = config->feed[i].spec;
		const struct feed_watch watch = {
			.refused = note_refusal, .provider_suffixes = rail, .arg = all
		};
		spec.now_s = clock_wall_ns() / NS_PER_S; /* what has ended is refused */
		all->spec = &config->feed[i].spec;
		if (feed_locate(&spec, &watch, &why) != ERR_OK)
			log_warning("%s", why.text);
	}
	index_free(rail);
	return all;
}

static void print_entry(const struct feed_refusal *r)
{
	char name[DNS_NAME_TEXT_MAX], net[IP_NET_TEXT_MAX];

	if (r->name)
		dns_name_format(r->name, name);
	printf("  refused     %s", r->name ? name : ip_net_format(&r->net, net));
}

void refusals_print(const struct refusals *refusals, const struct subject *about)
{
	for (size_t i = 0; i < refusals->count; i++) {
		const struct refused *r = &refusals->refused[i];
		if (!concerns(&r->what, about))
			continue;
		print_entry(&r->what);
		printf(": %s, by %s (%s:%" PRIu64 ")\n              %s\n",
			mark_kind_name(r->spec->kind), r->spec->name, r->spec->path,
			r->what.line, feed_reject_meaning(r->what.reject));
	}
}

void refusals_free(struct refusals *refusals)
{
	free(refusals);
}
