/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/intake.h"

#include <strings.h>

/*
 * Comma-separated values (RFC 4180) as feeds write them: any of four delimiters, white space
 * around fields, titles that may be commented out (abuse.ch), quoted fields over several lines.
 *
 * Which column has the names is, in this order: what the feed's `column` says; a column with a
 * known title; the first column that has a name in the first row that has any.
 */
#define FIELDS_MAX    64
#define ROW_MAX       (4 * FEED_LINE_MAX)
#define ROW_LINES_MAX 32

enum column {
	VALUE,
	TYPE,
	CONFIDENCE,
	TO_IDS,
	CATEGORY,
	COMMENT,
	KIND,
	FIRST_SEEN,
	UNTIL,
	REFERENCE,
	COLUMN_COUNT
};

/* Titles of the columns that are used, the best first. */
static const struct {
	const char *title;
	enum column column;
} titles[] = {
	{ "ioc_value", VALUE }, /* ThreatFox */
	{ "url", VALUE },       /* URLhaus */
	{ "value", VALUE },     /* MISP */
	{ "domain", VALUE },
	{ "hostname", VALUE },
	{ "host", VALUE },
	{ "fqdn", VALUE },
	{ "indicator", VALUE },
	{ "dynamic_dns_domains", VALUE },
	{ "ioc", VALUE },
	{ "dst_ip", VALUE }, /* Feodo tracker */
	{ "ip_address", VALUE },
	{ "ip", VALUE },
	{ "cidr", VALUE },
	{ "network", VALUE },
	{ "ioc_type", TYPE },
	{ "type", TYPE },
	{ "confidence_level", CONFIDENCE },
	{ "confidence", CONFIDENCE },
	{ "to_ids", TO_IDS },
	{ "malware_printable", CATEGORY }, /* ThreatFox */
	{ "malware", CATEGORY },
	{ "malware_family", CATEGORY },
	{ "family", CATEGORY },
	{ "threat_type", CATEGORY },
	{ "threat", CATEGORY },     /* URLhaus */
	{ "event_info", CATEGORY }, /* MISP: what the event is about, */
	{ "comment", COMMENT },     /* somebody's remark on the value, */
	{ "category", KIND },       /* and "Network activity" or the like */
	{ "first_seen_utc", FIRST_SEEN },
	{ "first_seen", FIRST_SEEN },
	{ "firstseen", FIRST_SEEN },
	{ "dateadded", FIRST_SEEN }, /* URLhaus */
	{ "date_added", FIRST_SEEN },
	{ "date", FIRST_SEEN },
	{ "valid_until", UNTIL },
	{ "expires", UNTIL },
	{ "expiration", UNTIL },
	{ "expiry", UNTIL },
	{ "reference", REFERENCE },
	{ "urlhaus_link", REFERENCE },
};

struct csv {
	char delimiter;              /* '\0': not known yet */
	bool has_row;                /* the first row, where titles may be, is behind */
	size_t column[COLUMN_COUNT]; /* from 1; 0: there is none */
	unsigned lines;              /* of the row being read */
	size_t len;
	char row[ROW_MAX];
	size_t count;
	struct span field[FIELDS_MAX];
	char text[ROW_MAX]; /* of the fields, without quotes */
};

const size_t csv_state_bytes = sizeof(struct csv);

/* --- rows ---------------------------------------------------------------------------------- */

/* The delimiter that is there most often outside of quotes. */
static char find_delimiter(struct span row)
{
	static const char delimiters[] = ",;\t|";
	unsigned count[sizeof(delimiters)] = { 0 };
	bool quoted = false;
	size_t best = 0;

	for (size_t i = 0; i < row.len; i++) {
		const char *found = memchr(delimiters, row.at[i], sizeof(delimiters) - 1);
		if (row.at[i] == '"')
			quoted = !quoted;
		else if (found && !quoted)
			count[found - delimiters]++;
	}
	for (size_t i = 1; i < sizeof(delimiters) - 1; i++) {
		if (count[i] > count[best])
			best = i;
	}
	return delimiters[best];
}

/* A quoted field; *rest starts behind the opening quote and ends up behind the closing one. */
static bool take_quoted(struct csv *c, struct span *rest, size_t *text_len)
{
	while (rest->len > 0) {
		char octet = rest->at[0];
		*rest = span_skip(*rest, 1);
		if (octet == '"' && (rest->len == 0 || rest->at[0] != '"'))
			return true;
		if (octet == '"')
			*rest = span_skip(*rest, 1);
		c->text[(*text_len)++] = octet;
	}
	return false;
}

