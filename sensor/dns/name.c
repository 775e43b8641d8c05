/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/dns/name.h"

#include "sensor/dns/name_short.h"
#include "sensor/dns/walk.h"

#include <string.h>

/*
 * Why a walk ends: every label adds at least two octets to a name that may have 255, and a name
 * may follow DNS_POINTERS_MAX pointers. "Strictly backwards" alone would not do: labels behind
 * a pointer's target may run over the pointer again.
 *
 * A length octet is at most 63 and so below 'A': a run of labels is folded as one piece, length
 * octets included, sixteen octets at a time where there are as many.
 */

const uint8_t name_step[256] = {
#define STEP8(n) n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7
	0, 2, 3, 4, 5, 6, 7, 8, STEP8(9), STEP8(17), STEP8(25), STEP8(33), STEP8(41), STEP8(49),
	STEP8(57)
#undef STEP8
};

#define EVERY_OCTET UINT64_C(0x0101010101010101)

/* Eight octets with A-Z made lower case (RFC 4343); all others, 0x80 and above too, stay. */
static inline uint64_t fold_octets(uint64_t octets)
{
	uint64_t low7 = octets & 0x7f * EVERY_OCTET;
	uint64_t from_a = low7 + (0x80 - 'A') * EVERY_OCTET;
	uint64_t after_z = low7 + (0x7f - 'Z') * EVERY_OCTET;
	uint64_t upper = (from_a ^ after_z) & ~octets & 0x80 * EVERY_OCTET;
	return octets | upper >> 2;
}

static inline void fold_eight(uint8_t *out, const uint8_t *from)
{
	uint64_t octets;

	memcpy(&octets, from, 8);
	octets = fold_octets(octets);
	memcpy(out, &octets, 8);
}

static inline uint8_t fold_octet(uint8_t octet)
{
	return octet >= 'A' && octet <= 'Z' ? octet | 0x20 : octet;
}

/*
 * Copy folded; `out` has sixteen octets of slack, `left` is how many may be read from `from`. What
 * is left of whole steps goes together with some octets before it, once more.
 */
ALWAYS_INLINE static inline void copy_folded(
	uint8_t *out, const uint8_t *from, size_t len, size_t left)
{
	size_t i = 0;

	for (; i < len && left - i >= 16; i += 16)
		name_fold_sixteen(out + i, from + i);
	if (i >= len)
		return;
	if (len >= 16) {
		name_fold_sixteen(out + len - 16, from + len - 16);
		return;
	}
	for (; i < len && left - i >= 8; i += 8)
		fold_eight(out + i, from + i);
	if (i >= len)
		return;
	if (len >= 8) {
		fold_eight(out + len - 8, from + len - 8);
		return;
	}
	for (; i < len; i++)
		out[i] = fold_octet(from[i]);
}

static void make_root(struct dns_name *out)
{
	out->wire_len = 1;
	out->label_count = 0;
	out->wire[0] = 0;
}

static inline struct cursor cursor_from(
	const uint8_t *wire, unsigned offset, const uint8_t *end)
{
	return cursor_init(wire + offset, (size_t)(end - wire) - offset);
}

static enum dns_error decode_labels(struct dns_name *out, struct cursor *c, const uint8_t *wire)
{
	struct cursor at = *c;
	const uint8_t *piece = at.pos; /* labels from here on are not yet copied */
	unsigned used = 0;             /* octets of copied pieces */
	unsigned labels = 0;
	unsigned pointers = 0;

	for (;;) {
		const uint8_t *here = at.pos;
		unsigned piece_len = (unsigned)(here - piece);
		unsigned first = cursor_u8(&at);
		if (UNLIKELY(at.failed))
			return DNS_NAME_TRUNCATED;
		if (first - 1 < DNS_LABEL_MAX) {
			if (UNLIKELY(used + piece_len + 1 + first > DNS_NAME_MAX - 1))
				return DNS_NAME_TOO_LONG;
			if (UNLIKELY(!cursor_take(&at, first)))
				return DNS_NAME_TRUNCATED;
			out->label_at[labels++] = (uint8_t)(used + piece_len);
			continue;
		}
		if (UNLIKELY(first && first < NAME_POINTER))
			return DNS_LABEL_RESERVED;
		copy_folded(out->wire + used, piece, piece_len, (size_t)(c->end - piece));
		used += piece_len;
		if (first == 0)
			break;
		unsigned target;
		enum dns_error error = name_follow(&at, here, wire, first, &target);
		if (UNLIKELY(error))
			return error;
		if (pointers++ == 0)
			c->pos = at.pos;
		if (UNLIKELY(pointers > DNS_POINTERS_MAX))
			return DNS_WORK_LIMIT;
		at = cursor_from(wire, target, c->end);
		piece = at.pos;
	}
	if (!pointers)
		c->pos = at.pos;
	out->wire[used] = 0;
	out->wire_len = (uint8_t)(used + 1);
	out->label_count = (uint8_t)labels;
	return DNS_OK;
}

