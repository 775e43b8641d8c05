/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/intake.h"

/*
 * MISP: a warninglist ({"list": [...], "type": "hostname"}) or events ({"Event": {"Attribute":
 * [...], "Object": [{"Attribute": [...]}]}}, in "response" when they come from the search). The
 * CSV export is read as csv.c reads any, its titles say what is where.
 */

/* Of objects and lists in each other; an event in a response in a list has six. */
#define DEPTH_MAX 8

bool misp_is_title(struct span line)
{
	return span_starts(line, "uuid,event_id,category,type,value") ||
	       span_starts(line, "\"uuid\",\"event_id\",\"category\",\"type\",\"value\"");
}

static struct span text_of(const json_t *value)
{
	if (!json_is_string(value))
		return (struct span){ "", 0 };
	return (struct span){ json_string_value(value), json_string_length(value) };
}

static void read_list(struct intake *in, const json_t *list, struct span type)
{
	size_t i;
	json_t *value;

	json_array_foreach(list, i, value)
	{
		struct span text = text_of(value);
		intake_next_entry(in, text);
		if (span_equals(type, "cidr"))
			intake_address(in, text);
		else if (span_equals(type, "regex"))
			intake_reject(in, FEED_REJECT_REGEX);
		else if (span_equals(type, "substring"))
			intake_reject(in, FEED_REJECT_WILDCARD);
		else if (text.len == 0)
			intake_reject(in, FEED_REJECT_SYNTAX);
		else
			intake_name(in, text, in->detail);
	}
}

/* true, 1 and "1" are what versions of MISP have written. */
static bool is_set(const json_t *value)
{
	struct span text = text_of(value);

	return json_is_true(value) || json_integer_value(value) != 0 ||
	       span_equals(text, "1") || span_equals(text, "true");
}

static enum facts_tlp tlp_of(const json_t *object)
{
	static const struct {
		const char *tag;
		enum facts_tlp tlp;
	} tags[] = { { "tlp:white", TLP_CLEAR }, { "tlp:clear", TLP_CLEAR },
		{ "tlp:green", TLP_GREEN }, { "tlp:amber", TLP_AMBER },
		{ "tlp:amber+strict", TLP_AMBER_STRICT }, { "tlp:red", TLP_RED } };
	enum facts_tlp tlp = TLP_NONE;
	size_t i;
	json_t *tag;

	json_array_foreach(json_object_get(object, "Tag"), i, tag)
	{
		struct span name = intake_json_text(tag, "name");
		for (size_t k = 0; k < ARRAY_LEN(tags); k++) {
			if (span_equals(name, tags[k].tag) && tags[k].tlp > tlp)
				tlp = tags[k].tlp;
		}
	}
	return tlp;
}

/* What is around the attributes: an event says what it is about, and with whom it is shared. */
struct around {
	unsigned depth;
	struct span info;
	enum facts_tlp tlp;
};

static void take_attribute(
	struct intake *in, const json_t *attribute, const struct around *around)
{
	char category[FACTS_TEXT_MAX + 1];
	enum facts_tlp tlp = tlp_of(attribute);
	struct span remark = intake_json_text(attribute, "comment");
	struct entry_facts facts = {
		.category = intake_text(around->info.len > 0 ? around->info : remark, category),
		.confidence = FACTS_NO_CONFIDENCE,
		.tlp = (uint8_t)(tlp ? tlp : around->tlp),
	};

	if (!entry_time_parse(
		    intake_json_text(attribute, "first_seen"), false, &facts.first_seen_s) &&
		!entry_time_parse(
			intake_json_text(attribute, "timestamp"), false, &facts.first_seen_s))
		facts.first_seen_s = 0;
	in->facts = &facts;
	indicator_take(
		in, intake_json_text(attribute, "type"), intake_json_text(attribute, "value"));
	in->facts = NULL;
}

static void read_attributes(
	struct intake *in, const json_t *attributes, const struct around *around)
{
	size_t i;
	json_t *attribute;

	json_array_foreach(attributes, i, attribute)
	{
		const json_t *to_ids = json_object_get(attribute, "to_ids");
		struct span value = intake_json_text(attribute, "value");
		intake_next_entry(in, value);
		if ((to_ids && !is_set(to_ids)) ||
			is_set(json_object_get(attribute, "deleted")))
			intake_reject(in, FEED_REJECT_UNUSED);
		else if (value.len == 0)
			intake_reject(in, FEED_REJECT_SYNTAX);
		else
			take_attribute(in, attribute, around);
	}
}

static void read_value(struct intake *in, const json_t *value, struct around around)
{
	static const char *const inner[] = { "Event", "Object", "response" };
	size_t i;
	json_t *item;

	if (around.depth++ == DEPTH_MAX)
		return;
	if (intake_json_text(value, "info").len > 0) {
		around.info = intake_json_text(value, "info");
		around.tlp = tlp_of(value);
	}
	json_array_foreach(value, i, item) read_value(in, item, around);
	read_attributes(in, json_object_get(value, "Attribute"), &around);
	for (i = 0; i < ARRAY_LEN(inner); i++) {
		item = json_object_get(value, inner[i]);
		if (item)
			read_value(in, item, around);
	}
}

void misp_read_document(struct intake *in, const json_t *document)
{
	const json_t *list = json_object_get(document, "list");

	if (list)
		read_list(in, list, intake_json_text(document, "type"));
	else
		read_value(in, document, (struct around){ .info = { "", 0 } });
}
