/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/age.h"
#include "rules/ledger_book.h"
#include "rules/ledger_sender.h"

#include <stdlib.h>
#include <string.h>

/*
 * An accepted UPDATE is gone over twice. The first time its changes are made one after the other
 * (RFC 2136 3.4.2), while each slot remembers whether its record was there before; the second time
 * the difference is told, name by name and type by type. So a record that is removed and put back
 * is no change, and one that is removed for another is a replacement. Slots keep their places and
 * their texts in between: only the first pass adds entries.
 */

/* Deleted by who now puts another value there: one move in two steps. */
#define TWO_STEPS_NS (3600 * NS_PER_S)
/* UPDATEs of one name nearer to each other are one registration (A, then AAAA; a repeat). */
#define ONE_VISIT_NS  (60 * NS_PER_S)
#define RECORDS_MAX   (LEDGER_PARTS_MAX * LEDGER_SLOTS)
#define REPORT_GROWTH 32

struct applying {
	struct ledger *l;
	const struct update *update;
	const struct transaction *transaction;
	struct sender *sender;
	uint16_t tenant;
	int64_t ts_ns;
};

/* A slot and where it is. */
struct place {
	struct ledger_entry *entry;
	struct ledger_slot *slot;
};

static bool is_address(uint16_t type)
{
	return type == DNS_TYPE_A || type == DNS_TYPE_AAAA;
}

/* --- the report --------------------------------------------------------------------------- */

/* Room for one more line; NULL when out of memory (then it is not told). */
static struct ledger_change *next_line(struct ledger *l)
{
	struct ledger_report *r = &l->report;

	if (r->change_count == l->change_room) {
		size_t room = l->change_room + REPORT_GROWTH + l->change_room / 2;
		struct ledger_change *more = realloc(l->change, room * sizeof(*more));
		if (!more)
			return NULL;
		l->change = more;
		l->change_room = room;
	}
	r->change = l->change;
	return &l->change[r->change_count++];
}

/* What the ledger cannot remember is told as the UPDATE says it. */
static void tell_unsure(struct applying *a, const struct update_change *c)
{
	struct ledger_change *line = next_line(a->l);
	bool added = c->verb == UPDATE_ADD;

	if (!line)
		return;
	*line = (struct ledger_change){
		.effect = added ? LEDGER_ADDED : LEDGER_DELETED,
		.type = c->type,
		.name = c->name,
		.old_value = c->verb == UPDATE_DELETE_RECORD ? c->rdata : NULL,
		.new_value = added ? c->rdata : NULL,
		.new_ttl = c->ttl,
		.unsure = true,
		.old_owner = { .key = "", .dhcid = "" },
		.new_owner = sender_owner(a->sender, c->name),
	};
}

/* --- first pass: make the changes --------------------------------------------------------- */

/* Before the first change to a name: what was there? */
static void touch_name(struct applying *a, const struct ledger_key *key)
{
	struct ledger_entry *e;

	for (unsigned part = 0; part < LEDGER_PARTS_MAX && (e = ledger_part(a->l, key, part));
		part++) {
		if (e->round == a->l->round)
			continue;
		e->round = a->l->round;
		e->server = a->transaction->server;
		for (unsigned i = 0; i < LEDGER_SLOTS; i++) {
			uint16_t *flags = &e->slot[i].flags;
			*flags &= LEDGER_KEPT_FLAGS;
			if (*flags & LEDGER_HELD)
				*flags |= LEDGER_WAS;
		}
	}
}

/* Write the sender into a record of his. False when his name does not fit. */
static bool set_owner(
	struct ledger_entry *e, struct ledger_slot *slot, const struct ledger_owner *owner)
{
	bool fits = true;
	uint16_t key_at = ledger_entry_put(e, owner->key, &fits);

	if (!fits)
		return false;
	slot->owner_at = key_at;
	slot->source = owner->source;
	slot->owner_kind = (uint8_t)owner->kind;
	slot->dhcid_at = ledger_entry_put(e, owner->dhcid, &fits);
	if (!fits && owner->kind == LEDGER_OWNER_DHCID)
		slot->owner_kind = LEDGER_OWNER_SOURCE;
	return true;
}

/* The same owner again: he may tell more of himself, and come from another address. */
static void renew_owner(
	struct ledger_entry *e, struct ledger_slot *slot, const struct ledger_owner *sender)
{
	struct ledger_owner old = ledger_slot_owner(e, slot);

