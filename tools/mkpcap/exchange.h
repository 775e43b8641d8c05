/* SPDX-License-Identifier: BSD-2-Clause */
/* exchange.h -- one question and its answer: what is needed to write the one and, later, the other. */
#ifndef TOOLS_MKPCAP_EXCHANGE_H
#define TOOLS_MKPCAP_EXCHANGE_H

#include "tools/mkpcap/name.h"

struct exchange {
	const struct name *name; /* NULL: none */
	struct name own;         /* where `name` points when nobody else asks for it */
	uint32_t tenant, host;   /* the client: number `host` of its tenant */
	uint32_t signed_at_s;    /* an UPDATE with a TSIG record: its time; 0: without */
	uint32_t seq[2];         /* TCP: the next of the client, of the server */
	uint32_t cookie;         /* 0: none (only with edns) */
	uint16_t id, port, qtype;
	uint8_t variant; /* which of its addresses a content network gives */
	bool edns, tcp, ipv6;
};

#endif
