/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * name.h -- domain names in wire format (RFC 1035 3.1; compression 4.1.4).
 *
 * A struct dns_name is an expanded, case-folded (RFC 4343: ASCII only) copy in the caller's
 * memory. Decoding follows compression pointers, which must point strictly backwards from where
 * they stand; with the 255-octet limit and at most DNS_POINTERS_MAX pointers that bounds every
 * walk.
 *
 * Owner:    the caller owns every struct; nothing here allocates or keeps a pointer.
 * Threads:  no shared state.
 * Input:    untrusted; every function accepts any bytes.
 * Limits:   255 octets, 63 a label, 127 labels (RFC 1035 2.3.4).
 */
#ifndef SENSOR_DNS_NAME_H
#define SENSOR_DNS_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/base/attribute.h"
#include "sensor/base/cursor.h"

#define DNS_NAME_MAX   255
#define DNS_LABEL_MAX  63
#define DNS_LABELS_MAX 127
/* Pointers in a row without a label between them gain nothing: one a label is all a name needs.
 */
#define DNS_POINTERS_MAX 127
/* Presentation: every octet may become \DDD; dots and NUL included. */
#define DNS_NAME_TEXT_MAX 1024

/* Why a message is not well-formed; the value is the counter's index. See malformed.def. */
enum dns_error {
	DNS_OK,
#define MALFORMED(id, name, meaning) DNS_##id,
#include "sensor/dns/malformed.def"
#undef MALFORMED
	DNS_ERROR_COUNT,
};

struct dns_name {
	uint8_t wire_len; /* octets used in wire[], the root's zero octet included (1..255) */
	uint8_t label_count; /* without the root */
	/* where each label's length octet is, leftmost first */
	uint8_t label_at[DNS_LABELS_MAX];
	/* folded; the slack lets folding and hashing take thirty-two octets at once */
	uint8_t wire[DNS_NAME_MAX + 33];
};

/*
 * Decode the name at the cursor and step past it (past the pointer, if compressed). `wire` is
 * the start of the message, to which pointers refer; c->end bounds it.
 *
 * On failure *out is the root, the cursor has failed and the reason is returned:
 * NAME_TRUNCATED, NAME_TOO_LONG, LABEL_RESERVED, POINTER_FORWARD, WORK_LIMIT (too many
 * pointers). Cost: O(octets), at most 255, and DNS_POINTERS_MAX.
 */
NODISCARD enum dns_error dns_name_decode(
	struct dns_name *out, struct cursor *c, const uint8_t *wire);

/* The same walk without the copy, for names that only need to be well-formed. */
NODISCARD enum dns_error dns_name_skip(struct cursor *c, const uint8_t *wire);

/* Copy `len` octets of a valid folded uncompressed wire name (as stored elsewhere) back into a
 * name. */
NODISCARD bool dns_name_from_wire(struct dns_name *out, const uint8_t *wire, size_t len);

/*
 * Parse presentation format ("Www.Example.com", "a\.b.example.", "\065.x"; trailing dot
 * optional;
 * "" and "." are the root), folding case. Only RFC limits are checked, any octet is allowed
 * through escapes. False on empty label, over-long label or name, bad escape.
 */
NODISCARD bool dns_name_parse(struct dns_name *out, const char *text);

/*
 * Write presentation format: lower case, no trailing dot (the root is "."), \. and \\ inside
 * labels, other bytes than printable ASCII (0x21..0x7e) as \DDD. Returns the length without
 * NUL.
 */
size_t dns_name_format(const struct dns_name *name, char text[DNS_NAME_TEXT_MAX]);
/* The same for a suffix of `labels` labels ( <= label_count). */
size_t dns_name_format_suffix(
	const struct dns_name *name, unsigned labels, char text[DNS_NAME_TEXT_MAX]);
/* The same from uncompressed wire octets (already folded or not: output is folded). */
size_t dns_name_format_wire(const uint8_t *wire, size_t wire_len, char text[DNS_NAME_TEXT_MAX]);

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b);
/* Is `name` equal to or below `ancestor`? */
bool dns_name_is_under(const struct dns_name *name, const struct dns_name *ancestor);

/* The wire octets of the suffix with `labels` labels; *len gets their number (root included).
 */
static inline const uint8_t *dns_name_suffix(
	const struct dns_name *name, unsigned labels, size_t *len)
{
	unsigned skip = name->label_count - labels;
	unsigned at = skip < name->label_count ? name->label_at[skip] : name->wire_len - 1u;
	*len = name->wire_len - at;
	return name->wire + at;
}

/*
 * Hash of a name, and of one of its suffixes: of the folded wire octets, root included, so that a
 * suffix hashes as the name it is. Names that are equal but for case have equal hashes.
 */
uint64_t dns_name_hash(const struct dns_name *name, uint64_t seed);
uint64_t dns_name_hash_suffix(const struct dns_name *name, unsigned labels, uint64_t seed);

/*
 * Of every suffix: hash[k] belongs to that of k labels, hash[0] to the root. Only hash[0..n] are
 * written, where n = min(label_count, labels_max). Returns n.
 */
unsigned dns_name_hash_suffixes(const struct dns_name *name, uint64_t seed,
	uint64_t hash[DNS_LABELS_MAX + 1], unsigned labels_max);

#endif
