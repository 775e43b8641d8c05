/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/intake.h"
#include "feeds/rpz_address.h"

#include <ctype.h>
#include <ldns/ldns.h>
#include <strings.h>

#include "sensor/dns/name.h"

/*
 * A response policy zone (draft-vixie-dns-rpz) as a zone file (RFC 1035 section 5).
 *
 * libldns knows the types and classes; its reader of zone files is not used, for it gives up a
 * record without saying where the next one starts. Here a record that cannot be taken costs that
 * record, and only its first words are kept, however long it is.
 *
 * Plain owners follow the feed's `match:` as in every format; with `match: exact` a zone means
 * what it means to a resolver, where only "*.x" is about the names below.
 *
 * The name that is meant is the owner without the apex, which is the owner of the SOA record. A
 * file that names no origin at all is taken as if the zone were the root: its relative names are
 * the names that are meant.
 */
#define WORDS_MAX        6 /* owner, TTL, class, type, data */
#define RECORD_LINES_MAX 64
#define ADDRESS_TRIGGER  "rpz-ip"

struct rpz {
	struct dns_name origin, apex, owner;
	bool has_origin, has_apex, has_owner;
	bool owner_is_bad; /* of the record before: blank owners inherit that, too */
	/* the record being read */
	unsigned depth; /* of parentheses */
	unsigned lines;
	bool starts_blank;
	size_t count; /* words seen; more than WORDS_MAX are only counted */
	struct span word[WORDS_MAX];
	size_t text_len;
	char text[FEED_LINE_MAX];
};

const size_t rpz_state_bytes = sizeof(struct rpz);

/* --- words --------------------------------------------------------------------------------- */

/* The length of the word at the start of s: an escape hides what follows it. */
static size_t word_len(struct span s, const char *ends)
{
	size_t len = 0;

	while (len < s.len && !strchr(ends, s.at[len]))
		len += s.at[len] == '\\' ? 2 : 1;
	return len < s.len ? len : s.len;
}

static bool keep_word(struct rpz *z, struct span word)
{
	if (z->count++ >= WORDS_MAX)
		return true;
	if (word.len > sizeof(z->text) - z->text_len)
		return false;
	char *at = z->text + z->text_len;
	memcpy(at, word.at, word.len);
	z->text_len += word.len;
	z->word[z->count - 1] = (struct span){ .at = at, .len = word.len };
	return true;
}

/* Split one line; false when it cannot be one. */
static bool split(struct rpz *z, struct span s)
{
	while (s.len > 0 && s.at[0] != ';') {
		size_t len = 1;
		if (s.at[0] == '(') {
			z->depth++;
		} else if (s.at[0] == ')') {
			if (z->depth-- == 0)
				return false;
		} else if (s.at[0] == '"') {
			len = word_len(span_skip(s, 1), "\"");
			if (!keep_word(z, (struct span){ s.at + 1, len }) || len + 2 > s.len)
				return false; /* not closed */
			len += 2;
		} else if (!span_is_space(s.at[0])) {
			len = word_len(s, " \t\v\f\r\n;()\"");
			if (!keep_word(z, (struct span){ s.at, len }))
				return false;
		}
		s = span_skip(s, len);
	}
	return true;
}

static void start_record(struct rpz *z)
{
	z->depth = z->lines = 0;
	z->count = z->text_len = 0;
}

/* --- names --------------------------------------------------------------------------------- */

/* "name.origin."; false when there is no room or the result is none. */
static bool join(struct dns_name *out, const char *name, const struct dns_name *origin)
{
	char text[FEED_LINE_MAX + DNS_NAME_TEXT_MAX + 2];
	char behind[DNS_NAME_TEXT_MAX];

	dns_name_format(origin, behind);
	snprintf(text, sizeof(text), "%s.%s", name, origin->label_count ? behind : "");
	return dns_name_parse(out, text);
}

