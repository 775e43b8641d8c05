/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/mkpcap/options.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>

#include "sensor/base/attribute.h"
#include "sensor/base/quantity.h"
#include "tools/mkpcap/frame.h"
#include "tools/mkpcap/message.h"

enum kind {
	COUNT,
	SHARE,
	FLAG,
	PATH,
};

static const struct row {
	size_t at; /* of the field in struct options */
	enum kind kind;
	int letter;
	const char *name, *argument;
	double value, least, most;
	const char *meaning;
} rows[] = {
#define MKPCAP_OPTION(field, kind, letter, name, argument, value, least, most, meaning)        \
	{ offsetof(struct options, field), kind, letter, name, argument, value, least, most,   \
		meaning },
#include "tools/mkpcap/options.def"
#undef MKPCAP_OPTION
};

/* What getopt_long returns for row i. */
#define ROW_FIRST 256

static void *field_of(struct options *o, const struct row *r)
{
	return (char *)o + r->at;
}

static void set_default(struct options *o, const struct row *r)
{
	if (r->kind == COUNT)
		*(uint64_t *)field_of(o, r) = (uint64_t)r->value;
	else if (r->kind == SHARE)
		*(double *)field_of(o, r) = r->value;
}

static bool take(struct options *o, const struct row *r, const char *text)
{
	uint64_t *count = field_of(o, r);
	double *share = field_of(o, r);

	switch (r->kind) {
	case COUNT:
		return quantity_parse_count(count, text) && (double)*count >= r->least &&
		       (double)*count <= r->most;
	case SHARE:
		return quantity_parse_number(share, text) && *share >= r->least &&
		       *share <= r->most;
	case FLAG:
		*(bool *)field_of(o, r) = true;
		return true;
	case PATH:
		*(const char **)field_of(o, r) = text;
		return true;
	}
	return false;
}

static void print_help(void)
{
	printf("Usage: mkpcap [OPTIONS] -o FILE\n"
	       "Make a realistic DNS capture. The same options give the same file.\n\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		char left[64];
		snprintf(left, sizeof(left), "--%s %s", r->name, r->argument);
		if (r->letter)
			printf("  -%c, %-18s %s", r->letter, left, r->meaning);
		else
			printf("      %-18s %s", left, r->meaning);
		if (r->kind == COUNT || r->kind == SHARE)
			printf(" (%.15g)", r->value);
		putchar('\n');
	}
	printf("  -h, %-18s %s\n", "--help", "this text");
}

/* Every client needs an address of its tenant. */
static bool fits(const struct options *o)
{
	uint64_t hosts = (o->clients + o->tenants - 1) / o->tenants;
	uint64_t room = (UINT64_C(1) << frame_host_bits(o->tenants)) - FRAME_HOST_FIRST - 1;

	if (hosts > room)
		fprintf(stderr, "mkpcap: %llu clients in each of %llu tenants: at most %llu\n",
			(unsigned long long)hosts, (unsigned long long)o->tenants,
			(unsigned long long)room);
	return hosts <= room;
}

static const struct row *row_of(int letter)
{
	if (letter >= ROW_FIRST)
		return &rows[letter - ROW_FIRST];
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].letter == letter)
			return &rows[i];
	return NULL;
}

enum options_result options_parse(struct options *o, int argc, char **argv)
{
	struct option known[ARRAY_LEN(rows) + 2] = { { "help", no_argument, NULL, 'h' } };
	int letter;

	*o = (struct options){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		set_default(o, &rows[i]);
		known[i + 1] = (struct option){ rows[i].name,
			rows[i].kind == FLAG ? no_argument : required_argument, NULL,
			ROW_FIRST + (int)i };
	}
	while ((letter = getopt_long(argc, argv, "o:n:h", known, NULL)) != -1) {
		if (letter == 'h') {
			print_help();
			return OPTIONS_HELP;
		}
		const struct row *r = row_of(letter);
		if (!r)
			return OPTIONS_BAD; /* getopt_long has said it */
		if (!take(o, r, optarg)) {
			fprintf(stderr, "mkpcap: --%s %s: not %s from %.15g to %.15g\n",
				r->name, optarg,
				r->kind == COUNT ? "a whole number" : "a share", r->least,
				r->most);
			return OPTIONS_BAD;
		}
	}
	if (!o->path || optind != argc) {
		fprintf(stderr, "Usage: mkpcap [OPTIONS] -o FILE; see mkpcap --help\n");
		return OPTIONS_BAD;
	}
	return fits(o) ? OPTIONS_OK : OPTIONS_BAD;
}
