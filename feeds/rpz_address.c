/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/rpz_address.h"

#include <stdio.h>

/*
 * Owners of address triggers (draft-vixie-dns-rpz section 4.3): the length of the prefix, then the
 * octets of an IPv4 address or the words of an IPv6 one, the last first; "zz" is "::".
 */
#define LABELS_MAX 9

static size_t split(struct span s, struct span label[LABELS_MAX + 1])
{
	size_t count = 0;

	while (s.len > 0 && count <= LABELS_MAX) {
		label[count] = span_until(s, ".");
		s = span_skip(s, label[count].len);
		if (s.len > 0)
			s = span_skip(s, 1);
		count++;
	}
	return count;
}

/* The labels from the last to the second with `between` them. */
static size_t join(
	char *text, size_t size, const struct span *label, size_t count, const char *between)
{
	size_t len = 0;

	for (size_t i = count - 1; i > 0 && len < size; i--) {
		bool zeroes = span_equals(label[i], "zz");
		/* "zz" in the middle is the empty word between two colons. */
		const char *edge = zeroes && (i == 1 || i == count - 1) ? between : "";
		len += (size_t)snprintf(text + len, size - len, "%s%.*s%s%s",
			zeroes && i == count - 1 ? edge : "", zeroes ? 0 : (int)label[i].len,
			label[i].at, i > 1 ? between : "", zeroes && i == 1 ? edge : "");
	}
	return len;
}

bool rpz_address_parse(struct ip_net *out, struct span labels)
{
	struct span label[LABELS_MAX + 1];
	char text[IP_NET_TEXT_MAX + 16];
	bool zeroes = false;

	if (memchr(labels.at, ':', labels.len) || memchr(labels.at, '/', labels.len))
		return false;
	size_t count = split(labels, label);
	if (count < 2 || count > LABELS_MAX)
		return false;
	for (size_t i = 1; i < count; i++)
		zeroes = zeroes || span_equals(label[i], "zz");
	size_t len = join(text, sizeof(text), label, count, count == 5 && !zeroes ? "." : ":");
	if (len >= sizeof(text))
		return false;
	len += (size_t)snprintf(
		text + len, sizeof(text) - len, "/%.*s", (int)label[0].len, label[0].at);
	return len < sizeof(text) && ip_net_parse(out, text);
}
