/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/intake.h"

#include <ctype.h>
#include <stdlib.h>

/*
 * From what people write in lists to an address or a network, and what must not be one. As with
 * names, a text that is not understood is refused whole.
 */
#define ACCEPTED FEED_REJECT_COUNT
#define V4_BITS  96 /* of the prefix of IPv4-mapped addresses */

/* Wider ones say that a provider is bad, or are typing errors. */
#define V4_WIDEST (V4_BITS + 8)
#define V6_WIDEST 16

/* --- text ---------------------------------------------------------------------------------- */

/* "/24" at the end and nothing behind it: a network, not a path. */
static bool is_prefix_length(struct span s)
{
	if (s.len < 2 || s.len > 4 || s.at[0] != '/')
		return false;
	for (size_t i = 1; i < s.len; i++) {
		if (!isdigit((unsigned char)s.at[i]))
			return false;
	}
	return true;
}

static bool is_port(struct span s)
{
	if (s.len < 2 || s.len > 6 || s.at[0] != ':')
		return false;
	for (size_t i = 1; i < s.len; i++) {
		if (!isdigit((unsigned char)s.at[i]))
			return false;
	}
	return true;
}

static bool parse_net(struct ip_net *out, struct span address, struct span length)
{
	char text[IP_NET_TEXT_MAX];

	if (address.len == 0 || address.len + length.len >= sizeof(text))
		return false;
	memcpy(text, address.at, address.len);
	memcpy(text + address.len, length.at, length.len);
	text[address.len + length.len] = '\0';
	return ip_net_parse(out, text);
}

/* Take "[...]", or "a.b.c.d" with what may follow it, apart. False when neither is there. */
static bool split_port(struct span *host)
{
	const char *colon;

	if (span_starts(*host, "[")) {
		struct span inside = span_until(span_skip(*host, 1), "]");
		struct span behind = span_skip(*host, inside.len + 1);
		if (!span_starts(behind, "]"))
			return false;
		behind = span_skip(behind, 1);
		*host = inside;
		return behind.len == 0 || is_port(behind);
	}
	colon = memchr(host->at, ':', host->len);
	if (!colon || memchr(colon + 1, ':', host->len - (size_t)(colon + 1 - host->at)))
		return true; /* no port, or IPv6 */
	struct span port = span_skip(*host, (size_t)(colon - host->at));
	host->len -= port.len;
	return is_port(port);
}

enum feed_reject feed_normalise_address(struct ip_net *out, const char *text, size_t text_len)
{
	char buffer[FEED_LINE_MAX];
	struct span s = { .at = text, .len = text_len }, length = { "", 0 };

	if (text_len > FEED_LINE_MAX)
		return FEED_REJECT_LINE_TOO_LONG;
	if (memchr(text, '\0', text_len))
		return FEED_REJECT_NUL_BYTE;
	s = normalise_unwrap(s, buffer);
	bool is_url = normalise_strip_scheme(&s);
	struct span host = span_until(s, "/?#");
	struct span behind = span_skip(s, host.len);
	if (!is_url && is_prefix_length(behind))
		length = behind;
	const char *at = memrchr(host.at, '@', host.len);
	if (at && is_url)
		host = span_skip(host, (size_t)(at - host.at) + 1);
	if (!split_port(&host) || !parse_net(out, host, length))
		return FEED_REJECT_ADDRESS;
	return ACCEPTED;
}

/* --- rails --------------------------------------------------------------------------------- */

/* What no host on the Internet has (RFC 6890). Networks for documentation are let through: they
 * harm nobody, and examples are written with them. */
static const char *const reserved[] = { "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10",
	"127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/4",
	"240.0.0.0/4", "::/127", "fc00::/7", "fe80::/10", "ff00::/8" };

static const char *const resolvers[] = {
#define RESOLVER(address) address,
#include "feeds/resolvers.def"
#undef RESOLVER
};

/* Do the two have an address in common? */
static bool overlaps(const struct ip_net *net, const char *text)
{
	struct ip_net other;

	return ip_net_parse(&other, text) &&
	       (ip_net_contains(net, &other.base) || ip_net_contains(&other, &net->base));
}

static bool overlaps_any(const struct ip_net *net, const char *const *text, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (overlaps(net, text[i]))
			return true;
	}
	return false;
}

enum feed_reject feed_check_address(const struct ip_net *net, bool allow_broad)
{
	bool v4 = net->bits >= V4_BITS && ip_is_v4(&net->base);

	if (net->bits < (v4 ? V4_WIDEST : V6_WIDEST))
		return FEED_REJECT_WIDE;
	if (overlaps_any(net, reserved, ARRAY_LEN(reserved)))
		return FEED_REJECT_RESERVED;
	if (!allow_broad && overlaps_any(net, resolvers, ARRAY_LEN(resolvers)))
		return FEED_REJECT_RESOLVER;
	return ACCEPTED;
}
