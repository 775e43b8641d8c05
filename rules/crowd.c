/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/crowd.h"

/* A new window has begun, or an old one again: who is active is counted anew. */
static void start_epoch(struct crowd *crowd, uint32_t epoch)
{
	bool next = crowd->epoch + 1 == epoch;

	if (crowd->epoch == epoch)
		return;
	crowd->active[1] = next ? crowd->active[0] : 0;
	crowd->warm[1] = next ? crowd->warm[0] : 0;
	crowd->active[0] = crowd->warm[0] = 0;
	crowd->epoch = epoch;
}

/* Narrow the present, which is left_ns long from `since_ns` before now on, to a period around now. */
static void narrow(
	uint64_t *since_ns, uint64_t *left_ns, int64_t ts_ns, int64_t number, int64_t period_ns)
{
	uint64_t since = since_start(ts_ns, number, period_ns);
	/* Of a time before 1970: no period is kept, each answer begins anew. */
	uint64_t left = since < (uint64_t)period_ns ? (uint64_t)period_ns - since : 0;

	if (since < *since_ns)
		*since_ns = since;
	if (left < *left_ns)
		*left_ns = left;
}

void crowd_start_present(struct crowd *crowd, int64_t ts_ns, int64_t window_ns)
{
	int64_t slice_ns = window_ns / WINDOW_SLICES;
	int64_t epoch = ts_ns / window_ns;
	uint64_t since = UINT64_MAX, left = UINT64_MAX;

	start_epoch(crowd, (uint32_t)epoch + 1);
	crowd->slice = (int32_t)(ts_ns / slice_ns);
	crowd->slot = slot_of(crowd->slice);
	crowd->minute = (int32_t)(ts_ns / NS_PER_MINUTE);
	narrow(&since, &left, ts_ns, epoch, window_ns);
	narrow(&since, &left, ts_ns, crowd->slice, slice_ns);
	narrow(&since, &left, ts_ns, crowd->minute, NS_PER_MINUTE);
	crowd->from_ns = left ? (int64_t)((uint64_t)ts_ns - since) : 0;
	crowd->span_ns = left ? since + left : 0;
}
