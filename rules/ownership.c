/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/ownership.h"

#include "rules/age.h"
#include "rules/change_words.h"
#include "rules/judge.h"
#include "rules/ledger_book.h"
#include "rules/reverse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Records of one address that are compared with each other. */
#define HOLDERS_MAX LEDGER_ADDRESS_NAMES

/* --- update.takeover ---------------------------------------------------------------------- */

/*
 * Addresses change hands, and their PTR records with them: only two keys tell of two owners of a
 * reverse name.
 */
static bool is_taken(const struct ledger_change *c)
{
	if (!c->owner_changed || c->excuse != LEDGER_NOT_EXCUSED || !c->new_value)
		return false;
	if (c->type != DNS_TYPE_PTR)
		return true;
	return c->old_owner.kind == LEDGER_OWNER_KEY && c->new_owner.kind == LEDGER_OWNER_KEY &&
	       strcmp(c->old_owner.key, c->new_owner.key) != 0;
}

static bool is_own_address(const struct ledger_owner *owner, const char *value)
{
	char address[IP_TEXT_MAX];

	return owner->kind == LEDGER_OWNER_SOURCE && value &&
	       strcmp(value, ip_format(&owner->source, address)) == 0;
}

/* An unsigned client that got another address looks like one that took the name. */
static bool may_roam(const struct ledger_change *c)
{
	return is_own_address(&c->old_owner, c->old_value) &&
	       is_own_address(&c->new_owner, c->new_value);
}

static bool is_identity(uint16_t type)
{
	return type == DNS_TYPE_DHCID || type == DNS_TYPE_TXT;
}

/* The change to speak of: the first that is more than a mark of the owner. *count: all taken. */
static const struct ledger_change *find_taken(
	const struct ledger_report *made, unsigned *count, bool *roams)
{
	const struct ledger_change *first = NULL;

	*count = 0;
	*roams = true;
	for (size_t i = 0; i < made->change_count; i++) {
		const struct ledger_change *c = &made->change[i];
		if (!is_taken(c))
			continue;
		++*count;
		*roams = *roams && may_roam(c);
		if (!first || (is_identity(first->type) && !is_identity(c->type)))
			first = c;
	}
	return first;
}

static void why_owner(struct alert *a, const char *feature, const struct ledger_owner *is,
	const struct ledger_owner *was)
{
	char text[2][LEDGER_VALUE_MAX + 32], address[IP_TEXT_MAX];

	snprintf(text[0], sizeof(text[0]), "%s %s", ledger_owner_kind_name(is->kind),
		ledger_owner_text(is, address));
	snprintf(text[1], sizeof(text[1]), "%s %s", ledger_owner_kind_name(was->kind),
		ledger_owner_text(was, address));
	alert_why(a, feature, alert_words(a, text[0]), alert_words(a, "the owner so far"),
		alert_words(a, text[1]));
}

static struct alert_value words_or_none(struct alert *a, const char *text)
{
	return text ? alert_words(a, text) : alert_none();
}

static void fill_takeover(struct emit *emit, struct alert *a, const struct transaction *t,
	const struct ledger_report *made, const struct ledger_change *first, unsigned count)
{
	char type[16];

	a->zone = alert_put(a, made->zone);
	a->count = count;
	if (first->new_owner.kind == LEDGER_OWNER_KEY)
		a->key_name = alert_put(a, first->new_owner.key);
	a->has_opcode = a->has_rcode = true;
	a->opcode = DNS_OPCODE_UPDATE;
	a->rcode = t->rcode;
	emit_question(emit, first->name, first->type);
	for (size_t i = 0; i < made->change_count; i++) {
		if (is_taken(&made->change[i]))
			emit_host(emit, made->change[i].name);
	}
	why_owner(a, "owner", &first->new_owner, &first->old_owner);
	alert_why(a, "record", alert_words(a, dns_type_name(first->type, type)), alert_none(),
		alert_none());
	alert_why(a, "value", words_or_none(a, first->new_value), alert_none(),
		words_or_none(a, first->old_value));
	alert_why(a, "records_taken", alert_number(count), alert_number(1), alert_none());
}

static void say_takeover(struct emit *emit, struct alert *a, const struct transaction *t,
	const struct ledger_change *first, bool roams)
{
	char client[IP_TEXT_MAX], old[IP_TEXT_MAX], new[IP_TEXT_MAX];

	a->message = alert_printf(a,
		"%s moved %s to another owner: it was of %s %s (%s) and is now of %s %s (%s)",
		ip_format(&t->client, client), first->name,
		ledger_owner_kind_name(first->old_owner.kind),
		ledger_owner_text(&first->old_owner, old),
		first->old_value ? first->old_value : "deleted by the new one",
		ledger_owner_kind_name(first->new_owner.kind),
		ledger_owner_text(&first->new_owner, new), first->new_value);
	if (!roams)
		return;
	alert_why(a, "roaming",
		alert_words(a, "an unsigned client that got another address looks the same"),
		alert_none(), alert_none());
	emit_hint(emit, "    rules:\n      update.takeover: {roaming: false}\n");
}

