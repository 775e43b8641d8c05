/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * account.h -- the books of a run: every thread's counters added up into a summary.
 *
 * Owner:    account_deinit frees; the summary points into the account.
 * Threads:  account_take may be called while the engine works (figures of trackers are then as of
 *           the last tick), from the thread that drives the output.
 */
#ifndef SENSOR_APP_ACCOUNT_H
#define SENSOR_APP_ACCOUNT_H

#include "rules/judge.h"
#include "sensor/app/engine.h"
#include "sensor/output/output.h"
#include "sensor/output/summary.h"

#define INPUT_TABLES 3 /* fragments, tcp_streams, tcp_bytes */

struct account {
	struct summary summary;
	struct summary_pair rejected[PACKET_RESULT_COUNT], malformed[DNS_ERROR_COUNT];
	struct summary_pair update_fault[UPDATE_FAULT_COUNT - 1]; /* but for none */
	struct summary_pair opcode[16], rcode[READING_RCODES_MAX], by_rule[RULE_COUNT];
	char opcode_text[16][16], rcode_text[READING_RCODES_MAX][16];
	struct summary_table table[JUDGE_TABLES_MAX + INPUT_TABLES];
	struct summary_tenant *tenant;
	uint64_t *tenant_messages;
	struct tally_row *update;
};

/* Add everything up. False when out of memory. Times, paths and losses are the caller's to add. */
NODISCARD bool account_take(struct account *a, struct engine *e, const struct output *output,
	const struct policy_set *policies);
void account_deinit(struct account *a);

/* Most memory this process ever had resident, in bytes. */
uint64_t account_peak_rss_bytes(void);

#endif
