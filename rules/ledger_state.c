/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/ledger_state.h"

#include "rules/ledger_book.h"
#include "sensor/base/cursor.h"
#include "sensor/base/hash.h"

#include <stdlib.h>
#include <string.h>

#define MAGIC       "dynwatch"
#define MAGIC_BYTES 8
#define VERSION     1
#define HEADER_BYTES                                                                           \
	(MAGIC_BYTES + 4 + 8 + 8) /* magic, version, length of the rest, checksum */
#define LENGTH_AT   (MAGIC_BYTES + 4)
#define CHECKSUM_AT (LENGTH_AT + 8)
#define TENANT_MAX  63

/* What a record is of. A tenant's id holds for all records up to the next. */
enum record {
	RECORD_TIMES = 'S',
	RECORD_TENANT = 'T',
	RECORD_ENTRY = 'E',
	RECORD_ZONE = 'Z',
	RECORD_UPDATER = 'U',
};

/* --- writing ------------------------------------------------------------------------------ */

static void put_number(struct text *to, uint64_t number, unsigned bytes)
{
	while (bytes-- > 0)
		text_putc(to, (char)(number >> bytes * 8));
}

static void put_time(struct text *to, int64_t ts_ns)
{
	put_number(to, (uint64_t)ts_ns, 8);
}

static void put_string(struct text *to, const char *string)
{
	size_t len = strlen(string);

	put_number(to, len, 2);
	text_add(to, string, len);
}

static void put_ip(struct text *to, const struct ip *ip)
{
	text_add(to, (const char *)ip->bytes, sizeof(ip->bytes));
}

struct writing {
	struct text *to;
	const struct policy_set *set;
	uint64_t tenant; /* of the last tenant record; UINT64_MAX: none */
};

/* False when the tenant is no longer there. */
static bool put_tenant(struct writing *w, uint64_t tenant)
{
	if (tenant >= w->set->tenant_count)
		return false;
	if (tenant == w->tenant)
		return true;
	w->tenant = tenant;
	text_putc(w->to, RECORD_TENANT);
	put_string(w->to, w->set->tenant[tenant].id);
	return true;
}

static void put_slot(
	struct text *to, const struct ledger_entry *e, const struct ledger_slot *slot)
{
	put_number(to, slot->type, 2);
	put_number(to, slot->flags & LEDGER_KEPT_FLAGS, 2);
	put_number(to, slot->ttl, 4);
	put_number(to, slot->old_ttl, 4);
	put_number(to, slot->owner_kind, 1);
	put_ip(to, &slot->source);
	put_time(to, slot->first_ns);
	put_time(to, slot->changed_ns);
	put_time(to, slot->refreshed_ns);
	put_time(to, slot->seen_ns);
	put_number(to, slot->remover, 8);
	put_number(to, slot->digest, 8);
	put_string(to, ledger_text(e, slot->value_at));
	put_string(to, ledger_text(e, slot->owner_at));
	put_string(to, ledger_text(e, slot->dhcid_at));
}

static void put_entry(void *entry, void *arg)
{
	const struct ledger_entry *e = entry;
	struct writing *w = arg;
	unsigned count = 0;

	if (!put_tenant(w, e->key.tenant))
		return;
	for (unsigned i = 0; i < LEDGER_SLOTS; i++)
		count += e->slot[i].type != 0;
	text_putc(w->to, RECORD_ENTRY);
	put_number(w->to, e->key.part, 2);
	put_string(w->to, ledger_name(e));
	put_string(w->to, ledger_zone(e));
	put_ip(w->to, &e->server);
	put_time(w->to, e->first_ns);
	put_time(w->to, e->last_ns);
	put_time(w->to, e->interval_ns);
	put_number(w->to, e->update_count, 4);
	put_number(w->to, count, 1);
	for (unsigned i = 0; i < LEDGER_SLOTS; i++) {
		if (e->slot[i].type != 0)
			put_slot(w->to, e, &e->slot[i]);
	}
}

static void put_delay(struct text *to, const struct delay *d)
{
	unsigned count = 0;

	for (unsigned i = 0; i < DELAY_BINS; i++)
		count += d->bin[i] != 0;
	put_number(to, d->count, 8);
	put_time(to, d->max_ns);
	put_number(to, count, 2);
	for (unsigned i = 0; i < DELAY_BINS; i++) {
		if (d->bin[i] == 0)
			continue;
		put_number(to, i, 2);
		put_number(to, d->bin[i], 4);
	}
}

static void put_zone(void *entry, void *arg)
{
	const struct ledger_zone *z = entry;
	struct writing *w = arg;

	if (!put_tenant(w, z->key.tenant))
		return;
	text_putc(w->to, RECORD_ZONE);
	put_string(w->to, z->name);
	put_number(w->to, z->updates, 8);
	put_delay(w->to, &z->authoritative);
	put_delay(w->to, &z->resolved);
}

