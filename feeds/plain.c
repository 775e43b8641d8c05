/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/plain.h"

/* What an octet of a bare name becomes; 0: it takes more than a look at it. */
static const uint8_t folded[256] = {
	['-'] = '-',
	['.'] = '.',
	['_'] = '_',
#define DIGIT(d) [d] = d
	DIGIT('0'),
	DIGIT('1'),
	DIGIT('2'),
	DIGIT('3'),
	DIGIT('4'),
	DIGIT('5'),
	DIGIT('6'),
	DIGIT('7'),
	DIGIT('8'),
	DIGIT('9'),
#undef DIGIT
#define LETTER(upper, lower) [upper] = lower, [lower] = lower
	LETTER('A', 'a'),
	LETTER('B', 'b'),
	LETTER('C', 'c'),
	LETTER('D', 'd'),
	LETTER('E', 'e'),
	LETTER('F', 'f'),
	LETTER('G', 'g'),
	LETTER('H', 'h'),
	LETTER('I', 'i'),
	LETTER('J', 'j'),
	LETTER('K', 'k'),
	LETTER('L', 'l'),
	LETTER('M', 'm'),
	LETTER('N', 'n'),
	LETTER('O', 'o'),
	LETTER('P', 'p'),
	LETTER('Q', 'q'),
	LETTER('R', 'r'),
	LETTER('S', 's'),
	LETTER('T', 't'),
	LETTER('U', 'u'),
	LETTER('V', 'v'),
	LETTER('W', 'w'),
	LETTER('X', 'x'),
	LETTER('Y', 'y'),
	LETTER('Z', 'z'),
#undef LETTER
};

static bool is_number(const uint8_t *label)
{
	for (unsigned i = 1; i <= label[0]; i++) {
		if (label[i] < '0' || label[i] > '9')
			return false;
	}
	return true;
}

bool plain_name(struct dns_name *out, struct span text)
{
	uint8_t *wire = out->wire;
	unsigned label = 0; /* where the length of the present label goes */
	unsigned labels = 0;

	if (text.len == 0 || text.len > DNS_NAME_MAX - 2)
		return false;
	for (unsigned i = 0; i <= text.len; i++) {
		uint8_t octet = i < text.len ? folded[(unsigned char)text.at[i]] : '.';
		wire[i + 1] = octet;
		if (octet == 0)
			return false;
		if (octet != '.')
			continue;
		unsigned len = i - label;
		if (len == 0 || len > DNS_LABEL_MAX)
			return false;
		wire[label] = (uint8_t)len;
		out->label_at[labels++] = (uint8_t)label;
		label = i + 1;
	}
	wire[label] = 0;
	out->wire_len = (uint8_t)(label + 1);
	out->label_count = (uint8_t)labels;
	return !is_number(wire + out->label_at[labels - 1]);
}
