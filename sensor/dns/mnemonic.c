/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/base/digits.h"
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

/* A mnemonic in as many octets as are copied at once; len is 0: the number has none. */
struct word {
	char text[DNS_MNEMONIC_MAX - 1]; /* with a NUL */
	uint8_t len;
};

#define WORD(text)                                                                             \
	{                                                                                      \
		text, sizeof(text) - 1                                                         \
	}

static const struct word type_word[] = {
#define RRTYPE(mnemonic, number, rdata) [number] = WORD(#mnemonic),
#include "sensor/dns/types.def"
#undef RRTYPE
};

static const struct word rcode_word[] = {
#define RCODE(mnemonic, number) [number] = WORD(#mnemonic),
#include "sensor/dns/rcodes.def"
#undef RCODE
};

static const struct word class_word[] = {
	[DNS_CLASS_IN] = WORD("IN"),
	[DNS_CLASS_CH] = WORD("CH"),
	[DNS_CLASS_HS] = WORD("HS"),
	[DNS_CLASS_NONE] = WORD("NONE"),
	[DNS_CLASS_ANY] = WORD("ANY"),
};

static const struct word opcode_word[] = {
	[DNS_OPCODE_QUERY] = WORD("QUERY"),
	[DNS_OPCODE_IQUERY] = WORD("IQUERY"),
	[DNS_OPCODE_STATUS] = WORD("STATUS"),
	[DNS_OPCODE_NOTIFY] = WORD("NOTIFY"),
	[DNS_OPCODE_UPDATE] = WORD("UPDATE"),
	[DNS_OPCODE_DSO] = WORD("DSO"),
};

const char *dns_error_name(enum dns_error error)
{
	return error < DNS_ERROR_COUNT ? error_name[error] : "unknown";
}

const char *dns_error_meaning(enum dns_error error)
{
	return error < DNS_ERROR_COUNT ? error_meaning[error] : "unknown";
}

/* The words of one vocabulary, and what stands before a number that has none (RFC 3597 5). */
struct vocabulary {
	const struct word *words;
	size_t words_len;
	const char *prefix;
};

#define VOCABULARY(words, prefix)                                                              \
	(struct vocabulary)                                                                    \
	{                                                                                      \
		words, ARRAY_LEN(words), prefix                                                \
	}

static inline const struct word *find_word(struct vocabulary v, unsigned number)
{
	return number < v.words_len && v.words[number].len > 0 ? &v.words[number] : NULL;
}

static inline char *put_word(char *at, struct vocabulary v, unsigned number)
{
	const struct word *word = find_word(v, number);

	if (LIKELY(word)) {
		memcpy(at, word, DNS_MNEMONIC_MAX);
		return at + word->len;
	}
	/* An OPT has a class without a name, and stands in every other logged message. */
	size_t prefix_len = strlen(v.prefix);
	memcpy(at, v.prefix, prefix_len);
	return digits_put_u32(at + prefix_len, number);
}

static const char *name_of(char text[DNS_MNEMONIC_MAX], struct vocabulary v, unsigned number)
{
	const struct word *word = find_word(v, number);

	if (word)
		return word->text;
	*put_word(text, v, number) = '\0';
	return text;
}

char *dns_type_put(char *at, uint16_t type)
{
	return put_word(at, VOCABULARY(type_word, "TYPE"), type);
}

const char *dns_type_name(uint16_t type, char text[DNS_MNEMONIC_MAX])
{
	return name_of(text, VOCABULARY(type_word, "TYPE"), type);
}

char *dns_rcode_put(char *at, uint16_t rcode)
{
	return put_word(at, VOCABULARY(rcode_word, "RCODE"), rcode);
}

const char *dns_rcode_name(uint16_t rcode, char text[DNS_MNEMONIC_MAX])
{
	return name_of(text, VOCABULARY(rcode_word, "RCODE"), rcode);
}

const char *dns_tsig_error_name(uint16_t error, char text[DNS_MNEMONIC_MAX])
{
	return error == DNS_TSIG_BADSIG ? "BADSIG" : dns_rcode_name(error, text);
}

char *dns_class_put(char *at, uint16_t class_)
{
	return put_word(at, VOCABULARY(class_word, "CLASS"), class_);
}

const char *dns_class_name(uint16_t class_, char text[DNS_MNEMONIC_MAX])
{
	return name_of(text, VOCABULARY(class_word, "CLASS"), class_);
}

char *dns_opcode_put(char *at, uint8_t opcode)
{
	return put_word(at, VOCABULARY(opcode_word, "OPCODE"), opcode);
}

const char *dns_opcode_name(uint8_t opcode, char text[DNS_MNEMONIC_MAX])
{
	return name_of(text, VOCABULARY(opcode_word, "OPCODE"), opcode);
}

bool dns_type_parse(uint16_t *out, const char *text)
{
	for (size_t type = 0; type < ARRAY_LEN(type_word); type++) {
		if (type_word[type].len > 0 && strcasecmp(type_word[type].text, text) == 0) {
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
