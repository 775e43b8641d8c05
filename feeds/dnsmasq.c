/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/intake.h"

/*
 * dnsmasq.conf(5): "address=/a/b/0.0.0.0", "server=/a/", "local=/a/". An address of its own, or
 * none, keeps the clients from the real one: listed. "server=/a/#" asks the usual servers all
 * the same: an exception. "server=/a/192.0.2.1" only says who knows, which is neither.
 */

static bool take_key(struct span *line, const char *key)
{
	if (!span_starts(*line, key))
		return false;
	struct span rest = span_trim(span_skip(*line, strlen(key)));
	if (!span_starts(rest, "="))
		return false;
	*line = span_trim(span_skip(rest, 1));
	return true;
}

bool dnsmasq_is_option(struct span line)
{
	return (take_key(&line, "address") || take_key(&line, "server") ||
		       take_key(&line, "local")) &&
	       span_starts(line, "/");
}

/* "/a/b/value": every name, once the value is known. */
static void read_names(struct intake *in, struct span names, bool is_exception)
{
	while (names.len > 0) {
		struct span name = span_until(names, "/");
		if (is_exception)
			intake_exception(in, name);
		else
			intake_name(in, name, in->detail);
		names = span_skip(names, name.len < names.len ? name.len + 1 : name.len);
	}
}

void dnsmasq_read_line(struct intake *in, struct span line)
{
	line = span_trim(span_without_comment(line));
	if (line.len == 0)
		return;
	bool is_address = take_key(&line, "address");
	if (!is_address && !take_key(&line, "server") && !take_key(&line, "local")) {
		intake_reject(in, FEED_REJECT_DIRECTIVE);
		return;
	}
	const char *last = memrchr(line.at, '/', line.len);
	if (!span_starts(line, "/") || last == line.at) {
		intake_reject(in, FEED_REJECT_SYNTAX);
		return;
	}
	struct span names = { .at = line.at + 1, .len = (size_t)(last - line.at - 1) };
	struct span value = span_skip(line, (size_t)(last - line.at) + 1);
	bool is_exception = !is_address && span_equals(value, "#");
	if (names.len == 0)
		intake_reject(in, FEED_REJECT_SYNTAX);
	else if (is_address || is_exception || value.len == 0)
		read_names(in, names, is_exception);
	else
		intake_reject(in, FEED_REJECT_DIRECTIVE);
}
