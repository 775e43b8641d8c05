/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/writer_format.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Text that is handed on at once. */
#define PIECE_BYTES ((size_t)1 << 16)

static const struct writer_format formats[FEED_FORMAT_COUNT] = {
	[FEED_DOMAINS] = { .comment = "#", .behind = true, .put_name = writer_domains_name },
	[FEED_HOSTS] = { .comment = "#", .behind = true, .put_name = writer_hosts_name },
	[FEED_ADBLOCK] = { .comment = "!",
		.put_head = writer_adblock_head,
		.put_name = writer_adblock_name },
	[FEED_RPZ] = { .comment = ";",
		.behind = true,
		.addresses = true,
		.both = true,
		.put_start = writer_rpz_start,
		.put_name = writer_rpz_name,
		.put_network = writer_rpz_network },
	[FEED_SURICATA] = { .addresses = true,
		.put_name = writer_suricata_name,
		.put_network = writer_suricata_network },
};

bool writer_writes(enum feed_format format)
{
	return formats[format].put_name != NULL;
}

bool writer_has_addresses(enum feed_format format)
{
	return formats[format].addresses;
}

bool writer_has_both(enum feed_format format)
{
	return formats[format].both;
}

bool writer_has_remarks(enum feed_format format)
{
	return formats[format].behind;
}

bool writer_policy_parse(enum writer_policy *out, const char *text)
{
	static const char *const names[] = {
		[POLICY_NXDOMAIN] = "nxdomain",
		[POLICY_NODATA] = "nodata",
		[POLICY_DROP] = "drop",
		[POLICY_TCP_ONLY] = "tcp-only",
	};

	for (int i = 0; i < POLICY_COUNT; i++) {
		if (strcmp(text, names[i]) != 0)
			continue;
		*out = (enum writer_policy)i;
		return true;
	}
	return false;
}

const char *writer_unsaid_meaning(enum unsaid what)
{
	static const char *const meaning[] = {
#define UNSAID(id, words) words,
#include "feeds/unsaid.def"
#undef UNSAID
	};
	return meaning[what];
}

/* --- entries -------------------------------------------------------------------------------- */

bool writer_plain_text(const struct dns_name *name, char text[DNS_NAME_TEXT_MAX], size_t *len)
{
	size_t at = 0;

	for (unsigned i = 0; i < name->label_count; i++) {
		const uint8_t *label = name->wire + name->label_at[i];
		for (unsigned k = 1; k <= label[0]; k++) {
			if (!isalnum(label[k]) && label[k] != '-' && label[k] != '_')
				return false;
			text[at++] = (char)label[k];
		}
		text[at++] = '.';
	}
	if (at == 0)
		return false;
	*len = at - 1;
	text[*len] = '\0';
	return true;
}

void writer_count(struct writer *w, const struct blocklist_name *n)
{
	if (n->self.action == ACTION_REFUSE || n->below.action == ACTION_REFUSE)
		w->counts->names++;
	if (n->below.action == ACTION_REFUSE)
		w->counts->suffixes++;
	if (n->self.action == ACTION_PASS || n->below.action == ACTION_PASS)
		w->counts->passes++;
}

void writer_end_line(struct writer *w, bool is_network, uint32_t origin)
{
	const struct writer_options *o = w->options;

	if (o->remark && formats[o->format].behind && origin != BLOCKLIST_NO_ORIGIN) {
		text_printf(&w->text, " %s ", formats[o->format].comment);
		o->remark(o->remark_arg, &w->text, is_network, origin);
	}
	text_putc(&w->text, '\n');
}

/* --- all of it ------------------------------------------------------------------------------ */

/* False when `out` took not all. */
static bool pass_on(struct writer *w, FILE *out)
{
	size_t len = w->counting ? 0 : w->text.len;
	bool taken = len == 0 || fwrite(w->text.at, 1, len, out) == len;

	text_clear(&w->text);
	return taken && !w->text.failed;
}

static bool put_names(struct writer *w, const struct blocklist *list, FILE *out)
{
	struct blocklist_walk walk = { .list = list };
	const struct writer_format *format = &formats[w->options->format];
	struct blocklist_name name;

	while (blocklist_next_name(&walk, &name)) {
		if (name.listed && name.self.action != ACTION_REFUSE)
			w->counts->removed++;
		format->put_name(w, &name);
		if (w->text.len >= PIECE_BYTES && !pass_on(w, out))
			return false;
	}
	return true;
}

static bool put_networks(struct writer *w, const struct blocklist *list, FILE *out)
{
	struct blocklist_walk walk = { .list = list };
	const struct writer_format *format = &formats[w->options->format];
	struct blocklist_network network;

	while (blocklist_next_network(&walk, &network)) {
		if (network.listed && network.action != ACTION_REFUSE)
			w->counts->removed++;
		if (format->put_network)
			format->put_network(w, &network);
		else if (network.action == ACTION_REFUSE)
			writer_unsaid(w, UNSAID_ADDRESS);
		if (w->text.len >= PIECE_BYTES && !pass_on(w, out))
			return false;
	}
	return true;
}

static bool put_entries(struct writer *w, const struct blocklist *list, FILE *out)
{
	const struct writer_options *o = w->options;

	w->last = (struct dns_name){ .wire_len = 1 };
	*w->counts = (struct writer_counts){ .serial_at = w->counts->serial_at };
	return (!o->names || put_names(w, list, out)) &&
	       (!o->addresses || put_networks(w, list, out));
}

static void put_remark(struct writer *w, const char *words, uint64_t count)
{
	const char *comment = formats[w->options->format].comment;

	if (count > 0)
		text_printf(&w->text, "%s %s: %" PRIu64 "\n", comment, words, count);
}

static void put_remarks(struct writer *w)
{
	const char *comment = formats[w->options->format].comment;
	const struct writer_counts *c = w->counts;
	bool hosts_only =
		w->options->format == FEED_HOSTS || w->options->format == FEED_DOMAINS;

	if (!comment)
		return;
	text_printf(&w->text, "%s %s\n", comment, w->options->about);
	put_remark(w, "names", c->names);
	put_remark(w,
		hosts_only ? "listed with all names below, which this format does not say"
			   : "with all names below",
		c->suffixes);
	put_remark(w, "addresses and networks", c->networks);
	put_remark(w, "let pass", c->passes);
	put_remark(w, "listed, but allowed", c->removed);
	for (int i = 0; i < UNSAID_COUNT; i++) {
		if (c->unsaid[i] > 0)
			text_printf(&w->text, "%s left out, %s: %" PRIu64 "\n", comment,
				writer_unsaid_meaning((enum unsaid)i), c->unsaid[i]);
	}
}

static void put_head(struct writer *w)
{
	const struct writer_format *format = &formats[w->options->format];

	if (format->put_head)
		format->put_head(w);
	put_remarks(w);
	if (format->put_start)
		format->put_start(w);
}

enum err writer_write(FILE *out, const struct blocklist *list,
	const struct writer_options *options, struct writer_counts *counts, struct err_ctx *why)
{
	struct writer w = { .options = options, .counts = counts, .counting = true };

	*counts = (struct writer_counts){ 0 };
	bool done = put_entries(&w, list, out) && pass_on(&w, out);
	w.counting = false;
	if (done)
		put_head(&w);
	done = done && put_entries(&w, list, out) && pass_on(&w, out);
	bool out_of_memory = w.text.failed;
	text_deinit(&w.text);
	if (done)
		return ERR_OK;
	return err_set(
		why, ERR_FAILED, "%s", out_of_memory ? "out of memory" : strerror(errno));
}