	if (old.kind != LEDGER_OWNER_UNKNOWN && ledger_owners_differ(&old, sender))
		return;
	struct ledger_owner now = *sender;
	char dhcid[LEDGER_VALUE_MAX + 1];
	if (!now.dhcid[0] && old.dhcid[0]) {
		memcpy(dhcid, old.dhcid, strlen(old.dhcid) + 1);
		now.dhcid = dhcid;
	}
	(void)set_owner(e, slot, &now);
}

/* A slot in this part that holds the new record, or NULL when there is no room. */
static struct ledger_slot *fill_slot(struct applying *a, struct ledger_entry *e, uint16_t type,
	const char *value, const struct ledger_owner *owner)
{
	struct ledger_slot *slot = ledger_entry_slot(e, a->l->round);
	bool fits = true;

	if (!slot)
		return NULL;
	*slot = (struct ledger_slot){
		.type = type,
		.first_ns = a->ts_ns,
		.changed_ns = a->ts_ns,
		.refreshed_ns = a->ts_ns,
		.seen_ns = LEDGER_NEVER,
	};
	if (value) {
		slot->digest = ledger_digest(value);
		slot->value_at = ledger_entry_put(e, value, &fits);
	}
	if (fits && set_owner(e, slot, owner))
		return slot;
	*slot = (struct ledger_slot){ .type = 0 };
	return NULL;
}

/* A slot for a record that was not known; a new part when the others are full. */
static struct ledger_slot *new_record(struct applying *a, struct ledger_key *key,
	const struct update_change *c, const char *value, struct ledger_entry **entry)
{
	struct ledger_owner owner = sender_owner(a->sender, c->name);

	for (unsigned part = 0; part < LEDGER_PARTS_MAX; part++) {
		struct ledger_entry *e = ledger_part(a->l, key, part);
		if (!e) {
			key->part = (uint16_t)part;
			e = ledger_new_part(a->l, key, c->name, a->update->zone);
			key->part = 0;
			if (!e)
				return NULL;
			e->round = a->l->round;
			e->server = a->transaction->server;
		}
		struct ledger_slot *slot = fill_slot(a, e, c->type, value, &owner);
		*entry = e;
		if (slot)
			return slot;
	}
	return NULL;
}

/* What client.overdue learns from: how far UPDATEs of a host's addresses are apart. */
static void learn_interval(struct applying *a, const struct ledger_key *key)
{
	struct ledger_entry *e = ledger_part(a->l, key, 0);

	if (!e)
		return;
	if (e->update_count == 0) {
		e->first_ns = e->last_ns = a->ts_ns;
		e->interval_ns = 0;
		e->update_count = 1;
		return;
	}
	int64_t gap = age_of(e->last_ns, a->ts_ns);
	if (gap <= ONE_VISIT_NS)
		return;
	e->interval_ns -= e->interval_ns / 16;
	if (gap > e->interval_ns)
		e->interval_ns = gap;
	e->last_ns = a->ts_ns;
	e->update_count++;
}

static void unhold(struct ledger_slot *slot)
{
	slot->flags &= (uint16_t)~LEDGER_HELD;
	slot->flags |= LEDGER_TOUCHED;
}

/* RFC 2136 3.4.2.3: of the apex these are never removed without another in their place. */
static bool is_fixed(const struct ledger_entry *e, uint16_t type)
{
	return e->name_at == e->zone_at && (type == DNS_TYPE_SOA || type == DNS_TYPE_NS);
}

/* Remove the records of a type, or all of them (ANY). Returns whether one was known. */
static bool remove_records(struct applying *a, const struct ledger_key *key, uint16_t type)
{
	struct ledger_entry *e;
	bool known = false;

	for (unsigned part = 0; part < LEDGER_PARTS_MAX && (e = ledger_part(a->l, key, part));
		part++) {
		for (unsigned i = 0; i < LEDGER_SLOTS; i++) {
			struct ledger_slot *slot = &e->slot[i];
			if (slot->type == 0 || (type != DNS_TYPE_ANY && slot->type != type))
				continue;
			known = true;
			if (slot->flags & LEDGER_HELD &&
				(type != DNS_TYPE_ANY || !is_fixed(e, slot->type)))
				unhold(slot);
		}
	}
	return known;
}

/* RFC 2136 3.4.2.2: these stand alone. */
static bool is_single(uint16_t type)
{
	return type == DNS_TYPE_CNAME || type == DNS_TYPE_SOA;
}

