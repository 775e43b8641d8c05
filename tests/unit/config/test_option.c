/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/config/option.h"

#include "feeds/feed.h"
#include "feeds/index.h"
#include "sensor/base/clock.h"
#include "sensor/base/quantity.h"
#include "sensor/base/text.h"
#include "sensor/config/config.h"

#include <criterion/criterion.h>
#include <string.h>

/* Where a key of each section stands, with what else the section requires. */
static const struct {
	enum config_section section;
	const char *before, *after;
} frames[] = {
	{ CONFIG_SECTION_TOP, "{", "}" },
	{ CONFIG_SECTION_SENSOR, "sensor: {", "}" },
	{ CONFIG_SECTION_CAPTURE, "capture: [{interface: eth0, ", "}]" },
	{ CONFIG_SECTION_TUNNELS, "tunnels: {", "}" },
	{ CONFIG_SECTION_SELECT, "tenants: [{id: a, select: {", "}}]" },
	{ CONFIG_SECTION_ZONE, "tenants: [{id: a, zones: [{name: z.example, ", "}]}]" },
	{ CONFIG_SECTION_FEED,
		"feeds: [{name: a, path: a, kind: malicious, url: \"https://h/\", auth_file: "
		"k, ",
		"}]" },
	{ CONFIG_SECTION_CONTROL, "control: {", "}" },
	{ CONFIG_SECTION_OUTPUT, "outputs: [{type: redis, url: \"redis://h\", ", "}]" },
};

/* Try `key: value` in its section. */
static enum err try(const struct config_option *o, const char *value, struct err_ctx *why)
{
	char before[200] = "", after[20] = "", text[500];
	struct config *c = NULL;
	bool list = config_type_shape(o->type) == CONFIG_SHAPE_VALUES;

	if (o->section >= CONFIG_SECTION_RULE) {
		snprintf(before, sizeof(before), "rules: {%s: {",
			config_section_name(o->section));
		snprintf(after, sizeof(after), "}}");
	}
	for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
		if (frames[i].section != o->section)
			continue;
		snprintf(before, sizeof(before), "%s", frames[i].before);
		snprintf(after, sizeof(after), "%s", frames[i].after);
	}
	cr_assert(before[0], "no frame for section %s", config_section_name(o->section));
	snprintf(text, sizeof(text), "%s%s: %s%s%s%s\n", before, o->key, list ? "[" : "", value,
		list ? "]" : "", after);
	enum err err = config_parse(&c, text, strlen(text), "t.yaml", why);
	config_free(c);
	return err;
}

static bool has_range(const struct config_option *o)
{
	return o->min[0] != '\0';
}

static bool has_default(const struct config_option *o)
{
	return o->initial && o->initial[0];
}

/* Call `test` with every key that stands in a section that can be framed. */
static size_t each_option(bool (*wanted)(const struct config_option *o),
	void (*test)(const struct config_option *o))
{
	size_t tested = 0;

	for (int s = CONFIG_SECTION_TOP; s < CONFIG_SECTION_COUNT; s++) {
		for (size_t i = 0; i < config_section_key_count((enum config_section)s); i++) {
			struct config_option o = config_section_key((enum config_section)s, i);
			if (!wanted(&o))
				continue;
			test(&o);
			tested++;
		}
	}
	return tested;
}

static void accept_default(const struct config_option *o)
{
	struct err_ctx why = { "" };

	cr_assert_eq(try(o, o->initial[0] == '{' ? "x" : o->initial, &why), ERR_OK,
		"%s.%s = %s: %s", config_section_name(o->section), o->key, o->initial,
		why.text);
}

static bool is_plain_default(const struct config_option *o)
{
	/* "A: B" inside braces needs quotes, which is tested with the files. */
	return has_default(o) && !strchr(o->initial, ':');
}

Test(option, every_default_may_be_written_down)
{
	cr_assert_gt(each_option(is_plain_default, accept_default), 40);
}

static void accept_ends(const struct config_option *o)
{
	struct err_ctx why = { "" };
	const char *ends[] = { o->min, o->max };

	for (size_t i = 0; i < 2; i++)
		cr_assert_eq(try(o, ends[i], &why), ERR_OK, "%s.%s = %s: %s",
			config_section_name(o->section), o->key, ends[i], why.text);
}

Test(option, both_ends_of_every_range_are_in_it)
{
	cr_assert_gt(each_option(has_range, accept_ends), 30);
}

