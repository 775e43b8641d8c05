/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/delay.h"

/* Bin 0 has all below a microsecond, about; each doubling from there has SUB_BINS. */
#define FIRST_BIT 10
#define SUB_BITS  3
#define SUB_BINS  (1u << SUB_BITS)

static unsigned bin_of(int64_t span_ns)
{
	if (span_ns < INT64_C(1) << FIRST_BIT)
		return 0;
	unsigned top = 63u - (unsigned)__builtin_clzll((uint64_t)span_ns);
	unsigned sub = (unsigned)((uint64_t)span_ns >> (top - SUB_BITS)) & (SUB_BINS - 1);
	unsigned bin = 1 + (top - FIRST_BIT) * SUB_BINS + sub;
	return bin < DELAY_BINS ? bin : DELAY_BINS - 1;
}

static int64_t middle_of(unsigned bin)
{
	if (bin == 0)
		return 0;
	unsigned top = FIRST_BIT + (bin - 1) / SUB_BINS;
	uint64_t sub = (bin - 1) % SUB_BINS;
	uint64_t width = UINT64_C(1) << (top - SUB_BITS);
	return (int64_t)((SUB_BINS + sub) * width + width / 2);
}

void delay_add(struct delay *d, int64_t span_ns)
{
	if (span_ns < 0)
		span_ns = 0;
	d->count++;
	if (span_ns > d->max_ns)
		d->max_ns = span_ns;
	uint32_t *bin = &d->bin[bin_of(span_ns)];
	if (*bin < UINT32_MAX)
		++*bin;
}

int64_t delay_quantile(const struct delay *d, double share)
{
	double below = 0, wanted = share * (double)d->count;

	for (unsigned i = 0; i < DELAY_BINS && d->count > 0; i++) {
		below += d->bin[i];
		if (below < wanted || below <= 0)
			continue;
		int64_t middle = middle_of(i);
		return i == DELAY_BINS - 1 || middle > d->max_ns ? d->max_ns : middle;
	}
	return d->max_ns;
}