void ownership_judge(struct emit *emit, const struct exchange *x, const struct transaction *t,
	const struct ledger_report *made)
{
	unsigned count;
	bool roams;
	const struct ledger_change *first = find_taken(made, &count, &roams);

	if (!first || (roams && !x->tenant->rules.option[OPTION_UPDATE_TAKEOVER_roaming].on))
		return;
	struct alert *a = emit_open(emit, RULE_UPDATE_TAKEOVER, x, first->name);
	if (!a)
		return;
	if (!x->now) {
		emit_client(emit, &t->client, first->name);
		emit_server(emit, &t->server, t->server_port);
	}
	if (roams && change_severity_is_free(x->tenant, RULE_UPDATE_TAKEOVER))
		a->severity = SEVERITY_MEDIUM;
	a->score = roams ? 50 : 85;
	fill_takeover(emit, a, t, made, first, count);
	say_takeover(emit, a, t, first, roams);
	emit_commit(emit);
}

/* --- record.mismatch ---------------------------------------------------------------------- */

struct ownership {
	struct emit *emit;
	struct ledger *ledger;
	const struct knowledge *known;
	const struct exchange *tick;
};

/* A record that is there. */
struct holder {
	const struct ledger_entry *entry;
	const struct ledger_slot *slot;
};

/* What is known of one address. */
struct holding {
	struct exchange x;
	struct ip ip;
	char address[IP_TEXT_MAX];
	struct holder name[HOLDERS_MAX]; /* names that have it */
	unsigned name_count;
	struct holder pointer; /* a PTR record at its reverse name; entry NULL: none */
	bool agrees;           /* one of the names is what a PTR record says */
};

static uint16_t address_type(const struct ip *ip)
{
	return ip_is_v4(ip) ? DNS_TYPE_A : DNS_TYPE_AAAA;
}

static const char *value_of(const struct holder *h)
{
	return ledger_text(h->entry, h->slot->value_at);
}

static bool is_held_by(const struct holding *g, const char *name)
{
	for (unsigned i = 0; i < g->name_count; i++) {
		if (strcmp(ledger_name(g->name[i].entry), name) == 0)
			return true;
	}
	return false;
}

static void read_names(struct ownership *o, struct holding *g, const struct ledger_address *a)
{
	for (unsigned i = 0; i < LEDGER_ADDRESS_NAMES; i++) {
		struct ledger_key key = { .hash = a->name[i].hash,
			.check = a->name[i].check,
			.tenant = g->x.tenant_number };
		struct ledger_entry *e;
		const struct ledger_slot *slot =
			ledger_record(o->ledger, &key, address_type(&g->ip), g->address, &e);
		if (slot && slot->flags & LEDGER_HELD)
			g->name[g->name_count++] = (struct holder){ e, slot };
	}
}

static void read_pointers(
	struct ownership *o, struct holding *g, const struct ledger_address *a)
{
	const struct ledger_entry *e =
		ledger_by_ref(o->ledger, g->x.tenant_number, &a->pointer);

	for (unsigned i = 0; e && i < LEDGER_SLOTS; i++) {
		const struct ledger_slot *slot = &e->slot[i];
		if (slot->type != DNS_TYPE_PTR || !(slot->flags & LEDGER_HELD))
			continue;
		g->pointer = (struct holder){ e, slot };
		g->agrees |= is_held_by(g, value_of(&g->pointer));
	}
}

/* What is the matter with the name that a PTR record points to, when it has not the address. */
static const char *matter_of_target(struct ownership *o, const struct holding *g)
{
	const char *target = value_of(&g->pointer);
	uint16_t type = address_type(&g->ip);
	struct ledger_key key = ledger_key_of(o->ledger, g->x.tenant_number, target);
	const struct ledger_entry *e = ledger_part(o->ledger, &key, 0);
	const char *matter = NULL;

	for (unsigned i = 0; e && i < LEDGER_SLOTS; i++) {
		if (e->slot[i].type != type)
			continue;
		if (e->slot[i].flags & LEDGER_HELD)
			return "has other addresses";
		if (strcmp(ledger_text(e, e->slot[i].value_at), g->address) == 0)
			matter = "was deleted";
	}
	return matter;
}

/* Open an alert about the record of `h`; its owner is the client. */
static struct alert *open_mismatch(
	struct ownership *o, const struct holding *g, const struct holder *h)
{
	const struct policy *tenant = g->x.tenant;
	const char *name = ledger_name(h->entry);
	struct alert *a = emit_open(o->emit, RULE_RECORD_MISMATCH, &g->x, name);

