/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/lookup_listed.h"

#include "feeds/shipped.h"
#include "sensor/base/clock.h"
#include "sensor/base/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define INDENT "              "

/* What is asked about, and what is printed of it. */
struct listing {
	const struct knowledge *known;
	const struct config *config;
	char listed[DNS_NAME_TEXT_MAX]; /* the entry, as text */
	struct feed_watch watch;        /* the entry */
	uint64_t fact_key;              /* of the entry */
};

/* --- where ---------------------------------------------------------------------------------- */

struct lines {
	uint64_t first_line, count; /* that have the entry */
};

static void note_line(void *arg, uint64_t line)
{
	struct lines *lines = arg;

	if (lines->count++ == 0)
		lines->first_line = line;
}

/* As it was loaded: knowledge has the shipped lists first, if at all. NULL: it is gone. */
static const struct feed_spec *spec_of(const struct listing *l, const char *name)
{
	for (size_t i = 0; i < shipped_feed_count; i++) {
		if (strcmp(shipped_feeds[i].name, name) == 0)
			return &shipped_feeds[i];
	}
	for (size_t i = 0; i < l->config->feed_count; i++) {
		if (strcmp(l->config->feed[i].spec.name, name) == 0)
			return &l->config->feed[i].spec;
	}
	return NULL;
}

/* ", by urlhaus (feeds/urlhaus.csv:17, and 2 lines more)" */
static void print_place(const struct listing *l, uint16_t source)
{
	const struct knowledge_feed *feed = &l->known->feed[source];
	const struct feed_spec *spec = spec_of(l, feed->name);
	struct feed_watch watch = l->watch;
	struct lines lines = { 0, 0 };
	struct err_ctx why;

	watch.found = note_line;
	watch.arg = &lines;
	printf(", by %s", feed->name);
	if (spec && feed_locate(spec, &watch, &why) != ERR_OK)
		log_warning("%s", why.text);
	if (lines.count > 0)
		printf(" (%s:%" PRIu64, feed->path, lines.first_line);
	if (lines.count > 1)
		printf(", and %" PRIu64 " line%s more", lines.count - 1,
			lines.count > 2 ? "s" : "");
	printf("%s\n", lines.count > 0 ? ")" : "");
}

static void print_facts(const struct listing *l, uint16_t source)
{
	const struct facts *facts = l->known->feed[source].facts;
	char text[CLOCK_TEXT_MAX];
	const char *between = INDENT;
	struct entry_facts e;

	if (!facts || !facts_find(facts, l->fact_key, &e))
		return;
	if (e.category)
		printf("%s%s", between, e.category), between = ", ";
	if (e.confidence != FACTS_NO_CONFIDENCE)
		printf("%sconfidence %u", between, e.confidence), between = ", ";
	if (e.first_seen_s)
		printf("%sfirst seen %.10s", between,
			clock_format(e.first_seen_s * NS_PER_S, text)),
			between = ", ";
	if (e.until_s)
		printf("%s%s %.19s", between,
			e.until_s * NS_PER_S <= clock_wall_ns() ? "ended" : "until",
			clock_format(e.until_s * NS_PER_S, text)),
			between = ", ";
	if (e.tlp != TLP_NONE)
		printf("%sTLP:%s", between, facts_tlp_name((enum facts_tlp)e.tlp)),
			between = ", ";
	if (e.reference)
		printf("%s%s", between, e.reference);
	printf("\n");
}

/* --- marks ---------------------------------------------------------------------------------- */

/* " for 10.1.4.0/24 until 2027-12-31" */
static void print_scope(const struct policy_approved *approved)
{
	char text[CLOCK_TEXT_MAX > IP_NET_TEXT_MAX ? CLOCK_TEXT_MAX : IP_NET_TEXT_MAX];

	for (size_t i = 0; i < approved->clients.count; i++)
		printf("%s%s%s", i ? ", " : " for ",
			approved->clients.entry[i].excluded ? "not " : "",
			ip_net_format(&approved->clients.entry[i].net, text));
	if (approved->until_ns != INT64_MAX)
		printf(" until %.10s", clock_format(approved->until_ns, text));
}

