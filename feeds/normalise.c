/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/intake.h"
#include "feeds/plain.h"

#include <ctype.h>
#include <idn2.h>
#include <stdlib.h>

/*
 * From what people write in lists to a name, in this order: wrapping (quotes, <>), defanging,
 * what other formats and regular expressions look like, URL parts, wildcard, IDN, address,
 * name. A piece that is not understood rejects the whole text; nothing is ever guessed from
 * what is left of it.
 */
#define ACCEPTED FEED_REJECT_COUNT

/* Spellings that keep a mail client from making a link of it. */
static const struct {
	const char *from;
	const char *to;
} defanged[] = {
	{ "[.]", "." },
	{ "(.)", "." },
	{ "{.}", "." },
	{ "\\.", "." },
	{ "[dot]", "." },
	{ "(dot)", "." },
	{ "[:]", ":" },
	{ "[://]", "://" },
	{ "[/]", "/" },
};

/* Letters, digits, hyphen, underscore and dot, in any place: the wire allows more than RFC 952. */
static bool is_name_octet(char c)
{
	static const bool allowed[256] = { ['-'] = true,
		['.'] = true,
		['_'] = true,
		['0' ... '9'] = true,
		['A' ... 'Z'] = true,
		['a' ... 'z'] = true };
	return allowed[(unsigned char)c];
}

static struct span unwrap(struct span s)
{
	s = span_trim(s);
	while (s.len > 0 && strchr("\"'`<", s.at[0]) && s.at[0] != '\0')
		s = span_skip(s, 1);
	while (s.len > 0 && strchr("\"'`>", s.at[s.len - 1]) && s.at[s.len - 1] != '\0')
		s.len--;
	return span_trim(s);
}

/* Copy without the defanging; out holds at least in.len. */
static struct span refang(struct span in, char *out)
{
	size_t len = 0;

	if (!memchr(in.at, '[', in.len) && !memchr(in.at, '(', in.len) &&
		!memchr(in.at, '{', in.len) && !memchr(in.at, '\\', in.len))
		return in;
	while (in.len > 0) {
		size_t i = 0;
		while (i < ARRAY_LEN(defanged) && !span_starts(in, defanged[i].from))
			i++;
		if (i == ARRAY_LEN(defanged)) {
			out[len++] = in.at[0];
			in = span_skip(in, 1);
			continue;
		}
		memcpy(out + len, defanged[i].to, strlen(defanged[i].to));
		len += strlen(defanged[i].to);
		in = span_skip(in, strlen(defanged[i].from));
	}
	return (struct span){ .at = out, .len = len };
}

struct span normalise_unwrap(struct span s, char buffer[FEED_LINE_MAX])
{
	return refang(unwrap(s), buffer);
}

/* What is plainly no name but something of another format. `s` is not empty. */
static enum feed_reject foreign(struct span s)
{
	if (s.at[0] == '|' || span_starts(s, "@@") || s.at[0] == '$')
		return FEED_REJECT_SYNTAX;
	if (s.at[0] == '/' && s.at[s.len - 1] == '/' && s.len > 1)
		return FEED_REJECT_REGEX;
	if (s.at[0] == '^' || memchr(s.at, '\\', s.len) || span_has(s, "(?") ||
		span_has(s, ".+"))
		return FEED_REJECT_REGEX;
	if (span_has(s, "##") || span_has(s, "#@#") || span_has(s, "#?#") || span_has(s, "#$#"))
		return FEED_REJECT_SYNTAX;
	return ACCEPTED;
}

/* Step over "scheme://" (hxxp and the like too); false when there is none. */
bool normalise_strip_scheme(struct span *s)
{
	for (size_t i = 0; i < s->len; i++) {
		if (i > 0 && span_starts(span_skip(*s, i), "://")) {
			*s = span_skip(*s, i + 3);
			return true;
		}
		unsigned char c = (unsigned char)s->at[i];
		if (!isalnum(c) && c != '+' && c != '-')
			return false;
	}
	return false;
}

static bool is_ipv6_like(struct span s)
{
	unsigned colons = 0;

	s = span_until(s, "%");
	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] == ':')
			colons++;
		else if (!isxdigit((unsigned char)s.at[i]) && s.at[i] != '.')
			return false;
	}
	return colons >= 2;
}

/* Take off ":port"; SYNTAX when what follows the colon is none. */
static enum feed_reject strip_port(struct span *s)
{
	const char *colon = memchr(s->at, ':', s->len);
	if (!colon)
		return ACCEPTED;
	struct span port = span_skip(*s, (size_t)(colon - s->at) + 1);
	for (size_t i = 0; i < port.len; i++) {
		if (!isdigit((unsigned char)port.at[i]))
			return FEED_REJECT_SYNTAX;
	}
	if (port.len == 0 || port.len > 5)
		return FEED_REJECT_SYNTAX;
	s->len = (size_t)(colon - s->at);
	return ACCEPTED;
}

