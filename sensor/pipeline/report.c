/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/pipeline/report.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "rules/ledger_state.h"

struct report {
	pthread_mutex_t mutex;
	struct judge_stats stats;
	uint64_t *tenant_messages;
	size_t tenant_count;
	/* Counted UPDATEs, as of a tick that is REPORT_TALLY_NS old at most, or of the end. */
	struct tally_row *row;
	size_t row_count, row_max;
	uint64_t row_version; /* of what is there (the judge's thread's own) */
	int64_t row_ns;
	struct text state; /* the ledger's records */
	bool state_wanted;
};

struct report *report_new(size_t tenant_count)
{
	struct report *report = calloc(1, sizeof(*report));

	if (!report)
		return NULL;
	report->tenant_messages = calloc(tenant_count, sizeof(*report->tenant_messages));
	report->tenant_count = tenant_count;
	if (!report->tenant_messages) {
		free(report);
		return NULL;
	}
	pthread_mutex_init(&report->mutex, NULL);
	return report;
}

void report_free(struct report *report)
{
	if (!report)
		return;
	pthread_mutex_destroy(&report->mutex);
	free(report->tenant_messages);
	text_deinit(&report->state);
	free(report->row);
	free(report);
}

/* --- the judge's thread ------------------------------------------------------------------------ */

/* A reload may have brought tenants. Without memory the new ones are not told. */
static void make_tenant_room(struct report *report, size_t tenant_count)
{
	if (tenant_count <= report->tenant_count)
		return;
	uint64_t *grown = calloc(tenant_count, sizeof(*grown));
	if (!grown)
		return;
	free(report->tenant_messages);
	report->tenant_messages = grown;
	report->tenant_count = tenant_count;
}

/* Of all tenants at once: some ten milliseconds, every few minutes. */
static void write_state(struct report *report, struct judge *judge)
{
	if (!report->state_wanted)
		return;
	ledger_state_add(&report->state, judge_ledger(judge));
	report->state_wanted = false;
}

/* Without memory the rows of before stay. */
static bool make_row_room(struct report *report, size_t row_max)
{
	if (row_max <= report->row_max)
		return true;
	struct tally_row *grown = realloc(report->row, row_max * sizeof(*grown));
	if (!grown)
		return false;
	report->row = grown;
	report->row_max = row_max;
	return true;
}

/* They are only copied now and then, and when there is something new. */
static void update_tally(struct report *report, const struct tally *tally, int64_t ts_ns)
{
	bool end = ts_ns == JUDGE_END_NS;

	if (!end && (ts_ns - report->row_ns < REPORT_TALLY_NS ||
			    tally_version(tally) == report->row_version))
		return;
	pthread_mutex_lock(&report->mutex);
	if (make_row_room(report, tally_rows_max(tally)))
		report->row_count = tally_read(tally, report->row);
	report->row_version = tally_version(tally);
	report->row_ns = ts_ns;
	pthread_mutex_unlock(&report->mutex);
}

void report_update(struct report *report, struct judge *judge, int64_t ts_ns)
{
	pthread_mutex_lock(&report->mutex);
	judge_stats(judge, &report->stats);
	make_tenant_room(report, judge_tenant_count(judge));
	judge_tenant_messages(judge, report->tenant_messages, report->tenant_count);
	write_state(report, judge);
	pthread_mutex_unlock(&report->mutex);
	update_tally(report, judge_tally(judge), ts_ns);
}

/* --- who reads --------------------------------------------------------------------------------- */

void report_read(struct report *report, struct judge_stats *stats, uint64_t *tenant_messages,
	size_t tenant_count)
{
	pthread_mutex_lock(&report->mutex);
	*stats = report->stats;
	for (size_t i = 0; i < tenant_count && i < report->tenant_count; i++)
		tenant_messages[i] += report->tenant_messages[i];
	pthread_mutex_unlock(&report->mutex);
}

static bool append_rows(const struct report *report, struct tally_row **row, size_t *count)
{
	if (report->row_count == 0)
		return true;
	struct tally_row *grown = realloc(*row, (*count + report->row_count) * sizeof(*grown));
	if (!grown)
		return false;
	memcpy(grown + *count, report->row, report->row_count * sizeof(*grown));
	*row = grown;
	*count += report->row_count;
	return true;
}

bool report_tally(struct report *report, struct tally_row **row, size_t *count)
{
	pthread_mutex_lock(&report->mutex);
	bool done = append_rows(report, row, count);
	pthread_mutex_unlock(&report->mutex);
	return done;
}

void report_state_ask(struct report *report)
{
	pthread_mutex_lock(&report->mutex);
	text_deinit(&report->state);
	report->state_wanted = true;
	pthread_mutex_unlock(&report->mutex);
}

bool report_state_ready(struct report *report)
{
	pthread_mutex_lock(&report->mutex);
	bool ready = !report->state_wanted;
	pthread_mutex_unlock(&report->mutex);
	return ready;
}

void report_state_take(struct report *report, struct text *out)
{
	pthread_mutex_lock(&report->mutex);
	text_add(out, report->state.at, report->state.len);
	out->failed |= report->state.failed;
	text_deinit(&report->state);
	pthread_mutex_unlock(&report->mutex);
}
