/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * observation.h -- all that a rule may see of one DNS message: the first of the three records that
 * cross threads.
 *
 * Producer: pipeline/observe.c, on an input thread or for the tracker's own use (pipeline/unread.h).
 * Consumer: rules/judge.c on a tracker thread.
 * Owner: the ring; a consumer that needs something later copies it.
 *
 * One struct followed by its parts in one block, in this order and each where the one before ends, so
 * that counts are all that is stored of where they are:
 *
 *	the qname's octets, addresses, names and their octets, the message when it travels whole,
 *	listed networks, matches
 *
 * Use the accessors. The struct is as small as it is because every observation crosses from one core
 * to another, line by line: that of an ordinary query takes two.
 */
#ifndef RULES_OBSERVATION_H
#define RULES_OBSERVATION_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "feeds/index.h"
#include "sensor/base/ip.h"
#include "sensor/dns/message.h"

#define OBSERVATION_ADDRESSES_MAX DNS_ADDRESSES_MAX
#define OBSERVATION_NAMES_MAX     16
#define OBSERVATION_MATCHES_MAX   16
#define OBSERVATION_LISTED_MAX    8

enum observation_kind {
	OBSERVATION_MESSAGE, /* any DNS message */
	OBSERVATION_TICK, /* capture time has reached ts_ns: close windows; only seq and ts_ns are set */
	/* What comes behind it from this input was made with another version of what is known: see
	 * struct observation_knowledge. */
	OBSERVATION_KNOWLEDGE,
	OBSERVATION_UNREAD, /* no rule sees one: see pipeline/unread.h */
};

enum observation_transport {
	TRANSPORT_UDP,
	TRANSPORT_TCP,
	/* encrypted; known from dnstap */
	TRANSPORT_DOT,
	TRANSPORT_DOH,
	TRANSPORT_DOQ,
	TRANSPORT_DNSCRYPT_UDP,
	TRANSPORT_DNSCRYPT_TCP,
};

/* A listed suffix that the qname or a name in the answer carries. */
struct observation_match {
	uint32_t entry;    /* of the index of the knowledge current when it was made */
	uint8_t labels;    /* of the suffix that matched */
	uint8_t name;      /* 0: the qname; n: names[n - 1] */
	uint8_t unused[2]; /* so that equal observations are equal bytes */
};

/* A listed network that holds an address of the answer. */
struct observation_listed {
	uint32_t entry;    /* of the address set of the same knowledge */
	uint8_t bits;      /* of the network */
	uint8_t address;   /* number in the addresses */
	uint8_t unused[2]; /* as above */
};

/*
 * A name beside the qname: one that the message leads to (CNAME, DNAME, MX, NS, SRV, SVCB, HTTPS,
 * PTR target), or that of a further question. Of the latter only listed names are here: hardly
 * any server answers a second question (RFC 9619), but it must not hide a name.
 */
#define OBSERVATION_QUESTION 255 /* section of a further question's name */
struct observation_name {
	uint32_t ttl;
	uint16_t type;    /* of the record or question */
	uint16_t wire_at; /* folded wire octets: offset from the start of the observation */
	uint8_t wire_len;
	uint8_t section;   /* enum dns_section, or OBSERVATION_QUESTION */
	uint8_t unused[2]; /* as above */
};

struct observation {
	uint64_t seq; /* order of capture over all shards; ticks have their own */
	int64_t ts_ns;
	struct ip client, server; /* see pipeline/observe.h for who is who */
	/* With the addresses, what a query and its response have in common (session.h): one word. */
	uint16_t client_port, server_port;
	uint16_t id;
	uint8_t opcode;
	uint8_t transport;   /* enum observation_transport */
	uint64_t qname_hash; /* dns_name_hash with the index's seed */
	uint16_t flags;      /* enum dns_flag */
	uint16_t rcode;      /* responses */
	uint16_t qtype, qclass;
	uint16_t tenant;           /* number in the policy set */
	uint16_t vlan[2];          /* outermost first */
	uint16_t wire_len_message; /* of the message that travels whole; 0: it does not */
	uint32_t size : 18;        /* of the whole block in bytes, a multiple of 4 */
	uint32_t name_count : 5;
	uint32_t match_count : 5;
	uint32_t listed_count : 4;
	uint8_t kind : 2; /* enum observation_kind */
	uint8_t vlan_count : 2;
	bool response : 1;
	bool has_question : 1;
	bool has_signature : 1;     /* TSIG or SIG(0) */
	bool addresses_omitted : 1; /* there were more than the limits */
	uint8_t qname_len, qname_labels;
	uint8_t address_count;
};
static_assert(
	sizeof(struct observation) == 88, "with a ring's header and 24 octets: two lines");

/*
 * Numbers in an observation (tenant, entries) mean something only in the version of the knowledge it
 * was made with, so the version travels in line: a tracker judges what stands before this record by
 * the version before.
 */
struct knowledge;
struct observation_knowledge {
	struct observation head; /* OBSERVATION_KNOWLEDGE; size and seq are set besides */
	const struct knowledge *known;
};

static inline const uint8_t *observation_qname_wire(const struct observation *o)
{
	return (const uint8_t *)(o + 1);
}

static inline const struct dns_address *observation_addresses(const struct observation *o)
{
	size_t at = (sizeof(*o) + o->qname_len + 3u) & ~(size_t)3;

	return (const struct dns_address *)((const char *)o + at);
}

static inline const struct observation_name *observation_names(const struct observation *o)
{
	return (const struct observation_name *)(observation_addresses(o) + o->address_count);
}

/* From the end: what stands behind the names, whose octets are not counted. */
static inline const struct observation_match *observation_matches(const struct observation *o)
{
	const void *end = (const char *)o + o->size;

	return (const struct observation_match *)end - o->match_count;
}

static inline const struct observation_listed *observation_listed(const struct observation *o)
{
	const void *end = observation_matches(o);

	return (const struct observation_listed *)end - o->listed_count;
}

/* The whole message (UPDATE, TSIG, TKEY answer), or NULL. */
static inline const uint8_t *observation_message(const struct observation *o)
{
	const uint8_t *end = (const uint8_t *)observation_listed(o);

	return o->wire_len_message ? end - ((o->wire_len_message + 3u) & ~3u) : NULL;
}

/* Expand the qname / name n (0-based) for the slow path. */
static inline void observation_qname(const struct observation *o, struct dns_name *out)
{
	if (!dns_name_from_wire(out, observation_qname_wire(o), o->qname_len))
		*out = (struct dns_name){ .wire_len = 1 };
}

static inline void observation_name(
	const struct observation *o, unsigned n, struct dns_name *out)
{
	const struct observation_name *name = &observation_names(o)[n];
	if (!dns_name_from_wire(out, (const uint8_t *)o + name->wire_at, name->wire_len))
		*out = (struct dns_name){ .wire_len = 1 };
}

#endif
