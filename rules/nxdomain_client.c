/* SPDX-License-Identifier: BSD-2-Clause */
#include "rules/nxdomain_client.h"

#include <math.h>
#include <string.h>

#define BASELINE_ALPHA 0.02
#define CUSUM_SLACK    0.5

double nxdomain_client_sigma(const struct nxdomain_client *c)
{
	return fmax(sqrt(fmax(c->variance, c->mean)), 1.0);
}

/* Learn one finished minute with `x` failures; clipped, so that one burst teaches little. */
static void learn_minute(struct nxdomain_client *c, double x)
{
	double sigma = nxdomain_client_sigma(c);
	double clipped =
		c->minutes_learnt >= BASELINE_LEARNT ? fmin(x, c->mean + 3 * sigma) : x;
	double delta = clipped - c->mean;
	double alpha = c->minutes_learnt < BASELINE_LEARNT ? 1.0 / (c->minutes_learnt + 1.0)
							   : BASELINE_ALPHA;
	c->mean += (float)(alpha * delta);
	c->variance = (float)((1 - alpha) * (c->variance + alpha * delta * delta));
	c->cusum = (float)fmax(0, c->cusum + x - c->mean - CUSUM_SLACK * sigma);
	c->minutes_learnt++;
}

/* Minutes without any failure, all at once. */
static void learn_silence(struct nxdomain_client *c, int64_t minutes)
{
	double keep = pow(1 - BASELINE_ALPHA, (double)minutes);
	if (minutes <= 0)
		return;
	c->mean *= (float)keep;
	c->variance *= (float)keep;
	c->cusum = (float)fmax(0, c->cusum - (double)minutes * (c->mean + CUSUM_SLACK));
	c->minutes_learnt += (uint32_t)(minutes < 100000 ? minutes : 100000);
}

void nxdomain_client_roll_minute(struct nxdomain_client *c, int64_t ts_ns)
{
	if (is_within(ts_ns, c->minute, NS_PER_MINUTE))
		return;
	int32_t now = (int32_t)(ts_ns / NS_PER_MINUTE), gap = now - c->minute;
	if (gap <= 0) {
		if (gap < -1) /* another time line: begin there, keep what was learned */
			c->minute = now;
		return;
	}
	if (ts_ns >= c->alarm_until_ns) {
		learn_minute(c, c->nx_minute);
		learn_silence(c, gap - 1);
	}
	c->minute = now;
	c->nx_minute = 0;
}

void nxdomain_client_roll_window(struct nxdomain_client *c, int32_t slice)
{
	int32_t gap = slice - c->slice;
	if (gap == 0)
		return;
	if (gap < 0 || gap >= WINDOW_SLICES) {
		memset(c->nx, 0, sizeof(c->nx));
		memset(c->answers, 0, sizeof(c->answers));
		c->few_count = 0;
		c->is_suspect = c->is_generator = false;
	} else {
		for (int32_t i = c->slice + 1; i <= slice; i++)
			c->nx[slot_of(i)] = c->answers[slot_of(i)] = 0;
	}
	c->slice = slice;
}
