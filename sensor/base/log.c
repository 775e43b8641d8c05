/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048

struct level {
	int priority; /* syslog(3) */
	const char *word;
};

static const struct level levels[] = {
	[LOG_LEVEL_ERROR] = { 3, "error: " },
	[LOG_LEVEL_WARNING] = { 4, "warning: " },
	[LOG_LEVEL_NOTICE] = { 5, "" },
	[LOG_LEVEL_DEBUG] = { 7, "debug: " },
};

static enum log_level max_level = LOG_LEVEL_NOTICE;

void log_set_level(enum log_level level)
{
	max_level = level;
}

/*
 * JOURNAL_STREAM names the device and inode of the journal's socket (systemd.exec(5)). Programs
 * started below a service inherit it, so it counts only when standard error is that socket.
 */
static bool to_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

/* One write, so that lines of several threads do not mix; what cannot be said is lost. */
static void write_line(const char *line, size_t line_len)
{
	while (write(STDERR_FILENO, line, line_len) == -1 && errno == EINTR)
		;
}

static void PRINTF_LIKE(2, 0) say(enum log_level level, const char *format, va_list args)
{
	char line[LINE_MAX_BYTES];
	size_t room = sizeof(line) - 1; /* the last byte is for the newline */
	int len;

	if (level > max_level)
		return;
	if (to_journal())
		len = snprintf(line, room, "<%d>", levels[level].priority);
	else
		len = snprintf(line, room, "%s: ", program_invocation_short_name);
	len += snprintf(line + len, room - (size_t)len, "%s", levels[level].word);
	int start = len;
	len += vsnprintf(line + len, room - (size_t)len, format, args);
	if ((size_t)len >= room)
		len = (int)room - 1;
	/* What is quoted may come from outside: it may not fake a line or drive a terminal. */
	for (int i = start; i < len; i++) {
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = ' ';
	}
	line[len++] = '\n';
	write_line(line, (size_t)len);
}

void log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(LOG_LEVEL_ERROR, format, args);
	va_end(args);
}

void log_warning(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(LOG_LEVEL_WARNING, format, args);
	va_end(args);
}

void log_notice(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(LOG_LEVEL_NOTICE, format, args);
	va_end(args);
}

void log_debug(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(LOG_LEVEL_DEBUG, format, args);
	va_end(args);
}
