/* SPDX-License-Identifier: BSD-2-Clause */
/* kept.h -- a sink that keeps the last alert and counts them. */
#ifndef TESTS_UNIT_APP_KEPT_H
#define TESTS_UNIT_APP_KEPT_H

#include "sensor/output/sink.h"

struct kept {
	struct sink sink;
	unsigned count;
	char line[4096];
};

/* Hand out.sink to output_add_sink when the struct is where it stays. */
struct kept kept_start(void);

#endif
