/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/redis_url.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is left to parse. Texts are never quoted in messages: any part may be a password. */
struct rest {
	const char *at, *end;
	struct err_ctx *why;
};

static enum err bad(const struct rest *rest, const char *what)
{
	return err_set(rest->why, ERR_USAGE, "redis URL: %s", what);
}

static bool take_prefix(struct rest *rest, const char *prefix)
{
	size_t len = strlen(prefix);

	if ((size_t)(rest->end - rest->at) < len || strncasecmp(rest->at, prefix, len) != 0)
		return false;
	rest->at += len;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decode at..end into out; an encoded NUL would silently end the text, so it is
 * refused. */
static bool decode(char *out, size_t out_size, const char *at, const char *end)
{
	size_t len = 0;

	while (at < end) {
		int c = (unsigned char)*at++;
		if (c == '%') {
			int high = at < end ? hex_digit(*at++) : -1;
			int low = at < end ? hex_digit(*at++) : -1;
			if (high < 0 || low < 0)
				return false;
			c = high << 4 | low;
		}
		if (c == 0 || len + 1 >= out_size)
			return false;
		out[len++] = (char)c;
	}
	out[len] = '\0';
	return true;
}

/* Decimal digits only; false beyond max. */
static bool parse_digits(uint32_t *out, const char *at, const char *end, uint32_t max)
{
	uint64_t number = 0;

	if (at == end)
		return false;
	for (; at < end; at++) {
		if (*at < '0' || *at > '9')
			return false;
		number = number * 10 + (uint64_t)(*at - '0');
		if (number > max)
			return false;
	}
	*out = (uint32_t)number;
	return true;
}

/* user:password@ or password@; the last @ before the path ends it. */
static enum err take_login(struct redis_url *out, struct rest *rest, const char *authority_end)
{
	const char *at_sign = memrchr(rest->at, '@', (size_t)(authority_end - rest->at));

	if (!at_sign)
		return ERR_OK;
	const char *colon = memchr(rest->at, ':', (size_t)(at_sign - rest->at));
	const char *password = colon ? colon + 1 : rest->at;
	if (colon && !decode(out->user, sizeof(out->user), rest->at, colon))
		return bad(rest, "user too long or with a broken %-escape");
	if (!decode(out->password, sizeof(out->password), password, at_sign))
		return bad(rest, "password too long or with a broken %-escape");
	out->has_password = out->password[0] != '\0';
	if (out->user[0] && !out->has_password)
		return bad(rest, "a user without a password");
	rest->at = at_sign + 1;
	return ERR_OK;
}

/* host, host:port, [v6]:port; nothing is localhost. */
static enum err take_host(struct redis_url *out, struct rest *rest, const char *authority_end)
{
	const char *host = rest->at, *host_end, *port = NULL;
	uint32_t number;

	if (host < authority_end && *host == '[') {
		host_end = memchr(host, ']', (size_t)(authority_end - host));
		if (!host_end)
			return bad(rest, "an IPv6 address without its closing bracket");
		host++;
		if (host_end + 1 < authority_end && host_end[1] == ':')
			port = host_end + 2;
		else if (host_end + 1 < authority_end)
			return bad(rest, "something other than a port after the address");
	} else {
		const char *colon = memchr(host, ':', (size_t)(authority_end - host));
		host_end = colon ? colon : authority_end;
		port = colon ? colon + 1 : NULL;
	}
	if (!decode(out->host, sizeof(out->host), host, host_end))
		return bad(rest, "host too long or with a broken %-escape");
	if (out->host[0] == '\0')
		strcpy(out->host, "localhost");
	out->port = REDIS_PORT;
	if (port) {
		if (!parse_digits(&number, port, authority_end, UINT16_MAX) || number == 0)
			return bad(rest,
				"the port is not a number from 1 to 65535 (a password with "
				"/, ?, # or @ must be %-encoded)");
		out->port = (uint16_t)number;
	}
	rest->at = authority_end;
	return ERR_OK;
}

static enum err set_database(
	struct redis_url *out, const struct rest *rest, const char *at, const char *end)
{
	if (!parse_digits(&out->database, at, end, REDIS_DATABASE_MAX))
		return bad(rest, "the database is not a number");
	return ERR_OK;
}

static enum err take_query(struct redis_url *out, struct rest *rest)
{
	if (rest->at == rest->end)
		return ERR_OK;
	if (!take_prefix(rest, "?db="))
		return bad(rest, "after the address only /DB or ?db=DB may follow");
	return set_database(out, rest, rest->at, rest->end);
}

static enum err parse_tcp(struct redis_url *out, struct rest *rest)
{
	const char *authority_end = rest->at + strcspn(rest->at, "/?#");
	enum err err = take_login(out, rest, authority_end);

	if (err == ERR_OK)
		err = take_host(out, rest, authority_end);
	if (err != ERR_OK)
		return err;
	if (rest->at < rest->end && *rest->at == '/') {
		const char *database = rest->at + 1;
		rest->at = database + strcspn(database, "?#");
		if (rest->at > database)
			err = set_database(out, rest, database, rest->at);
	}
	return err == ERR_OK ? take_query(out, rest) : err;
}

static enum err parse_unix(struct redis_url *out, struct rest *rest)
{
	enum err err = take_login(out, rest, rest->at + strcspn(rest->at, "/?#"));

	if (err != ERR_OK)
		return err;
	const char *path = rest->at;
	rest->at += strcspn(path, "?#");
	if (path == rest->at || *path != '/')
		return bad(rest,
			"a unix socket needs an absolute path: unix:///run/redis/redis.sock");
	if (!decode(out->path, sizeof(out->path), path, rest->at))
		return bad(rest, "socket path longer than 107 bytes or with a broken %-escape");
	return take_query(out, rest);
}

static void describe(struct redis_url *out)
{
	char login[REDIS_USER_MAX + 8] = "";

	if (out->has_password)
		snprintf(login, sizeof(login), "%s:***@", out->user);
	if (out->path[0])
		snprintf(out->shown, sizeof(out->shown), "unix://%s%s?db=%u", login, out->path,
			out->database);
	else
		snprintf(out->shown, sizeof(out->shown), "redis%s://%s%s%s%s:%u/%u",
			out->tls ? "s" : "", login, strchr(out->host, ':') ? "[" : "",
			out->host, strchr(out->host, ':') ? "]" : "", out->port, out->database);
}

enum err redis_url_parse(struct redis_url *out, const char *url, struct err_ctx *why)
{
	struct rest rest = { url, url + strlen(url), why };
	enum err err;

	*out = (struct redis_url){ .database = 0 };
	if (strlen(url) > REDIS_URL_MAX)
		return bad(&rest, "too long");
	if (take_prefix(&rest, "redis://")) {
		err = parse_tcp(out, &rest);
	} else if (take_prefix(&rest, "rediss://")) {
		out->tls = true;
		err = parse_tcp(out, &rest);
	} else if (take_prefix(&rest, "unix://") || take_prefix(&rest, "redis+unix://")) {
		err = parse_unix(out, &rest);
	} else {
		err = bad(&rest, "must begin with redis://, rediss:// or unix://");
	}
	if (err == ERR_OK)
		describe(out);
	return err;
}
