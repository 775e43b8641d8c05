/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * updates.h -- UPDATE messages (RFC 2136) written down as one struct each, shown to a rig.
 *
 * Zero is an unsigned request from 10.1.0.7 to 10.1.0.53 for corp.example, without changes.
 */
#ifndef TESTS_UNIT_RULES_UPDATES_H
#define TESTS_UNIT_RULES_UPDATES_H

#include "sensor/dns/update.h"
#include "tests/unit/rules/observations.h"

#define UPDATE_CHANGES_MAX 40

struct update_record {
	const char *name;
	uint16_t type; /* 0: A */
	enum update_verb verb;
	const char *data; /* an address, a host name or a text; NULL: an ordinary one */
};

struct update_condition_record {
	enum update_condition condition;
	const char *name;
	uint16_t type; /* 0: CNAME; of a name in use or not: of no matter */
	const char *data;
};

struct update_signed {
	const char *algorithm; /* NULL: gss-tsig */
	const char *key;       /* NULL: key.example */
	unsigned mac_len;      /* 0: none */
	uint8_t mac_first[3];  /* the rest are 7s */
	uint16_t error;
	int64_t server_time_s; /* other data, when it is not 0 */
	int64_t time_s;        /* 0: when at_ms is */
};

struct update_spec {
	int64_t at_ms;
	const char *client, *server, *zone;
	uint16_t port, id;
	struct update_record add[UPDATE_CHANGES_MAX]; /* up to the first without name */
	/* the same; none: the zone is no alias */
	struct update_condition_record prerequisite[8];
	bool signature; /* a TSIG, `tsig` has its details */
	struct update_signed tsig;
	bool response, empty; /* empty: a response that echoes no sections */
	uint16_t rcode;
	uint16_t tenant;
	bool unmapped, tcp;
};

void updates_see(struct rig *r, const struct update_spec *s);
/* The request and, 5 ms later, its response with that rcode, which echoes nothing. */
void updates_send(struct rig *r, const struct update_spec *request, uint16_t rcode);
/* The same with a response that is signed as `tsig` says. */
void updates_send_signed(struct rig *r, const struct update_spec *request, uint16_t rcode,
	const struct update_signed *tsig);

#endif
