/* SPDX-License-Identifier: BSD-2-Clause */
/* writer_format.h -- what the formats of writer.h have in common (private to them). */
#ifndef FEEDS_WRITER_FORMAT_H
#define FEEDS_WRITER_FORMAT_H

#include "feeds/writer.h"

struct writer {
	const struct writer_options *options;
	struct writer_counts *counts;
	struct text text; /* on its way out */
	bool counting;    /* the first walk: nothing is written */
	/* Of a response policy zone: the name written last. */
	struct dns_name last;
};

struct writer_format {
	const char *comment; /* what starts a remark; NULL: there are none */
	bool behind;         /* remarks may stand behind an entry */
	bool addresses, both;
	void (*put_head)(struct writer *w);  /* before the remarks; may be NULL */
	void (*put_start)(struct writer *w); /* behind them; may be NULL */
	void (*put_name)(struct writer *w, const struct blocklist_name *n);
	void (*put_network)(struct writer *w, const struct blocklist_network *n);
};

void writer_rpz_start(struct writer *w);
void writer_rpz_name(struct writer *w, const struct blocklist_name *n);
void writer_rpz_network(struct writer *w, const struct blocklist_network *n);
void writer_adblock_head(struct writer *w);
void writer_adblock_name(struct writer *w, const struct blocklist_name *n);
void writer_domains_name(struct writer *w, const struct blocklist_name *n);
void writer_hosts_name(struct writer *w, const struct blocklist_name *n);
void writer_suricata_name(struct writer *w, const struct blocklist_name *n);
void writer_suricata_network(struct writer *w, const struct blocklist_network *n);

static inline void writer_unsaid(struct writer *w, enum unsaid what)
{
	w->counts->unsaid[what]++;
}

/* One more that is written, where self and below can be told apart. */
void writer_count(struct writer *w, const struct blocklist_name *n);
/* The remark behind an entry, if wanted, and the end of its line. */
void writer_end_line(struct writer *w, bool is_network, uint32_t origin);
/* Presentation format, when the name has nothing but letters, digits, - and _ ; else false. */
NODISCARD bool writer_plain_text(
	const struct dns_name *name, char text[DNS_NAME_TEXT_MAX], size_t *len);

#endif