static void print_by_feed(const struct listing *l, const struct mark *m)
{
	const struct knowledge *k = l->known;

	if (m->kind == MARK_MALICIOUS)
		printf(", severity %s", severity_name(k->feed[m->source].severity));
	print_place(l, m->source);
	if (m->kind == MARK_MALICIOUS || m->kind == MARK_ALLOW)
		print_facts(l, m->source);
}

static void print_mark(const struct listing *l, const struct mark *m)
{
	const struct knowledge *k = l->known;
	static const char *const scope[] = {
		[SCOPE_SUFFIX] = "and all below",
		[SCOPE_EXACT] = "alone",
		[SCOPE_BELOW] = "below only",
	};

	printf("  listed      %s (%s): %s", l->listed, scope[m->scope],
		mark_kind_name((enum mark_kind)m->kind));
	switch (m->kind) {
	case MARK_APPROVED:
		printf(" by tenant %s", k->policies->tenant[m->source].id);
		print_scope(&k->policies->tenant[m->source].approved[m->detail]);
		printf("\n");
		return;
	case MARK_ZONE:
	case MARK_SEARCH_SUFFIX:
		printf(" of tenant %s\n", k->policies->tenant[m->source].id);
		return;
	case MARK_PROVIDER:
	case MARK_TUNNEL:
	case MARK_UPDATE_HOST:
	case MARK_IP_CHECK:
		if (m->detail < provider_count(k->providers)) {
			const struct provider *p = provider_at(k->providers, m->detail);
			printf(" %s, tier %s", p->id, provider_tier_name(p->tier));
		}
		break;
	default:
		break;
	}
	print_by_feed(l, m);
}

void lookup_listed_name(
	const struct knowledge *known, const struct config *config, const struct dns_name *name)
{
	struct listing l = { .known = known, .config = config };
	struct index_hit hit[INDEX_HITS_MAX];
	size_t hits = index_match_name(known->index, name, hit);

	for (size_t i = 0; i < hits; i++) {
		struct dns_name entry;
		size_t count, len;
		const struct mark *mark = index_marks(known->index, hit[i].entry, &count);
		const uint8_t *wire = dns_name_suffix(name, hit[i].labels, &len);
		if (!dns_name_from_wire(&entry, wire, len))
			continue;
		dns_name_format(&entry, l.listed);
		l.watch.name = &entry;
		l.fact_key = dns_name_hash(&entry, index_seed(known->index));
		for (size_t k = 0; k < count; k++) {
			if (mark_applies(&mark[k], hit[i].labels, name->label_count))
				print_mark(&l, &mark[k]);
		}
	}
	if (hits == 0)
		printf("  listed      nowhere\n");
}

void lookup_listed_address(
	const struct knowledge *known, const struct config *config, const struct ip *ip)
{
	struct listing l = { .known = known, .config = config };
	struct address_hit hit[ADDRESS_HITS_MAX];
	size_t hits = known->addresses ? address_set_match(known->addresses, ip, hit) : 0;

	for (size_t i = 0; i < hits; i++) {
		size_t count;
		const struct mark *mark =
			address_set_marks(known->addresses, hit[i].entry, &count);
		l.watch.net = *address_set_net(known->addresses, hit[i].entry);
		ip_net_format(&l.watch.net, l.listed);
		l.fact_key = facts_network_key(&l.watch.net);
		for (size_t k = 0; k < count; k++) {
			printf("  listed      %s: %s", l.listed,
				mark_kind_name((enum mark_kind)mark[k].kind));
			print_by_feed(&l, &mark[k]);
		}
	}
	if (hits == 0)
		printf("  listed      nowhere\n");
}
