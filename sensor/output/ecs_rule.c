/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/ecs_rule.h"

#include "sensor/base/hash.h"
#include "sensor/base/json.h"

#include <string.h>

/* Fixed: the id of an alert must not change from run to run. */
static const uint64_t id_seeds[2] = { UINT64_C(0x64796e7761746368),
	UINT64_C(0x6576656e742e6964) };

uint64_t ecs_rule_hash(uint64_t hash, const char *text)
{
	return hash_bytes(hash, text, strlen(text));
}

static void add_string(struct text *t, const char *string)
{
	struct json j = json_start(t);

	json_string(&j, NULL, string);
}

/* The words of a space-separated list, as an array. */
static void add_words(struct text *t, const char *words)
{
	struct json j = json_start(t);

	json_array(&j, NULL);
	while (*words) {
		size_t len = strcspn(words, " ");
		json_string_len(&j, NULL, words, len);
		words += len;
		words += strspn(words, " ");
	}
	json_array_end(&j);
}

static void make_event(struct text *t, const struct rule *rule)
{
	text_puts(t, "\"event\":{\"kind\":\"alert\",\"category\":");
	add_words(t, rule->category);
	text_puts(t, ",\"type\":");
	add_words(t, rule->type);
	text_puts(t, ",\"module\":\"dynwatch\",\"id\":\"");
}

static void make_rule(struct text *t, const struct rule *rule)
{
	text_puts(t, "},\"rule\":{\"id\":");
	add_string(t, rule->id);
	text_puts(t, ",\"name\":");
	add_string(t, rule->name);
	text_puts(t, "},\"organization\":{\"id\":");
}

static void make_threat(
	struct text *t, const struct rule *rule, const struct ecs_observer *observer)
{
	text_puts(t, "},\"observer\":{\"name\":");
	add_string(t, observer->name);
	text_puts(t, ",\"product\":\"dynwatch\",\"version\":");
	add_string(t, observer->version);
	text_puts(t, "},\"threat\":{\"technique\":{\"id\":");
	add_words(t, rule->techniques);
	text_puts(t, "},");
}

bool ecs_rule_init(
	struct ecs_rule *r, const struct rule *rule, const struct ecs_observer *observer)
{
	*r = (struct ecs_rule){ 0 };
	make_event(&r->event, rule);
	make_rule(&r->rule, rule);
	make_threat(&r->threat, rule, observer);
	for (size_t half = 0; half < 2; half++)
		r->id_hash[half] =
			ecs_rule_hash(ecs_rule_hash(id_seeds[half], observer->name), rule->id);
	return !r->event.failed && !r->rule.failed && !r->threat.failed;
}

void ecs_rule_deinit(struct ecs_rule *r)
{
	text_deinit(&r->event);
	text_deinit(&r->rule);
	text_deinit(&r->threat);
}
