/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/update_deletions.h"

#include "rules/age.h"
#include "rules/change_words.h"
#include "rules/recent.h"
#include "rules/update_alert.h"
#include "rules/update_subject.h"
#include "sensor/base/hash.h"
#include "sensor/base/quantity.h"

#include <stdlib.h>
#include <string.h>

struct deleter {
	struct subject key;
	int64_t told_slot;
	bool is_told;
	uint16_t next; /* place that the next name takes */
	struct {
		uint64_t hash; /* 0: none */
		int64_t ts_ns;
	} name[DELETIONS_MAX];
};

struct update_deletions {
	struct emit *emit;
	struct table *table;
	uint64_t seed;
};

struct update_deletions *update_deletions_new(
	struct emit *emit, size_t memory_bytes, uint64_t seed)
{
	struct update_deletions *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->emit = emit;
	d->seed = seed;
	d->table = table_new("update_deletions", sizeof(struct deleter), sizeof(struct subject),
		memory_bytes, seed);
	if (!d->table) {
		free(d);
		return NULL;
	}
	return d;
}

void update_deletions_free(struct update_deletions *d)
{
	if (!d)
		return;
	table_free(d->table);
	free(d);
}

/* --- what counts -------------------------------------------------------------------------- */

static bool is_added_again(const struct update *u, const char *name)
{
	for (size_t i = 0; i < transaction_bound(u->change_count); i++) {
		if (u->change[i].verb == UPDATE_ADD && strcmp(u->change[i].name, name) == 0)
			return true;
	}
	return false;
}

/* RFC 4703 5.5: only while it still carries the client's mark. */
static bool is_lease_ending(const struct update *u, const char *name)
{
	for (size_t i = 0; i < transaction_bound(u->prerequisite_count); i++) {
		const struct update_prerequisite *p = &u->prerequisite[i];
		if ((p->type == DNS_TYPE_DHCID || p->type == DNS_TYPE_TXT) &&
			(p->condition == UPDATE_RRSET_EQUALS ||
				p->condition == UPDATE_RRSET_EXISTS) &&
			strcmp(p->name, name) == 0)
			return true;
	}
	return false;
}

/* A new name in the set, or one seen again, which counts from now on. */
static void add_name(struct deleter *r, uint64_t hash, int64_t ts_ns)
{
	for (unsigned i = 0; i < DELETIONS_MAX && r->name[i].hash; i++) {
		if (r->name[i].hash == hash) {
			r->name[i].ts_ns = ts_ns;
			return;
		}
	}
	r->name[r->next].hash = hash;
	r->name[r->next].ts_ns = ts_ns;
	r->next = (uint16_t)((r->next + 1) % DELETIONS_MAX);
}

static uint32_t count_names(const struct deleter *r, int64_t window_ns, int64_t ts_ns)
{
	uint32_t count = 0;

	for (unsigned i = 0; i < DELETIONS_MAX && r->name[i].hash; i++)
		count += age_of(r->name[i].ts_ns, ts_ns) <= window_ns;
	return count;
}

/* --- the rule ----------------------------------------------------------------------------- */

static void raise_deletions(struct update_deletions *d, const struct exchange *x,
	const struct transaction *t, uint32_t names, uint64_t least, int64_t window_ns)
{
	const char *zone = change_zone(t->change);
	struct alert *a = update_alert_open(d->emit, RULE_UPDATE_MASS_DELETE, x, t, zone);
	char client[IP_TEXT_MAX], span[QUANTITY_TEXT_MAX];

	if (!a)
		return;
	a->score = 75;
	a->count = names;
	alert_why(a, "names_deleted", alert_number(names), alert_number((double)least),
		alert_none());
	alert_why(a, "window", alert_words(a, quantity_format_duration(window_ns, span)),
		alert_none(), alert_none());
	a->message =
		alert_printf(a, "%s deleted %s%u names within %s, the last ones in zone %s",
			ip_format(&t->client, client),
			names == DELETIONS_MAX ? "at least " : "", names, span, zone);
	emit_commit(d->emit);
}

static void judge(struct update_deletions *d, const struct exchange *x,
	const struct transaction *t, struct deleter *r)
{
	int64_t window_ns = x->tenant->rules.option[OPTION_UPDATE_MASS_DELETE_window].ns;
	uint64_t least = x->tenant->rules.option[OPTION_UPDATE_MASS_DELETE_min_names].count;
	int64_t slot = recent_slot(window_ns, x->ts_ns);
	uint32_t names = count_names(r, window_ns, x->ts_ns);

	if (names < least || (r->is_told && r->told_slot == slot))
		return;
	r->is_told = true;
	r->told_slot = slot;
	raise_deletions(d, x, t, names, least, window_ns);
}

static bool counts(struct update_content *controllers, const struct exchange *x,
	const struct transaction *t, const struct update *u, const struct update_change *change,
	bool is_dhcp)
{
	return change->verb != UPDATE_ADD && !is_added_again(u, change->name) &&
	       !is_lease_ending(u, change->name) &&
	       !(is_dhcp && change_is_below(change->name, "arpa")) &&
	       !update_content_is_controllers(controllers, x, t, change);
}

void update_deletions_note(struct update_deletions *d, struct update_content *controllers,
	const struct exchange *x, const struct transaction *t, bool is_dhcp)
{
	const struct update *u = transaction_update(t);
	struct subject key = subject_source(x, &t->client);
	struct deleter *r = NULL;
	bool is_new;

	if (!u || !(t->change->verbs & ~(1u << UPDATE_ADD)))
		return;
	for (size_t i = 0; i < transaction_bound(u->change_count); i++) {
		const char *name = u->change[i].name;
		if (!counts(controllers, x, t, u, &u->change[i], is_dhcp))
			continue;
		if (!r)
			r = table_add(d->table, table_hash(d->table, &key), &key, &is_new);
		add_name(r, hash_bytes(d->seed, name, strlen(name)) | 1, x->ts_ns);
	}
	if (r)
		judge(d, x, t, r);
}

void update_deletions_stats(const struct update_deletions *d, struct judge_stats *out)
{
	judge_stats_add(out, table_stats(d->table));
}