	if (!a)
		return NULL;
	emit_client(o->emit, &h->slot->source, name);
	a->zone = alert_put(a, ledger_zone(h->entry));
	emit_question(o->emit, name, h->slot->type);
	a->score = 20;
	alert_why(a, "address", alert_words(a, g->address), alert_none(), alert_none());
	alert_why(a, "unchanged_s",
		alert_number((double)(age_of(h->slot->changed_ns, g->x.ts_ns) / NS_PER_S)),
		alert_number((double)(tenant->rules.option[OPTION_RECORD_MISMATCH_settle].ns /
				      NS_PER_S)),
		alert_none());
	return a;
}

static void raise_two_owners(struct ownership *o, const struct holding *g,
	const struct holder *one, const struct holder *other)
{
	struct alert *a = open_mismatch(o, g, one);
	struct ledger_owner owner = ledger_slot_owner(one->entry, one->slot);
	struct ledger_owner before = ledger_slot_owner(other->entry, other->slot);

	if (!a)
		return;
	emit_host(o->emit, ledger_name(other->entry));
	why_owner(a, "owner", &owner, &before);
	alert_why(a, "other_name", alert_words(a, ledger_name(other->entry)), alert_none(),
		alert_none());
	a->message = alert_printf(a, "%s and %s have the same address %s and different owners",
		ledger_name(one->entry), ledger_name(other->entry), g->address);
	emit_commit(o->emit);
}

static void raise_reverse(struct ownership *o, const struct holding *g, const struct holder *h,
	const char *matter)
{
	struct alert *a = open_mismatch(o, g, h);
	const char *target = value_of(&g->pointer);

	if (!a)
		return;
	emit_host(o->emit, ledger_name(g->pointer.entry));
	emit_host(o->emit, target);
	alert_why(a, "reverse", alert_words(a, target), alert_none(), alert_none());
	if (matter)
		a->message = alert_printf(
			a, "%s points to %s, which %s", g->address, target, matter);
	else
		a->message = alert_printf(a, "%s has the address %s, which points to %s",
			ledger_name(h->entry), g->address, target);
	emit_commit(o->emit);
}

static void check_owners(struct ownership *o, const struct holding *g)
{
	struct ledger_owner latest;

	for (unsigned i = 1; i < g->name_count; i++) {
		struct ledger_owner other =
			ledger_slot_owner(g->name[i].entry, g->name[i].slot);
		latest = ledger_slot_owner(g->name[0].entry, g->name[0].slot);
		if (!ledger_owners_differ(&latest, &other))
			continue;
		raise_two_owners(o, g, &g->name[0], &g->name[i]);
		return;
	}
}

static void check_address(struct ownership *o, struct holding *g)
{
	const struct ledger_address *a =
		ledger_address_of(o->ledger, g->x.tenant_number, &g->ip);

	if (!a)
		return;
	ip_format(&g->ip, g->address);
	read_names(o, g, a);
	read_pointers(o, g, a);
	check_owners(o, g);
	if (!g->pointer.entry || g->agrees)
		return;
	const char *matter = matter_of_target(o, g);
	if (matter)
		raise_reverse(o, g, &g->pointer, matter);
	else if (g->name_count > 0)
		raise_reverse(o, g, &g->name[0], NULL);
}

static void visit_entry(void *entry, void *arg)
{
	struct ownership *o = arg;
	struct ledger_entry *e = entry;
	const struct policy_set *policies = o->known->policies;

	if (e->key.tenant >= policies->tenant_count)
		return;
	const struct policy *tenant = &policies->tenant[e->key.tenant];
	int64_t settle_ns = tenant->rules.option[OPTION_RECORD_MISMATCH_settle].ns;
	for (unsigned i = 0; i < LEDGER_SLOTS; i++) {
		struct ledger_slot *slot = &e->slot[i];
		struct holding g = {
			.x = { .tenant = tenant,
				.tenant_number = tenant->number,
				.seq = o->tick->seq,
				.ts_ns = o->tick->ts_ns },
		};
		if (!(slot->flags & LEDGER_UNSETTLED) ||
			age_of(slot->changed_ns, g.x.ts_ns) < settle_ns)
			continue;
		slot->flags &= (uint16_t)~LEDGER_UNSETTLED;
		if (slot->type == DNS_TYPE_PTR
				? reverse_parse(&g.ip, ledger_name(e))
				: ip_parse(&g.ip, ledger_text(e, slot->value_at)))
			check_address(o, &g);
	}
}

/* --- the family --------------------------------------------------------------------------- */

static void *ownership_family_new(const struct family_env *env)
{
	struct ownership *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->emit = env->emit;
	o->ledger = env->ledger;
	return o;
}

static void ownership_family_adopt(void *state, const struct knowledge *known)
{
	struct ownership *o = state;

	o->known = known;
}

static void ownership_family_tick(void *state, const struct exchange *x)
{
	struct ownership *o = state;

	if (!o->ledger->sweeping)
		return;
	o->tick = x;
	table_each(o->ledger->entries, visit_entry, o);
	o->tick = NULL;
}

const struct family ownership_family = {
	.name = "ownership",
	.new = ownership_family_new,
	.free = free,
	.adopt = ownership_family_adopt,
	.tick = ownership_family_tick,
};
