/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * feed.h -- one feed: from a file on disk (or a list compiled in) to marks in the index.
 *
 * A line that cannot be taken costs that line and is counted with its reason; the report keeps
 * the first samples. A file that cannot be read is an error.
 *
 * Some formats can say that a name is *not* meant ("@@||x^", rpz-passthru). In a malicious or
 * an allow feed such an exception becomes an allow mark of the same feed.
 *
 * Where a malicious or an allow feed has addresses or networks, they go into a set of their own
 * (address_set.h) and are compared with the addresses in answers. An address that a name once
 * had ("domain|ip") or that only says where not to go (hosts files) is none of them.
 *
 * Files compressed with gzip, zstd or xz are read as they are, told by their first bytes.
 *
 * A feed that is one JSON text (misp, stix) is held in memory while it is read, with its values
 * some ten times its size. One that is not valid JSON is an error, for there are no lines of
 * which one could be left out.
 *
 * Threads: feed_load_all starts some and has ended them when it returns; the target belongs to the
 *          caller's.  Input: untrusted files, any bytes.
 * Limits:  files of FEED_BYTES_MAX (JSON: FEED_DOCUMENT_MAX) uncompressed; lines of 4096 bytes;
 *          FEED_SAMPLES_MAX samples a reason.
 */
#ifndef FEEDS_FEED_H
#define FEEDS_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "feeds/address_set.h"
#include "feeds/facts.h"
#include "feeds/index.h"
#include "feeds/provider.h"
#include "sensor/base/error.h"

#define FEED_LINE_MAX     4096
#define FEED_BYTES_MAX    ((size_t)4 << 30)
#define FEED_DOCUMENT_MAX ((size_t)256 << 20)
#define FEED_SAMPLES_MAX  5
#define FEED_SAMPLE_MAX   80

enum feed_format {
	FEED_AUTO,    /* recognised from the content */
	FEED_DOMAINS, /* a name a line; "*.x" is below only, ".x" and "x" follow match: */
	FEED_HOSTS,   /* address and names */
	FEED_ADBLOCK, /* AdBlock/AdGuard rules that are about a whole host */
	FEED_RPZ,     /* response policy zone, as a zone file */
	FEED_CSV,     /* one column has the names */
	FEED_URLS,    /* a URL a line: its host */
	FEED_DNSMASQ,
	FEED_UNBOUND,
	FEED_MALTRAIL, /* trails, as text or trails.csv */
	FEED_SURICATA, /* dataset: base64, with a reputation or as JSON lines */
	FEED_MISP,     /* warninglist or events as JSON, or the CSV export */
	FEED_STIX,     /* bundle of version 2 */
	FEED_SHIPPED,  /* the project's own lists: name, provider, rest (see lists/README) */
	FEED_FORMAT_COUNT,
};

enum feed_reject {
#define FEED_REJECT(id, name, broken, meaning) FEED_REJECT_##id,
#include "feeds/rejects.def"
#undef FEED_REJECT
	FEED_REJECT_COUNT,
};

struct feed_spec {
	const char *name; /* unique, for alerts and reports */
	const char *path; /* for messages; the content comes from it unless `content` is set */
	const char *content; /* compiled-in list, or NULL */
	size_t content_len;  /* 0: the content ends with a NUL */
	enum mark_kind kind;
	enum mark_scope scope; /* of plain entries: SCOPE_SUFFIX (default) or SCOPE_EXACT */
	enum feed_format format;
	bool allow_broad;
	unsigned column;         /* of csv, from 1; 0: found by its title or its content */
	unsigned min_confidence; /* 0-100: entries that say less are refused */
	int64_t now_s; /* entries that were valid until before are refused; 0: none are */
	/* of entries of a provider, tunnel or update feed that have no id; NULL: the feed's name */
	const char *provider;
	enum provider_tier tier;
};

/* A malicious name below what a tenant calls its own. */
struct feed_own_name {
	uint64_t line;
	uint8_t wire_len;
	uint8_t wire[DNS_NAME_MAX];
};

struct feed_report {
	enum feed_format format; /* what `auto` chose */
	uint64_t lines;       /* all lines, comments and blank ones too; of JSON: the entries */
	uint64_t accepted[3]; /* names, by enum mark_scope */
	uint64_t addresses;   /* accepted addresses and networks */
	uint64_t exceptions;  /* of accepted: allow marks of a feed of another kind */
	uint64_t duplicates;
	uint64_t rejected[FEED_REJECT_COUNT];
	char sample[FEED_REJECT_COUNT][FEED_SAMPLES_MAX][FEED_SAMPLE_MAX]; /* "12: text" */
	uint64_t own_names; /* the first of them: */
	struct feed_own_name own_name[FEED_SAMPLES_MAX];
	int64_t modified_s; /* of the file; 0 for a compiled-in list */
	uint64_t bytes;
};