/* Does the text end in a dot that is no part of a label? */
static bool is_absolute(const char *text, size_t len)
{
	size_t escapes = 0;

	if (len == 0 || text[len - 1] != '.')
		return false;
	while (escapes < len - 1 && text[len - 2 - escapes] == '\\')
		escapes++;
	return escapes % 2 == 0;
}

static bool parse_name(const struct rpz *z, struct dns_name *out, struct span word)
{
	char text[FEED_LINE_MAX + 1];

	if (span_equals(word, "@")) {
		*out = z->origin;
		return true;
	}
	memcpy(text, word.at, word.len);
	text[word.len] = '\0';
	if (word.len == 0)
		return false;
	if (is_absolute(text, word.len))
		return dns_name_parse(out, text);
	return join(out, text, &z->origin);
}

/* Escapes may put any octet into a label; the normaliser would see syntax in them. */
static bool is_plain(const struct dns_name *name)
{
	for (unsigned i = 0; i < name->label_count; i++) {
		const uint8_t *label = name->wire + name->label_at[i];
		for (unsigned k = 1; k <= label[0]; k++) {
			bool star = i == 0 && label[0] == 1 && label[k] == '*';
			if (!star && !isalnum(label[k]) && label[k] != '-' && label[k] != '_')
				return false;
		}
	}
	return true;
}

/* The owner without the apex, as text. */
static enum feed_reject meant_name(
	const struct rpz *z, const struct dns_name *owner, char text[DNS_NAME_TEXT_MAX])
{
	struct dns_name name;
	size_t apex_len;

	if (!dns_name_is_under(owner, &z->apex))
		return FEED_REJECT_SYNTAX;
	dns_name_suffix(&z->apex, z->apex.label_count, &apex_len);
	size_t len = owner->wire_len - apex_len;
	uint8_t wire[DNS_NAME_MAX + 1];
	memcpy(wire, owner->wire, len);
	wire[len] = 0;
	if (!dns_name_from_wire(&name, wire, len + 1))
		return FEED_REJECT_NAME;
	if (!is_plain(&name))
		return FEED_REJECT_CHARACTER;
	dns_name_format(&name, text);
	return FEED_REJECT_COUNT;
}

/* --- records ------------------------------------------------------------------------------- */

static bool is_ttl(struct span word)
{
	if (word.len == 0 || !isdigit((unsigned char)word.at[0]))
		return false;
	for (size_t i = 0; i < word.len; i++) {
		if (!isdigit((unsigned char)word.at[i]) && !strchr("smhdwSMHDW", word.at[i]))
			return false;
	}
	return true;
}

static ldns_rr_type type_of(struct span word)
{
	char text[32];

	if (word.len == 0 || word.len >= sizeof(text) || !isalpha((unsigned char)word.at[0]))
		return 0;
	memcpy(text, word.at, word.len);
	text[word.len] = '\0';
	return ldns_get_rr_type_by_name(text);
}

static bool is_class(struct span word)
{
	return span_equals(word, "IN") || span_equals(word, "CH") || span_equals(word, "HS") ||
	       (word.len > 5 && strncasecmp(word.at, "CLASS", 5) == 0 &&
		       isdigit((unsigned char)word.at[5]));
}

/* Step over TTL and class, in any order. */
static size_t find_type(const struct span *word, size_t count, size_t at)
{
	bool ttl = false, class = false;

	for (; at < count; at++) {
		if (!ttl && is_ttl(word[at]))
			ttl = true;
		else if (!class && is_class(word[at]))
			class = true;
		else
			break;
	}
	return at;
}

static bool ends_in(struct span name, const char *label)
{
	size_t len = strlen(label);

	return name.len >= len && strncasecmp(name.at + name.len - len, label, len) == 0 &&
	       (name.len == len || name.at[name.len - len - 1] == '.');
}