static void put_updater(void *entry, void *arg)
{
	const struct ledger_updater *u = entry;
	struct writing *w = arg;

	if (!put_tenant(w, u->key.tenant))
		return;
	text_putc(w->to, RECORD_UPDATER);
	put_ip(w->to, &u->key.ip);
	put_time(w->to, u->last_ns);
	put_number(w->to, u->said_overdue, 1);
}

void ledger_state_begin(struct text *state)
{
	text_add(state, MAGIC, MAGIC_BYTES);
	put_number(state, VERSION, 4);
	put_number(state, 0, 8); /* length and checksum: ledger_state_end */
	put_number(state, 0, 8);
}

void ledger_state_add(struct text *state, const struct ledger *l)
{
	struct writing w = { .to = state, .set = l->known->policies, .tenant = UINT64_MAX };

	text_putc(state, RECORD_TIMES);
	put_time(state, l->swept_ns);
	put_time(state, l->now_ns);
	put_time(state, l->watched_since_ns);
	table_each(l->zones, put_zone, &w);
	table_each(l->updaters, put_updater, &w);
	table_each(l->entries, put_entry, &w);
}

/* Over everything but the checksum itself. */
static uint64_t checksum_of(const uint8_t *bytes, size_t bytes_len)
{
	uint64_t head = hash_bytes(VERSION, bytes, CHECKSUM_AT);

	return hash_bytes(head, bytes + HEADER_BYTES, bytes_len - HEADER_BYTES);
}

static void write_be64(uint8_t *to, uint64_t number)
{
	for (unsigned i = 0; i < 8; i++)
		to[i] = (uint8_t)(number >> (7 - i) * 8);
}

void ledger_state_end(struct text *state)
{
	uint8_t *bytes = (uint8_t *)state->at;

	if (state->failed)
		return;
	write_be64(bytes + LENGTH_AT, state->len - HEADER_BYTES);
	write_be64(bytes + CHECKSUM_AT, checksum_of(bytes, state->len));
}

/* --- reading ------------------------------------------------------------------------------ */

/* An address record that is there, to be noted in order of its last UPDATE. */
struct noted {
	const struct ledger_entry *entry;
	const struct ledger_slot *slot;
};

/* The same walk checks a state (ledger is NULL) and restores it. */
struct reading {
	struct cursor in;
	struct ledger *ledger;
	const struct policy_set *set;
	struct ledger_shard shard;
	bool has_tenant; /* a tenant record came */
	bool wanted;     /* what follows is for this ledger */
	uint16_t tenant;
	size_t names;
};

static uint64_t take_be64(struct cursor *c)
{
	uint64_t high = cursor_be32(c);

	return high << 32 | cursor_be32(c);
}

static int64_t take_time(struct cursor *c)
{
	return (int64_t)take_be64(c);
}

static struct ip take_ip(struct cursor *c)
{
	struct ip ip = { { 0 } };
	const uint8_t *at = cursor_take(c, sizeof(ip.bytes));

	if (at)
		memcpy(ip.bytes, at, sizeof(ip.bytes));
	return ip;
}

/* Text of at most `max` octets without NUL, into to[max + 1]. */
static void take_string(struct cursor *c, char *to, size_t max)
{
	size_t len = cursor_be16(c);
	const uint8_t *at = cursor_take(c, len);

	to[0] = '\0';
	if (!at || len > max || memchr(at, '\0', len)) {
		c->failed = true;
		return;
	}
	memcpy(to, at, len);
	to[len] = '\0';
}

