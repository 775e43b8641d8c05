/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/console.h"

#include "rules/rule.h"
#include "sensor/base/clock.h"
#include "sensor/base/log.h"
#include "sensor/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIPE_LINE     "\r\033[K"
#define COLOUR_END    "\033[0m"
#define MESSAGE_MIN   38 /* columns that the message should have before others are shown */
#define WIDTH_DEFAULT 80

enum column {
	COLUMN_TIME,
	COLUMN_SEVERITY,
	COLUMN_TENANT,
	COLUMN_CLIENT,
	COLUMN_RULE,
	COLUMN_MESSAGE,
	COLUMN_COUNT,
};

/* Wider cells push the rest of their line to the right. */
static const struct {
	const char *head;
	unsigned width;
} columns[COLUMN_COUNT] = {
	[COLUMN_TIME] = { "time (UTC)", 14 },
	[COLUMN_SEVERITY] = { "severity", 8 },
	[COLUMN_TENANT] = { "tenant", 10 },
	[COLUMN_CLIENT] = { "client", 15 },
	[COLUMN_RULE] = { "rule", 24 },
	[COLUMN_MESSAGE] = { "message", 0 },
};

static const char *const severity_colour[] = {
	[SEVERITY_INFO] = "\033[2m",
	[SEVERITY_LOW] = "\033[36m",
	[SEVERITY_MEDIUM] = "\033[33m",
	[SEVERITY_HIGH] = "\033[31m",
	[SEVERITY_CRITICAL] = "\033[1;97;41m",
};

struct console {
	struct sink sink;
	int fd;
	struct console_style style;
	bool shown[COLUMN_COUNT];
	bool headed; /* the head line is written */
	bool failing;
	struct text line;
};

struct console_style console_style_of(int fd)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	struct winsize size = { 0 };
	struct console_style style = { .width = 0 };

	if (!isatty(fd))
		return style;
	style.escapes = term && strcmp(term, "dumb") != 0;
	style.colour = style.escapes && !(no_color && no_color[0]);
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		style.width = size.ws_col;
	else
		style.width = WIDTH_DEFAULT;
	return style;
}

static void choose_columns(struct console *c)
{
	static const enum column first_to_go[] = { COLUMN_RULE, COLUMN_TENANT };
	unsigned used = 0;

	for (unsigned i = 0; i < COLUMN_COUNT; i++) {
		c->shown[i] = true;
		used += i == COLUMN_MESSAGE ? MESSAGE_MIN : columns[i].width + 2;
	}
	for (size_t i = 0; i < ARRAY_LEN(first_to_go); i++) {
		if (c->style.width == 0 || used <= c->style.width)
			break;
		c->shown[first_to_go[i]] = false;
		used -= columns[first_to_go[i]].width + 2;
	}
}

/* One line being laid out; `column` counts what the reader sees, not bytes. */
struct row {
	struct text *out;
	unsigned column, width; /* width 0: no limit */
	bool full;
};

/*
 * Bytes of the character at `at` when it may be shown: printable ASCII or a whole UTF-8
 * sequence that is no C1 control. 0 for anything else, which a terminal might obey.
 */
static size_t shown_bytes(const char *at)
{
	const unsigned char *byte = (const unsigned char *)at;
	size_t len = byte[0] < 0x80 ? 1 : byte[0] >= 0xf0 ? 4 : byte[0] >= 0xe0 ? 3 : 2;

	if (len == 1)
		return byte[0] >= 0x20 && byte[0] != 0x7f;
	if (byte[0] < 0xc2 || byte[0] > 0xf4 || (byte[0] == 0xc2 && byte[1] < 0xa0))
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((byte[i] & 0xc0) != 0x80) /* also ends at the NUL */
			return 0;
	}
	return len;
}

static size_t step_bytes(const char *at)
{
	size_t len = shown_bytes(at);

	return len ? len : 1;
}

static unsigned cells_of(const char *text)
{
	unsigned cells = 0;

	for (; *text; text += step_bytes(text))
		cells++;
	return cells;
}

/* Append text as far as the line goes; the last cell becomes an ellipsis when it is cut. */
static void row_put(struct row *row, const char *text)
{
	unsigned room = row->width ? row->width - row->column : UINT32_MAX;
	bool cut = cells_of(text) > room;
	unsigned left = cut && room > 0 ? room - 1 : room;

	if (row->full)
		return;
	for (; *text && left > 0; left--, row->column++) {
		if (shown_bytes(text))
			text_add(row->out, text, shown_bytes(text));
		else
			text_putc(row->out, '?');
		text += step_bytes(text);
	}
	row->full = cut;
	if (cut && room > 0) {
		text_puts(row->out, "…");
		row->column++;
	}
}