static bool is_other_trigger(struct span name)
{
	return ends_in(name, "rpz-client-ip") || ends_in(name, "rpz-nsip") ||
	       ends_in(name, "rpz-nsdname");
}

/* What the target of a CNAME makes of the name. */
enum action { LISTED, EXCEPTED, UNKNOWN };

static enum action action_of(struct rpz *z, struct span target, struct span name)
{
	char text[DNS_NAME_TEXT_MAX];
	struct dns_name own;

	if (span_equals(target, "rpz-passthru."))
		return EXCEPTED;
	if (span_equals(target, "rpz-drop.") || span_equals(target, "rpz-tcp-only."))
		return LISTED;
	/* An action that is not known, or one that lost its dot: it might mean the opposite. */
	if (target.len > 4 && strncasecmp(target.at, "rpz-", 4) == 0 &&
		span_until(target, ".").len + 1 >= target.len)
		return UNKNOWN;
	if (span_equals(target, ".") || span_equals(target, "*."))
		return LISTED;
	if (!parse_name(z, &own, target))
		return UNKNOWN;
	/* "x CNAME x." is how the first drafts said rpz-passthru. */
	dns_name_format(&own, text);
	return span_equals(name, text) ? EXCEPTED : LISTED;
}

static bool is_about_the_zone(ldns_rr_type type)
{
	switch (type) {
	case LDNS_RR_TYPE_SOA:
	case LDNS_RR_TYPE_NS:
	case LDNS_RR_TYPE_DNAME:
	case LDNS_RR_TYPE_DS:
	case LDNS_RR_TYPE_KEY:
	case LDNS_RR_TYPE_SIG:
	case LDNS_RR_TYPE_NXT:
	case LDNS_RR_TYPE_RRSIG:
	case LDNS_RR_TYPE_NSEC:
	case LDNS_RR_TYPE_NSEC3:
	case LDNS_RR_TYPE_NSEC3PARAM:
	case LDNS_RR_TYPE_DNSKEY:
		return true;
	default:
		return false;
	}
}

/* An address in the answer. */
static void take_address(struct intake *in, struct span name, enum action action)
{
	bool is_exception = action == EXCEPTED;
	struct ip_net net;

	name.len -= strlen(ADDRESS_TRIGGER);
	if (name.len == 0 || !rpz_address_parse(&net, (struct span){ name.at, name.len - 1 }))
		intake_reject(in, FEED_REJECT_SYNTAX);
	else if (is_exception && in->spec->kind != MARK_MALICIOUS &&
		 in->spec->kind != MARK_ALLOW)
		intake_reject(in, FEED_REJECT_EXCEPTION);
	else
		intake_network(in, &net, is_exception ? MARK_ALLOW : in->spec->kind);
}

static void take(struct intake *in, struct rpz *z, ldns_rr_type type, struct span data)
{
	char text[DNS_NAME_TEXT_MAX];
	enum action action = LISTED;

	enum feed_reject reject = meant_name(z, &z->owner, text);
	struct span name = { .at = text,
		.len = reject == FEED_REJECT_COUNT ? strlen(text) : 0 };
	if (reject == FEED_REJECT_COUNT && is_other_trigger(name))
		reject = FEED_REJECT_TRIGGER;
	else if (reject == FEED_REJECT_COUNT && is_about_the_zone(type))
		reject = FEED_REJECT_DIRECTIVE;
	else if (reject == FEED_REJECT_COUNT && type == LDNS_RR_TYPE_CNAME)
		action = action_of(z, data, name);
	if (action == UNKNOWN)
		reject = FEED_REJECT_SYNTAX;
	if (reject != FEED_REJECT_COUNT)
		intake_reject(in, reject);
	else if (ends_in(name, ADDRESS_TRIGGER))
		take_address(in, name, action);
	else if (action == EXCEPTED)
		intake_exception(in, name);
	else
		intake_name(in, name, in->detail);
}