/*
 * A name of any length that has no pointer, is whole and not too long. False for any other, which
 * decode_labels then takes or refuses. Half as many instructions as that (make bench).
 */
static inline bool decode_plain(struct dns_name *out, struct cursor *c)
{
	const uint8_t *from = c->pos;
	size_t left = cursor_left(c);
	size_t limit = left < DNS_NAME_MAX ? left : DNS_NAME_MAX;
	unsigned at = 0, labels = 0;

	if (UNLIKELY(limit == 0))
		return false;
	for (unsigned len; (len = from[at]) != 0; at += 1 + len) {
		/* the length octet behind this label, if only the root's, must be there too */
		if (UNLIKELY(len > DNS_LABEL_MAX || at + 1 + len >= limit))
			return false;
		out->label_at[labels++] = (uint8_t)at;
	}
	copy_folded(out->wire, from, at, left);
	out->wire[at] = 0;
	out->wire_len = (uint8_t)(at + 1);
	out->label_count = (uint8_t)labels;
	c->pos = from + at + 1;
	return true;
}

enum dns_error dns_name_decode(struct dns_name *out, struct cursor *c, const uint8_t *wire)
{
	if (LIKELY(!c->failed) &&
		(LIKELY(name_decode_pieces(out, c, wire, c->end)) || decode_plain(out, c)))
		return DNS_OK;
	enum dns_error error = c->failed ? DNS_NAME_TRUNCATED : decode_labels(out, c, wire);
	if (UNLIKELY(error)) {
		make_root(out);
		c->failed = true;
	}
	return error;
}

static uint32_t *slot_of(struct dns_walk *w, unsigned at)
{
	return &w->known[(at ^ at >> 4) % DNS_WALK_SLOTS];
}

/* The length of the question's name, or of that end of it which starts here; 0 when none does. */
static inline unsigned known_in_question(const struct dns_walk *w, unsigned at)
{
	if ((DNS_POINTER | at) == w->to_question)
		return w->question->wire_len;
	if (w->to_question == DNS_NOWHERE || !w->question_plain || at < DNS_HEADER_LEN)
		return 0;
	for (unsigned i = 1; i < w->question->label_count; i++) {
		if (at == DNS_HEADER_LEN + (unsigned)w->question->label_at[i])
			return w->question->wire_len - w->question->label_at[i];
	}
	return 0;
}

/* The length of the good name that starts here; 0 when nothing is known of it. */
static inline unsigned known_len(struct dns_walk *w, unsigned at)
{
	unsigned known_question = known_in_question(w, at);

	if (known_question)
		return known_question;
	if (!w->has_slots) {
		memset(w->known, 0, sizeof(w->known));
		w->has_slots = true;
	}
	uint32_t known = *slot_of(w, at);
	return known >> 8 == at ? known & 0xff : 0;
}

/*
 * decode_labels without the copy, and with the memory. `len` is that of the name so far with the
 * root's octet, `walked` what of it was not known before.
 */
static enum dns_error walk_labels(struct dns_walk *w, struct cursor *c)
{
	struct cursor at = *c;
	unsigned len = 1;
	unsigned walked = 0;
	unsigned pointers = 0;
	unsigned first_target = 0;
	unsigned len_before = 0;

