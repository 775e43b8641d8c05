/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * message.h -- a DNS message read in place (RFC 1035 4, RFC 6891, RFC 9460, RFC 7871).
 *
 * dns_message_decode walks header, question and every record to their ends once and leaves a
 * view: offsets into the caller's bytes. Nothing else of dns/ is needed on the per-query path.
 *
 * Owner:    the view points into the caller's bytes and lives as long as they do.
 * Threads:  no shared state.  Input: untrusted.
 * Limits:   the first DNS_RECORDS_MAX records are kept in record[], the rest is walked, checked
 *           and counted; total name work per message is bounded (DNS_WORK_MAX octets).
 */
#ifndef SENSOR_DNS_MESSAGE_H
#define SENSOR_DNS_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/base/ip.h"
#include "sensor/dns/name.h"

#define DNS_RECORDS_MAX   128
#define DNS_ADDRESSES_MAX 64
#define DNS_EXPANDED_MAX  4
#define DNS_WORK_MAX      (256 * 1024)
#define DNS_HEADER_LEN    12

enum dns_opcode {
	DNS_OPCODE_QUERY = 0,
	DNS_OPCODE_IQUERY = 1, /* obsolete, RFC 3425 */
	DNS_OPCODE_STATUS = 2,
	DNS_OPCODE_NOTIFY = 4,
	DNS_OPCODE_UPDATE = 5,
	DNS_OPCODE_DSO = 6,
};

/* Types and classes by name: DNS_TYPE_A, ... from types.def; text in type_name(). */
enum dns_type {
#define RRTYPE(mnemonic, number, rdata) DNS_TYPE_##mnemonic = number,
#include "sensor/dns/types.def"
#undef RRTYPE
};

enum dns_rcode {
#define RCODE(mnemonic, number) DNS_RCODE_##mnemonic = number,
#include "sensor/dns/rcodes.def"
#undef RCODE
};

enum dns_class {
	DNS_CLASS_IN = 1,
	DNS_CLASS_CH = 3,
	DNS_CLASS_HS = 4,
	DNS_CLASS_NONE = 254,
	DNS_CLASS_ANY = 255,
};

enum dns_flag {
	DNS_FLAG_QR = 0x8000,
	DNS_FLAG_AA = 0x0400,
	DNS_FLAG_TC = 0x0200,
	DNS_FLAG_RD = 0x0100,
	DNS_FLAG_RA = 0x0080,
	DNS_FLAG_AD = 0x0020,
	DNS_FLAG_CD = 0x0010,
};

enum dns_section {
	DNS_ANSWER,    /* prerequisites in an UPDATE (RFC 2136) */
	DNS_AUTHORITY, /* updates in an UPDATE */
	DNS_ADDITIONAL,
};

/* The first three lie as on the wire, but that each word is turned round as a whole. */
struct dns_record {
	uint32_t ttl;
	uint16_t class;
	uint16_t type;
	uint16_t rdata_len;
	uint16_t rdata_at; /* offset of RDATA */
	uint16_t owner_at; /* offset of the owner name in the message */
	/* offset of the name that RDATA leads to, 0: none (NS CNAME PTR DNAME MX SRV SVCB HTTPS SOA) */
	uint16_t target_at;
	uint8_t section; /* enum dns_section */
};

struct dns_edns {
	bool present;
	bool do_bit;
	uint8_t version;
	uint16_t udp_size;
	bool has_client_subnet;     /* RFC 7871 */
	uint8_t client_subnet_bits; /* source prefix length, in the family's own bits */
	struct ip client_subnet;
};

/* An A or AAAA record. */
struct dns_address {
	struct ip ip;
	uint32_t ttl;
};

struct dns_message {
	const uint8_t *wire;
	uint16_t wire_len;
	uint16_t id;
	uint8_t opcode;
	uint16_t flags;           /* as on the wire */
	uint16_t rcode;           /* with the extended bits of OPT */
	uint16_t qtype, qclass;   /* of the first question; 0 without one */
	uint16_t count[4];        /* QD, AN, NS, AR as in the header */
	uint16_t record_count;    /* in record[] */
	uint16_t records_omitted; /* walked but not kept */
	uint16_t trailing_len;    /* octets after the last record: counted, no error */
	bool has_question;
	bool has_tsig; /* TSIG or SIG(0) is the last additional record */
	/* Of the answer section's records in record[]: */
	uint8_t address_count;  /* in address[]: DNS_ADDRESSES_MAX at most */
	bool addresses_omitted; /* there are, or may be, more: records that are not kept, too */
	uint8_t leading_count;  /* records that lead on to another name (dns_leads_on) */
	uint8_t expanded_count; /* in expanded[]: of the first of those names ... */
	uint16_t expanded_at[DNS_EXPANDED_MAX]; /* ... and where they are, their target_at */
	struct dns_edns edns;
	struct dns_name qname; /* of the first question; the root without one */
	struct dns_record record[DNS_RECORDS_MAX];
	struct dns_address address[DNS_RECORDS_MAX]; /* a record may be one */
	struct dns_name expanded[DNS_EXPANDED_MAX];
};

