/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * present_plain.h -- the text of names and RDATA as nearly all of them are: at once, from the wire.
 *
 * A name is plain when every octet of its labels stands for itself: printable ASCII without blank,
 * dot, backslash and quote. A label is then its own text, folded: copied and checked sixteen octets
 * at a time (SSE2; octet by octet elsewhere, and where the message ends before). RDATA is plain when
 * it is nothing but addresses, numbers and plain names. What is not plain is left to dns_name_format
 * and present_rdata, which write the same text of what is plain.
 *
 * What it buys: of the captures in the tests 99.6 % of the names and 85 % of the records are plain
 * (test_present_plain.c tells). A name of three or four labels takes 275 instructions from the wire to
 * its text (callgrind, replay --dns-log of mkpcap's mix), and is not looked through again for what is
 * to be escaped.
 *
 * Output: no quote and no backslash, so it is as it should be inside a JSON string, too. No NUL.
 * Input: messages that dns_message_decode accepted.  Threads: no shared state.
 */
#ifndef SENSOR_DNS_PRESENT_PLAIN_H
#define SENSOR_DNS_PRESENT_PLAIN_H

#include "sensor/dns/message.h"

/* The room that is needed; some octets behind the text may be written. */
#define PRESENT_PLAIN_NAME_MAX  (DNS_NAME_MAX + 1 + DNS_LABEL_MAX + 16)
#define PRESENT_PLAIN_RDATA_MAX (2 * PRESENT_PLAIN_NAME_MAX + 64)

/*
 * The name at the cursor, as dns_name_format writes it. Returns what follows the text and moves the
 * cursor behind the name; NULL when it is not plain, and the cursor stays. `wire` is the start of
 * the message, c->end its end.
 */
char *present_plain_name(char *at, struct cursor *c, const uint8_t *wire);

/* The same of an expanded name: one step takes several labels. */
char *present_plain_expanded(char *at, const struct dns_name *name);

/* RDATA as present_rdata writes it. Returns what follows the text; NULL when it is not plain. */
char *present_plain_rdata(char *at, const struct dns_message *m, const struct dns_record *r);

#endif