	for (;;) {
		const uint8_t *here = at.pos;
		unsigned first = cursor_u8(&at);
		if (UNLIKELY(at.failed))
			return DNS_NAME_TRUNCATED;
		if (first - 1 < DNS_LABEL_MAX) {
			len += 1 + first;
			walked += 1 + first;
			if (UNLIKELY(len > DNS_NAME_MAX))
				return DNS_NAME_TOO_LONG;
			if (UNLIKELY(!cursor_take(&at, first)))
				return DNS_NAME_TRUNCATED;
			continue;
		}
		walked++;
		if (first == 0)
			break;
		if (UNLIKELY(first < NAME_POINTER))
			return DNS_LABEL_RESERVED;
		unsigned target;
		enum dns_error error = name_follow(&at, here, w->wire, first, &target);
		if (UNLIKELY(error))
			return error;
		if (pointers++ == 0) {
			c->pos = at.pos;
			first_target = target;
			len_before = len;
		}
		unsigned known = known_len(w, target);
		if (known) {
			len += known - 1;
			break;
		}
		if (UNLIKELY(pointers > DNS_POINTERS_MAX))
			return DNS_WORK_LIMIT;
		at = cursor_from(w->wire, target, c->end);
	}
	if (UNLIKELY(len > DNS_NAME_MAX))
		return DNS_NAME_TOO_LONG;
	if (pointers && w->has_slots)
		*slot_of(w, first_target) = first_target << 8 | (len - len_before + 1);
	if (!pointers)
		c->pos = at.pos;
	w->work += walked;
	return DNS_OK;
}

enum dns_error dns_walk_name(struct dns_walk *w, struct cursor *c)
{
	enum dns_error error = c->failed ? DNS_NAME_TRUNCATED : walk_labels(w, c);
	if (UNLIKELY(error))
		c->failed = true;
	return error;
}

enum dns_error dns_walk_owner(struct dns_walk *w, struct cursor *c)
{
	struct cursor ahead = *c;
	unsigned first = cursor_be16(&ahead);

	if (dns_walk_is_near(w, first)) {
		*c = ahead;
		return DNS_OK;
	}
	enum dns_error error = dns_walk_name(w, c);
	w->to_owner = first >= DNS_POINTER ? first : DNS_NOWHERE;
	return error;
}

enum dns_error dns_name_skip(struct cursor *c, const uint8_t *wire)
{
	struct dns_walk w;

	dns_walk_init(&w, wire);
	return dns_walk_name(&w, c);
}

bool dns_name_from_wire(struct dns_name *out, const uint8_t *wire, size_t len)
{
	struct cursor c = cursor_init(wire, len);
	/*
	 * A pointer is two octets and what it leads to one (the root) or at least three, so a
	 * name that uses one never expands to the length it takes here.
	 */
	if (dns_name_decode(out, &c, wire) || c.pos != c.end || out->wire_len != len) {
		make_root(out);
		return false;
	}
	return true;
}

/* One octet of presentation format; moves *at behind it. False for a bad escape. */
static bool parse_octet(uint8_t *out, const char **at)
{
	const char *t = *at;

	if (*t != '\\') {
		*out = fold_octet((uint8_t)*t);
		*at = t + 1;
		return true;
	}
	t++;
	if (*t < '0' || *t > '9') {
		*out = fold_octet((uint8_t)*t);
		*at = t + 1;
		return *t != '\0';
	}
	unsigned number = 0;
	for (int i = 0; i < 3; i++, t++) {
		if (*t < '0' || *t > '9')
			return false;
		number = number * 10 + (unsigned)(*t - '0');
	}
	*out = fold_octet((uint8_t)number);
	*at = t;
	return number <= 255;
}

static bool parse_labels(struct dns_name *out, const char *text)
{
	unsigned used = 0;
	unsigned labels = 0;

	while (*text) {
		unsigned label_at = used++;
		while (*text && *text != '.') {
			/* Leave room for the root: the octet at DNS_NAME_MAX - 1. */
			if (used >= DNS_NAME_MAX - 1 || used - label_at > DNS_LABEL_MAX)
				return false;
			if (!parse_octet(&out->wire[used++], &text))
				return false;
		}
		if (used == label_at + 1)
			return false;
		out->wire[label_at] = (uint8_t)(used - label_at - 1);
		out->label_at[labels++] = (uint8_t)label_at;
		if (*text == '.')
			text++;
	}
	out->wire[used] = 0;
	out->wire_len = (uint8_t)(used + 1);
	out->label_count = (uint8_t)labels;
	return true;
}

bool dns_name_parse(struct dns_name *out, const char *text)
{
	make_root(out);
	if (strcmp(text, ".") == 0)
		return true;
	if (parse_labels(out, text))
		return true;
	make_root(out);
	return false;
}

/* How many characters an octet takes: 1 as it is, 2 with a backslash, 4 as \DDD. */
static inline unsigned octet_width(uint8_t octet)
{
	if (octet < 0x21 || octet > 0x7e)
		return 4;
	return octet == '.' || octet == '\\' ? 2 : 1;
}

