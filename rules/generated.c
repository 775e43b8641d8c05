/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/generated.h"

#include <string.h>

#define UNUSUAL_SHARE 0.38

/* For each letter the letters that commonly follow it. */
static const char *const follows[26] = {
	"bcdfgiklmnprstuvwy",   /* a */
	"abeilorsuy",           /* b */
	"acehiklorstuy",        /* c */
	"adeiorsuy",            /* d */
	"abcdefgilmnprstuvwxy", /* e */
	"aefilortu",            /* f */
	"aeghilnorsuy",         /* g */
	"aeiortuy",             /* h */
	"abcdefgklmnoprstvz",   /* i */
	"aeou",                 /* j */
	"aeilnosy",             /* k */
	"adefiklmopstuvy",      /* l */
	"abeimopsuy",           /* m */
	"acdefgiknostuvy",      /* n */
	"abcdfgiklmnoprstuvwy", /* o */
	"aehiloprstuy",         /* p */
	"u",                    /* q */
	"abcdegiklmnoprstuvy",  /* r */
	"acehiklmnopqstuwy",    /* s */
	"acehilmorstuwy",       /* t */
	"abcdegilmnprst",       /* u */
	"aeio",                 /* v */
	"aehinors",             /* w */
	"aceipty",              /* x */
	"aeilmnopst",           /* y */
	"aeioyz",               /* z */
};

enum sort {
	LETTER,
	DIGIT,
	OTHER,
};

static enum sort sort_of(uint8_t c)
{
	if (c >= 'a' && c <= 'z')
		return LETTER;
	return c >= '0' && c <= '9' ? DIGIT : OTHER;
}

static bool is_unusual(uint8_t first, uint8_t second)
{
	enum sort a = sort_of(first), b = sort_of(second);
	if (a == OTHER || b == OTHER) /* a hyphen parts words */
		return false;
	if (a != b)
		return true;
	return a == LETTER && !strchr(follows[first - 'a'], second);
}

double generated_share(const uint8_t *label, size_t label_len)
{
	size_t unusual = 0;
	if (label_len < 2)
		return 0;
	for (size_t i = 0; i + 1 < label_len; i++)
		unusual += is_unusual(label[i], label[i + 1]);
	return (double)unusual / (double)(label_len - 1);
}

bool generated_label(const uint8_t *label, size_t label_len)
{
	if (label_len < GENERATED_LEN_MIN || memcmp(label, "xn--", 4) == 0)
		return false;
	return generated_share(label, label_len) >= UNUSUAL_SHARE;
}
