/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/evidence.h"

#include <string.h>

#include "sensor/dns/message.h"

/* Marks that explain a failing name: nobody computed it. */
static bool explains(const struct mark *m)
{
	switch (m->kind) {
	case MARK_LOOKUP_SERVICE:
	case MARK_ALLOW:
	case MARK_POOL:
	case MARK_ZONE:
	case MARK_SEARCH_SUFFIX:
		return true;
	default:
		return false;
	}
}

bool evidence_is_explained(const struct index *index, const struct exchange *x)
{
	const struct observation *o = x->now;
	const struct observation_match *match = observation_matches(o);
	for (unsigned i = 0; i < o->match_count; i++) {
		if (match[i].name != 0)
			continue;
		struct index_concerns it =
			index_concerns_start(index, match[i].entry, x->tenant->number);
		for (const struct mark *m; (m = index_concerns_next(&it));) {
			if (mark_applies(m, match[i].labels, o->qname_labels) && explains(m))
				return true;
		}
	}
	return false;
}

/* Top labels that never leave a site: RFC 6761, RFC 6762, RFC 8244 and what networks make up.
 */
static bool is_private_tld(const uint8_t *label)
{
	static const char *const private_tld[] = { "arpa", "local", "localhost", "localdomain",
		"lan", "home", "corp", "internal", "intranet", "intra", "private", "workgroup",
		"domain", "invalid", "test", "onion", "guest", "belkin", "mail" };
	for (size_t i = 0; i < ARRAY_LEN(private_tld); i++)
		if (label[0] == strlen(private_tld[i]) &&
			memcmp(label + 1, private_tld[i], label[0]) == 0)
			return true;
	return false;
}

static bool is_label(const struct dns_name *n, unsigned i, const char *text)
{
	const uint8_t *label = n->wire + n->label_at[i];
	return label[0] == strlen(text) && memcmp(label + 1, text, label[0]) == 0;
}

static bool all_digits(const uint8_t *label)
{
	for (unsigned i = 1; i <= label[0]; i++)
		if (label[i] < '0' || label[i] > '9')
			return false;
	return true;
}

/* 4 numbers, or 32 nibbles, before a zone: a block list asked about an address. */
static bool is_address_lookup(const struct dns_name *n)
{
	if (n->label_count >= 33) {
		for (unsigned i = 0; i < 32; i++)
			if (n->wire[n->label_at[i]] != 1)
				return false;
		return true;
	}
	if (n->label_count < 6)
		return false;
	for (unsigned i = 0; i < 4; i++)
		if (!all_digits(n->wire + n->label_at[i]))
			return false;
	return true;
}

bool evidence_counts(
	const struct index *index, const struct exchange *x, const struct dns_name *n)
{
	uint16_t type = x->now->qtype;
	if (type != DNS_TYPE_A && type != DNS_TYPE_AAAA && type != DNS_TYPE_HTTPS &&
		type != DNS_TYPE_TXT)
		return false;
	if (n->label_count < 2) /* Chromium's probes, NetBIOS names */
		return false;
	if (n->wire[n->label_at[0]] > 0 &&
		n->wire[n->label_at[0] + 1] == '_') /* services, policies */
		return false;
	if (is_label(n, 0, "wpad") || is_label(n, 0, "isatap"))
		return false;
	if (is_private_tld(n->wire + n->label_at[n->label_count - 1]) || is_address_lookup(n))
		return false;
	return !evidence_is_explained(index, x);
}