static void apply_add(struct applying *a, struct ledger_key *key, const struct update_change *c)
{
	struct ledger_owner sender = sender_owner(a->sender, c->name);
	struct ledger_entry *e;
	struct ledger_slot *slot = ledger_record(a->l, key, c->type, c->rdata, &e);

	if (is_single(c->type))
		(void)remove_records(a, key, c->type);
	if (!slot) {
		slot = new_record(a, key, c, c->rdata, &e);
	} else if (slot->flags & LEDGER_WAS) {
		renew_owner(e, slot, &sender);
	} else if (!set_owner(e, slot, &sender)) {
		slot = NULL;
	}
	if (!slot) {
		tell_unsure(a, c);
		return;
	}
	if (!(slot->flags & LEDGER_TOUCHED) || !(slot->flags & LEDGER_HELD))
		slot->old_ttl = slot->ttl;
	slot->ttl = c->ttl;
	slot->refreshed_ns = a->ts_ns;
	slot->flags |= LEDGER_HELD | LEDGER_TOUCHED;
	slot->flags &= (uint16_t)~LEDGER_SAID_STALE;
	ledger_note_address(a->l, e, c->type, c->rdata);
	if (is_address(c->type))
		learn_interval(a, key);
}

/* What was there before is not known; that it is gone now is. */
static void apply_unknown_delete(struct applying *a, struct ledger_key *key,
	const struct update_change *c, const char *value)
{
	struct ledger_entry *e;
	struct ledger_slot *slot = new_record(a, key, c, value, &e);

	if (!slot) {
		tell_unsure(a, c);
		return;
	}
	slot->owner_kind = LEDGER_OWNER_UNKNOWN;
	slot->flags |= LEDGER_TOUCHED;
}

static void apply_delete_record(
	struct applying *a, struct ledger_key *key, const struct update_change *c)
{
	struct ledger_entry *e;
	struct ledger_slot *slot = ledger_record(a->l, key, c->type, c->rdata, &e);

	if (!slot)
		apply_unknown_delete(a, key, c, c->rdata);
	else if (slot->flags & LEDGER_HELD)
		unhold(slot);
}

static void apply_change(struct applying *a, const struct update_change *c)
{
	struct ledger_key key = ledger_key_of(a->l, a->tenant, c->name);
	bool is_apex = strcmp(c->name, a->update->zone) == 0;

	if (!ledger_is_in_zone(c->name, a->update->zone)) {
		tell_unsure(a, c);
		return;
	}
	touch_name(a, &key);
	if (c->verb == UPDATE_ADD) {
		apply_add(a, &key, c);
	} else if (c->verb == UPDATE_DELETE_RECORD) {
		apply_delete_record(a, &key, c);
	} else if (is_apex && (c->type == DNS_TYPE_SOA || c->type == DNS_TYPE_NS)) {
		return; /* RFC 2136 3.4.2.3: never */
	} else if (!remove_records(a, &key, c->type)) {
		apply_unknown_delete(a, &key, c, NULL);
	}
}

/* --- second pass: tell the difference ----------------------------------------------------- */

/* The touched records of one type at a name, by what became of them. */
struct difference {
	struct place removed[RECORDS_MAX], added[RECORDS_MAX], kept[RECORDS_MAX];
	unsigned removed_count, added_count, kept_count;
	const struct ledger_slot *seized; /* deleted a while ago by who now adds */
	const struct ledger_entry *seized_in;
};

static void sort_slot(struct applying *a, struct difference *d, struct ledger_entry *e,
	struct ledger_slot *slot, uint64_t sender)
{
	struct place place = { e, slot };
	bool was = slot->flags & LEDGER_WAS, is = slot->flags & LEDGER_HELD;

	if (!(slot->flags & LEDGER_TOUCHED)) {
		if (!is && slot->remover == sender &&
			age_of(slot->changed_ns, a->ts_ns) <= TWO_STEPS_NS) {
			d->seized = slot;
			d->seized_in = e;
		}
		return;
	}
	if (is && was)
		d->kept[d->kept_count++] = place;
	else if (is)
		d->added[d->added_count++] = place;
	else if (was || slot->owner_kind == LEDGER_OWNER_UNKNOWN)
		d->removed[d->removed_count++] = place;
	else /* added and removed in one UPDATE */
		slot->flags &= (uint16_t)~LEDGER_TOUCHED;
}