static void take_tenant(struct reading *r)
{
	char id[TENANT_MAX + 1];

	take_string(&r->in, id, TENANT_MAX);
	r->has_tenant = true;
	r->wanted = false;
	for (size_t i = 0; r->ledger && i < r->set->tenant_count; i++) {
		if (strcmp(r->set->tenant[i].id, id) != 0)
			continue;
		r->tenant = (uint16_t)i;
		r->wanted = i % r->shard.count == r->shard.number;
		return;
	}
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void take_times(struct reading *r)
{
	int64_t swept_ns = take_time(&r->in);
	int64_t now_ns = take_time(&r->in);
	int64_t watched_since_ns = take_time(&r->in);
	struct ledger *l = r->ledger;

	if (!l)
		return;
	l->swept_ns = later(l->swept_ns, swept_ns);
	l->now_ns = later(l->now_ns, now_ns);
	l->watched_since_ns = later(l->watched_since_ns, watched_since_ns);
}

struct slot_texts {
	char value[LEDGER_VALUE_MAX + 1], key[LEDGER_VALUE_MAX + 1],
		dhcid[LEDGER_VALUE_MAX + 1];
};

static struct ledger_slot take_slot(struct cursor *c, struct slot_texts *text)
{
	struct ledger_slot slot = { .type = cursor_be16(c) };

	slot.flags = cursor_be16(c) & LEDGER_KEPT_FLAGS;
	slot.ttl = cursor_be32(c);
	slot.old_ttl = cursor_be32(c);
	slot.owner_kind = cursor_u8(c);
	slot.source = take_ip(c);
	slot.first_ns = take_time(c);
	slot.changed_ns = take_time(c);
	slot.refreshed_ns = take_time(c);
	slot.seen_ns = take_time(c);
	slot.remover = take_be64(c);
	slot.digest = take_be64(c);
	take_string(c, text->value, LEDGER_VALUE_MAX);
	take_string(c, text->key, LEDGER_VALUE_MAX);
	take_string(c, text->dhcid, LEDGER_VALUE_MAX);
	if (slot.type == 0 || slot.owner_kind > LEDGER_OWNER_SOURCE)
		c->failed = true;
	return slot;
}

/* Into a free slot, if there is one and its texts fit. */
static void keep_slot(
	struct ledger_entry *e, const struct ledger_slot *slot, const struct slot_texts *text)
{
	struct ledger_slot *to = NULL;
	bool fits = true;

	for (unsigned i = 0; i < LEDGER_SLOTS && !to; i++) {
		if (e->slot[i].type == 0)
			to = &e->slot[i];
	}
	if (!to)
		return;
	*to = *slot;
	to->value_at = ledger_entry_put(e, text->value, &fits);
	to->owner_at = ledger_entry_put(e, text->key, &fits);
	to->dhcid_at = ledger_entry_put(e, text->dhcid, &fits);
	if (!fits)
		*to = (struct ledger_slot){ .type = 0 };
}

static struct ledger_entry *open_entry(
	struct reading *r, const char *name, const char *zone, unsigned part)
{
	if (!r->ledger || !r->wanted)
		return NULL;
	struct ledger_key key = ledger_key_of(r->ledger, r->tenant, name);
	key.part = (uint16_t)part;
	r->names += part == 0;
	return ledger_new_part(r->ledger, &key, name, zone);
}

static void take_entry(struct reading *r)
{
	struct cursor *c = &r->in;
	char name[LEDGER_NAME_MAX + 1], zone[LEDGER_NAME_MAX + 1];
	struct ledger_entry fields = { .update_count = 0 };
	unsigned part = cursor_be16(c);

	take_string(c, name, LEDGER_NAME_MAX);
	take_string(c, zone, LEDGER_NAME_MAX);
	fields.server = take_ip(c);
	fields.first_ns = take_time(c);
	fields.last_ns = take_time(c);
	fields.interval_ns = take_time(c);
	fields.update_count = cursor_be32(c);
	unsigned count = cursor_u8(c);
	if (part >= LEDGER_PARTS_MAX || count > LEDGER_SLOTS || fields.interval_ns < 0 ||
		!ledger_is_in_zone(name, zone))
		c->failed = true;
	struct ledger_entry *e = c->failed ? NULL : open_entry(r, name, zone, part);
	if (e) {
		e->server = fields.server;
		e->first_ns = fields.first_ns;
		e->last_ns = fields.last_ns;
		e->interval_ns = fields.interval_ns;
		e->update_count = fields.update_count;
	}
	for (unsigned i = 0; i < count && !c->failed; i++) {
		struct slot_texts text;
		struct ledger_slot slot = take_slot(c, &text);
		if (e && !c->failed)
			keep_slot(e, &slot, &text);
	}
}

static void take_delay(struct cursor *c, struct delay *d)
{
	*d = (struct delay){ .count = take_be64(c) };
	d->max_ns = take_time(c);
	unsigned count = cursor_be16(c);
	for (unsigned i = 0; i < count && !c->failed; i++) {
		unsigned bin = cursor_be16(c);
		uint32_t number = cursor_be32(c);
		if (bin >= DELAY_BINS)
			c->failed = true;
		else
			d->bin[bin] = number;
	}
}

static void take_zone(struct reading *r)
{
	char name[LEDGER_NAME_MAX + 1];
	struct delay authoritative, resolved;

	take_string(&r->in, name, LEDGER_NAME_MAX);
	uint64_t updates = take_be64(&r->in);
	take_delay(&r->in, &authoritative);
	take_delay(&r->in, &resolved);
	if (r->in.failed || !r->ledger || !r->wanted)
		return;
	struct ledger_zone *z = ledger_zone_of(r->ledger, r->tenant, name);
	z->updates = updates;
	z->authoritative = authoritative;
	z->resolved = resolved;
}

static void take_updater(struct reading *r)
{
	struct ip ip = take_ip(&r->in);
	int64_t last_ns = take_time(&r->in);
	bool said_overdue = cursor_u8(&r->in);

	if (r->in.failed || !r->ledger || !r->wanted)
		return;
	struct ledger_updater *u = ledger_updater_of(r->ledger, r->tenant, &ip);
	u->last_ns = last_ns;
	u->said_overdue = said_overdue;
}

/* All records. False when one cannot be read. */
static bool read_records(struct reading *r)
{
	while (!r->in.failed && cursor_left(&r->in) > 0) {
		uint8_t record = cursor_u8(&r->in);
		if (record == RECORD_TIMES)
			take_times(r);
		else if (record == RECORD_TENANT)
			take_tenant(r);
		else if (record == RECORD_ENTRY && r->has_tenant)
			take_entry(r);
		else if (record == RECORD_ZONE && r->has_tenant)
			take_zone(r);
		else if (record == RECORD_UPDATER && r->has_tenant)
			take_updater(r);
		else
			r->in.failed = true;
	}
	return !r->in.failed;
}

enum err ledger_state_check(const uint8_t *bytes, size_t bytes_len, struct err_ctx *why)
{
	if (bytes_len < HEADER_BYTES || memcmp(bytes, MAGIC, MAGIC_BYTES) != 0)
		return err_set(why, ERR_INPUT, "it is no state of dynwatch");
	struct cursor c = cursor_init(bytes + MAGIC_BYTES, HEADER_BYTES - MAGIC_BYTES);
	uint32_t version = cursor_be32(&c);
	uint64_t len = take_be64(&c);
	uint64_t checksum = take_be64(&c);
	if (version != VERSION)
		return err_set(why, ERR_INPUT, "it has version %u; this program knows %d",
			version, VERSION);
	if (len != bytes_len - HEADER_BYTES)
		return err_set(why, ERR_INPUT, "it should be %llu bytes long and is %zu",
			(unsigned long long)(len + HEADER_BYTES), bytes_len);
	if (checksum != checksum_of(bytes, bytes_len))
		return err_set(why, ERR_INPUT, "its checksum does not fit");
	struct reading r = {
		.in = cursor_init(bytes + HEADER_BYTES, bytes_len - HEADER_BYTES),
	};
	return read_records(&r) ? ERR_OK
				: err_set(why, ERR_INPUT, "one of its records cannot be read");
}

/* --- restoring ---------------------------------------------------------------------------- */

struct noting {
	struct noted *list;
	size_t count, room;
};

static void collect_addresses(void *entry, void *arg)
{
	const struct ledger_entry *e = entry;
	struct noting *n = arg;

	for (unsigned i = 0; i < LEDGER_SLOTS && n->count < n->room; i++) {
		const struct ledger_slot *slot = &e->slot[i];
		if (slot->flags & LEDGER_HELD)
			n->list[n->count++] = (struct noted){ e, slot };
	}
}

static int by_time(const void *one, const void *other)
{
	const struct noted *a = one, *b = other;

	if (a->slot->refreshed_ns != b->slot->refreshed_ns)
		return a->slot->refreshed_ns < b->slot->refreshed_ns ? -1 : 1;
	int names = strcmp(ledger_name(a->entry), ledger_name(b->entry));
	return names ? names : (a->slot > b->slot) - (a->slot < b->slot);
}

/* Who has which address follows from the records: it is not saved. */
static void note_addresses(struct ledger *l)
{
	struct noting n = { .room = table_stats(l->entries).used * LEDGER_SLOTS };

	n.list = n.room ? malloc(n.room * sizeof(*n.list)) : NULL;
	if (!n.list)
		return;
	table_each(l->entries, collect_addresses, &n);
	qsort(n.list, n.count, sizeof(*n.list), by_time);
	for (size_t i = 0; i < n.count; i++) {
		const struct ledger_entry *e = n.list[i].entry;
		const struct ledger_slot *slot = n.list[i].slot;
		ledger_note_address(l, e, slot->type, ledger_text(e, slot->value_at));
	}
	free(n.list);
}

size_t ledger_state_restore(struct ledger *l, const uint8_t *bytes, size_t bytes_len,
	struct ledger_shard shard, bool away)
{
	struct reading r = {
		.in = cursor_init(bytes + HEADER_BYTES, bytes_len - HEADER_BYTES),
		.ledger = l,
		.set = l->known->policies,
		.shard = shard,
	};

	(void)read_records(&r);
	note_addresses(l);
	l->was_away = away;
	return r.names;
}
