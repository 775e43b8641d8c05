/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/progress.h"

#include "sensor/base/clock.h"
#include "sensor/base/quantity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LINE_BYTES_MAX 200

bool progress_mode_parse(enum progress_mode *out, const char *text)
{
	static const char *const words[] = {
		[PROGRESS_AUTO] = "auto",
		[PROGRESS_ALWAYS] = "always",
		[PROGRESS_NEVER] = "never",
	};

	for (unsigned i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i], text) == 0) {
			*out = i;
			return true;
		}
	}
	return false;
}

void progress_init(struct progress *p, enum progress_mode mode, int fd, int64_t now_ns)
{
	const char *term = getenv("TERM");
	bool terminal = isatty(fd) == 1;

	*p = (struct progress){
		.fd = fd,
		.enabled = mode == PROGRESS_ALWAYS || (mode == PROGRESS_AUTO && terminal),
		.in_place = terminal && term && strcmp(term, "dumb") != 0,
		.started_ns = now_ns,
		.drawn_ns = now_ns,
	};
}

/* What the rest will take if it goes on as it has; "" when that cannot be said. */
static const char *format_left(
	const struct progress_facts *f, double elapsed_s, char text[QUANTITY_TEXT_MAX + 8])
{
	char span[QUANTITY_TEXT_MAX];

	text[0] = '\0';
	if (f->bytes_total == 0 || f->bytes_done == 0 || elapsed_s < 0.5)
		return text;
	uint64_t left = f->bytes_total > f->bytes_done ? f->bytes_total - f->bytes_done : 0;
	double left_s = elapsed_s * (double)left / (double)f->bytes_done;
	if (left_s > 1e6)
		return text;
	quantity_format_duration((int64_t)(left_s + 0.5) * NS_PER_S, span);
	snprintf(text, QUANTITY_TEXT_MAX + 8, "  %s left", span);
	return text;
}

static const char *format_bytes(const struct progress_facts *f, char text[96])
{
	char done[QUANTITY_TEXT_MAX], total[QUANTITY_TEXT_MAX];

	quantity_format_size(f->bytes_done, done);
	if (f->bytes_total == 0) {
		snprintf(text, 96, "%s", done);
		return text;
	}
	quantity_format_size(f->bytes_total, total);
	/* A file that is still being written may be longer than it was. */
	uint64_t percent =
		f->bytes_done >= f->bytes_total
			? 100
			: (uint64_t)((double)f->bytes_done * 100 / (double)f->bytes_total);
	snprintf(text, 96, "%3llu%%  %s of %s", (unsigned long long)percent, done, total);
	return text;
}

static void format_line(const struct progress *p, const struct progress_facts *f,
	int64_t now_ns, char line[LINE_BYTES_MAX])
{
	double elapsed_s = (double)(now_ns - p->started_ns) / (double)NS_PER_S;
	double rate = elapsed_s > 0 ? (double)f->packets / elapsed_s : 0;
	char bytes[96], left[QUANTITY_TEXT_MAX + 8];

	snprintf(line, LINE_BYTES_MAX, "%s  %.0f packets/s  %llu alert%s%s",
		format_bytes(f, bytes), rate, (unsigned long long)f->alerts,
		f->alerts == 1 ? "" : "s", format_left(f, elapsed_s, left));
}

/* A line that wraps could not be wiped. */
static void cut_to_terminal(const struct progress *p, char *line)
{
	struct winsize size = { 0 };

	if (p->in_place && ioctl(p->fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 &&
		strlen(line) >= size.ws_col)
		line[size.ws_col - 1] = '\0';
}

/* One write, so that it does not mix with what other threads say. */
static void draw(struct progress *p, const struct progress_facts *facts, int64_t now_ns)
{
	char line[LINE_BYTES_MAX], out[LINE_BYTES_MAX + 16];

	format_line(p, facts, now_ns, line);
	cut_to_terminal(p, line);
	int len = p->in_place ? snprintf(out, sizeof(out), "\r%s\033[K", line)
			      : snprintf(out, sizeof(out), "%s\n", line);
	/* Progress that cannot be shown is no reason to stop. */
	ssize_t ignored = write(p->fd, out, (size_t)len);
	(void)ignored;
	p->drawn = true;
	p->drawn_ns = now_ns;
}

void progress_update(struct progress *p, const struct progress_facts *facts, int64_t now_ns)
{
	int64_t pace_ms = p->in_place ? PROGRESS_REDRAW_MS : PROGRESS_LINE_MS;

	if (p->enabled && now_ns - p->drawn_ns >= pace_ms * NS_PER_MS)
		draw(p, facts, now_ns);
}

void progress_end(struct progress *p, const struct progress_facts *facts, int64_t now_ns)
{
	static const char wipe[] = "\r\033[K";

	if (!p->enabled)
		return;
	p->enabled = false;
	if (!p->in_place) {
		draw(p, facts, now_ns);
		return;
	}
	if (p->drawn) {
		ssize_t ignored = write(p->fd, wipe, sizeof(wipe) - 1);
		(void)ignored;
	}
}
