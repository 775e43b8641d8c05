/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/dns/message.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const error_name[] = {
	[DNS_OK] = "ok",
#define MALFORMED(id, name, meaning) [DNS_##id] = name,
#include "sensor/dns/malformed.def"
#undef MALFORMED
};

static const char *const error_meaning[] = {
	[DNS_OK] = "well-formed",
#define MALFORMED(id, name, meaning) [DNS_##id] = meaning,
#include "sensor/dns/malformed.def"
#undef MALFORMED
};

static const char *const type_name[] = {
#define RRTYPE(mnemonic, number, rdata) [number] = #mnemonic,
#include "sensor/dns/types.def"
#undef RRTYPE
};

static const char *const rcode_name[] = {
#define RCODE(mnemonic, number) [number] = #mnemonic,
#include "sensor/dns/rcodes.def"
#undef RCODE
};

static const char *const class_name[] = {
	[DNS_CLASS_IN] = "IN",
	[DNS_CLASS_CH] = "CH",
	[DNS_CLASS_HS] = "HS",
	[DNS_CLASS_NONE] = "NONE",
	[DNS_CLASS_ANY] = "ANY",
};

static const char *const opcode_name[] = {
	[DNS_OPCODE_QUERY] = "QUERY",
	[DNS_OPCODE_IQUERY] = "IQUERY",
	[DNS_OPCODE_STATUS] = "STATUS",
	[DNS_OPCODE_NOTIFY] = "NOTIFY",
	[DNS_OPCODE_UPDATE] = "UPDATE",
	[DNS_OPCODE_DSO] = "DSO",
};

const char *dns_error_name(enum dns_error error)
{
	return error < DNS_ERROR_COUNT ? error_name[error] : "unknown";
}

const char *dns_error_meaning(enum dns_error error)
{
	return error < DNS_ERROR_COUNT ? error_meaning[error] : "unknown";
}

/* The name at `number`, or `prefix` and the number (RFC 3597 5) written into text. */
static const char *name_of(const char *const *names, size_t names_len, unsigned number,
	const char *prefix, char text[16])
{
	if (number < names_len && names[number])
		return names[number];
	/* By hand: an OPT has a class without a name, and stands in every other logged message. */
	size_t prefix_len = strlen(prefix);
	char *at = text + prefix_len;
	unsigned unit = 1;
	while (unit <= number / 10)
		unit *= 10;
	memcpy(text, prefix, prefix_len);
	for (; unit > 0; unit /= 10)
		*at++ = (char)('0' + number / unit % 10);
	*at = '\0';
	return text;
}

const char *dns_type_name(uint16_t type, char text[16])
{
	return name_of(type_name, ARRAY_LEN(type_name), type, "TYPE", text);
}

const char *dns_rcode_name(uint16_t rcode, char text[16])
{
	return name_of(rcode_name, ARRAY_LEN(rcode_name), rcode, "RCODE", text);
}

const char *dns_tsig_error_name(uint16_t error, char text[16])
{
	return error == DNS_TSIG_BADSIG ? "BADSIG" : dns_rcode_name(error, text);
}

const char *dns_class_name(uint16_t class_, char text[16])
{
	return name_of(class_name, ARRAY_LEN(class_name), class_, "CLASS", text);
}

const char *dns_opcode_name(uint8_t opcode, char text[16])
{
	return name_of(opcode_name, ARRAY_LEN(opcode_name), opcode, "OPCODE", text);
}

bool dns_type_parse(uint16_t *out, const char *text)
{
	for (size_t type = 0; type < ARRAY_LEN(type_name); type++) {
		if (type_name[type] && strcasecmp(type_name[type], text) == 0) {
			*out = (uint16_t)type;
			return true;
		}
	}
	if (strncasecmp(text, "TYPE", 4) != 0 || strlen(text) > 9)
		return false;
	const char *digits = text + 4;
	size_t count = strspn(digits, "0123456789");
	if (count == 0 || digits[count] != '\0')
		return false;
	unsigned long number = strtoul(digits, NULL, 10);
	if (number > UINT16_MAX)
		return false;
	*out = (uint16_t)number;
	return true;
}
