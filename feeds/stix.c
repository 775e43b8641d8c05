/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/intake.h"

#include <ctype.h>
#include <stdio.h>

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

static struct span first_of(const json_t *object, const char *list)
{
	const json_t *text = json_array_get(json_object_get(object, list), 0);

	if (!json_is_string(text))
		return (struct span){ "", 0 };
	return (struct span){ json_string_value(text), json_string_length(text) };
}

/* The markings that the standard has fixed, of version 1 and 2 of the protocol. */
static enum facts_tlp tlp_of(const json_t *indicator)
{
	static const struct {
		const char *id;
		enum facts_tlp tlp;
	} markings[] = {
		{ "613f2e26-407d-48c7-9eca-b8e91df99dc9", TLP_CLEAR },
		{ "34098fce-860f-48ae-8e50-ebd3cc5e41da", TLP_GREEN },
		{ "f88d31f6-486f-44da-b317-01333bde0b82", TLP_AMBER },
		{ "5e57c739-391a-4eb3-b6be-7d15ca92d5ed", TLP_RED },
		{ "94868c89-83c2-464b-929b-a1a8aa3c8487", TLP_CLEAR },
		{ "bab4a63c-aed9-4cf5-a766-dfca5abac2bb", TLP_GREEN },
		{ "55d920b0-5e8b-4f79-9ee9-91f868d9b421", TLP_AMBER },
		{ "939a9414-2ddd-4d32-a0cd-375ea402b003", TLP_AMBER_STRICT },
		{ "e828b379-4e03-4974-9ac4-e53a884c97c1", TLP_RED },
	};
	enum facts_tlp tlp = TLP_NONE;
	size_t i;
	json_t *ref;

	json_array_foreach(json_object_get(indicator, "object_marking_refs"), i, ref)
	{
		for (size_t k = 0; k < ARRAY_LEN(markings); k++) {
			if (json_is_string(ref) && markings[k].tlp > tlp &&
				strstr(json_string_value(ref), markings[k].id))
				tlp = markings[k].tlp;
		}
	}
	return tlp;
}

/*
 * What the bundle's relationships say: indicators by id, with the name of the malware (or of another
 * thing that has one: a tool, an actor, a campaign) that they indicate.
 */
static json_t *find_indicated(const json_t *objects)
{
	/* json_object() is another's here: sensor/base/json.h */
	json_t *names = json_pack("{}"), *indicated = json_pack("{}");
	json_t *object;
	size_t i;

	json_array_foreach(objects, i, object)
	{
		const json_t *id = json_object_get(object, "id");
		json_t *name = json_object_get(object, "name");
		if (json_is_string(id) && json_is_string(name) &&
			!span_equals(intake_json_text(object, "type"), "indicator"))
			(void)json_object_set(names, json_string_value(id), name);
	}
	json_array_foreach(objects, i, object)
	{
		const json_t *from = json_object_get(object, "source_ref");
		const json_t *to = json_object_get(object, "target_ref");
		if (!json_is_string(from) || !json_is_string(to) ||
			!span_equals(
				intake_json_text(object, "relationship_type"), "indicates"))
			continue;
		json_t *name = json_object_get(names, json_string_value(to));
		if (name && !json_object_get(indicated, json_string_value(from)))
			(void)json_object_set(indicated, json_string_value(from), name);
	}
	json_decref(names);
	return indicated;
}

/* The malware that it indicates; the name, which most publishers make of the family; else the first
 * label or type. */
static struct span category_of(const json_t *indicator, const json_t *indicated)
{
	const json_t *id = json_object_get(indicator, "id");
	struct span name = { "", 0 };

	if (json_is_string(id))
		name = intake_json_text(indicated, json_string_value(id));
	if (name.len == 0)
		name = intake_json_text(indicator, "name");

	if (name.len == 0)
		name = first_of(indicator, "labels");
	return name.len > 0 ? name : first_of(indicator, "indicator_types");
}

static void read_facts(struct entry_facts *out, const json_t *indicator,
	const json_t *indicated, char category[FACTS_TEXT_MAX + 1],
	char reference[FACTS_TEXT_MAX + 1])
{
	const json_t *confidence = json_object_get(indicator, "confidence");
	const json_t *external =
		json_array_get(json_object_get(indicator, "external_references"), 0);
	double value = json_number_value(confidence);

	*out = (struct entry_facts){
		.category = intake_text(category_of(indicator, indicated), category),
		.reference = intake_text(intake_json_text(external, "url"), reference),
		.confidence = FACTS_NO_CONFIDENCE,
		.tlp = (uint8_t)tlp_of(indicator),
	};
	if (json_is_number(confidence) && value >= 0 && value <= 100)
		out->confidence = (uint8_t)value;
	if (!entry_time_parse(
		    intake_json_text(indicator, "valid_from"), false, &out->first_seen_s))
		out->first_seen_s = 0;
	if (!entry_time_parse(intake_json_text(indicator, "valid_until"), true, &out->until_s))
		out->until_s = 0;
}

static bool has_expired(const struct intake *in, const struct entry_facts *facts)
{
	return in->spec->now_s > 0 && facts->until_s != 0 && facts->until_s <= in->spec->now_s;
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

static void read_indicator(struct intake *in, const json_t *indicator, const json_t *indicated)
{
	char category[FACTS_TEXT_MAX + 1], reference[FACTS_TEXT_MAX + 1];
	struct entry_facts facts;
	struct pattern p = { .in = in };
	struct span pattern = intake_json_text(indicator, "pattern");
	struct span type = intake_json_text(indicator, "pattern_type");

	intake_next_entry(in, pattern);
	read_facts(&facts, indicator, indicated, category, reference);
	in->facts = &facts;
	if (json_is_true(json_object_get(indicator, "revoked")))
		intake_reject(in, FEED_REJECT_REVOKED);
	else if (has_expired(in, &facts))
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
	in->facts = NULL;
}

/* A bundle or the envelope of a TAXII server; a list of objects, or one, does as well. */
void stix_read_document(struct intake *in, const json_t *document)
{
	const json_t *objects = json_object_get(document, "objects");
	size_t i;
	json_t *object;

	objects = objects ? objects : document;
	json_t *indicated = find_indicated(objects);
	if (span_equals(intake_json_text(objects, "type"), "indicator"))
		read_indicator(in, objects, indicated);
	json_array_foreach(objects, i, object)
	{
		if (span_equals(intake_json_text(object, "type"), "indicator"))
			read_indicator(in, object, indicated);
	}
	json_decref(indicated);
}
