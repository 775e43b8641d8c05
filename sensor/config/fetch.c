/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a feed's file is fetched from, and how. Nothing is fetched here. */
#include "sensor/config/reading.h"

#include <string.h>

#include "sensor/base/attribute.h"

#define URL_MAX 2048

/* Letters of a header's name (RFC 9110 section 5.6.2). */
static const char token[] = "!#$%&'*+-.^_`|~0123456789"
			    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/* Keys that say nothing without url. */
static void refuse_without_url(struct reading *r, const struct part *feed)
{
	static const enum config_option_id keys[] = { CONFIG_FEED_auth_header,
		CONFIG_FEED_auth_file, CONFIG_FEED_max_mb, CONFIG_FEED_timeout,
		CONFIG_FEED_proxy };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (reading_has(feed, keys[i]))
			reading_fail_key(
				r, feed, keys[i], "says how url is fetched, and there is none");
}

/* What comes behind the scheme; NULL when it is none of `schemes`, a list closed by NULL. */
static const char *behind_scheme(const char *url, const char *const *schemes)
{
	for (; *schemes; schemes++) {
		size_t len = strlen(*schemes);
		if (strncasecmp(url, *schemes, len) == 0 && strncmp(url + len, "://", 3) == 0)
			return url + len + 3;
	}
	return NULL;
}

static bool has_odd_octet(const char *text)
{
	for (; *text; text++) {
		if (*text <= ' ' || *text == 0x7f || strchr("\"<>\\^`{|}", *text))
			return true;
	}
	return false;
}

/* The url is not shown: people put keys into it. */
static void check_url(struct reading *r, const struct part *feed, const char *url)
{
	static const char *const schemes[] = { "https", "http", NULL };
	const char *host = behind_scheme(url, schemes);

	if (!host)
		reading_fail_key(
			r, feed, CONFIG_FEED_url, "must begin with https:// or http://");
	else if (strlen(url) > URL_MAX)
		reading_fail_key(r, feed, CONFIG_FEED_url, "more than %d characters", URL_MAX);
	else if (has_odd_octet(url))
		reading_fail_key(r, feed, CONFIG_FEED_url,
			"holds a character that no URL has; write it as %%XX");
	else if (memchr(host, '@', strcspn(host, "/?#")))
		reading_fail_key(r, feed, CONFIG_FEED_url,
			"a user or password is not taken here: auth_header: Authorization, and "
			"in auth_file \"Basic ...\"");
	else if (strcspn(host, "/?#:") == 0)
		reading_fail_key(r, feed, CONFIG_FEED_url, "names no host");
	else if (host[strcspn(host, "/?#")] != '/')
		reading_fail_key(r, feed, CONFIG_FEED_url,
			"names no file behind the host; / is the least");
}

static void check_proxy(struct reading *r, const struct part *feed, const char *proxy)
{
	static const char *const schemes[] = { "http", "https", "socks4a", "socks5", "socks5h",
		NULL };
	const char *host = behind_scheme(proxy, schemes);

	if (*proxy && (!host || !*host || has_odd_octet(proxy)))
		reading_fail_key(r, feed, CONFIG_FEED_proxy,
			"must be http://host:port (or https, socks4a, socks5, socks5h), or "
			"\"\" for none");
}

static void check_header(struct reading *r, const struct part *feed, const char *name)
{
	if (!*name || strlen(name) > 64 || name[strspn(name, token)])
		reading_fail_key(r, feed, CONFIG_FEED_auth_header,
			"\"%.80s\" is no name of a header", name);
	else if (!reading_has(feed, CONFIG_FEED_auth_file) &&
		 reading_has(feed, CONFIG_FEED_auth_header))
		reading_fail_key(r, feed, CONFIG_FEED_auth_header,
			"carries the key of auth_file, and there is none");
}

void reading_fetch(struct reading *r, const struct part *feed, struct config_fetch *out)
{
	if (!reading_has(feed, CONFIG_FEED_url)) {
		refuse_without_url(r, feed);
		return;
	}
	out->url = reading_text(r, feed, CONFIG_FEED_url);
	out->auth_header = reading_text(r, feed, CONFIG_FEED_auth_header);
	out->auth_file = reading_path(r, feed, CONFIG_FEED_auth_file);
	out->max_bytes = reading_count(r, feed, CONFIG_FEED_max_mb) << 20;
	out->timeout_ns = reading_duration(r, feed, CONFIG_FEED_timeout);
	if (reading_has(feed, CONFIG_FEED_proxy))
		out->proxy = reading_text(r, feed, CONFIG_FEED_proxy);
	out->at = reading_mark(r, feed, CONFIG_FEED_url);
	if (out->url)
		check_url(r, feed, out->url);
	if (out->auth_header)
		check_header(r, feed, out->auth_header);
	if (out->proxy)
		check_proxy(r, feed, out->proxy);
}
