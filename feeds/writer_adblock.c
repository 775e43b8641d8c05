/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/writer_format.h"

/*
 * AdBlock rules as filters for DNS have them: "||x^" is x and all below, "|x^" x alone, "||*.x^" all
 * below; "@@" in front lets pass.
 *
 * There the longer name does not win: an exception beats every rule, a rule that is important every
 * exception that is not. So each order is said as strongly as its rank wants it; the fourth is the
 * last that can be said.
 */
#define RANKS 4

static void put_rule(struct writer *w, struct blocklist_order order, const char *start,
	const char *name, size_t name_len)
{
	text_puts(&w->text, order.action == ACTION_PASS ? "@@" : "");
	text_puts(&w->text, start);
	text_add(&w->text, name, name_len);
	text_puts(&w->text, order.rank >= RANKS / 2 ? "^$important\n" : "^\n");
}

void writer_adblock_name(struct writer *w, const struct blocklist_name *n)
{
	char text[DNS_NAME_TEXT_MAX];
	size_t len;

	if (!blocklist_name_matters(n)) {
		w->counts->covered += n->self.action != ACTION_NONE;
		return;
	}
	if (!writer_plain_text(&n->name, text, &len)) {
		writer_unsaid(w, UNSAID_CHARACTER);
		return;
	}
	if (n->self.rank >= RANKS || n->below.rank >= RANKS) {
		writer_unsaid(w, UNSAID_RANK);
		return;
	}
	writer_count(w, n);
	if (n->self.action == n->below.action) {
		put_rule(w, n->self, "||", text, len);
		return;
	}
	if (n->self.action != n->above.action)
		put_rule(w, n->self, "|", text, len);
	if (n->below.action != n->above.action)
		put_rule(w, n->below, "||*.", text, len);
}

void writer_adblock_head(struct writer *w)
{
	text_puts(&w->text, "[Adblock Plus]\n! Syntax: AdBlock\n");
}
