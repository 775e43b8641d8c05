/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dnslog.h -- one JSON object per DNS message, in the order they are written.
 *
 * Keys, always all of them and in this order: ts src sport dst dport proto vlan tenant id
 * response opcode rcode flags qname qtype qclass answers authority additional. What is not
 * there is null (rcode of a query; qname, qtype and qclass without a question) or an empty
 * array. All records are written, those that dns_message_decode did not keep too.
 *
 * Owner:    dnslog_close frees. Threads: one at a time; dnslog_reopen any.
 * Blocking: dnslog_write writes, or hands over, when DNSLOG_BUFFER_BYTES are full; a slow reader of a
 * pipe makes it wait.
 * Errors:   the first failed write stops all output, or, DNSLOG_LASTING, until there is room again;
 * dnslog_flush and dnslog_close report it.
 */
#ifndef SENSOR_OUTPUT_DNSLOG_H
#define SENSOR_OUTPUT_DNSLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sensor/base/attribute.h"
#include "sensor/base/ip.h"
#include "sensor/dns/message.h"

#define DNSLOG_BUFFER_BYTES (1024 * 1024)

struct dnslog;

struct dnslog_entry {
	int64_t ts_ns;
	struct ip src, dst;
	uint16_t sport, dport;
	bool tcp;
	const uint16_t *vlan; /* 802.1Q ids, outermost first */
	size_t vlan_count;
	const char *tenant;
	const struct dns_message *message; /* that dns_message_decode accepted */
};

enum dnslog_how {
	DNSLOG_ASIDE = 1,  /* a thread of the log's own writes what is full (writer.h) */
	DNSLOG_APPEND = 2, /* to what the file has; else it is emptied */
	/* What a sensor writes for months: kept up by dnslog_keep (dnslog_file.h). */
	DNSLOG_LASTING = 4,
};

/* Open or create the file, or write to standard output for "-". NULL: see errno. */
NODISCARD struct dnslog *dnslog_open(const char *path, unsigned how);

/* False: an earlier write has failed, and the message will not be there. */
bool dnslog_write(struct dnslog *log, const struct dnslog_entry *entry);

/*
 * [who writes] Of a log that lasts, about once a second: what is buffered goes out, the file is opened
 * anew when that is wanted, and a failed write is tried again.
 */
void dnslog_keep(struct dnslog *log);
/* [any thread] Have the next dnslog_keep open the file anew: it was moved. */
void dnslog_reopen(struct dnslog *log);

/* Write out what is buffered. Returns 0, or the errno of the first write that failed, ever. */
NODISCARD int dnslog_flush(struct dnslog *log);

/* Flush, close and free, whatever the result, which is that of dnslog_flush. NULL is ignored
 * (0). */
NODISCARD int dnslog_close(struct dnslog *log);

#endif
