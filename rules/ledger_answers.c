/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/ledger_answers.h"

#include "rules/age.h"

#include <string.h>

static bool shows_address(const struct observation *o, const struct ledger_entry *e,
	const struct ledger_slot *slot)
{
	struct ip ip;

	if (!ip_parse(&ip, ledger_text(e, slot->value_at)))
		return false;
	for (unsigned i = 0; i < o->address_count; i++) {
		if (ip_equal(&observation_addresses(o)[i].ip, &ip))
			return true;
	}
	return false;
}

/* The name that ends the RDATA of this type ("10 mail.example" of MX). */
static bool shows_name(const struct observation *o, const struct ledger_entry *e,
	const struct ledger_slot *slot)
{
	const char *value = ledger_text(e, slot->value_at);
	const char *space = strrchr(value, ' ');
	char text[DNS_NAME_TEXT_MAX];

	for (unsigned i = 0; i < o->name_count; i++) {
		const struct observation_name *n = &observation_names(o)[i];
		if (n->section != DNS_ANSWER || n->type != slot->type)
			continue;
		dns_name_format_wire((const uint8_t *)o + n->wire_at, n->wire_len, text);
		if (strcmp(text, space ? space + 1 : value) == 0)
			return true;
	}
	return false;
}

static bool is_address(uint16_t type)
{
	return type == DNS_TYPE_A || type == DNS_TYPE_AAAA;
}

static bool is_name(uint16_t type)
{
	return type == DNS_TYPE_PTR || type == DNS_TYPE_CNAME || type == DNS_TYPE_NS ||
	       type == DNS_TYPE_MX || type == DNS_TYPE_SRV;
}

/* Does the answer lead to another name, whose records these are? */
static bool has_alias(const struct observation *o)
{
	for (unsigned i = 0; i < o->name_count; i++) {
		const struct observation_name *n = &observation_names(o)[i];
		if (n->section == DNS_ANSWER &&
			(n->type == DNS_TYPE_CNAME || n->type == DNS_TYPE_DNAME))
			return true;
	}
	return false;
}

static enum ledger_sight sight_of(const struct observation *o, const struct ledger_entry *e,
	const struct ledger_slot *slot)
{
	bool all_read = !o->addresses_omitted && o->name_count < OBSERVATION_NAMES_MAX;

	if (slot->value_at == 0 || (!is_address(slot->type) && !is_name(slot->type)))
		return LEDGER_UNTOLD;
	if (slot->type != DNS_TYPE_CNAME && has_alias(o))
		return LEDGER_UNTOLD;
	if (is_address(slot->type) ? shows_address(o, e, slot) : shows_name(o, e, slot))
		return LEDGER_SHOWN;
	return all_read ? LEDGER_NOT_SHOWN : LEDGER_UNTOLD;
}

/* The first sight of what was accepted: how long did it take? */
static void note_first(struct ledger *l, const struct exchange *x, const struct ledger_entry *e,
	struct ledger_slot *slot)
{
	bool authoritative = x->now->flags & DNS_FLAG_AA;
	uint16_t awaited = authoritative ? LEDGER_AWAIT_AUTHORITATIVE : LEDGER_AWAIT_RESOLVED;

	slot->seen_ns = x->ts_ns;
	if (!(slot->flags & LEDGER_HELD) || !(slot->flags & awaited))
		return;
	slot->flags &= (uint16_t)~awaited;
	struct ledger_zone *z = ledger_zone_of(l, e->key.tenant, ledger_zone(e));
	delay_add(authoritative ? &z->authoritative : &z->resolved,
		age_of(slot->changed_ns, x->ts_ns));
}

static bool is_answer(const struct observation *o)
{
	return o->response && o->opcode == DNS_OPCODE_QUERY && o->has_question &&
	       o->qclass == DNS_CLASS_IN && !(o->flags & DNS_FLAG_TC) &&
	       (o->rcode == DNS_RCODE_NOERROR || o->rcode == DNS_RCODE_NXDOMAIN);
}

void ledger_answer(struct ledger *l, const struct exchange *x, ledger_sighting *tell, void *arg)
{
	const struct observation *o = x->now;
	char name[DNS_NAME_TEXT_MAX];
	struct ledger_entry *e;

	if (!ledger_may_have(l, o->qname_hash) || !is_answer(o))
		return;
	/* A reply that nobody was seen to ask for may be forged. */
	if (!x->matched && !x->queries_hidden)
		return;
	dns_name_format_wire(observation_qname_wire(o), o->qname_len, name);
	struct ledger_key key = ledger_key_of(l, x->tenant_number, name);
	for (unsigned part = 0; part < LEDGER_PARTS_MAX && (e = ledger_part(l, &key, part));
		part++) {
		for (unsigned i = 0; i < LEDGER_SLOTS; i++) {
			struct ledger_slot *slot = &e->slot[i];
			if (slot->type == 0 || slot->type != o->qtype)
				continue;
			enum ledger_sight sight = sight_of(o, e, slot);
			if (sight == LEDGER_SHOWN)
				note_first(l, x, e, slot);
			if (sight != LEDGER_UNTOLD)
				tell(arg, x, e, slot, sight);
		}
	}
}
