/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/registered.h"

#include <libpsl.h>
#include <stdlib.h>
#include <string.h>

#include "feeds/suffix_filter.h"
#include "sensor/base/hash.h"

/*
 * Why the cache is right. With ps(x) for "x is a public suffix", libpsl's answer is
 *
 *	reg(x) = 0 if ps(x), else below(parent(x))
 *	below(p) = labels(p) + 1 if ps(p), else reg(p)
 *
 * below() depends on the parent alone, so it may be remembered by the parent. ps(x) may not: below
 * amazonaws.com, which is no suffix, lies s3.amazonaws.com, which is one; www.ck is the exception to
 * *.ck. It costs one membership question, so the answer for x itself is remembered as well, in a second
 * table, where a flood of names that are seen once cannot push the parents out.
 *
 * Rules of the list have at most six labels today; only the last WINDOW_LABELS are looked at.
 */
#define WINDOW_LABELS 16
#define WINDOW_TEXT   (DNS_NAME_MAX + 1)
#define CACHE_SLOTS   4096 /* power of two; 64 kB a table */

struct cache_slot {
	uint64_t hash;
	uint8_t labels;
	bool used;
};

struct registered {
	const psl_ctx_t *psl;
	const struct suffix_filter *filter;
	uint64_t seed;
	struct cache_slot name[CACHE_SLOTS];   /* reg(name) */
	struct cache_slot parent[CACHE_SLOTS]; /* below(parent) */
};

struct registered *registered_new(void)
{
	struct registered *r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->psl = psl_builtin();
	r->filter = suffix_filter_get();
	r->seed = hash_random_seed();
	return r;
}

void registered_free(struct registered *r)
{
	free(r);
}

/* Octets that rules have stay; any other (a dot inside a label, a zero, UTF-8) becomes '_',
 * which no rule has, so the text has the same labels and matches nothing it should not. */
static char text_octet(uint8_t octet)
{
	if ((octet >= 'a' && octet <= 'z') || (octet >= '0' && octet <= '9') || octet == '-')
		return (char)octet;
	return '_';
}

/* Labels as text, dots between them. */
static void window_text(const uint8_t *wire, char text[WINDOW_TEXT])
{
	size_t len = 0;

	for (size_t at = 0; wire[at] != 0; at += wire[at] + 1u) {
		if (len > 0)
			text[len++] = '.';
		for (size_t i = 1; i <= wire[at]; i++)
			text[len++] = text_octet(wire[at + i]);
	}
	text[len] = '\0';
}

/* Are the last `labels` labels of the name a public suffix? If so, `text` has them. */
static bool is_suffix_text(const psl_ctx_t *psl, const struct suffix_filter *filter,
	const struct dns_name *name, unsigned labels, char text[WINDOW_TEXT])
{
	size_t wire_len;
	const uint8_t *wire = dns_name_suffix(name, labels, &wire_len);

	if (labels > 1 && !suffix_filter_may_be(filter, wire, wire_len))
		return false;
	window_text(wire, text);
	return psl_is_public_suffix(psl, text);
}

static bool is_suffix(const struct registered *r, const struct dns_name *name, unsigned labels)
{
	char text[WINDOW_TEXT];

	return is_suffix_text(r->psl, r->filter, name, labels, text);
}

/* below() of the last `labels` labels, by the list. */
static unsigned ask_below(
	const struct registered *r, const struct dns_name *name, unsigned labels)
{
	while (labels > 0 && !is_suffix(r, name, labels))
		labels--;
	return labels > 0 ? labels + 1 : 0;
}

/* The same out of the cache, if it is there. */
static unsigned find_below(struct registered *r, const struct dns_name *name, unsigned labels)
{
	uint64_t hash = dns_name_hash_suffix(name, labels, r->seed);
	struct cache_slot *parent = &r->parent[hash % CACHE_SLOTS];

	if (!parent->used || parent->hash != hash) {
		*parent = (struct cache_slot){
			.hash = hash,
			.labels = (uint8_t)ask_below(r, name, labels),
			.used = true,
		};
	}
	return parent->labels;
}

unsigned registered_labels(struct registered *r, const struct dns_name *name)
{
	unsigned labels = name->label_count;

	if (labels < 2)
		return 0;
	/* Above the window, below() of the parent is below() of its last labels. */
	unsigned window = labels < WINDOW_LABELS ? labels : WINDOW_LABELS;
	uint64_t hash = dns_name_hash_suffix(name, window, r->seed);
	struct cache_slot *own = &r->name[hash % CACHE_SLOTS];
	if (own->used && own->hash == hash)
		return own->labels;

	unsigned answer = is_suffix(r, name, window) ? 0 : find_below(r, name, window - 1);
	*own = (struct cache_slot){ .hash = hash, .labels = (uint8_t)answer, .used = true };
	return answer;
}

enum registered_section registered_suffix_section(const struct dns_name *name)
{
	const psl_ctx_t *psl = psl_builtin();
	char text[WINDOW_TEXT];
	unsigned labels = name->label_count;

	if (labels == 0 || labels > WINDOW_LABELS)
		return REGISTERED_NO_SUFFIX;
	if (!is_suffix_text(psl, suffix_filter_get(), name, labels, text))
		return REGISTERED_NO_SUFFIX;
	if (psl_is_public_suffix2(psl, text, PSL_TYPE_PRIVATE | PSL_TYPE_NO_STAR_RULE) &&
		!psl_is_public_suffix2(psl, text, PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE))
		return REGISTERED_PRIVATE_SUFFIX;
	return REGISTERED_ICANN_SUFFIX;
}

bool registered_is_icann_suffix(const struct dns_name *name)
{
	return registered_suffix_section(name) == REGISTERED_ICANN_SUFFIX;
}

bool registered_is_private_suffix(const struct dns_name *name)
{
	return registered_suffix_section(name) == REGISTERED_PRIVATE_SUFFIX;
}
