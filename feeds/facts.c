/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/facts.h"

#include <stdlib.h>
#include <string.h>

#include "sensor/base/hash.h"

#define AT_FIRST 64 /* a power of two, as all sizes of tables here */

/* Facts as they are stored: texts are places in the pool, 0 for none. No padding: compared and hashed
 * as they lie. */
struct record {
	int64_t first_seen_s, until_s;
	uint32_t category, reference;
	uint32_t confidence, tlp;
};

_Static_assert(sizeof(struct record) == 32, "a record has no padding");

/* An entry: its key in halves, so that there is no padding; number of its record and 1, 0: free. */
struct slot {
	uint32_t low, high, record;
};

struct facts {
	struct slot *slot;
	uint32_t slot_count, entry_count;
	struct record *record;
	uint32_t record_count, record_size;
	uint32_t *same; /* records by content: number and 1 */
	char *text;     /* [0] is NUL */
	size_t text_len, text_size;
	uint32_t *known; /* texts by content: place */
	uint32_t text_count;
	uint32_t known_count;
};

static bool grow_texts(struct facts *f);
static bool grow_records(struct facts *f);
static bool grow_slots(struct facts *f);

struct facts *facts_new(void)
{
	struct facts *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->text_len = 1;
	if (grow_texts(f) && grow_records(f) && grow_slots(f))
		return f;
	facts_free(f);
	return NULL;
}

void facts_free(struct facts *f)
{
	if (!f)
		return;
	free(f->slot);
	free(f->record);
	free(f->same);
	free(f->text);
	free(f->known);
	free(f);
}

size_t facts_bytes(const struct facts *f)
{
	return sizeof(*f) + f->slot_count * sizeof(*f->slot) +
	       f->record_size * (sizeof(*f->record) + (f->same ? 2 * sizeof(*f->same) : 0)) +
	       f->text_size + f->known_count * sizeof(*f->known);
}

/* --- texts --------------------------------------------------------------------------------- */

static uint32_t *text_slot(const struct facts *f, const char *text, size_t len)
{
	uint32_t mask = f->known_count - 1;
	uint32_t at = (uint32_t)hash_bytes(0, text, len) & mask;

	while (f->known[at] && strcmp(f->text + f->known[at], text) != 0)
		at = (at + 1) & mask;
	return &f->known[at];
}

static bool grow_texts(struct facts *f)
{
	uint32_t count = f->known_count ? f->known_count * 2 : AT_FIRST;
	uint32_t *old = f->known;
	uint32_t old_count = f->known_count;

	f->known = calloc(count, sizeof(*f->known));
	if (!f->known) {
		f->known = old;
		return false;
	}
	f->known_count = count;
	for (uint32_t i = 0; i < old_count; i++) {
		const char *text = f->text + old[i];
		if (old[i])
			*text_slot(f, text, strlen(text)) = old[i];
	}
	free(old);
	return true;
}

static bool reserve_text(struct facts *f, size_t len)
{
	if (f->text_len + len < f->text_size)
		return true;
	size_t size = (f->text_size + len) * 2 + AT_FIRST;
	char *text = realloc(f->text, size);
	if (!text)
		return false;
	text[0] = '\0';
	f->text = text;
	f->text_size = size;
	return true;
}

/* What is shown to people and programs is printable; what is too long is cut. */
static size_t clean(char out[FACTS_TEXT_MAX + 1], const char *text)
{
	size_t len = 0;

	for (; text[len] && len < FACTS_TEXT_MAX; len++) {
		unsigned char c = (unsigned char)text[len];
		out[len] = c >= 0x20 && c < 0x7f ? (char)c : '?';
	}
	out[len] = '\0';
	return len;
}

/* The place of the text, 0 for none and for one that there is no room for. */
static bool put_text(struct facts *f, const char *text, uint32_t *place)
{
	char copy[FACTS_TEXT_MAX + 1];

	*place = 0;
	if (!text || !*text)
		return true;
	size_t len = clean(copy, text);
	if (f->text_count * 2 >= f->known_count && !grow_texts(f))
		return false;
	uint32_t *slot = text_slot(f, copy, len);
	if (!*slot && f->text_len + len < FACTS_TEXTS_BYTES) {
		if (!reserve_text(f, len + 1))
			return false;
		memcpy(f->text + f->text_len, copy, len + 1);
		*slot = (uint32_t)f->text_len;
		f->text_len += len + 1;
		f->text_count++;
	}
	*place = *slot;
	return true;
}

