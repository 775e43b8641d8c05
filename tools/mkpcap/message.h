/* SPDX-License-Identifier: BSD-2-Clause */
/* message.h -- the DNS messages of an exchange (RFC 1035, 2136, 6891, 7873, 8945). */
#ifndef TOOLS_MKPCAP_MESSAGE_H
#define TOOLS_MKPCAP_MESSAGE_H

#include "tools/mkpcap/exchange.h"
#include "tools/mkpcap/wire.h"

#define MESSAGE_RECORDS_MAX 40

void message_put_query(struct wire *w, const struct exchange *x);
/* `records`: addresses in an answer that has any; 0: as many as the name has, 1 to 4. */
void message_put_answer(struct wire *w, const struct exchange *x, unsigned records);

#endif
