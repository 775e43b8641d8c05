/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/intake.h"
#include "feeds/writer_format.h"

/*
 * Formats that name hosts one by one: every listed name is written, also one that another covers,
 * for what reads them may not know that; what is allowed is left out.
 */

/* Is the name itself to be written? *len and text are its. Counts what cannot be. */
static bool is_entry(struct writer *w, const struct blocklist_name *n,
	char text[DNS_NAME_TEXT_MAX], size_t *len)
{
	bool passes = n->self.action == ACTION_PASS || n->below.action == ACTION_PASS;

	if (n->above.action == ACTION_REFUSE && passes)
		writer_unsaid(w, UNSAID_HOLE);
	if (!n->listed && n->listed_below && n->below.action == ACTION_REFUSE)
		writer_unsaid(w, UNSAID_BELOW_ONLY);
	if (!n->listed || n->self.action != ACTION_REFUSE)
		return false;
	if (!writer_plain_text(&n->name, text, len)) {
		writer_unsaid(w, UNSAID_CHARACTER);
		return false;
	}
	w->counts->names++;
	if (n->listed_below && n->below.action == ACTION_REFUSE)
		w->counts->suffixes++;
	return true;
}

void writer_domains_name(struct writer *w, const struct blocklist_name *n)
{
	char text[DNS_NAME_TEXT_MAX];
	size_t len;

	if (!is_entry(w, n, text, &len))
		return;
	text_add(&w->text, text, len);
	writer_end_line(w, false, n->origin);
}

void writer_hosts_name(struct writer *w, const struct blocklist_name *n)
{
	char text[DNS_NAME_TEXT_MAX];
	size_t len;

	if (!is_entry(w, n, text, &len))
		return;
	if (hosts_is_own_name((struct span){ text, len })) {
		writer_unsaid(w, UNSAID_OWN);
		return;
	}
	text_puts(&w->text, "0.0.0.0 ");
	text_add(&w->text, text, len);
	writer_end_line(w, false, n->origin);
}

/* --- datasets of Suricata ------------------------------------------------------------------- */

/* RFC 4648 section 4. */
static void put_base64(struct text *out, const char *text, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i < 3 ? len - i : 3;
		uint32_t bits = 0;
		for (size_t k = 0; k < 3; k++)
			bits = bits << 8 | (k < left ? (uint8_t)text[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			text_putc(out, k <= left ? digits[bits >> (18 - 6 * k) & 63] : '=');
	}
}

/* One of type string. */
void writer_suricata_name(struct writer *w, const struct blocklist_name *n)
{
	char text[DNS_NAME_TEXT_MAX];
	size_t len;

	if (!is_entry(w, n, text, &len))
		return;
	put_base64(&w->text, text, len);
	text_putc(&w->text, '\n');
}

/* One of type ip. */
void writer_suricata_network(struct writer *w, const struct blocklist_network *n)
{
	char text[IP_TEXT_MAX];

	if (n->action != ACTION_REFUSE || !n->listed)
		return;
	if (n->net.bits < 128) {
		writer_unsaid(w, UNSAID_NETWORK);
		return;
	}
	text_puts(&w->text, ip_format(&n->net.base, text));
	text_putc(&w->text, '\n');
	w->counts->networks++;
}