/* Reduce a URL, "host:port" or "host/path" to the host. */
static enum feed_reject strip_url(struct span *s)
{
	bool has_scheme = normalise_strip_scheme(s);
	*s = span_until(*s, "/?#");
	const char *at = memrchr(s->at, '@', s->len);
	if (at && !has_scheme) /* a mail address speaks of a mailbox, not of its whole domain */
		return FEED_REJECT_SYNTAX;
	if (at)
		*s = span_skip(*s, (size_t)(at - s->at) + 1);
	if (s->len > 0 && s->at[0] == '[') {
		struct span inside = span_until(span_skip(*s, 1), "]");
		return is_ipv6_like(inside) ? FEED_REJECT_ADDRESS : FEED_REJECT_SYNTAX;
	}
	if (is_ipv6_like(*s))
		return FEED_REJECT_ADDRESS;
	return strip_port(s);
}

/* "*.x" is all below x; ".x" and "x." are x. Any other star is a glob. */
static enum feed_reject strip_wildcard(struct span *s, bool *below)
{
	*below = s->len > 2 && span_starts(*s, "*.");
	if (*below)
		*s = span_skip(*s, 2);
	else if (s->len > 1 && s->at[0] == '.')
		*s = span_skip(*s, 1);
	if (memchr(s->at, '*', s->len))
		return FEED_REJECT_WILDCARD;
	if (s->len > 0 && s->at[s->len - 1] == '.')
		s->len--;
	return s->len > 0 ? ACCEPTED : FEED_REJECT_NAME;
}

/* U-labels to A-labels (UTS 46, non-transitional). `host` is replaced; its length in *len. */
static enum feed_reject to_ascii(char host[FEED_LINE_MAX + 1], size_t *len)
{
	char *ascii = NULL;
	int status = idn2_to_ascii_8z(host, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	enum feed_reject reject = FEED_REJECT_IDN;

	if (status == IDN2_OK && strlen(ascii) <= FEED_LINE_MAX) {
		*len = strlen(ascii);
		memcpy(host, ascii, *len + 1);
		reject = ACCEPTED;
	} else if (status == IDN2_ENCODING_ERROR) {
		reject = FEED_REJECT_ENCODING;
	} else if (status == IDN2_TOO_BIG_LABEL || status == IDN2_TOO_BIG_DOMAIN) {
		reject = FEED_REJECT_NAME;
	}
	idn2_free(ascii);
	return reject;
}

static enum feed_reject check_characters(struct span host)
{
	static const char foreign_octets[] = "|^$=,;{}()<>\"'!~[]@:";

	for (size_t i = 0; i < host.len; i++) {
		if (!is_name_octet(host.at[i]))
			return memchr(foreign_octets, host.at[i], strlen(foreign_octets))
				       ? FEED_REJECT_SYNTAX
				       : FEED_REJECT_CHARACTER;
	}
	return ACCEPTED;
}

static enum feed_reject check_numeric(const char *host)
{
	const char *top = strrchr(host, '.');
	top = top ? top + 1 : host;
	if (*top == '\0' || top[strspn(top, "0123456789")] != '\0')
		return ACCEPTED;
	return top != host && host[strspn(host, "0123456789.")] == '\0' ? FEED_REJECT_ADDRESS
									: FEED_REJECT_NUMERIC;
}

static enum feed_reject parse_host(struct dns_name *out, struct span s)
{
	char host[FEED_LINE_MAX + 1];
	bool is_ascii = true;

	for (size_t i = 0; i < s.len; i++)
		is_ascii = is_ascii && (unsigned char)s.at[i] < 0x80;
	memcpy(host, s.at, s.len);
	host[s.len] = '\0';
	enum feed_reject reject = is_ascii ? ACCEPTED : to_ascii(host, &s.len);
	/* After the conversion: full-width digits are an address, too. */
	if (reject == ACCEPTED)
		reject = check_characters((struct span){ .at = host, .len = s.len });
	if (reject == ACCEPTED)
		reject = check_numeric(host);
	if (reject != ACCEPTED)
		return reject;
	/* The root's dot is gone: one more would be an empty label that the parser forgives. */
	if (s.len == 0 || host[s.len - 1] == '.' || !dns_name_parse(out, host))
		return FEED_REJECT_NAME;
	return ACCEPTED;
}

/* All that needs more than a look at each octet: see the order at the top. */
static enum feed_reject reduce_to_host(struct span *s, char buffer[FEED_LINE_MAX])
{
	*s = normalise_unwrap(*s, buffer);
	if (s->len == 0)
		return FEED_REJECT_NAME;
	enum feed_reject reject = foreign(*s);
	return reject == ACCEPTED ? strip_url(s) : reject;
}

enum feed_reject feed_normalise(
	struct dns_name *out, enum mark_scope *scope, const char *text, size_t text_len)
{
	char buffer[FEED_LINE_MAX];
	struct span s = { .at = text, .len = text_len };
	enum feed_reject reject = ACCEPTED;
	bool below = false;
	size_t plain = 0;

	/* Nearly every line of nearly every feed is a bare name. */
	if (plain_name(out, s))
		return ACCEPTED;
	if (text_len > FEED_LINE_MAX)
		return FEED_REJECT_LINE_TOO_LONG;
	if (memchr(text, '\0', text_len))
		return FEED_REJECT_NUL_BYTE;
	while (plain < s.len && is_name_octet(s.at[plain]))
		plain++;
	if (plain < s.len)
		reject = reduce_to_host(&s, buffer);
	if (reject == ACCEPTED)
		reject = strip_wildcard(&s, &below);
	if (reject == ACCEPTED)
		reject = parse_host(out, s);
	if (reject == ACCEPTED && below)
		*scope = SCOPE_BELOW;
	return reject;
}
