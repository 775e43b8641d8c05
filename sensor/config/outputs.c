/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/config/reading.h"

#include <stdlib.h>
#include <string.h>

#define KIND(kind) (1u << CONFIG_OUTPUT_##kind)

/* Which type of output has a key, and who cannot do without it. */
static const struct {
	enum config_option_id key;
	unsigned has, needs;
} key_table[] = {
	{ CONFIG_OUTPUT_path, KIND(JSONL) | KIND(DNSLOG) | KIND(CHANGELOG),
		KIND(JSONL) | KIND(DNSLOG) },
	{ CONFIG_OUTPUT_url, KIND(REDIS) | KIND(CHANGELOG), KIND(REDIS) },
	{ CONFIG_OUTPUT_stream, KIND(REDIS) | KIND(CHANGELOG), 0 },
	{ CONFIG_OUTPUT_maxlen, KIND(REDIS) | KIND(CHANGELOG), 0 },
	{ CONFIG_OUTPUT_queue, KIND(REDIS) | KIND(CHANGELOG), 0 },
	{ CONFIG_OUTPUT_timeout, KIND(REDIS) | KIND(CHANGELOG), 0 },
	{ CONFIG_OUTPUT_spool, KIND(REDIS), 0 },
	{ CONFIG_OUTPUT_spool_mb, KIND(REDIS), 0 },
};

static void check_keys(struct reading *r, const struct part *part, enum config_output_kind kind)
{
	const char *type = reading_raw(part, CONFIG_OUTPUT_type).at;

	for (size_t i = 0; i < ARRAY_LEN(key_table) && !r->err; i++) {
		bool given = reading_has(part, key_table[i].key);
		if (given && !(key_table[i].has & 1u << kind))
			reading_fail_key(r, part, key_table[i].key,
				"an output of type %s has no such key", type);
		if (!given && key_table[i].needs & 1u << kind)
			reading_fail_key(r, part, key_table[i].key,
				"missing; an output of type %s needs it", type);
	}
}

/* A change log is a file or a stream. */
static void check_place(struct reading *r, const struct part *part)
{
	bool path = reading_has(part, CONFIG_OUTPUT_path);
	bool url = reading_has(part, CONFIG_OUTPUT_url);

	if (path == url && !r->err)
		reading_fail_key(r, part, CONFIG_OUTPUT_path,
			path ? "either path or url, not both"
			     : "missing; an output of type changelog needs it, or url");
}

static void read_output(struct reading *r, const struct part *part, struct config_output *out)
{
	static const enum config_output_kind kinds[] = { CONFIG_OUTPUT_JSONL,
		CONFIG_OUTPUT_REDIS, CONFIG_OUTPUT_DNSLOG, CONFIG_OUTPUT_CHANGELOG };

	out->kind = kinds[reading_choice(r, part, CONFIG_OUTPUT_type)];
	check_keys(r, part, out->kind);
	if (out->kind == CONFIG_OUTPUT_CHANGELOG)
		check_place(r, part);
	bool to_stream = reading_has(part, CONFIG_OUTPUT_url);
	out->path = reading_path(r, part, CONFIG_OUTPUT_path);
	out->at = reading_mark(r, part, to_stream ? CONFIG_OUTPUT_url : CONFIG_OUTPUT_path);
	if (!to_stream)
		return;
	out->url = reading_text(r, part, CONFIG_OUTPUT_url);
	if (out->kind == CONFIG_OUTPUT_CHANGELOG)
		out->stream =
			reading_text_or(r, part, CONFIG_OUTPUT_stream, CONFIG_CHANGELOG_STREAM);
	else
		out->stream = reading_text(r, part, CONFIG_OUTPUT_stream);
	out->maxlen = reading_count(r, part, CONFIG_OUTPUT_maxlen);
	out->queue = reading_count(r, part, CONFIG_OUTPUT_queue);
	out->timeout_ns = reading_duration(r, part, CONFIG_OUTPUT_timeout);
	out->spool = reading_path(r, part, CONFIG_OUTPUT_spool);
	out->spool_at = reading_mark(r, part, CONFIG_OUTPUT_spool);
	out->spool_mb = reading_count(r, part, CONFIG_OUTPUT_spool_mb);
	if (out->stream && !out->stream[0])
		reading_fail_key(r, part, CONFIG_OUTPUT_stream, "empty");
}

/* Two outputs into one file or one stream would mix or double every alert. */
static bool is_same(const struct config_output *a, const struct config_output *b)
{
	if (a->path && b->path)
		return strcmp(a->path, b->path) == 0;
	return a->url && b->url && strcmp(a->url, b->url) == 0 &&
	       strcmp(a->stream, b->stream) == 0;
}

static void refuse_same(struct reading *r, const struct part *top)
{
	const struct config *c = r->config;

	for (size_t i = 1; i < c->output_count && !r->err; i++) {
		for (size_t j = 0; j < i && !r->err; j++) {
			if (!is_same(&c->output[i], &c->output[j]))
				continue;
			struct path list = path_key(top->path, "outputs");
			struct path item = path_item(&list, i);
			struct path key = path_key(&item, c->output[i].path ? "path" : "url");
			reading_fail(r, &key, "the output in line %u writes there already",
				c->output[j].at.line);
		}
	}
}

void reading_outputs(struct reading *r, const struct part *top)
{
	struct config *c = r->config;
	size_t count = reading_raw(top, CONFIG_TOP_outputs).count;
	struct path list, item;

	if (count > CONFIG_OUTPUTS_MAX)
		reading_fail_key(
			r, top, CONFIG_TOP_outputs, "more than %d outputs", CONFIG_OUTPUTS_MAX);
	c->output = reading_array(r, count, sizeof(*c->output));
	for (size_t i = 0; c->output && i < count && !r->err; i++) {
		struct part part = reading_item(top, CONFIG_TOP_outputs, i, &list, &item);
		c->output_count = i + 1;
		read_output(r, &part, &c->output[i]);
	}
	refuse_same(r, top);
}
