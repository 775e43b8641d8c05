/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/rpz_address.h"
#include "feeds/writer_format.h"

#include <string.h>

/*
 * A response policy zone (draft-vixie-dns-rpz). "x" is x alone, "*.x" all names below; passing is
 * "rpz-passthru.".
 *
 * A resolver looks its question up in the zone as in any other, and there a wildcard means only
 * names below which nothing exists (RFC 4592 section 3.3.1): with "*.evil.example" and
 * "ok.shop.evil.example", neither "shop.evil.example" nor "a.shop.evil.example" would be refused, for
 * they stand in the way of each other. So where something above is in force, every name between it
 * and an entry is written too, with its wildcard, as what it would be without the entry.
 */

/* Seconds: of the policy's answers; and what a secondary of the zone goes by. */
#define TTL_S     300
#define REFRESH_S 3600
#define RETRY_S   600
#define EXPIRE_S  2592000
#define MINIMUM_S 300

/* --- words ---------------------------------------------------------------------------------- */

static const char *target_of(const struct writer *w, enum blocklist_action action)
{
	static const char *const targets[] = {
		[POLICY_NXDOMAIN] = ".",
		[POLICY_NODATA] = "*.",
		[POLICY_DROP] = "rpz-drop.",
		[POLICY_TCP_ONLY] = "rpz-tcp-only.",
	};

	return action == ACTION_PASS ? "rpz-passthru." : targets[w->options->policy];
}

/* A name as zone files have it: what has a meaning there gets a backslash (RFC 1035 section 5.1). */
static void put_name(struct text *out, const struct dns_name *name)
{
	char text[DNS_NAME_TEXT_MAX];
	size_t len;

	if (writer_plain_text(name, text, &len)) {
		text_add(out, text, len);
		return;
	}
	dns_name_format(name, text);
	for (const char *at = text; *at; at++) {
		if (*at == '\\')
			text_putc(out, *at++);
		else if (strchr("\";()@$", *at))
			text_putc(out, '\\');
		text_putc(out, *at);
	}
}

/* The last label is one of a trigger that is no name, or some label is a wildcard. */
static bool is_other_trigger(const struct dns_name *name)
{
	static const char *const words[] = { "\6rpz-ip", "\15rpz-client-ip", "\10rpz-nsip",
		"\13rpz-nsdname" };
	const uint8_t *top = name->wire + name->label_at[name->label_count - 1];

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (memcmp(top, words[i], (size_t)words[i][0] + 1) == 0)
			return true;
	}
	for (unsigned i = 0; i < name->label_count; i++) {
		if (memcmp(name->wire + name->label_at[i], "\1*", 2) == 0)
			return true;
	}
	return false;
}

/* --- records -------------------------------------------------------------------------------- */

/* Of the name itself, or with "*." of all below; false when it cannot be written. */
static bool put_record(struct writer *w, const struct dns_name *name, bool below,
	enum blocklist_action action, uint32_t origin)
{
	size_t octets = name->wire_len - 1u + w->options->zone.wire_len + (below ? 2 : 0);

	if (action == ACTION_NONE)
		return true;
	if (octets > DNS_NAME_MAX) {
		writer_unsaid(w, UNSAID_TOO_LONG);
		return false;
	}
	text_puts(&w->text, below ? "*." : "");
	put_name(&w->text, name);
	text_puts(&w->text, " CNAME ");
	text_puts(&w->text, target_of(w, action));
	writer_end_line(w, false, action == ACTION_REFUSE ? origin : BLOCKLIST_NO_ORIGIN);
	return true;
}

/* How many labels do the two have in common from the root on? */
static unsigned common_labels(const struct dns_name *a, const struct dns_name *b)
{
	unsigned common = 0;

	while (common < a->label_count && common < b->label_count) {
		const uint8_t *left = a->wire + a->label_at[a->label_count - common - 1];
		const uint8_t *right = b->wire + b->label_at[b->label_count - common - 1];
		if (memcmp(left, right, left[0] + 1u) != 0)
			break;
		common++;
	}
	return common;
}

/*
 * The names between what was written and this one. In canonical order those that the two have in
 * common exist already.
 */
static void put_between(struct writer *w, const struct blocklist_name *n)
{
	unsigned labels = common_labels(&w->last, &n->name) + 1;

	for (; labels < n->name.label_count; labels++) {
		struct dns_name between;
		size_t len;
		const uint8_t *wire = dns_name_suffix(&n->name, labels, &len);
		if (!dns_name_from_wire(&between, wire, len) ||
			!put_record(w, &between, false, n->above.action, BLOCKLIST_NO_ORIGIN) ||
			!put_record(w, &between, true, n->above.action, BLOCKLIST_NO_ORIGIN))
			return;
	}
}

void writer_rpz_name(struct writer *w, const struct blocklist_name *n)
{
	if (!blocklist_name_matters(n)) {
		w->counts->covered += n->self.action != ACTION_NONE;
		return;
	}
	if (is_other_trigger(&n->name)) {
		writer_unsaid(w, UNSAID_TRIGGER);
		return;
	}
	if (n->name.wire_len - 1u + w->options->zone.wire_len > DNS_NAME_MAX) {
		writer_unsaid(w, UNSAID_TOO_LONG);
		return;
	}
	if (n->above.action != ACTION_NONE)
		put_between(w, n);
	writer_count(w, n);
	if (put_record(w, &n->name, false, n->self.action, n->origin))
		(void)put_record(w, &n->name, true, n->below.action, n->origin);
	w->last = n->name;
}

void writer_rpz_network(struct writer *w, const struct blocklist_network *n)
{
	char text[RPZ_ADDRESS_TEXT_MAX];

	if (n->action == n->above) {
		w->counts->covered += n->action != ACTION_NONE;
		return;
	}
	size_t len = rpz_address_format(&n->net, text);
	/* One octet more than the text: of the first label's length. */
	if (len + sizeof("rpz-ip") + 1 + w->options->zone.wire_len > DNS_NAME_MAX) {
		writer_unsaid(w, UNSAID_TOO_LONG);
		return;
	}
	text_printf(&w->text, "%s.rpz-ip CNAME %s", text, target_of(w, n->action));
	writer_end_line(w, true, n->action == ACTION_REFUSE ? n->origin : BLOCKLIST_NO_ORIGIN);
	if (n->action == ACTION_REFUSE)
		w->counts->networks++;
	else
		w->counts->passes++;
}

/* --- what every zone has -------------------------------------------------------------------- */

void writer_rpz_start(struct writer *w)
{
	struct text *out = &w->text;

	text_printf(out, "$TTL %d\n$ORIGIN ", TTL_S);
	if (w->options->zone.label_count > 0)
		put_name(out, &w->options->zone);
	text_puts(out, ".\n@ SOA localhost. hostmaster.localhost. (\n\t");
	w->counts->serial_at = (long)out->len;
	text_printf(out, "%10u ; serial\n\t%d %d %d %d )\n@ NS localhost.\n",
		w->options->serial, REFRESH_S, RETRY_S, EXPIRE_S, MINIMUM_S);
}
