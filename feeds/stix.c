/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/intake.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>

/*
 * Indicators of STIX 2 whose pattern asks for one of some names, URLs or addresses: `=`, IN, LIKE '%.x',
 * joined by OR. A pattern that needs two things at once (AND, FOLLOWEDBY, a qualifier) says
 * nothing of a name alone and is refused as a whole: so each pattern is read twice, and only the
 * second reading takes anything.
 */

enum token_kind { END, WORD, TEXT, SIGN };

struct pattern {
	struct intake *in;
	struct span rest;
	enum token_kind kind;
	struct span token;
	char text[FEED_LINE_MAX]; /* of a TEXT without its escapes */
	bool taking;
};

/* --- tokens -------------------------------------------------------------------------------- */

/* 'text', \' and \\ in it. */
static bool read_text(struct pattern *p)
{
	struct span s = span_skip(p->rest, 1);
	size_t len = 0;

	while (s.len > 0 && s.at[0] != '\'') {
		if (s.at[0] == '\\' && s.len > 1)
			s = span_skip(s, 1);
		if (len == sizeof(p->text))
			return false;
		p->text[len++] = s.at[0];
		s = span_skip(s, 1);
	}
	if (s.len == 0)
		return false;
	p->kind = TEXT;
	p->token = (struct span){ .at = p->text, .len = len };
	p->rest = span_skip(s, 1);
	return true;
}

/* Words hold object paths as well: domain-name:value, file:hashes.'SHA-256', x:y[*].z */
static size_t word_len(struct span s)
{
	size_t len = 0;

	while (len < s.len && !span_is_space(s.at[len]) && !strchr("=!<>(),", s.at[len])) {
		if (s.at[len] == '\'') {
			len++;
			while (len < s.len && s.at[len] != '\'')
				len++;
		} else if (s.at[len] == '[') {
			while (len < s.len && s.at[len] != ']')
				len++;
		} else if (s.at[len] == ']') {
			break;
		}
		len++;
	}
	return len < s.len ? len : s.len;
}

static bool next(struct pattern *p)
{
	struct span s = p->rest = span_trim(p->rest);
	size_t len = 1;

	p->kind = END;
	p->token = (struct span){ "", 0 };
	if (s.len == 0)
		return true;
	if (s.at[0] == '\'')
		return read_text(p);
	p->kind = SIGN;
	if (!strchr("[](),=", s.at[0])) {
		p->kind = strchr("!<>", s.at[0]) ? SIGN : WORD;
		len = p->kind == SIGN ? 1 : word_len(s);
	}
	p->token = (struct span){ .at = s.at, .len = len > 0 ? len : 1 };
	p->rest = span_skip(s, p->token.len);
	return true;
}

/* Step over the sign or word, which has to be there. */
static bool expect(struct pattern *p, const char *text)
{
	return (p->kind == SIGN || p->kind == WORD) && span_equals(p->token, text) && next(p);
}

static bool is_word(const struct pattern *p, const char *text)
{
	return p->kind == WORD && span_equals(p->token, text);
}

/* --- comparisons --------------------------------------------------------------------------- */

enum object { NAME, URL, ADDRESS, OTHER };

static enum object object_of(struct span path)
{
	if (span_equals(path, "domain-name:value") || span_equals(path, "hostname:value"))
		return NAME;
	if (span_equals(path, "url:value"))
		return URL;
	return span_equals(path, "ipv4-addr:value") || span_equals(path, "ipv6-addr:value")
		       ? ADDRESS
		       : OTHER;
}

static void take(struct pattern *p, enum object object)
{
	if (!p->taking)
		return;
	if (object == ADDRESS)
		intake_address(p->in, p->token);
	else if (object == OTHER)
		intake_reject(p->in, FEED_REJECT_TYPE);
	else
		intake_name(p->in, p->token, p->in->detail);
}

/* '%.x' is all below x; any other place for % or _ is a glob. */
static void take_like(struct pattern *p, enum object object)
{
	struct span text = p->token;

	if (object != NAME || !p->taking) {
		take(p, OTHER);
		return;
	}
	if (span_starts(text, "%.")) {
		p->text[0] = '*';
		text = span_skip(text, 2);
	}
	if (memchr(text.at, '%', text.len) || memchr(text.at, '_', text.len))
		intake_reject(p->in, FEED_REJECT_WILDCARD);
	else
		intake_name(p->in, p->token, p->in->detail);
}

