/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/rpz_address.h"

#include <stdio.h>

/*
 * Owners of address triggers (draft-vixie-dns-rpz section 4.3): the length of the prefix, then the
 * octets of an IPv4 address or the words of an IPv6 one, the last first; "zz" is "::".
 */
#define LABELS_MAX 9
#define V4_BITS    96 /* of the prefix of IPv4-mapped addresses */

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

/* --- the other way -------------------------------------------------------------------------- */

/* The first of the longest runs of words that are zero; *count is 0 when there is none of two. */
static unsigned find_zeroes(const uint16_t word[8], unsigned *count)
{
	unsigned best = 0, run = 0;

	*count = 1;
	for (unsigned i = 0; i < 8; i++) {
		run = word[i] == 0 ? run + 1 : 0;
		if (run > *count) {
			*count = run;
			best = i + 1 - run;
		}
	}
	if (*count == 1)
		*count = 0;
	return best;
}

static size_t format_v6(const struct ip_net *net, char *text)
{
	uint16_t word[8];
	unsigned count;
	size_t len = (size_t)sprintf(text, "%u", net->bits);

	for (unsigned i = 0; i < 8; i++)
		word[i] = (uint16_t)(net->base.bytes[2 * i] << 8 | net->base.bytes[2 * i + 1]);
	unsigned zeroes = find_zeroes(word, &count);
	for (unsigned i = 8; i-- > 0;) {
		if (count > 0 && i == zeroes + count - 1) {
			len += (size_t)sprintf(text + len, ".zz");
			i = zeroes;
		} else {
			len += (size_t)sprintf(text + len, ".%x", word[i]);
		}
	}
	return len;
}

size_t rpz_address_format(const struct ip_net *net, char text[RPZ_ADDRESS_TEXT_MAX])
{
	const uint8_t *v4 = net->base.bytes + 12;

	if (net->bits < V4_BITS || !ip_is_v4(&net->base))
		return format_v6(net, text);
	return (size_t)sprintf(
		text, "%u.%u.%u.%u.%u", net->bits - V4_BITS, v4[3], v4[2], v4[1], v4[0]);
}
