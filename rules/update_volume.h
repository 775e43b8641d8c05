/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * update_volume.h -- how many updates: far more than usual (update.spike), many names deleted at
 * once (update.mass_delete).
 *
 * Updates are counted per minute for each updater, zone and subnet, against what each did before:
 * mean and variance of its minutes (EWMA) and its highest minute of the last days. Until it has been
 * known for `learn`, a static floor decides, which is ten times as high for a DHCP server, a zone
 * and a subnet: those speak for many. A zone or a subnet is told only when three sources or more
 * are in it; else it is one updater's doing. One name that is given another value again and again
 * is told by itself.
 *
 * What is normal does not count: a domain controller's own service records (dozens an hour, all at
 * once after a start), names deleted that are added again by the same UPDATE, and names deleted
 * under the condition that they carry the client's DHCID or TXT (RFC 4703 5.5, ISC dhcpd): a lease
 * that ends.
 *
 * Owner: update_volume_new/update_volume_free.  Threads: one tracker.  Limits: bounded tables.
 */
#ifndef RULES_UPDATE_VOLUME_H
#define RULES_UPDATE_VOLUME_H

#include "rules/transaction.h"
#include "rules/update_content.h"

struct update_volume;

/* NULL when out of memory. */
struct update_volume *update_volume_new(struct emit *emit, size_t memory_bytes, uint64_t seed);
void update_volume_free(struct update_volume *v);
/*
 * An UPDATE that would change something was asked for (or its response repeats it). `controllers`
 * tells whose service records are ordinary.
 */
void update_volume_asked(struct update_volume *v, struct update_content *controllers,
	const struct exchange *x, const struct transaction *t);
/* It was accepted. */
void update_volume_accepted(struct update_volume *v, struct update_content *controllers,
	const struct exchange *x, const struct transaction *t);
void update_volume_stats(const struct update_volume *v, struct judge_stats *out);

#endif
