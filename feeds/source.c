/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/source.h"

#include <stdlib.h>

#include "sensor/base/text.h"

#define START_MAX 65536 /* bytes that are looked at to recognise the format */

static const char byte_order_mark[] = "\xef\xbb\xbf";

static bool starts_document(struct span start)
{
	start = span_trim(start);
	return span_starts(start, "{") || span_starts(start, "[");
}

/* The format, from what the content starts with; an empty file has no start to recognise. */
static void choose_format(struct source *s, struct span start)
{
	enum feed_format format = s->spec->format;

	if (format == FEED_AUTO)
		format = start.len ? recognise_format(start) : FEED_DOMAINS;
	s->format = format;
	const struct intake_format *f = &intake_formats[format];
	s->is_document =
		start.len > 0 && f->read_document && (!f->read_line || starts_document(start));
	s->is_whole = s->is_document || !f->read_line || f->state_bytes;
}

enum err source_open(struct source *s, struct block *scratch, struct err_ctx *why)
{
	size_t from = 0;

	s->is_open = true;
	s->format = s->spec->format ? s->spec->format : FEED_DOMAINS;
	s->content = malloc(sizeof(*s->content));
	if (!s->content)
		return err_set(why, ERR_FAILED, "feed %s: out of memory", s->spec->name);
	enum err err = content_open(s->content, s->spec, why);
	if (!err)
		err = content_read(s->content, scratch, why);
	if (err)
		return err;
	struct span start = { scratch->at, scratch->len };
	if (span_starts(start, byte_order_mark))
		from = strlen(byte_order_mark);
	start = span_skip(start, from);
	if (start.len > START_MAX)
		start.len = START_MAX;
	choose_format(s, start);
	content_give_back(s->content, scratch, from);
	return ERR_OK;
}

void source_close(struct source *s)
{
	if (!s->content)
		return;
	s->modified_s = s->content->modified_s;
	s->bytes = s->content->bytes;
	content_close(s->content);
	free(s->content);
	s->content = NULL;
}

void source_init_intake(const struct source *s, struct intake *in)
{
	in->spec = s->spec;
	in->scope = s->spec->scope;
	in->format = s->format;
	in->source = s->number;
	in->detail = s->detail;
}

/* --- lines --------------------------------------------------------------------------------- */

/* What comes before the next CR or LF. Octet by octet: with memchr, a file of CRs alone would be
 * searched to its end for every line. */
static size_t line_len(struct span s)
{
	size_t len = 0;

	while (len < s.len && s.at[len] != '\n' && s.at[len] != '\r')
		len++;
	return len;
}

/* The same where there is no CR. */
static size_t line_len_to_lf(struct span s)
{
	const char *lf = memchr(s.at, '\n', s.len);
	return lf ? (size_t)(lf - s.at) : s.len;
}

static void read_line(struct intake *in, struct span line)
{
	const struct intake_format *format = &intake_formats[in->format];

	in->line = line;
	in->report->lines++;
	if (format->bare_names && intake_bare_name(in, line))
		return;
	if (line.len > FEED_LINE_MAX)
		intake_reject(in, FEED_REJECT_LINE_TOO_LONG);
	else if (memchr(line.at, '\0', line.len))
		intake_reject(in, FEED_REJECT_NUL_BYTE);
	else
		format->read_line(in, line);
}

void source_read_block(struct intake *in, const struct block *b)
{
	struct span left = { b->at, b->len };
	bool has_cr = memchr(b->at, '\r', b->len) != NULL;

	while (left.len > 0 && !in->stop) {
		struct span line = { left.at, has_cr ? line_len(left) : line_len_to_lf(left) };
		read_line(in, line);
		size_t used = line.len < left.len ? line.len + 1 : line.len;
		if (used < left.len && left.at[used - 1] == '\r' && left.at[used] == '\n')
			used++;
		left = span_skip(left, used);
	}
}

static enum err read_all_lines(
	struct source *s, struct intake *in, struct block *b, struct err_ctx *why)
{
	bool is_empty = true;

	for (;;) {
		enum err err = content_read_lines(s->content, b, why);
		if (err)
			return err;
		if (b->len == 0 || in->stop)
			break;
		is_empty = false;
		source_read_block(in, b);
	}
	if (!is_empty && !in->stop && intake_formats[s->format].finish)
		intake_formats[s->format].finish(in);
	return ERR_OK;
}

/* --- a JSON text --------------------------------------------------------------------------- */

static enum err read_text(
	struct source *s, struct block *b, struct text *out, struct err_ctx *why)
{
	for (;;) {
		enum err err = content_read(s->content, b, why);
		if (err || b->len == 0)
			return err;
		if (b->len > FEED_DOCUMENT_MAX - out->len)
			return err_set(why, ERR_USAGE, "%s: more than %zu MiB of JSON",
				s->spec->path, FEED_DOCUMENT_MAX >> 20);
		text_add(out, b->at, b->len);
		if (out->failed)
			return err_set(
				why, ERR_FAILED, "feed %s: out of memory", s->spec->name);
	}
}

static enum err read_document(
	struct source *s, struct intake *in, struct block *b, struct err_ctx *why)
{
	struct text text = { 0 };
	json_error_t error;
	json_t *document = NULL;

	enum err err = read_text(s, b, &text, why);
	/* A NUL in a text costs that text alone. */
	if (!err)
		document = json_loadb(text.at, text.len, JSON_ALLOW_NUL, &error);
	if (!err && !document)
		err = err_set(why, ERR_USAGE, "%s:%d:%d: %s", s->spec->path, error.line,
			error.column, error.text);
	text_deinit(&text);
	if (!err)
		intake_formats[s->format].read_document(in, document);
	json_decref(document);
	return err;
}

enum err source_read_whole(
	struct source *s, struct intake *in, struct block *scratch, struct err_ctx *why)
{
	const size_t *state_bytes = intake_formats[s->format].state_bytes;

	if (state_bytes) {
		in->state = calloc(1, *state_bytes);
		if (!in->state)
			return err_set(
				why, ERR_FAILED, "feed %s: out of memory", s->spec->name);
	}
	enum err err = s->is_document ? read_document(s, in, scratch, why)
		       : intake_formats[s->format].read_line
			       ? read_all_lines(s, in, scratch, why)
			       : ERR_OK;
	free(in->state);
	in->state = NULL;
	return err;
}
