/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * oracle.h -- a message as libldns reads it, record by record.
 *
 * It walks with ldns_wire2rr exactly as ldns_wire2pkt does. That one keeps neither OPT nor TSIG
 * in place, and leaks when there are several TSIG.
 */
#ifndef TESTS_UNIT_DNS_ORACLE_H
#define TESTS_UNIT_DNS_ORACLE_H

#include <ldns/ldns.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct oracle {
	ldns_status status; /* why it refused, or LDNS_STATUS_OK */
	ldns_rr **rr;       /* questions and records in order, up to the one refused */
	size_t count;
	/*
	 * Index of the first record after which libldns did not stand where RDATA ends: it
	 * reads every later one from a wrong place. SIZE_MAX when there is none.
	 */
	size_t lost_at;
};

struct oracle oracle_read(const uint8_t *wire, size_t wire_len);
void oracle_deinit(struct oracle *o);

#endif
