/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * captures.h -- where a live sensor reads: interfaces and dnstap sockets, each with its inputs.
 *
 *	capture   what the operator named; its number is frame.interface, by which tenants are selected
 *	input     one source and the thread that reads it; sensor.inputs of them share an interface
 *
 * Owner:    captures_close frees what captures_open opened; zero-initialised is valid and empty.
 *           Names belong to the configuration, or to whom gave them.
 * Threads:  the main thread; each source is then its input thread's.
 */
#ifndef SENSOR_APP_CAPTURES_H
#define SENSOR_APP_CAPTURES_H

#include <stddef.h>

#include "sensor/base/error.h"
#include "sensor/capture/source.h"
#include "sensor/config/config.h"
#include "sensor/packet/dedup.h"
#include "sensor/pipeline/tracker.h"

#define CAPTURES_MAX   LANE_INPUTS_MAX
#define CAPTURES_LABEL 128

struct fanout;

struct captures_input {
	struct source *source;
	size_t capture;
	unsigned member; /* of those that share the capture */
	enum dedup_mode dedup;
	char label[CAPTURES_LABEL]; /* "eth1", or "eth1 (input 2 of 4)" */
};

struct captures {
	const char *name[CAPTURES_MAX]; /* interface, or path of a socket */
	struct fanout *fanout[CAPTURES_MAX];
	size_t count;
	struct captures_input input[LANE_INPUTS_MAX];
	size_t input_count;
};

/*
 * Which captures there are and with how many inputs: `interface` (-i), or, when there is none,
 * those of the configuration. Opens nothing.
 */
NODISCARD enum err captures_choose(struct captures *c, const struct config *config,
	const char *const *interface, size_t interface_count, struct err_ctx *why);
/* Open every input; what was opened before an error is captures_close's. */
NODISCARD enum err captures_open(struct captures *c, const struct config *config,
	const struct packet_options *packet, struct err_ctx *why);
void captures_close(struct captures *c);

#endif