/* Of the first touched record of the name, all of its type. False when none is touched. */
static bool read_difference(
	struct applying *a, struct difference *d, const struct ledger_key *key, uint64_t sender)
{
	struct ledger_entry *part[LEDGER_PARTS_MAX];
	unsigned parts = 0;
	uint16_t type = 0;

	while (parts < LEDGER_PARTS_MAX && (part[parts] = ledger_part(a->l, key, parts)))
		parts++;
	for (unsigned i = 0; i < parts * LEDGER_SLOTS && !type; i++) {
		const struct ledger_slot *slot =
			&part[i / LEDGER_SLOTS]->slot[i % LEDGER_SLOTS];
		if (slot->flags & LEDGER_TOUCHED &&
			part[i / LEDGER_SLOTS]->round == a->l->round)
			type = slot->type;
	}
	d->removed_count = d->added_count = d->kept_count = 0;
	d->seized = NULL;
	d->seized_in = NULL;
	for (unsigned i = 0; i < parts * LEDGER_SLOTS && type; i++) {
		struct ledger_entry *e = part[i / LEDGER_SLOTS];
		struct ledger_slot *slot = &e->slot[i % LEDGER_SLOTS];
		if (slot->type == type)
			sort_slot(a, d, e, slot, sender);
	}
	return type != 0;
}

static const char *value_of(struct place p)
{
	return p.slot->value_at ? ledger_text(p.entry, p.slot->value_at) : NULL;
}

static void compare_owners(struct applying *a, struct ledger_change *line)
{
	line->owner_changed = ledger_owners_differ(&line->old_owner, &line->new_owner);
	if (line->owner_changed)
		line->excuse = sender_excuse(a->sender, line->name, line->type);
}

static struct ledger_change *tell(struct applying *a, enum ledger_effect effect, struct place p)
{
	struct ledger_change *line = next_line(a->l);

	if (!line)
		return NULL;
	*line = (struct ledger_change){
		.effect = effect,
		.type = p.slot->type,
		.name = ledger_name(p.entry),
		.old_owner = ledger_slot_owner(p.entry, p.slot),
	};
	line->new_owner = sender_owner(a->sender, line->name);
	return line;
}

static void tell_removed(struct applying *a, struct place p)
{
	struct ledger_change *line = tell(a, LEDGER_DELETED, p);

	if (!line)
		return;
	line->old_value = value_of(p);
	line->old_ttl = p.slot->ttl;
}

static void tell_added(struct applying *a, struct place p, const struct difference *d)
{
	struct ledger_change *line = tell(a, LEDGER_ADDED, p);

	if (!line)
		return;
	line->new_value = value_of(p);
	line->new_ttl = p.slot->ttl;
	line->old_owner = (struct ledger_owner){ .key = "", .dhcid = "" };
	if (d->seized && d->kept_count == 0) {
		line->old_owner = ledger_slot_owner(d->seized_in, d->seized);
		compare_owners(a, line);
	}
}

static void tell_replaced(struct applying *a, struct place old, struct place new)
{
	struct ledger_change *line = tell(a, LEDGER_REPLACED, old);

	new.slot->old_ttl = old.slot->ttl;
	if (!line)
		return;
	line->old_value = value_of(old);
	line->new_value = value_of(new);
	line->old_ttl = old.slot->ttl;
	line->new_ttl = new.slot->ttl;
	compare_owners(a, line);
}

static void tell_kept(struct applying *a, struct place p)
{
	bool same = p.slot->ttl == p.slot->old_ttl;
	struct ledger_change *line = tell(a, same ? LEDGER_REFRESHED : LEDGER_TTL_CHANGED, p);

	if (!line)
		return;
	line->old_value = line->new_value = value_of(p);
	line->old_ttl = p.slot->old_ttl;
	line->new_ttl = p.slot->ttl;
}

/* The name is free, or has another owner: what was learned of the last one does not hold. */
static void forget_interval(struct applying *a, const struct ledger_key *key, bool still_there)
{
	struct ledger_entry *e = ledger_part(a->l, key, 0);

	if (!e)
		return;
	e->update_count = still_there;
	e->first_ns = e->last_ns = a->ts_ns;
	e->interval_ns = 0;
}

static void settle_removed(struct applying *a, struct place p)
{
	struct ledger_owner sender = sender_owner(a->sender, ledger_name(p.entry));
	struct ledger_owner old = ledger_slot_owner(p.entry, p.slot);

	p.slot->flags = is_address(p.slot->type) ? LEDGER_UNSETTLED : 0;
	p.slot->changed_ns = a->ts_ns;
	p.slot->remover = 0;
	if (ledger_owners_differ(&old, &sender) &&
		sender_excuse(a->sender, ledger_name(p.entry), p.slot->type) !=
			LEDGER_DHCID_PROVEN)
		p.slot->remover = sender_digest(&sender);
}

