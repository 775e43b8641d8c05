/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/dynwatch-feeds/results.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sensor/base/attribute.h"
#include "sensor/base/clock.h"
#include "sensor/base/json.h"

#define COLUMNS  9
#define CELL_MAX 72

const char *result_name(enum result_kind kind)
{
	static const char *const names[] = {
		[RESULT_UPDATED] = "updated",
		[RESULT_UNCHANGED] = "unchanged",
		[RESULT_KEPT] = "kept",
		[RESULT_FAILED] = "failed",
	};

	return names[kind];
}

bool results_any_bad(const struct result *result, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (result[i].kind == RESULT_KEPT || result[i].kind == RESULT_FAILED)
			return true;
	}
	return false;
}

/* --- table --------------------------------------------------------------------------------- */

static const char *const title[COLUMNS] = { "feed", "result", "before", "after", "added",
	"removed", "rejected", "bytes", "seconds" };

static void put_count(char *cell, bool known, uint64_t count)
{
	if (known)
		snprintf(cell, CELL_MAX, "%" PRIu64, count);
	else
		snprintf(cell, CELL_MAX, "-");
}

static void fill_row(char cell[COLUMNS][CELL_MAX], const struct result *r)
{
	snprintf(cell[0], CELL_MAX, "%s", r->feed);
	snprintf(cell[1], CELL_MAX, "%s", result_name(r->kind));
	put_count(cell[2], r->before_known, r->before);
	put_count(cell[3], r->after_known, r->after);
	put_count(cell[4], r->after_known, r->added);
	put_count(cell[5], r->after_known, r->removed);
	put_count(cell[6], r->after_known, r->rejected);
	put_count(cell[7], true, r->bytes);
	snprintf(cell[8], CELL_MAX, "%.2f", (double)r->elapsed_ns / (double)NS_PER_S);
}

/* Reasons may quote what came over the network: nothing of it commands a terminal. */
static void put_printable(struct text *out, const char *text)
{
	for (; *text; text++)
		text_putc(out, *text >= ' ' && *text <= '~' ? *text : '?');
}

/* Words to the left, numbers to the right. */
static void put_row(struct text *out, const char cell[COLUMNS][CELL_MAX],
	const int width[COLUMNS], const char *why)
{
	for (int i = 0; i < COLUMNS; i++)
		text_printf(out, "%s%*s", i ? "  " : "", i < 2 ? -width[i] : width[i], cell[i]);
	text_puts(out, why[0] ? "  " : "");
	put_printable(out, why);
	text_putc(out, '\n');
}

void results_table(struct text *out, const struct result *result, size_t count)
{
	char cell[COLUMNS][CELL_MAX];
	int width[COLUMNS];

	for (int i = 0; i < COLUMNS; i++)
		width[i] = (int)strlen(title[i]);
	for (size_t row = 0; row < count; row++) {
		fill_row(cell, &result[row]);
		for (int i = 0; i < COLUMNS; i++) {
			if ((int)strlen(cell[i]) > width[i])
				width[i] = (int)strlen(cell[i]);
		}
	}
	for (int i = 0; i < COLUMNS; i++)
		snprintf(cell[i], CELL_MAX, "%s", title[i]);
	put_row(out, cell, width, "");
	for (size_t row = 0; row < count; row++) {
		fill_row(cell, &result[row]);
		put_row(out, cell, width, result[row].why.text);
	}
}

/* --- JSON ---------------------------------------------------------------------------------- */

static void json_count(struct json *j, const char *key, bool known, uint64_t count)
{
	if (known)
		json_unsigned(j, key, count);
	else
		json_null(j, key);
}

static void put_object(struct json *j, const struct result *r)
{
	json_object(j, NULL);
	json_string(j, "feed", r->feed);
	json_string(j, "result", result_name(r->kind));
	if (r->why.text[0])
		json_string(j, "reason", r->why.text);
	else
		json_null(j, "reason");
	json_count(j, "before", r->before_known, r->before);
	json_count(j, "after", r->after_known, r->after);
	json_count(j, "added", r->after_known, r->added);
	json_count(j, "removed", r->after_known, r->removed);
	json_count(j, "rejected", r->after_known, r->rejected);
	json_unsigned(j, "bytes", r->bytes);
	json_number(j, "seconds", (double)r->elapsed_ns / (double)NS_PER_S);
	json_object_end(j);
}

void results_json(struct text *out, const struct result *result, size_t count, bool dry_run)
{
	struct json j = json_start(out);

	json_object(&j, NULL);
	json_bool(&j, "dry_run", dry_run);
	json_array(&j, "feeds");
	for (size_t i = 0; i < count; i++)
		put_object(&j, &result[i]);
	json_array_end(&j);
	json_object_end(&j);
	text_putc(out, '\n');
}
