/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/suffix_filter.h"

#include <idn2.h>
#include <libpsl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feeds/span.h"
#include "sensor/base/hash.h"
#include "sensor/dns/name.h"

/* 32 kB: with some 10,000 rules about one name in a hundred passes. */
#define WORDS 4096

/*
 * A name is a public suffix when it is a rule itself or its parent has a rule "*.parent". Exceptions
 * ("!www.ck") only take away from that, so they play no part.
 */
struct suffix_filter {
	uint64_t seed;
	bool complete;
	uint64_t word[WORDS];
};

static struct suffix_filter builtin;
static pthread_once_t builtin_once = PTHREAD_ONCE_INIT;

/*
 * Its first eight octets and its length: enough to tell it from nearly every rule, and at hand without
 * a walk over the labels. No octet behind a name matters; there are eight in every struct dns_name.
 */
static uint64_t key_of(const struct suffix_filter *f, const uint8_t *wire, size_t wire_len)
{
	uint64_t start;

	memcpy(&start, wire, sizeof(start));
	start = hash_first_octets(start, wire_len < 8 ? wire_len : 8);
	return hash_fold(start ^ f->seed, HASH_K0 ^ wire_len);
}

/* One filter for both kinds of nodes. */
static uint64_t of_wildcard(uint64_t parent)
{
	return parent ^ HASH_K0;
}

static uint64_t bits_of(uint64_t key)
{
	return UINT64_C(1) << (key >> 58) | UINT64_C(1) << (key >> 52 & 63) |
	       UINT64_C(1) << (key >> 46 & 63);
}

static void add(struct suffix_filter *f, uint64_t key)
{
	f->word[key % WORDS] |= bits_of(key);
}

static bool has(const struct suffix_filter *f, uint64_t key)
{
	return (f->word[key % WORDS] & bits_of(key)) == bits_of(key);
}

static bool is_listed(const psl_ctx_t *psl, const char *name)
{
	return psl_is_public_suffix2(psl, name, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE);
}

/* Take the rule in, with A-labels, if libpsl has it too. */
static bool take_rule(struct suffix_filter *f, const psl_ctx_t *psl, const char *rule)
{
	bool is_wildcard = strncmp(rule, "*.", 2) == 0;
	struct dns_name name;
	char *ascii = NULL;
	char below[DNS_NAME_TEXT_MAX];

	int status = idn2_to_ascii_8z(
		rule + (is_wildcard ? 2 : 0), &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	bool ok = status == IDN2_OK && dns_name_parse(&name, ascii);
	if (ok) {
		uint64_t key = key_of(f, name.wire, name.wire_len);
		/* libpsl takes "*.x" for a rule "x" as well. */
		add(f, key);
		if (is_wildcard)
			add(f, of_wildcard(key));
		snprintf(below, sizeof(below), "%s%s", is_wildcard ? "0-0." : "", ascii);
		ok = is_listed(psl, below);
	}
	idn2_free(ascii);
	return ok;
}

/* How many of the file's rules libpsl confirms. */
static int take_rules(struct suffix_filter *f, const psl_ctx_t *psl, FILE *file)
{
	char line[512];
	int count = 0;

	while (fgets(line, sizeof(line), file)) {
		struct span rest = { line, strlen(line) };
		struct span rule = span_word(&rest);
		if (rule.len == 0 || span_starts(rule, "//") || rule.at[0] == '!')
			continue;
		line[rule.at - line + (ptrdiff_t)rule.len] = '\0';
		count += take_rule(f, psl, rule.at);
	}
	return count;
}

static void make_builtin(void)
{
	const psl_ctx_t *psl = psl_builtin();
	const char *path = psl_builtin_filename();
	FILE *file = psl && path ? fopen(path, "re") : NULL;

	builtin.seed = hash_random_seed();
	if (!file)
		return;
	builtin.complete = take_rules(&builtin, psl, file) == psl_suffix_count(psl);
	fclose(file);
}

const struct suffix_filter *suffix_filter_get(void)
{
	(void)pthread_once(&builtin_once, make_builtin);
	return &builtin;
}

bool suffix_filter_is_complete(const struct suffix_filter *f)
{
	return f->complete;
}

bool suffix_filter_may_be(const struct suffix_filter *f, const uint8_t *wire, size_t wire_len)
{
	size_t parent_at = wire[0] + 1u;

	return !f->complete || has(f, key_of(f, wire, wire_len)) ||
	       has(f, of_wildcard(key_of(f, wire + parent_at, wire_len - parent_at)));
}