static bool read_set(struct pattern *p, enum object object)
{
	if (!expect(p, "("))
		return false;
	for (;;) {
		if (p->kind != TEXT)
			return false;
		take(p, object);
		if (!next(p))
			return false;
		if (!expect(p, ","))
			return expect(p, ")");
	}
}

static bool read_comparison(struct pattern *p)
{
	if (p->kind != WORD)
		return false;
	enum object object = object_of(p->token);
	if (!next(p))
		return false;
	if (is_word(p, "IN"))
		return next(p) && read_set(p, object);
	bool like = is_word(p, "LIKE");
	bool subset = object == ADDRESS && is_word(p, "ISSUBSET");
	if (!like && !subset && !(p->kind == SIGN && span_equals(p->token, "=")))
		return false;
	if (!next(p) || p->kind != TEXT)
		return false;
	if (like)
		take_like(p, object);
	else
		take(p, object);
	return next(p);
}

/* [a OR b] OR [c], and nothing else. False when it is not of that kind. */
static bool read_pattern(struct pattern *p, struct span text, bool taking)
{
	p->rest = text;
	p->taking = taking;
	if (!next(p))
		return false;
	do {
		if (!expect(p, "["))
			return false;
		do {
			if (!read_comparison(p))
				return false;
		} while (is_word(p, "OR") && next(p));
		if (!expect(p, "]"))
			return false;
	} while (is_word(p, "OR") && next(p));
	return p->kind == END;
}

/* --- indicators ---------------------------------------------------------------------------- */

/* Seconds since 1970 of "2026-12-31T00:00:00.000Z"; false when it is no time. */
static bool parse_time(struct span text, int64_t *out)
{
	struct tm tm = { 0 };
	char copy[20];

	if (text.len < 20 || text.len > 40 || memchr(text.at, '\0', text.len))
		return false;
	memcpy(copy, text.at, 19);
	copy[19] = '\0';
	const char *end = strptime(copy, "%Y-%m-%dT%H:%M:%S", &tm);
	if (!end || *end != '\0' || text.at[text.len - 1] != 'Z')
		return false;
	*out = timegm(&tm);
	return true;
}

static bool has_expired(const struct intake *in, const json_t *indicator)
{
	int64_t until;

	return in->spec->now_s > 0 &&
	       parse_time(intake_json_text(indicator, "valid_until"), &until) &&
	       until <= in->spec->now_s;
}

static bool is_benign(const json_t *indicator)
{
	size_t i;
	json_t *type;

	json_array_foreach(json_object_get(indicator, "indicator_types"), i, type)
	{
		if (json_is_string(type) && strcmp(json_string_value(type), "benign") == 0)
			return true;
	}
	return false;
}

static bool is_unsure(const struct intake *in, const json_t *indicator)
{
	const json_t *confidence = json_object_get(indicator, "confidence");

	return confidence && json_number_value(confidence) < in->spec->min_confidence;
}

static void read_indicator(struct intake *in, const json_t *indicator)
{
	struct pattern p = { .in = in };
	struct span pattern = intake_json_text(indicator, "pattern");
	struct span type = intake_json_text(indicator, "pattern_type");

	intake_next_entry(in, pattern);
	if (json_is_true(json_object_get(indicator, "revoked")))
		intake_reject(in, FEED_REJECT_REVOKED);
	else if (has_expired(in, indicator))
		intake_reject(in, FEED_REJECT_EXPIRED);
	else if (is_unsure(in, indicator))
		intake_reject(in, FEED_REJECT_CONFIDENCE);
	else if (is_benign(indicator))
		intake_reject(in, FEED_REJECT_UNUSED);
	else if (memchr(pattern.at, '\0', pattern.len))
		intake_reject(in, FEED_REJECT_NUL_BYTE);
	else if ((type.len > 0 && !span_equals(type, "stix")) ||
		 !read_pattern(&p, pattern, false))
		intake_reject(in, FEED_REJECT_PATTERN);
	else
		(void)read_pattern(&p, pattern, true);
}

/* A bundle or the envelope of a TAXII server; a list of objects, or one, does as well. */
void stix_read_document(struct intake *in, const json_t *document)
{
	const json_t *objects = json_object_get(document, "objects");
	size_t i;
	json_t *object;

	objects = objects ? objects : document;
	if (span_equals(intake_json_text(objects, "type"), "indicator"))
		read_indicator(in, objects);
	json_array_foreach(objects, i, object)
	{
		if (span_equals(intake_json_text(object, "type"), "indicator"))
			read_indicator(in, object);
	}
}
