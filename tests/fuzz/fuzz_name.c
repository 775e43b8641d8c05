/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_name.c -- a name at an offset of a message (first two octets), and the octets as text.
 * What is decoded must format and parse back; decode and skip must agree.
 */
#include "sensor/dns/name.h"

#include <stdlib.h>
#include <string.h>

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_name(const struct dns_name *name)
{
	char text[DNS_NAME_TEXT_MAX];
	uint64_t hash[DNS_LABELS_MAX + 1];
	struct dns_name again;

	require(name->wire_len >= 1 && name->label_count <= DNS_LABELS_MAX);
	require(name->wire[name->wire_len - 1] == 0);
	require(dns_name_format(name, text) == strlen(text));
	require(dns_name_parse(&again, text));
	require(dns_name_equal(name, &again) && name->label_count == again.label_count);
	require(dns_name_from_wire(&again, name->wire, name->wire_len));
	require(dns_name_equal(name, &again) && dns_name_is_under(name, &again));
	require(dns_name_hash_suffixes(name, 1, hash, DNS_LABELS_MAX) == name->label_count);
	require(dns_name_hash(&again, 1) == hash[name->label_count]);
}

static void check_wire(const uint8_t *wire, size_t wire_len, size_t at)
{
	struct cursor c = cursor_init(wire + at, wire_len - at);
	struct cursor skipped = c;
	struct dns_name name;
	enum dns_error error = dns_name_decode(&name, &c, wire);

	require(dns_name_skip(&skipped, wire) == error);
	require(c.failed == (error != DNS_OK) && skipped.failed == c.failed);
	require(error || c.pos == skipped.pos);
	check_name(&name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dns_name name;

	if (size < 2)
		return 0;
	size_t at = (size_t)data[0] << 8 | data[1];
	if (at <= size - 2)
		check_wire(data + 2, size - 2, at);

	char *text = strndup((const char *)data, size);
	require(text != NULL);
	if (dns_name_parse(&name, text))
		check_name(&name);
	free(text);
	return 0;
}