static char *format_octet(char *at, uint8_t octet)
{
	switch (octet_width(octet)) {
	case 4:
		*at++ = '\\';
		*at++ = (char)('0' + octet / 100);
		*at++ = (char)('0' + octet / 10 % 10);
		*at++ = (char)('0' + octet % 10);
		return at;
	case 2:
		*at++ = '\\';
		break;
	}
	*at++ = (char)octet;
	return at;
}

/* 0x80 in every octet that is zero, exactly. */
static inline uint64_t zero_octets(uint64_t octets)
{
	uint64_t low7 = 0x7f * EVERY_OCTET;
	return ~(((octets & low7) + low7) | octets | low7);
}

/* How many octets zero_octets marked: the product's highest octet adds them up. */
static inline int count_marks(uint64_t marks)
{
	return (int)((marks >> 7) * EVERY_OCTET >> 56);
}

/* Not zero when one of the eight octets is escaped in text, dots aside. */
static inline uint64_t escaped_octets(uint64_t octets)
{
	uint64_t below = (octets - 0x21 * EVERY_OCTET) & ~octets;
	uint64_t equal = zero_octets(octets ^ '\\' * EVERY_OCTET) |
			 zero_octets(octets ^ 0x7f * EVERY_OCTET);
	return (octets | below | equal) & 0x80 * EVERY_OCTET;
}

/*
 * Labels that hold nothing to escape are their own text once dots stand where the lengths are.
 * `len` octets without the root. False when there is something: dots that no length explains, too.
 */
static bool format_plain(char *text, const uint8_t *wire, size_t len)
{
	uint64_t octets;
	uint64_t escaped = 0;
	int dots = 0;

	copy_folded((uint8_t *)text, wire + 1, len - 1, len - 1);
	/* Harmless octets where the last word reads on: the buffer is larger than any name. */
	memset(text + len - 1, 'a', 8);
	for (size_t at = 1u + wire[0]; at < len; at += 1u + wire[at]) {
		text[at - 1] = '.';
		dots--;
	}
	for (size_t i = 0; i < len - 1; i += 8) {
		memcpy(&octets, text + i, 8);
		escaped |= escaped_octets(octets);
		dots += count_marks(zero_octets(octets ^ '.' * EVERY_OCTET));
	}
	text[len - 1] = '\0';
	return !escaped && dots == 0;
}

static size_t format_escaped(char *text, const uint8_t *wire, size_t len)
{
	char *at = text;

	for (size_t label = 0; label < len; label += 1u + wire[label]) {
		if (label > 0)
			*at++ = '.';
		for (unsigned i = 1; i <= wire[label]; i++)
			at = format_octet(at, fold_octet(wire[label + i]));
	}
	*at = '\0';
	return (size_t)(at - text);
}

size_t dns_name_format_wire(const uint8_t *wire, size_t wire_len, char text[DNS_NAME_TEXT_MAX])
{
	size_t len = 0; /* of the whole labels before the root, or before what is no label */

	if (wire_len > DNS_NAME_MAX)
		wire_len = DNS_NAME_MAX;
	while (len < wire_len && wire[len] && wire[len] <= DNS_LABEL_MAX &&
		wire_len - len > wire[len])
		len += 1u + wire[len];
	if (len == 0) {
		memcpy(text, ".", 2);
		return 1;
	}
	if (LIKELY(format_plain(text, wire, len)))
		return len - 1;
	return format_escaped(text, wire, len);
}

size_t dns_name_format(const struct dns_name *name, char text[DNS_NAME_TEXT_MAX])
{
	return dns_name_format_wire(name->wire, name->wire_len, text);
}

size_t dns_name_format_suffix(
	const struct dns_name *name, unsigned labels, char text[DNS_NAME_TEXT_MAX])
{
	size_t len;
	const uint8_t *wire = dns_name_suffix(name, labels, &len);
	return dns_name_format_wire(wire, len, text);
}

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
	return a->wire_len == b->wire_len && memcmp(a->wire, b->wire, a->wire_len) == 0;
}

bool dns_name_is_under(const struct dns_name *name, const struct dns_name *ancestor)
{
	size_t len;

	if (ancestor->label_count > name->label_count)
		return false;
	const uint8_t *suffix = dns_name_suffix(name, ancestor->label_count, &len);
	return len == ancestor->wire_len && memcmp(suffix, ancestor->wire, len) == 0;
}
