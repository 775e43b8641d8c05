/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/dns/svcb.h"

#include "sensor/dns/present_part.h"

#include "sensor/base/attribute.h"

enum svcb_key {
	KEY_MANDATORY = 0,
	KEY_ALPN = 1,
	KEY_NO_DEFAULT_ALPN = 2,
	KEY_PORT = 3,
	KEY_IPV4HINT = 4,
	KEY_ECH = 5,
	KEY_IPV6HINT = 6,
	KEY_DOHPATH = 7, /* RFC 9461 */
	KEY_OHTTP = 8,   /* RFC 9540 */
};

static const char *const key_name[] = {
	[KEY_MANDATORY] = "mandatory",
	[KEY_ALPN] = "alpn",
	[KEY_NO_DEFAULT_ALPN] = "no-default-alpn",
	[KEY_PORT] = "port",
	[KEY_IPV4HINT] = "ipv4hint",
	[KEY_ECH] = "ech",
	[KEY_IPV6HINT] = "ipv6hint",
	[KEY_DOHPATH] = "dohpath",
	[KEY_OHTTP] = "ohttp",
};

static void put_key(struct text *out, unsigned key)
{
	if (key < ARRAY_LEN(key_name)) {
		text_puts(out, key_name[key]);
		return;
	}
	text_puts(out, "key");
	text_put_u64(out, key);
}

static void put_mandatory(struct text *out, struct cursor *value)
{
	for (char separator = '='; cursor_left(value) > 0; separator = ',') {
		text_putc(out, separator);
		put_key(out, cursor_be16(value));
	}
}

/* Do length-prefixed protocol ids fill the value? */
static bool alpn_fills(struct cursor value)
{
	while (cursor_left(&value) > 0) {
		size_t len = cursor_u8(&value);
		if (len == 0 || !cursor_take(&value, len))
			return false;
	}
	return true;
}

/* A comma or backslash in an id is escaped for the list and once more for the string (A.1). */
static void put_alpn(struct text *out, struct cursor *value)
{
	const char *before = "=\"";

	while (cursor_left(value) > 0) {
		size_t len = cursor_u8(value);
		struct cursor id = cursor_sub(value, len);
		text_puts(out, before);
		while (cursor_left(&id) > 0) {
			uint8_t octet = cursor_u8(&id);
			if (octet == ',')
				text_puts(out, "\\\\,");
			else if (octet == '\\')
				text_puts(out, "\\\\\\\\");
			else
				present_octet(out, octet);
		}
		before = ",";
	}
	text_putc(out, '"');
}

static void put_addresses(struct text *out, struct cursor *value, size_t each_len)
{
	for (char separator = '='; cursor_left(value) > 0; separator = ',') {
		const uint8_t *address = cursor_take(value, each_len);
		text_putc(out, separator);
		if (each_len == 4)
			present_ipv4(out, address);
		else
			present_ipv6(out, address);
	}
}

/* RFC 4648 4; the octets that a group of three lacks are read as zero. */
static void put_base64(struct text *out, struct cursor *value)
{
	static const char digit[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	text_putc(out, '=');
	while (cursor_left(value) > 0) {
		size_t left = cursor_left(value);
		unsigned group = cursor_u8(value);
		group = group << 8 | cursor_u8(value);
		group = group << 8 | cursor_u8(value);
		char four[4] = { digit[group >> 18], digit[group >> 12 & 63],
			left > 1 ? digit[group >> 6 & 63] : '=',
			left > 2 ? digit[group & 63] : '=' };
		text_add(out, four, sizeof(four));
	}
}

/* The value in its key's own form; false when it does not have that form. */
static bool put_known(struct text *out, unsigned key, struct cursor *value)
{
	size_t len = cursor_left(value);

	switch (key) {
	case KEY_MANDATORY:
		if (len % 2)
			return false;
		put_mandatory(out, value);
		return true;
	case KEY_ALPN:
		if (!alpn_fills(*value))
			return false;
		put_alpn(out, value);
		return true;
	case KEY_PORT:
		if (len != 2)
			return false;
		text_putc(out, '=');
		text_put_u64(out, cursor_be16(value));
		return true;
	case KEY_IPV4HINT:
	case KEY_IPV6HINT: {
		size_t each_len = key == KEY_IPV4HINT ? 4 : 16;
		if (len % each_len)
			return false;
		put_addresses(out, value, each_len);
		return true;
	}
	case KEY_ECH:
		put_base64(out, value);
		return true;
	default:
		return false;
	}
}

/* Keys from dohpath on have strings as values, like unknown ones; a broken value loses its
 * key's name. */
static void put_param(struct text *out, unsigned key, struct cursor *value)
{
	size_t before = out->len;

	put_key(out, key);
	if (cursor_left(value) == 0)
		return;
	if (put_known(out, key, value))
		return;
	if (key < KEY_DOHPATH) {
		out->len = before;
		text_puts(out, "key");
		text_put_u64(out, key);
	}
	text_putc(out, '=');
	present_string(out, value);
}

void svcb_present_params(struct text *out, struct cursor *params)
{
	while (cursor_left(params) > 0) {
		unsigned key = cursor_be16(params);
		size_t len = cursor_be16(params);
		struct cursor value = cursor_sub(params, len);
		text_putc(out, ' ');
		put_param(out, key, &value);
	}
}