/* One more than the maximum, one less than the minimum. */
static void past_end(const struct config_option *o, bool over, char text[32])
{
	uint64_t count = 0;
	double number = 0;
	int64_t ns = 0;
	const char *end = over ? o->max : o->min;

	if (quantity_parse_count(&count, end) && o->type != CONFIG_TYPE_DURATION) {
		snprintf(text, 32, "%lld", (long long)count + (over ? 1 : -1));
	} else if (o->type == CONFIG_TYPE_NUMBER && quantity_parse_number(&number, end)) {
		snprintf(text, 32, "%g", number + (over ? 0.5 : -0.5));
	} else {
		cr_assert(quantity_parse_duration(&ns, end), "%s.%s: %s",
			config_section_name(o->section), o->key, end);
		snprintf(text, 32, "%lldms", (long long)(ns / NS_PER_MS) + (over ? 1 : -1));
	}
}

static void refuse_past_ends(const struct config_option *o)
{
	for (int over = 0; over < 2; over++) {
		struct err_ctx why = { "" };
		char text[32];
		past_end(o, over, text);
		cr_assert_eq(try(o, text, &why), ERR_USAGE, "%s.%s = %s",
			config_section_name(o->section), o->key, text);
		cr_assert(strstr(why.text, o->key) && strstr(why.text, o->min) &&
				  strstr(why.text, o->max),
			"the error names key and range: %s", why.text);
	}
}

Test(option, what_is_just_past_a_range_is_refused_with_key_and_range)
{
	cr_assert_gt(each_option(has_range, refuse_past_ends), 30);
}

static bool is_choice(const struct config_option *o)
{
	return o->type == CONFIG_TYPE_CHOICE;
}

static void refuse_other_word(const struct config_option *o)
{
	struct err_ctx why = { "" };

	if (o->section == CONFIG_SECTION_OUTPUT || !o->initial)
		return; /* would stand twice in the frame; tested with the files */
	cr_assert_eq(try(o, "xyzzy", &why), ERR_USAGE, "%s", o->key);
	cr_assert(strstr(why.text, o->key) && strstr(why.text, "xyzzy"), "%s", why.text);
}

Test(option, a_word_that_is_no_choice_is_refused)
{
	cr_assert_gt(each_option(is_choice, refuse_other_word), 10);
}

static bool is_any(const struct config_option *o)
{
	(void)o;
	return true;
}

static void check_words(const struct config_option *o)
{
	cr_assert(o->meaning && o->meaning[0], "%s.%s has no meaning",
		config_section_name(o->section), o->key);
	cr_assert_neq(o->meaning[strlen(o->meaning) - 1], '.', "%s: no full stop", o->key);
	cr_assert(!has_range(o) || o->max[0], "%s has a minimum and no maximum", o->key);
	cr_assert(!is_choice(o) || o->unit[0], "%s has no words", o->key);
}

Test(option, every_line_of_the_tables_is_complete)
{
	cr_assert_geq(each_option(is_any, check_words), CONFIG_OPTION_COUNT);
}

Test(option, keys_of_a_section_stand_together)
{
	size_t keys = 0;

	for (int s = CONFIG_SECTION_TOP; s < CONFIG_SECTION_RULES; s++) {
		enum config_section section = (enum config_section)s;
		for (size_t i = 0; i < config_section_key_count(section); i++, keys++)
			cr_assert_eq(config_section_key(section, i).section, section, "%s",
				config_section_name(section));
	}
	cr_assert_eq(keys, CONFIG_OPTION_COUNT);
}

static const char *choices_of(enum config_section section, enum config_option_id id)
{
	return config_section_key(section, id - config_section_first(section)).unit;
}

Test(option, every_kind_and_format_of_feeds_can_be_chosen)
{
	const char *kinds = choices_of(CONFIG_SECTION_FEED, CONFIG_FEED_kind);
	const char *formats = choices_of(CONFIG_SECTION_FEED, CONFIG_FEED_format);
	unsigned place;

	for (int kind = 0; kind < MARK_KIND_COUNT; kind++) {
		const char *name = mark_kind_name((enum mark_kind)kind);
		enum mark_kind parsed;
		cr_assert_eq(mark_kind_parse(&parsed, name),
			config_choice_find(&place, kinds, name), "%s", name);
	}
	for (int format = 0; format < FEED_FORMAT_COUNT; format++) {
		const char *name = feed_format_name((enum feed_format)format);
		if (format != FEED_SHIPPED)
			cr_assert(config_choice_find(&place, formats, name), "%s", name);
	}
}

Test(option, a_choice_is_a_whole_word)
{
	unsigned place = 7;

	cr_assert(config_choice_find(&place, "a|bc|d", "a") && place == 0);
	cr_assert(config_choice_find(&place, "a|bc|d", "bc") && place == 1);
	cr_assert(config_choice_find(&place, "a|bc|d", "d") && place == 2);
	cr_assert(!config_choice_find(&place, "a|bc|d", "b"));
	cr_assert(!config_choice_find(&place, "a|bc|d", ""));
	cr_assert(!config_choice_find(&place, "a|bc|d", "bc|d"));
}