enum split { WHOLE, OPEN, BROKEN };

/* Into fields; OPEN when a quote is not closed yet. */
static enum split split(struct csv *c, struct span row)
{
	const char end[2] = { c->delimiter, '\0' };
	size_t text_len = 0;

	for (c->count = 0; c->count < FIELDS_MAX; row = span_skip(row, 1)) {
		while (row.len > 0 && row.at[0] != c->delimiter && span_is_space(row.at[0]))
			row = span_skip(row, 1);
		char *at = c->text + text_len;
		if (span_starts(row, "\"")) {
			row = span_skip(row, 1);
			if (!take_quoted(c, &row, &text_len))
				return OPEN;
			c->field[c->count++] =
				(struct span){ at, text_len - (size_t)(at - c->text) };
			struct span behind = span_until(row, end);
			if (span_trim(behind).len > 0)
				return BROKEN;
			row = span_skip(row, behind.len);
		} else {
			struct span field = span_until(row, end);
			c->field[c->count++] = span_trim(field);
			row = span_skip(row, field.len);
		}
		if (row.len == 0)
			return WHOLE;
	}
	return WHOLE; /* more columns than anybody uses */
}

/* --- columns ------------------------------------------------------------------------------- */

/* Is it a row of titles? Then the columns are known. */
static bool read_titles(struct csv *c)
{
	size_t column[COLUMN_COUNT] = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(titles); i++) {
		for (size_t k = 0; k < c->count && !column[titles[i].column]; k++) {
			if (span_equals(c->field[k], titles[i].title))
				column[titles[i].column] = k + 1;
		}
	}
	if (!column[VALUE])
		return false;
	for (int i = 0; i < COLUMN_COUNT; i++) {
		if (column[i] && !(i == VALUE && c->column[VALUE]))
			c->column[i] = column[i];
	}
	return true;
}

static bool is_name(struct span field)
{
	struct dns_name name;
	enum mark_scope scope = SCOPE_SUFFIX;

	return feed_normalise(&name, &scope, field.at, field.len) == FEED_REJECT_COUNT &&
	       name.label_count > 1;
}

static bool is_address(struct span field)
{
	struct ip_net net;

	return feed_normalise_address(&net, field.at, field.len) == FEED_REJECT_COUNT;
}

/* The first column with a name; where none has one, the very first if it is an address. Others
 * say where a name led, or who told. */
static bool find_names(struct csv *c)
{
	for (size_t i = 0; i < c->count; i++) {
		if (is_name(c->field[i])) {
			c->column[VALUE] = i + 1;
			return true;
		}
	}
	if (c->count > 0 && is_address(c->field[0]))
		c->column[VALUE] = 1;
	return c->column[VALUE] > 0;
}

/* --- reading ------------------------------------------------------------------------------- */

static struct span field_of(const struct csv *c, enum column column)
{
	size_t number = c->column[column];

	return number > 0 && number <= c->count ? c->field[number - 1] : (struct span){ "", 0 };
}

static bool is_false(struct span text)
{
	return span_equals(text, "0") || span_equals(text, "false") || span_equals(text, "no");
}

/* What says most of why the value is listed. */
static struct span category_of(const struct csv *c)
{
	static const enum column columns[] = { CATEGORY, COMMENT };

	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		struct span text = field_of(c, columns[i]);
		if (span_trim(text).len > 0)
			return text;
	}
	return field_of(c, KIND);
}

/* What the row says of its value; false when that is nothing. */
static bool read_facts(struct entry_facts *out, const struct csv *c,
	char category[FACTS_TEXT_MAX + 1], char reference[FACTS_TEXT_MAX + 1])
{
	struct span confidence = field_of(c, CONFIDENCE);

	*out = (struct entry_facts){
		.category = intake_text(category_of(c), category),
		.reference = intake_text(field_of(c, REFERENCE), reference),
		.confidence = FACTS_NO_CONFIDENCE,
	};
	if (confidence.len > 0 && indicator_confidence(confidence) <= 100)
		out->confidence = (uint8_t)indicator_confidence(confidence);
	if (!entry_time_parse(field_of(c, FIRST_SEEN), false, &out->first_seen_s))
		out->first_seen_s = 0;
	if (!entry_time_parse(field_of(c, UNTIL), true, &out->until_s))
		out->until_s = 0;
	return out->category || out->reference || out->first_seen_s || out->until_s ||
	       out->confidence != FACTS_NO_CONFIDENCE;
}

