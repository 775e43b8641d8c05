/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * update.h -- an UPDATE (RFC 2136) taken apart: zone, prerequisites, updates and who signed it
 * (TSIG RFC 8945, SIG(0) RFC 2931, GSS-TSIG RFC 3645). Rare, so it allocates; for the tracker
 * thread, never for the input thread.
 *
 * Owner:    update_decode allocates, update_free frees.  Threads: no shared state.
 * Input:    untrusted: a message that dns_message_decode accepted may still be refused here.
 */
#ifndef SENSOR_DNS_UPDATE_H
#define SENSOR_DNS_UPDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/base/arena.h"
#include "sensor/dns/message.h"

enum update_signature {
	UPDATE_UNSIGNED,
	UPDATE_TSIG,
	UPDATE_GSS_TSIG, /* TSIG with algorithm gss-tsig or gss.microsoft.com */
	UPDATE_SIG0,
};

/* RFC 2136 2.4: what must hold before anything is changed. */
enum update_condition {
	UPDATE_RRSET_EXISTS,   /* ANY, type, empty */
	UPDATE_RRSET_EQUALS,   /* class of the zone, type, RDATA: one record of the RRset */
	UPDATE_RRSET_ABSENT,   /* NONE, type, empty */
	UPDATE_NAME_IN_USE,    /* ANY, ANY, empty */
	UPDATE_NAME_IS_UNUSED, /* NONE, ANY, empty */
};

struct update_prerequisite {
	enum update_condition condition;
	uint16_t type;
	const char *name;  /* presentation, lower case, no trailing dot */
	const char *rdata; /* presentation; "" when there is none */
};

enum update_verb {
	UPDATE_ADD,           /* class of the zone */
	UPDATE_DELETE_RRSET,  /* ANY, type, TTL 0, empty */
	UPDATE_DELETE_NAME,   /* ANY, ANY, TTL 0, empty */
	UPDATE_DELETE_RECORD, /* NONE, type, TTL 0, RDATA */
};

struct update_change {
	enum update_verb verb;
	uint16_t type;
	uint32_t ttl;
	const char *name;  /* presentation, lower case, no trailing dot */
	const char *rdata; /* presentation; "" when there is none */
};

/* What a server that keeps to RFC 2136 would answer with FORMERR. */
enum update_fault {
	UPDATE_FAULT_NONE,
#define UPDATE_FAULT(id, name, meaning) UPDATE_FAULT_##id,
#include "sensor/dns/update_faults.def"
#undef UPDATE_FAULT
	UPDATE_FAULT_COUNT,
};

struct update {
	struct arena arena; /* everything below is in it, the struct itself too */
	const char *zone;
	bool zone_valid;         /* exactly one zone record of type SOA */
	enum update_fault fault; /* the first one; the rest was read all the same */
	size_t prerequisite_count;
	struct update_prerequisite *prerequisite;
	size_t change_count;
	struct update_change *change;
	/* Octets of the message up to its additional records: what is asked, whoever signs it. */
	uint16_t asked_len;
	enum update_signature signature;
	const char *key_name;  /* TSIG key or SIG(0) signer; NULL when unsigned */
	const char *algorithm; /* "hmac-sha256"; NULL when unsigned */
	uint64_t signed_at_s;  /* TSIG time signed; SIG(0): inception */
	uint16_t fudge_s;
	uint16_t mac_len;
	const uint8_t *mac;  /* the TSIG's; copied, never to be shown */
	uint16_t tsig_error; /* RFC 8945 3; 0 is none */
	uint16_t original_id;
	bool has_server_time;   /* BADTIME: RFC 8945 5.2.3 */
	uint64_t server_time_s; /* the server's clock, from the TSIG's other data */
};

/* NULL when dns_message_decode or its signature is not readable (UPDATE_FAULT_UNREADABLE),
 * memory is out, or it is not an UPDATE. */
struct update *update_decode(const uint8_t *wire, size_t wire_len);
void update_free(struct update *u);

/* "zone_count", "not exactly one zone"; "" for UPDATE_FAULT_NONE. */
const char *update_fault_name(enum update_fault fault);
const char *update_fault_meaning(enum update_fault fault);

#endif
