/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * registered.h -- the registered domain of a name: public suffix plus one label (libpsl,
 * built-in list, private section included: a name under duckdns.org is its own registered
 * domain).
 *
 * Asking libpsl costs 0.6 to four microseconds, so a reader keeps two small direct-mapped caches:
 * names seen again cost a look, and names seen once below a known parent a look at the filter that
 * rules out nearly all membership questions (suffix_filter.h; any name may be a rule of the list
 * itself, so the question cannot be spared). Parents are held against it, too: one packet of the benchmark's mix in
 * twelve led to libpsl before, an eighth of all instructions (replay without a configuration).
 *
 * Threads:  the list is immutable; a struct registered (the cache) belongs to one thread.
 */
#ifndef FEEDS_REGISTERED_H
#define FEEDS_REGISTERED_H

#include <stdbool.h>
#include <stdint.h>

#include "sensor/dns/name.h"

struct registered;

struct registered *registered_new(void);
void registered_free(struct registered *r);

/*
 * How many labels the registered domain of `name` has; 0 when the name is itself a public
 * suffix, a single label or the root. Names that are no host names (other octets than LDH and
 * _) are answered too.
 */
unsigned registered_labels(struct registered *r, const struct dns_name *name);

/* Which section of the list has the name as a public suffix. A top-level domain that is on no
 * list counts as ICANN's (the list's own default rule "*"). */
enum registered_section {
	REGISTERED_NO_SUFFIX,
	REGISTERED_ICANN_SUFFIX,
	REGISTERED_PRIVATE_SUFFIX,
};
enum registered_section registered_suffix_section(const struct dns_name *name);

/* Is the name an ICANN public suffix ("com", "co.uk")? / a private-section one ("duckdns.org")?
 */
bool registered_is_icann_suffix(const struct dns_name *name);
bool registered_is_private_suffix(const struct dns_name *name);

#endif