static void take_value(struct intake *in, const struct csv *c)
{
	char category[FACTS_TEXT_MAX + 1], reference[FACTS_TEXT_MAX + 1];
	struct entry_facts facts;
	struct span type = field_of(c, TYPE);

	in->facts = read_facts(&facts, c, category, reference) ? &facts : NULL;
	if (type.len > 0)
		indicator_take(in, type, field_of(c, VALUE));
	else
		intake_name(in, field_of(c, VALUE), in->detail);
	in->facts = NULL;
}

static void read_entry(struct intake *in, const struct csv *c)
{
	struct span value = field_of(c, VALUE);

	if (value.len == 0)
		intake_reject(in, FEED_REJECT_SYNTAX);
	else if (is_false(field_of(c, TO_IDS)))
		intake_reject(in, FEED_REJECT_UNUSED);
	else if (c->column[CONFIDENCE] &&
		 indicator_confidence(field_of(c, CONFIDENCE)) < in->spec->min_confidence)
		intake_reject(in, FEED_REJECT_CONFIDENCE);
	else
		take_value(in, c);
}

/* No title has a dot or a colon, which names, addresses and times have. */
static bool is_title(struct span field)
{
	return !memchr(field.at, '.', field.len) && !memchr(field.at, ':', field.len);
}

static bool has_titles_only(const struct csv *c)
{
	for (size_t i = 0; i < c->count; i++) {
		if (!is_title(c->field[i]))
			return false;
	}
	return true;
}

static void read_row(struct intake *in, struct csv *c)
{
	bool is_first = !c->has_row;

	c->has_row = true;
	if (is_first && (read_titles(c) || has_titles_only(c)))
		return;
	if (c->column[VALUE] || find_names(c))
		read_entry(in, c);
	else
		intake_reject(in, FEED_REJECT_SYNTAX);
}

/* Titles may stand in a comment: `# "first_seen_utc","ioc_id",...` */
static void read_comment(struct csv *c, struct span line)
{
	struct span rest = span_trim(span_skip(line, 1));
	char delimiter = c->delimiter;

	if (c->has_row)
		return;
	c->delimiter = find_delimiter(rest);
	if (memchr(rest.at, c->delimiter, rest.len) && split(c, rest) == WHOLE &&
		c->count > 1 && read_titles(c))
		c->has_row = true;
	else
		c->delimiter = delimiter;
}

/* More of the row; false when it grew beyond all measure. */
static bool add_line(struct csv *c, struct span line)
{
	if (++c->lines > ROW_LINES_MAX || line.len + 1 > sizeof(c->row) - c->len)
		return false;
	if (c->len > 0)
		c->row[c->len++] = '\n';
	memcpy(c->row + c->len, line.at, line.len);
	c->len += line.len;
	return true;
}

/* Is it a comment, or blank? Within a row neither is. */
static bool is_between_rows(struct csv *c, struct span line)
{
	line = span_trim(line);
	if (c->len > 0 || (line.len > 0 && line.at[0] != '#'))
		return false;
	if (line.len > 0)
		read_comment(c, line);
	return true;
}

void csv_read_line(struct intake *in, struct span line)
{
	struct csv *c = in->state;
	enum split how = BROKEN;

	if (in->spec->column > 0)
		c->column[VALUE] = in->spec->column;
	if (is_between_rows(c, line))
		return;
	if (!c->delimiter)
		c->delimiter = find_delimiter(line);
	if (add_line(c, line))
		how = split(c, (struct span){ .at = c->row, .len = c->len });
	if (how == OPEN)
		return;
	if (how == WHOLE)
		read_row(in, c);
	else
		intake_reject(in, FEED_REJECT_SYNTAX);
	c->len = c->lines = 0;
}

void csv_finish(struct intake *in)
{
	struct csv *c = in->state;

	if (c->len > 0)
		intake_reject(in, FEED_REJECT_SYNTAX);
}

/* A remark behind a name may have commas, but white space before them. */
bool csv_is_row(struct span line)
{
	struct span first = span_until(line, ",; \t\v\f");
	struct span behind = span_skip(line, first.len);

	if (span_starts(line, "\"")) {
		first = span_until(span_skip(line, 1), "\"");
		behind = span_skip(line, first.len + 1);
		return span_starts(behind, "\",") || span_starts(behind, "\";");
	}
	return behind.len > 0 && (behind.at[0] == ',' || behind.at[0] == ';');
}
