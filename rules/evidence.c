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
			index_concerns_start(index, match[i].entry, x->tenant_number);
		for (const struct mark *m; (m = index_concerns_next(&it));) {
			if (mark_applies(m, match[i].labels, o->qname_labels) && explains(m))
				return true;
		}
	}
	return false;
}

/*
 * Top labels that never leave a site: RFC 6761, RFC 6762, RFC 8244 and what networks make up. By their
 * length, so that most others are compared with one or two.
 */
static const char *const private_tld[][6] = {
	[3] = { "lan" },
	[4] = { "arpa", "home", "corp", "test", "mail" },
	[5] = { "local", "intra", "onion", "guest" },
	[6] = { "domain", "belkin" },
	[7] = { "private", "invalid" },
	[8] = { "internal", "intranet" },
	[9] = { "localhost", "workgroup" },
	[11] = { "localdomain" },
};

static bool is_private_tld(const uint8_t *label)
{
	if (label[0] >= ARRAY_LEN(private_tld))
		return false;
	for (const char *const *tld = private_tld[label[0]]; *tld; tld++)
		if (memcmp(label + 1, *tld, label[0]) == 0)
			return true;
	return false;
}

static bool is_label(const uint8_t *label, const char *text)
{
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

/* What the question's type and its first label tell. */
static bool asks_for_a_host(const struct observation *o)
{
	const uint8_t *label = observation_qname_wire(o);

	if (o->qtype != DNS_TYPE_A && o->qtype != DNS_TYPE_AAAA && o->qtype != DNS_TYPE_HTTPS &&
		o->qtype != DNS_TYPE_TXT)
		return false;
	if (o->qname_labels < 2) /* Chromium's probes, NetBIOS names */
		return false;
	if (label[1] == '_') /* services, policies */
		return false;
	return !is_label(label, "wpad") && !is_label(label, "isatap");
}

bool evidence_counts(
	const struct index *index, const struct exchange *x, struct dns_name *qname)
{
	if (!asks_for_a_host(x->now) || evidence_is_explained(index, x))
		return false;
	observation_qname(x->now, qname);
	if (qname->label_count < 2) /* the root, for want of a name */
		return false;
	return !is_private_tld(qname->wire + qname->label_at[qname->label_count - 1]) &&
	       !is_address_lookup(qname);
}