/* --- records ------------------------------------------------------------------------------- */

static uint32_t *record_slot(const struct facts *f, const struct record *r)
{
	uint32_t mask = f->record_size * 2 - 1;
	uint32_t at = (uint32_t)hash_bytes(0, r, sizeof(*r)) & mask;

	while (f->same[at] && memcmp(&f->record[f->same[at] - 1], r, sizeof(*r)) != 0)
		at = (at + 1) & mask;
	return &f->same[at];
}

static bool grow_records(struct facts *f)
{
	uint32_t size = f->record_size ? f->record_size * 2 : AT_FIRST;

	if (size > UINT32_MAX / 4)
		return false;
	struct record *record = realloc(f->record, size * sizeof(*record));
	if (!record)
		return false;
	f->record = record;
	uint32_t *same = calloc((size_t)size * 2, sizeof(*same));
	if (!same)
		return false;
	free(f->same);
	f->same = same;
	f->record_size = size;
	for (uint32_t i = 0; i < f->record_count; i++)
		*record_slot(f, &record[i]) = i + 1;
	return true;
}

/* The number of the record and 1; 0: out of memory. */
static uint32_t put_record(struct facts *f, const struct entry_facts *e)
{
	struct record r = { .first_seen_s = e->first_seen_s,
		.until_s = e->until_s,
		.confidence = e->confidence,
		.tlp = e->tlp };

	if (!put_text(f, e->category, &r.category) || !put_text(f, e->reference, &r.reference))
		return 0;
	if (f->record_count == f->record_size && !grow_records(f))
		return 0;
	uint32_t *slot = record_slot(f, &r);
	if (!*slot) {
		f->record[f->record_count] = r;
		*slot = ++f->record_count;
	}
	return *slot;
}

/* --- entries ------------------------------------------------------------------------------- */

static struct slot *entry_slot(const struct facts *f, uint64_t key)
{
	uint32_t mask = f->slot_count - 1, low = (uint32_t)key, high = (uint32_t)(key >> 32);
	uint32_t at = high & mask;

	while (f->slot[at].record && (f->slot[at].low != low || f->slot[at].high != high))
		at = (at + 1) & mask;
	return &f->slot[at];
}

static bool grow_slots(struct facts *f)
{
	struct slot *old = f->slot;
	uint32_t old_count = f->slot_count;

	if (old_count > UINT32_MAX / 2)
		return false;
	uint32_t count = old_count ? old_count * 2 : AT_FIRST;
	struct slot *slot = calloc(count, sizeof(*slot));
	if (!slot)
		return false;
	f->slot = slot;
	f->slot_count = count;
	for (uint32_t i = 0; i < old_count; i++) {
		if (old[i].record)
			*entry_slot(f, (uint64_t)old[i].high << 32 | old[i].low) = old[i];
	}
	free(old);
	return true;
}

/* Does `e` end after what is known of the entry? */
static bool outlasts(const struct entry_facts *e, const struct record *known)
{
	return known->until_s != 0 && (e->until_s == 0 || e->until_s > known->until_s);
}

bool facts_add(struct facts *f, uint64_t key, const struct entry_facts *e)
{
	if (((uint64_t)f->entry_count + 1) * 3 > (uint64_t)f->slot_count * 2 && !grow_slots(f))
		return false;
	struct slot *slot = entry_slot(f, key);
	if (slot->record && !outlasts(e, &f->record[slot->record - 1]))
		return true;
	uint32_t record = put_record(f, e);
	if (!record)
		return false;
	f->entry_count += slot->record == 0;
	*slot = (struct slot){ (uint32_t)key, (uint32_t)(key >> 32), record };
	return true;
}

