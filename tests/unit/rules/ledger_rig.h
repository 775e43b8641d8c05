/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ledger_rig.h -- UPDATEs and answers written down for tests of the ledger and its rules.
 *
 *	struct ledger_rig *g = ledger_rig_new(NULL);
 *	ledger_rig_update(g, &(struct ledger_spec){ .records = "add host A 10.1.0.7" });
 *	cr_assert_str_eq(ledger_rig_told(g), "added host.corp.example A - 10.1.0.7 address 10.1.0.7");
 *
 * Records are lines of "add NAME TYPE VALUE", "del NAME TYPE", "del NAME" and "del NAME TYPE VALUE";
 * prerequisites of "unused NAME", "absent NAME TYPE", "equal NAME TYPE VALUE". Names are relative to
 * the zone unless they end in a dot.
 */
#ifndef TESTS_UNIT_RULES_LEDGER_RIG_H
#define TESTS_UNIT_RULES_LEDGER_RIG_H

#include "rules/ledger_book.h"
#include "rules/ownership.h"
#include "tests/unit/rules/observations.h"

struct ledger_spec {
	int64_t at_ms;
	const char *client; /* NULL: 10.1.0.7 */
	const char *zone;   /* NULL: corp.example */
	const char *records, *prerequisites;
	const char *key; /* NULL: unsigned */
	bool gss;        /* with a GSS-TSIG key of that name */
	uint32_t ttl;    /* 0: 1200 */
	uint16_t rcode;
	bool unseen; /* only the response, which echoes it */
};

struct ledger_rig {
	struct rig *rig; /* of the family to watch; its ledger is what is updated */
	char told[4096];
};

/* The world of tenant "acme", 10.1.0.0/16, when NULL. */
struct ledger_rig *ledger_rig_new(const struct family *family, struct world *w);
void ledger_rig_free(struct ledger_rig *g);
/* The UPDATE and its response, and update.takeover's word on it. Time goes on to at_ms. */
void ledger_rig_update(struct ledger_rig *g, const struct ledger_spec *s);
/* What the last UPDATE changed: a line for each change, the newest UPDATE only. */
const char *ledger_rig_told(const struct ledger_rig *g);

#endif
