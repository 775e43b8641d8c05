/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/plain.h"

#include <endian.h>

/* Eight octets at a time: each test gives its answer in the highest bit of each octet. */
#define EACH(octet) (UINT64_C(0x0101010101010101) * (octet))
#define HIGH        EACH(0x80)

/* Which octets are `from` or more? All of them are below 0x80. */
static inline uint64_t at_least(uint64_t word, uint64_t from)
{
	return (word | HIGH) - EACH(from);
}

/* Which are `from` to `to`? */
static inline uint64_t within(uint64_t word, uint64_t from, uint64_t to)
{
	return at_least(word, from) & ~at_least(word, to + 1) & HIGH;
}

/* Fold letters; false when there is something else than letters, digits, '-', '_' and '.'. */
static inline bool fold(uint64_t *word)
{
	/* With this bit a letter is a small one, and nothing else becomes one. */
	uint64_t letters = within(*word | EACH(0x20), 'a', 'z');
	uint64_t others =
		(within(*word, '-', '9') & ~within(*word, '/', '/')) | within(*word, '_', '_');

	if ((*word & HIGH) || (letters | others) != HIGH)
		return false;
	*word |= letters >> 2;
	return true;
}

static bool is_number(const uint8_t *label)
{
	for (unsigned i = 1; i <= label[0]; i++) {
		if (label[i] < '0' || label[i] > '9')
			return false;
	}
	return true;
}

/* The label that ends before wire[end] gets its length; false when it is empty or too long. */
static bool end_label(struct dns_name *out, unsigned *label, unsigned end)
{
	unsigned len = end - *label - 1;

	if (len == 0 || len > DNS_LABEL_MAX)
		return false;
	out->wire[*label] = (uint8_t)len;
	out->label_at[out->label_count++] = (uint8_t)*label;
	*label = end;
	return true;
}

bool plain_name(struct dns_name *out, struct span text)
{
	uint8_t *wire = out->wire;
	unsigned label = 0; /* where the length of the present label goes */
	uint64_t word;

	if (text.len == 0 || text.len > DNS_NAME_MAX - 2)
		return false;
	out->label_count = 0;
	/* Dots behind the text: the first ends the last label, the others fill its word up. */
	unsigned end = (unsigned)text.len + 1;
	memcpy(wire + 1, text.at, text.len);
	memset(wire + end, '.', sizeof(word));
	for (unsigned at = 1; at <= end; at += sizeof(word)) {
		memcpy(&word, wire + at, sizeof(word));
		word = le64toh(word);
		if (!fold(&word))
			return false;
		uint64_t dots = within(word, '.', '.');
		word = htole64(word);
		memcpy(wire + at, &word, sizeof(word));
		for (; dots && label < end; dots &= dots - 1) {
			unsigned dot = at + (unsigned)__builtin_ctzll(dots) / 8;
			if (!end_label(out, &label, dot))
				return false;
		}
	}
	wire[end] = 0;
	out->wire_len = (uint8_t)(end + 1);
	return !is_number(wire + out->label_at[out->label_count - 1]);
}
