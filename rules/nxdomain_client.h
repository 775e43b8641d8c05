/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nxdomain_client.h -- what is remembered of each client whose look-ups may fail: counts in a window
 * that slides in slices, the first failing domains of it, and what is usual a minute (mean and
 * variance, EWMA; CUSUM of slow excess). Windows roll when the client is next seen: no timers.
 *
 * Owner: the family nxdomain, in its table.  Threads: one tracker.
 */
#ifndef RULES_NXDOMAIN_CLIENT_H
#define RULES_NXDOMAIN_CLIENT_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/suspect.h"
#include "sensor/base/attribute.h"
#include "sensor/base/clock.h"

#define WINDOW_SLICES   5
#define FEW_DOMAINS     4
#define BASELINE_LEARNT 60 /* minutes */
#define NS_PER_MINUTE   (60 * NS_PER_S)

struct nxdomain_client {
	struct suspect_key key;
	int32_t slice; /* number of the current slice of the window */
	int32_t minute;
	uint16_t nx[WINDOW_SLICES], answers[WINDOW_SLICES];
	uint32_t nx_minute; /* in the current minute */
	uint32_t active_epoch;
	bool is_suspect;
	bool is_generator; /* as its suspect says, which most answers then need not be asked for */
	uint8_t few_count;
	/* So far the one cache line that an answer other than NXDOMAIN touches. */
	uint32_t minutes_learnt;
	float mean, variance, cusum;
	int64_t alarm_until_ns; /* minutes before are not learned from */
	int64_t emitted_slice;  /* at most one alert a slice */
	uint32_t warm_epoch;
	uint32_t few[FEW_DOMAINS]; /* the first failing domains of this window */
	bool few_generated[FEW_DOMAINS];
} __attribute__((aligned(CACHE_LINE)));
static_assert(offsetof(struct nxdomain_client, minutes_learnt) == CACHE_LINE,
	"one line for most answers");
static_assert(sizeof(struct nxdomain_client) == 2 * CACHE_LINE, "entries begin at cache lines");

/* How far into period `number` of this length is this time? Dividing to find out would cost more. */
static inline uint64_t since_start(int64_t ts_ns, int64_t number, int64_t period_ns)
{
	return (uint64_t)ts_ns - (uint64_t)number * (uint64_t)period_ns;
}

static inline bool is_within(int64_t ts_ns, int64_t number, int64_t period_ns)
{
	return since_start(ts_ns, number, period_ns) < (uint64_t)period_ns;
}

/* Where a slice counts: captures may carry times before 1970, too. */
static inline uint32_t slot_of(int32_t slice)
{
	return (uint32_t)slice % WINDOW_SLICES;
}

static inline void bump(uint16_t *counter)
{
	if (*counter < UINT16_MAX)
		++*counter;
}

/* Counts are at least as noisy as chance makes them (Poisson), and never less than one. */
double nxdomain_client_sigma(const struct nxdomain_client *c);

/* The minute of ts_ns: those that are over are learned from, but for minutes of an alarm. */
void nxdomain_client_roll_minute(struct nxdomain_client *c, int64_t ts_ns);

/* The window that ends with this slice: what lies before is forgotten. */
void nxdomain_client_roll_window(struct nxdomain_client *c, int32_t slice);

#endif