/* Does the record lead who asked on to another name? */
static inline bool dns_leads_on(const struct dns_record *r)
{
	return (r->target_at != 0) & (r->type != DNS_TYPE_SOA);
}

static inline bool dns_is_response(const struct dns_message *m)
{
	return m->flags & DNS_FLAG_QR;
}

/*
 * Decode a whole message. On failure the reason is returned and of *out only wire, id, flags,
 * opcode and rcode are meaningful (zero when the header is cut), so that a caller can still
 * count. Of the arrays only what is counted is written: reuse one struct for every message.
 */
NODISCARD enum dns_error dns_message_decode(
	struct dns_message *out, const uint8_t *wire, size_t wire_len);

/*
 * The same for the first octets of a message of which the capture has no more. DNS_OK: nothing is
 * missing. DNS_SNAPLEN: header, questions and record[0..record_count) are good and the next record
 * is cut; count[] says how many there were, has_tsig is not known (false). DNS_HEADER_TRUNCATED,
 * DNS_QUESTION_TRUNCATED, DNS_NAME_TRUNCATED: cut before the questions' end. Everything else is
 * wrong with what is there.
 */
NODISCARD enum dns_error dns_message_decode_cut(
	struct dns_message *out, const uint8_t *wire, size_t captured_len);

/*
 * Every question of a decoded message, the first one too (RFC 9619 allows no more, but who
 * attacks does not care):
 *
 *	struct dns_questions it = dns_questions_start(m);
 *	while (dns_questions_next(&it)) ... it.qname, it.qtype
 */
struct dns_questions {
	const struct dns_message *message;
	struct cursor rest;
	uint16_t left;
	uint16_t qtype;
	struct dns_name qname;
};

struct dns_questions dns_questions_start(const struct dns_message *m);
bool dns_questions_next(struct dns_questions *it);

/* Expand a name that dns_message_decode already walked (owner_at or target_at of a record). */
void dns_message_name(const struct dns_message *m, uint16_t at, struct dns_name *out);

/*
 * Every record of a decoded message in order, those beyond DNS_RECORDS_MAX too:
 *
 *	struct dns_records it = dns_records_start(m);
 *	for (const struct dns_record *r; (r = dns_records_next(&it));)
 *
 * A record that was not kept is walked again into it.record, valid until the next call.
 */
struct dns_records {
	const struct dns_message *message;
	uint32_t index; /* of the next record, over all sections */
	struct cursor rest;
	struct dns_record record;
};

struct dns_records dns_records_start(const struct dns_message *m);
const struct dns_record *dns_records_next(struct dns_records *it);

const char *dns_error_name(enum dns_error error);
const char *dns_error_meaning(enum dns_error error);

/* Mnemonics. The number is written into the text when there is none (TYPE65280, RCODE17,
 * CLASS7, OPCODE9). */
#define DNS_MNEMONIC_MAX 16
const char *dns_type_name(uint16_t type, char text[DNS_MNEMONIC_MAX]);
const char *dns_rcode_name(uint16_t rcode, char text[DNS_MNEMONIC_MAX]);
const char *dns_class_name(uint16_t class_, char text[DNS_MNEMONIC_MAX]);
const char *dns_opcode_name(uint8_t opcode, char text[DNS_MNEMONIC_MAX]);
/* The error field of a TSIG record (RFC 8945 5.3.1): as RCODEs, but that 16 is BADSIG. */
#define DNS_TSIG_BADSIG 16
const char *dns_tsig_error_name(uint16_t error, char text[DNS_MNEMONIC_MAX]);
/* The same in the middle of a text: without a NUL, returns what follows. `at` has room for
 * DNS_MNEMONIC_MAX octets, all of which may be written. */
char *dns_type_put(char *at, uint16_t type);
char *dns_rcode_put(char *at, uint16_t rcode);
char *dns_class_put(char *at, uint16_t class_);
char *dns_opcode_put(char *at, uint8_t opcode);
/* "A", "HTTPS", "TYPE65280" -> number; false when it is none. */
NODISCARD bool dns_type_parse(uint16_t *out, const char *text);

#endif