bool facts_find(const struct facts *f, uint64_t key, struct entry_facts *out)
{
	const struct slot *slot = entry_slot(f, key);

	if (!slot->record)
		return false;
	const struct record *r = &f->record[slot->record - 1];
	*out = (struct entry_facts){
		.category = r->category ? f->text + r->category : NULL,
		.reference = r->reference ? f->text + r->reference : NULL,
		.first_seen_s = r->first_seen_s,
		.until_s = r->until_s,
		.confidence = (uint8_t)r->confidence,
		.tlp = (uint8_t)r->tlp,
	};
	return true;
}

/* --- copies --------------------------------------------------------------------------------- */

/* As large as the counts say, with nothing in it yet. */
static struct facts *make_room(
	uint32_t slot_count, uint32_t entry_count, uint32_t record_count, size_t text_len)
{
	struct facts *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->slot_count = slot_count;
	f->entry_count = entry_count;
	f->record_count = f->record_size = record_count;
	f->text_len = f->text_size = text_len;
	f->slot = malloc(slot_count * sizeof(*f->slot));
	f->record = malloc((record_count + 1u) * sizeof(*f->record));
	f->text = malloc(text_len + 1);
	if (f->slot && f->record && f->text)
		return f;
	facts_free(f);
	return NULL;
}

struct facts *facts_copy(const struct facts *f)
{
	struct facts *copy =
		make_room(f->slot_count, f->entry_count, f->record_count, f->text_len);

	if (!copy)
		return NULL;
	memcpy(copy->slot, f->slot, f->slot_count * sizeof(*f->slot));
	memcpy(copy->record, f->record, f->record_count * sizeof(*f->record));
	if (f->text_len > 0)
		memcpy(copy->text, f->text, f->text_len);
	return copy;
}

/* --- in a cache ---------------------------------------------------------------------------- */

struct image_head {
	uint32_t slot_count, entry_count, record_count;
	uint32_t text_len;
};

void facts_save(const struct facts *f, struct cache_writer *w)
{
	const struct image_head head = {
		.slot_count = f->slot_count,
		.entry_count = f->entry_count,
		.record_count = f->record_count,
		.text_len = (uint32_t)f->text_len,
	};

	cache_put(w, &head, sizeof(head));
	cache_put(w, f->slot, f->slot_count * sizeof(*f->slot));
	cache_put(w, f->record, f->record_count * sizeof(*f->record));
	cache_put(w, f->text ? f->text : "", f->text_len);
}

static void *get_array(struct cache_reader *r, uint64_t bytes)
{
	void *at = bytes <= cache_left(r) ? malloc(bytes + 1) : NULL;

	if (at && cache_get(r, at, bytes))
		return at;
	free(at);
	return NULL;
}

/* Every number leads to something, and a search ends. */
static bool is_sound(const struct facts *f)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < f->slot_count; i++) {
		used += f->slot[i].record != 0;
		if (f->slot[i].record > f->record_count)
			return false;
	}
	for (uint32_t i = 0; i < f->record_count; i++) {
		if (f->record[i].category >= f->text_len ||
			f->record[i].reference >= f->text_len)
			return false;
	}
	return used < f->slot_count && f->text[f->text_len - 1] == '\0';
}

struct facts *facts_restore(struct cache_reader *r)
{
	struct facts *f = calloc(1, sizeof(*f));
	struct image_head h;

	if (!f || !cache_get(r, &h, sizeof(h)) || h.text_len == 0 || h.slot_count == 0 ||
		(h.slot_count & (h.slot_count - 1)) != 0) {
		facts_free(f);
		return NULL;
	}
	f->slot_count = h.slot_count;
	f->entry_count = h.entry_count;
	f->record_count = h.record_count;
	f->text_len = f->text_size = h.text_len;
	f->slot = get_array(r, h.slot_count * sizeof(*f->slot));
	f->record = get_array(r, h.record_count * sizeof(*f->record));
	f->text = get_array(r, h.text_len);
	if (f->slot && f->record && f->text && is_sound(f))
		return f;
	facts_free(f);
	return NULL;
}

uint64_t facts_network_key(const struct ip_net *net)
{
	return hash_bytes(net->bits, &net->base, sizeof(net->base));
}

const char *facts_tlp_name(enum facts_tlp tlp)
{
	static const char *const name[] = { NULL, "CLEAR", "GREEN", "AMBER", "AMBER+STRICT",
		"RED" };

	return tlp < ARRAY_LEN(name) ? name[tlp] : NULL;
}