/* An entry that was understood and not taken: a rail stands before it, or it has ended. */
struct feed_refusal {
	enum feed_reject reject;
	uint64_t line;
	const struct dns_name *name; /* NULL: it is the network */
	enum mark_scope scope;       /* of the name */
	struct ip_net net;
};

/*
 * Looks at a feed instead of loading it: told of every line that means one name or network, by its number
 * (of JSON: that of the entry), and of every entry that was refused.
 */
struct feed_watch {
	const struct dns_name *name; /* NULL: the network */
	struct ip_net net;
	void (*found)(void *arg, uint64_t line); /* NULL: nothing is looked for */
	void (*refused)(void *arg, const struct feed_refusal *refusal); /* or NULL */
	/* As in feed_target, when refusals are asked for. */
	const struct index *provider_suffixes;
	void *arg;
};

/* What all feeds are loaded into. */
struct feed_target {
	struct index_builder *builder;
	struct provider_registry *providers;
	struct address_builder *addresses; /* NULL: addresses are refused */
	const struct feed_watch *watch;    /* NULL, or nothing is loaded but looked for */
	/* Suffixes of the shipped provider lists as an index, for the `broad` rail; NULL while
	 * those are being loaded themselves. */
	const struct index *provider_suffixes;
	/* Zones and search suffixes of the tenants: malicious names below them are taken, and noted in
	 * the report. NULL: not looked for. */
	const struct index *own_suffixes;
};

/*
 * Load many feeds, `threads` of them or of their pieces at once (1: all in the caller's thread;
 * FEED_THREADS_ALL: as many as there are processors for this process). What comes out does not depend on that. After an error *failed says which item it is about; those
 * behind it are not loaded.
 */
#define FEED_THREADS_ALL 0
struct feed_item {
	const struct feed_spec *spec;
	struct feed_report *report;
	uint16_t source;
	/* What a malicious or an allow feed says of its entries comes here, made when there is some;
	 * NULL: it is not kept. */
	struct facts **facts;
};
NODISCARD enum err feed_load_all(struct feed_target *target, const struct feed_item *item,
	size_t count, unsigned threads, size_t *failed, struct err_ctx *why);
/* Load one feed as number `source`. ERR_USAGE when the file cannot be read ("PATH: reason"). */
NODISCARD enum err feed_load(struct feed_target *target, const struct feed_spec *spec,
	uint16_t source, struct feed_report *report, struct err_ctx *why);

/*
 * Read the feed again and tell `watch` of its lines, for people who ask: places are not kept. It may
 * have changed since it was loaded.
 */
NODISCARD enum err feed_locate(
	const struct feed_spec *spec, const struct feed_watch *watch, struct err_ctx *why);

/* Names and addresses. */
uint64_t feed_report_accepted(const struct feed_report *r);
uint64_t feed_report_rejected(const struct feed_report *r);
const char *feed_format_name(enum feed_format format);
NODISCARD bool feed_format_parse(enum feed_format *out, const char *text);
const char *feed_reject_name(enum feed_reject reject);
const char *feed_reject_meaning(enum feed_reject reject);
/* Is it a sign of a damaged file (rejects.def)? */
bool feed_reject_is_broken(enum feed_reject reject);

/*
 * One listed name from text: trims quotes, scheme, path, port, trailing dot, leading "*." and
 * ".", turns UTF-8 IDN into A-labels, folds case. `*scope` is SCOPE_BELOW for "*.x", else
 * unchanged. FEED_REJECT_COUNT means accepted.
 */
NODISCARD enum feed_reject feed_normalise(
	struct dns_name *out, enum mark_scope *scope, const char *text, size_t text_len);

/*
 * One listed address or network from text: trims quotes, scheme, brackets, port and path.
 * FEED_REJECT_ADDRESS: it is none. What must not be listed is not judged here.
 */
NODISCARD enum feed_reject feed_normalise_address(
	struct ip_net *out, const char *text, size_t text_len);
/*
 * May the network be listed as malicious? FEED_REJECT_COUNT: yes. Never what is nobody's on
 * the Internet (private, loopback, multicast) and networks so wide that they hold it; only with
 * allow_broad the resolvers that everybody uses.
 */
NODISCARD enum feed_reject feed_check_address(const struct ip_net *net, bool allow_broad);

#endif