/* The first SOA record says where the zone is. */
static void note_apex(struct rpz *z)
{
	z->apex = z->owner;
	z->has_apex = true;
	if (!z->has_origin)
		z->origin = z->owner;
	z->has_origin = true;
}

static bool find_owner(struct rpz *z)
{
	if (z->starts_blank)
		return z->has_owner && !z->owner_is_bad;
	z->has_owner = true;
	z->owner_is_bad = !parse_name(z, &z->owner, z->word[0]);
	return !z->owner_is_bad;
}

static void read_record(struct intake *in, struct rpz *z)
{
	size_t count = z->count < WORDS_MAX ? z->count : WORDS_MAX;
	size_t at = find_type(z->word, count, z->starts_blank ? 0 : 1);

	if (!find_owner(z)) {
		intake_reject(in, z->has_owner ? FEED_REJECT_NAME : FEED_REJECT_SYNTAX);
		return;
	}
	ldns_rr_type type = at < count ? type_of(z->word[at]) : 0;
	if (type == 0 || at + 1 >= z->count) {
		intake_reject(in, FEED_REJECT_SYNTAX);
		return;
	}
	if (type == LDNS_RR_TYPE_SOA && !z->has_apex)
		note_apex(z);
	if (z->has_apex && dns_name_equal(&z->owner, &z->apex))
		return; /* what every zone has: SOA, NS, perhaps a version in a TXT */
	take(in, z, type, at + 1 < count ? z->word[at + 1] : (struct span){ "", 0 });
}

static void read_directive(struct intake *in, struct rpz *z)
{
	if (span_equals(z->word[0], "$TTL"))
		return;
	/* $INCLUDE is never followed: a feed does not say which files are read. */
	if (!span_equals(z->word[0], "$ORIGIN")) {
		intake_reject(in, FEED_REJECT_DIRECTIVE);
		return;
	}
	struct dns_name origin;
	if (z->count < 2 || !parse_name(z, &origin, z->word[1])) {
		intake_reject(in, FEED_REJECT_SYNTAX);
		return;
	}
	z->origin = origin;
	z->has_origin = true;
	if (!z->has_apex)
		z->apex = origin;
}

static void init(struct rpz *z)
{
	if (z->origin.wire_len > 0)
		return;
	if (dns_name_parse(&z->origin, "."))
		z->apex = z->owner = z->origin;
}

void rpz_read_line(struct intake *in, struct span line)
{
	struct rpz *z = in->state;

	init(z);
	if (z->depth == 0) {
		start_record(z);
		z->starts_blank = line.len > 0 && span_is_space(line.at[0]);
	}
	z->lines++;
	if (!split(z, line) || (z->depth > 0 && z->lines == RECORD_LINES_MAX)) {
		intake_reject(in, FEED_REJECT_SYNTAX);
		start_record(z);
		return;
	}
	if (z->depth > 0 || z->count == 0)
		return;
	if (z->word[0].len > 0 && z->word[0].at[0] == '$')
		read_directive(in, z);
	else
		read_record(in, z);
	start_record(z);
}

void rpz_finish(struct intake *in)
{
	struct rpz *z = in->state;

	if (z->depth > 0)
		intake_reject(in, FEED_REJECT_SYNTAX);
}

/* "evil.example CNAME ." and "ok.example 2h IN CNAME rpz-passthru.": a zone file's line, which
 * may as well say that the name is good. */
bool rpz_is_record(struct span line)
{
	if (span_starts(line, "$TTL") || span_starts(line, "$ORIGIN"))
		return true;
	struct span rest = line;
	(void)span_word(&rest);
	struct span word = span_word(&rest);
	if (is_ttl(word))
		word = span_word(&rest);
	if (span_equals(word, "A") || span_equals(word, "AAAA"))
		return span_is_address(span_word(&rest));
	return span_equals(word, "IN") || span_equals(word, "CNAME") ||
	       span_equals(word, "NS") || span_equals(word, "SOA");
}
