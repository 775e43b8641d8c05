/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * intake.h -- where the formats hand over what they read: one feed being loaded (private).
 *
 * A format is a function that is given one line and calls intake_name for every name in it,
 * intake_exception for every name that the feed excepts, and intake_reject for what it cannot
 * take. To add a format: enum feed_format, its name and its functions in formats.c, a file with the
 * functions, how it is recognised in recognise.c, its rows in tests/unit/feeds.
 *
 * Several threads read at once, each with an intake: what they share is not to be changed. So what
 * was found goes into the harvest (harvest.h), and from there, in order, into the target.
 */
#ifndef FEEDS_INTAKE_H
#define FEEDS_INTAKE_H

/* jansson's names clash with sensor/base/json.h: no file can have both. */
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "feeds/entry_time.h"
#include "feeds/feed.h"
#include "feeds/harvest.h"
#include "feeds/span.h"
#include "sensor/base/ip.h"

struct intake {
	const struct feed_target *target;
	uint64_t seed; /* of the index that is built: a copy, for that is being written to */
	struct harvest *harvest;
	size_t harvest_max; /* words in the harvest from which on hand_over is called: it empties */
	void (*hand_over)(struct intake *in); /* the harvest, or sets `stop` */
	void *arg;                            /* of hand_over */
	const struct feed_spec *spec;
	enum feed_format format;
	struct feed_report *report; /* of what is read here: lines, rejects and samples */
	uint16_t source;
	enum mark_scope scope; /* of plain entries: the feed's, unless a line says another */
	uint32_t detail;       /* of marks whose line has no own provider */
	struct span line;      /* the one being read, for samples */
	const struct entry_facts *facts; /* of what is added now; NULL: there are none */
	void *state; /* of the format between lines: zero at first, freed when the feed ends */
	bool stop;   /* nothing more is wanted, or there is no memory for it */
};

struct intake_format {
	const char *name;
	void (*read_line)(struct intake *in, struct span line);
	const size_t *state_bytes; /* for in->state; NULL: none, every line stands alone */
	void (*finish)(struct intake *in); /* after the last line; may be NULL */
	/* Instead of lines, if the content is one JSON text; without read_line it must be. */
	void (*read_document)(struct intake *in, const json_t *document);
	bool bare_names; /* a line that is nothing but a name means intake_name of it */
	bool names_only; /* addresses in it say nothing of hosts: where to go instead, say */
};

extern const struct intake_format intake_formats[FEED_FORMAT_COUNT];

/* Normalise, check and add one name; count what became of it. */
void intake_name(struct intake *in, struct span text, uint32_t detail);
/* The same for text that is a bare name (plain.h); false, and nothing done, for all else. */
NODISCARD bool intake_bare_name(struct intake *in, struct span text);
void intake_reject(struct intake *in, enum feed_reject reject);
/* The same for a name that the feed says is good. */
void intake_exception(struct intake *in, struct span text);

/*
 * The same for an address or a network ("192.0.2.1:443", "[2001:db8::1]", a URL with one). A name
 * that turns out to be an address comes here by itself.
 */
void intake_address(struct intake *in, struct span text);
/* One that was read already; `kind` is that of the feed or, for an exception, MARK_ALLOW. */
void intake_network(struct intake *in, const struct ip_net *net, enum mark_kind kind);

/* A value of a type that was named ("domain", "ip-dst", "domain|ip"); and a confidence. */
void indicator_take(struct intake *in, struct span type, struct span value);
unsigned indicator_confidence(struct span text);

/* The next entry of a JSON text: what samples and counts of lines speak of. */
void intake_next_entry(struct intake *in, struct span entry);
/* The text at the key; empty when there is none. */
struct span intake_json_text(const json_t *object, const char *key);

/* A copy of the text that ends with a NUL, cut if need be; NULL when it is empty. */
const char *intake_text(struct span text, char copy[FACTS_TEXT_MAX + 1]);

/* Parts of feed_normalise: text without quotes, <> and defanging; step over "scheme://". */
struct span normalise_unwrap(struct span s, char buffer[FEED_LINE_MAX]);
bool normalise_strip_scheme(struct span *s);

void domains_read_line(struct intake *in, struct span line);
void hosts_read_line(struct intake *in, struct span line);
void list_read_line(struct intake *in, struct span line);
void adblock_read_line(struct intake *in, struct span line);
void rpz_read_line(struct intake *in, struct span line);
void rpz_finish(struct intake *in);
extern const size_t rpz_state_bytes;
void csv_read_line(struct intake *in, struct span line);
void csv_finish(struct intake *in);
extern const size_t csv_state_bytes;
void urls_read_line(struct intake *in, struct span line);
void dnsmasq_read_line(struct intake *in, struct span line);
void unbound_read_line(struct intake *in, struct span line);
void maltrail_read_line(struct intake *in, struct span line);
extern const size_t maltrail_state_bytes;
void suricata_read_line(struct intake *in, struct span line);
/* One JSON text as a whole. */
void misp_read_document(struct intake *in, const json_t *document);
void stix_read_document(struct intake *in, const json_t *document);

/* Is it a line of a hosts file (address and a name)? / one that says nothing in any format? */
bool hosts_is_entry(struct span line);
bool domains_is_comment(struct span line);
bool adblock_is_rule(struct span line);
bool rpz_is_record(struct span line);
bool suricata_is_entry(struct span line);
bool misp_is_title(struct span line);
bool urls_is_url(struct span line);
bool csv_is_row(struct span line);
bool dnsmasq_is_option(struct span line);
bool unbound_is_option(struct span line);

/* A name of the host itself, that every hosts file has and no list means. */
bool hosts_is_own_name(struct span name);

/* The format of the content that starts like this: what most of its first lines look like. */
enum feed_format recognise_format(struct span start);

#endif