static void settle_added(struct applying *a, struct place p)
{
	p.slot->flags = LEDGER_HELD | LEDGER_AWAIT_AUTHORITATIVE | LEDGER_AWAIT_RESOLVED;
	if (is_address(p.slot->type) || p.slot->type == DNS_TYPE_PTR)
		p.slot->flags |= LEDGER_UNSETTLED;
	p.slot->changed_ns = a->ts_ns;
	p.slot->remover = 0;
}

/* The difference has been told: it is the state from now on. */
static void settle(struct applying *a, struct difference *d, const struct ledger_key *key,
	size_t told_before)
{
	bool address = (d->added_count && is_address(d->added[0].slot->type)) ||
		       (d->removed_count && is_address(d->removed[0].slot->type));
	bool other = false;

	for (size_t i = told_before; i < a->l->report.change_count && address; i++)
		other |= a->l->report.change[i].owner_changed;
	if (address && (other || (d->added_count == 0 && d->kept_count == 0)))
		forget_interval(a, key, d->added_count > 0);
	for (unsigned i = 0; i < d->removed_count; i++)
		settle_removed(a, d->removed[i]);
	for (unsigned i = 0; i < d->added_count; i++)
		settle_added(a, d->added[i]);
	for (unsigned i = 0; i < d->kept_count; i++)
		d->kept[i].slot->flags &= LEDGER_KEPT_FLAGS;
}

static void tell_difference(struct applying *a, struct difference *d)
{
	unsigned replaced =
		d->removed_count < d->added_count ? d->removed_count : d->added_count;

	/* Of an unknown deletion nothing is known that could have been replaced. */
	if (replaced > 0 && d->removed[0].slot->owner_kind == LEDGER_OWNER_UNKNOWN)
		replaced = 0;
	for (unsigned i = 0; i < replaced; i++)
		tell_replaced(a, d->removed[i], d->added[i]);
	for (unsigned i = replaced; i < d->removed_count; i++)
		tell_removed(a, d->removed[i]);
	for (unsigned i = replaced; i < d->added_count; i++)
		tell_added(a, d->added[i], d);
	for (unsigned i = 0; i < d->kept_count; i++)
		tell_kept(a, d->kept[i]);
}

static void tell_name(struct applying *a, const char *name)
{
	struct ledger_key key = ledger_key_of(a->l, a->tenant, name);
	struct ledger_owner sender = sender_owner(a->sender, name);
	uint64_t digest = sender_digest(&sender);
	struct difference d;

	while (read_difference(a, &d, &key, digest)) {
		size_t told_before = a->l->report.change_count;
		tell_difference(a, &d);
		settle(a, &d, &key, told_before);
	}
}

/* --- the whole ---------------------------------------------------------------------------- */

/* A response that nobody asked for may be forged, unless requests are not visible here. */
static bool is_believed(const struct exchange *x, const struct transaction *t)
{
	return transaction_accepted(t) && (t->request_seen || x->queries_hidden);
}

const struct ledger_report *ledger_apply(
	struct ledger *l, const struct exchange *x, const struct transaction *t)
{
	const struct update *u = transaction_update(t);

	l->report =
		(struct ledger_report){ .tenant = x->tenant_number, .zone = u ? u->zone : "" };
	if (!u || !u->zone_valid || u->change_count == 0 || !is_believed(x, t))
		return &l->report;
	struct applying a = {
		.l = l,
		.update = u,
		.transaction = t,
		.sender = &l->sender,
		.tenant = x->tenant_number,
		.ts_ns =
			t->latency_ns < 0 ? t->asked_ns : age_later(t->asked_ns, t->latency_ns),
	};
	sender_init(&l->sender, u, &t->client);
	l->round++;
	ledger_zone_of(l, a.tenant, u->zone)->updates++;
	struct ledger_updater *updater = ledger_updater_of(l, a.tenant, &t->client);
	updater->last_ns = a.ts_ns;
	updater->said_overdue = false;
	for (size_t i = 0; i < u->change_count; i++)
		apply_change(&a, &u->change[i]);
	for (size_t i = 0; i < u->change_count; i++)
		tell_name(&a, u->change[i].name);
	return &l->report;
}