static void row_pad(struct row *row, unsigned to)
{
	while (!row->full && row->column < to && (!row->width || row->column < row->width)) {
		text_putc(row->out, ' ');
		row->column++;
	}
}

static void put_cell(struct console *c, struct row *row, enum column column, const char *text,
	const char *colour)
{
	unsigned start = row->column;

	if (!c->shown[column])
		return;
	if (c->style.colour && colour)
		text_puts(row->out, colour);
	row_put(row, text);
	if (c->style.colour && colour)
		text_puts(row->out, COLOUR_END);
	if (column == COLUMN_MESSAGE)
		return;
	row_pad(row, start + columns[column].width);
	row_pad(row, row->column + 2);
}

static struct row row_start(struct console *c)
{
	if (c->style.escapes)
		text_puts(&c->line, WIPE_LINE);
	return (struct row){ .out = &c->line, .width = c->style.width };
}

static void put_head(struct console *c)
{
	struct row row = row_start(c);

	for (unsigned i = 0; i < COLUMN_COUNT; i++)
		put_cell(c, &row, i, columns[i].head, "\033[1m");
	text_putc(&c->line, '\n');
}

/* A closing alert says so first: the end of its sentence may be cut. */
static void put_message(struct console *c, struct row *row, const struct alert *a)
{
	char repeats[32];

	if (a->suppressed) {
		snprintf(repeats, sizeof(repeats), "(+%llu) ",
			(unsigned long long)a->suppressed);
		row_put(row, repeats);
	}
	put_cell(c, row, COLUMN_MESSAGE, alert_get(a, a->message), NULL);
}

static void put_alert(struct console *c, const struct alert *a)
{
	struct row row = row_start(c);
	char time[CLOCK_TEXT_MAX], client[IP_TEXT_MAX] = "-";

	clock_format(a->ts_ns, time); /* 2026-11-22T13:25:36.123456789Z */
	time[10] = ' ';
	time[19] = '\0';
	if (a->has_source)
		ip_format(&a->source, client);
	put_cell(c, &row, COLUMN_TIME, time + 5, NULL);
	put_cell(c, &row, COLUMN_SEVERITY, severity_name(a->severity),
		severity_colour[a->severity]);
	put_cell(c, &row, COLUMN_TENANT, alert_get(a, a->tenant_id), NULL);
	put_cell(c, &row, COLUMN_CLIENT, client, NULL);
	put_cell(c, &row, COLUMN_RULE, rule_table[a->rule].id, NULL);
	put_message(c, &row, a);
	text_putc(&c->line, '\n');
}

static bool write_all(int fd, const char *bytes, size_t bytes_len)
{
	while (bytes_len > 0) {
		ssize_t n = write(fd, bytes, bytes_len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		bytes_len -= (size_t)n;
	}
	return true;
}

/* One write per alert: a person is looking, and the progress line may share the terminal. */
static void console_write(struct sink *s, const struct sink_record *record)
{
	struct console *c = (struct console *)s;

	text_clear(&c->line);
	if (!c->headed)
		put_head(c);
	put_alert(c, record->alert);
	if (!c->line.failed && write_all(c->fd, c->line.at, c->line.len)) {
		c->headed = true;
		return;
	}
	gauge_add(&s->lost, 1);
	if (!c->failing)
		log_error("%s: cannot write: %s", s->name,
			c->line.failed ? "out of memory" : strerror(errno));
	c->failing = true;
}

static void console_flush(struct sink *s)
{
	(void)s; /* nothing is buffered */
}

static void console_close(struct sink *s, int timeout_ms)
{
	(void)s; /* the file descriptor is the caller's */
	(void)timeout_ms;
}

static void console_free(struct sink *s)
{
	struct console *c = (struct console *)s;

	text_deinit(&c->line);
	free(c);
}

static const struct sink_api console_api = {
	.write = console_write,
	.flush = console_flush,
	.close = console_close,
	.free = console_free,
};

enum err console_open(
	struct sink **out, int fd, struct console_style style, struct err_ctx *why)
{
	struct console *c = calloc(1, sizeof(*c));

	if (!c)
		return err_set(why, ERR_FAILED, "alert table: out of memory");
	c->sink.api = &console_api;
	c->sink.name = "alert table";
	c->fd = fd;
	c->style = style;
	choose_columns(c);
	*out = &c->sink;
	return ERR_OK;
}
