/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/ledger_entry.h"

#include "sensor/base/hash.h"

#include <stdio.h>
#include <string.h>

/* pool[0] is NUL: offset 0 is the empty text. */
#define POOL_START 1

bool ledger_entry_init(struct ledger_entry *e, const char *name, const char *zone)
{
	size_t len = strlen(name), zone_len = strcmp(zone, ".") == 0 ? 0 : strlen(zone);

	if (len > LEDGER_NAME_MAX || zone_len > len)
		return false;
	e->pool[0] = '\0';
	memcpy(e->pool + POOL_START, name, len + 1);
	e->name_at = POOL_START;
	e->zone_at = (uint16_t)(POOL_START + len - zone_len);
	e->pool_len = (uint16_t)(POOL_START + len + 1);
	return true;
}

/* Where the pool has this text already; 0: nowhere. */
static uint16_t find_text(const struct ledger_entry *e, const char *text)
{
	for (size_t at = POOL_START; at < e->pool_len; at += strlen(e->pool + at) + 1) {
		if (strcmp(e->pool + at, text) == 0)
			return (uint16_t)at;
	}
	return 0;
}

static uint16_t append(struct ledger_entry *e, const char *text)
{
	size_t len = strlen(text);

	if (len == 0)
		return 0;
	uint16_t at = find_text(e, text);
	if (at)
		return at;
	if (e->pool_len + len + 1 > LEDGER_POOL_BYTES)
		return 0;
	at = e->pool_len;
	memcpy(e->pool + at, text, len + 1);
	e->pool_len = (uint16_t)(at + len + 1);
	return at;
}

/* Drop what nothing refers to. The name stays where it is, at the beginning. */
static void collect(struct ledger_entry *e)
{
	struct ledger_entry old = *e;

	e->pool_len = (uint16_t)(e->name_at + strlen(ledger_name(e)) + 1);
	for (unsigned i = 0; i < LEDGER_SLOTS; i++) {
		struct ledger_slot *slot = &e->slot[i];
		if (slot->type == 0)
			continue;
		slot->value_at = append(e, ledger_text(&old, slot->value_at));
		slot->owner_at = append(e, ledger_text(&old, slot->owner_at));
		slot->dhcid_at = append(e, ledger_text(&old, slot->dhcid_at));
	}
}

uint16_t ledger_entry_put(struct ledger_entry *e, const char *text, bool *fits)
{
	char cut[LEDGER_VALUE_MAX + 1];

	if (!text[0])
		return 0;
	snprintf(cut, sizeof(cut), "%s", text);
	uint16_t at = append(e, cut);
	if (!at) {
		collect(e);
		at = append(e, cut);
	}
	if (!at)
		*fits = false;
	return at;
}

struct ledger_slot *ledger_entry_slot(struct ledger_entry *e, uint64_t round)
{
	struct ledger_slot *oldest = NULL;

	for (unsigned i = 0; i < LEDGER_SLOTS; i++) {
		struct ledger_slot *slot = &e->slot[i];
		if (slot->type == 0)
			return slot;
		if (slot->flags & LEDGER_HELD ||
			(e->round == round && slot->flags & (LEDGER_WAS | LEDGER_TOUCHED)))
			continue;
		if (!oldest || slot->changed_ns < oldest->changed_ns)
			oldest = slot;
	}
	if (oldest)
		*oldest = (struct ledger_slot){ .type = 0 };
	return oldest;
}

uint64_t ledger_digest(const char *text)
{
	uint64_t digest = hash_bytes(HASH_K2, text, strlen(text));

	return digest ? digest : 1;
}

struct ledger_owner ledger_slot_owner(
	const struct ledger_entry *e, const struct ledger_slot *slot)
{
	return (struct ledger_owner){
		.kind = slot->owner_kind,
		.key = ledger_text(e, slot->owner_at),
		.dhcid = ledger_text(e, slot->dhcid_at),
		.source = slot->source,
	};
}

const char *ledger_owner_text(const struct ledger_owner *owner, char address[IP_TEXT_MAX])
{
	switch (owner->kind) {
	case LEDGER_OWNER_UNKNOWN:
		break;
	case LEDGER_OWNER_KEY:
		return owner->key;
	case LEDGER_OWNER_DHCID:
		return owner->dhcid;
	case LEDGER_OWNER_GSS:
	case LEDGER_OWNER_SOURCE:
		return ip_format(&owner->source, address);
	}
	return "";
}

const char *ledger_owner_kind_name(enum ledger_owner_kind kind)
{
	static const char *const name[] = {
		[LEDGER_OWNER_UNKNOWN] = "unknown",
		[LEDGER_OWNER_KEY] = "key",
		[LEDGER_OWNER_GSS] = "GSS principal",
		[LEDGER_OWNER_DHCID] = "DHCID",
		[LEDGER_OWNER_SOURCE] = "address",
	};

	return name[kind];
}

bool ledger_owners_differ(const struct ledger_owner *a, const struct ledger_owner *b)
{
	if (a->kind == LEDGER_OWNER_UNKNOWN || b->kind == LEDGER_OWNER_UNKNOWN)
		return false;
	if (a->dhcid[0] && b->dhcid[0])
		return strcmp(a->dhcid, b->dhcid) != 0;
	if (a->kind == LEDGER_OWNER_KEY && b->kind == LEDGER_OWNER_KEY)
		return strcmp(a->key, b->key) != 0;
	if (a->kind == LEDGER_OWNER_GSS && b->kind == LEDGER_OWNER_GSS)
		return false;
	return !ip_equal(&a->source, &b->source);
}
