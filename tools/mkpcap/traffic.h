/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * traffic.h -- who asks what and when: exchanges whose questions and answers interleave, as
 * frames one after the other.
 *
 * Nothing repeats: ids, ports and times differ in every exchange, so flow tables are not
 * flattered.
 */
#ifndef TOOLS_MKPCAP_TRAFFIC_H
#define TOOLS_MKPCAP_TRAFFIC_H

#include "tools/mkpcap/frame.h"
#include "tools/mkpcap/options.h"

#define TRAFFIC_PENDING_MAX 256 /* answers on their way at any time */
#define TRAFFIC_START_S     INT64_C(1790000000)

struct traffic {
	const struct options *options;
	const struct names *names;
	struct frame_layout layout;
	struct draw draw;
	uint64_t written;
	/* Gets each frame with its time; false ends traffic_run. */
	bool (*sink)(void *arg, const struct wire *frame, uint64_t since_start_us);
	void *sink_arg;
	struct exchange pending[TRAFFIC_PENDING_MAX];
};

/* Make options->packets frames; false as soon as the sink says so. */
bool traffic_run(struct traffic *t);

#endif
