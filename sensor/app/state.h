/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * state.h -- the file in which the ownership ledger outlives the process (rules/ledger_state.h).
 *
 * Written aside, synced and renamed: there is always a whole one. A file that is damaged is set aside
 * as FILE.damaged and said; one that cannot be written is said, and the sensor goes on.
 *
 * Owner:    state_init/state_deinit.
 * Threads:  the main thread. While trackers run, each writes its part into memory at a tick, and the
 *           main thread takes it from there (state_poll).
 * Input:    untrusted: any bytes are a state or are set aside.
 */
#ifndef SENSOR_APP_STATE_H
#define SENSOR_APP_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "sensor/app/engine.h"

struct state {
	char *path;       /* NULL: off */
	int64_t asked_ns; /* monotonic: last time that the trackers were asked */
	bool waiting;     /* for them */
	bool failing;     /* the last try to write failed, and that was said */
};

/* `path` is a file, or a folder to put "ledger.state" into; NULL: none. */
NODISCARD enum err state_init(struct state *s, const char *path, struct err_ctx *why);
void state_deinit(struct state *s);
/*
 * Give every lane its tenants' part, before the engine is started. No file yet: an empty ledger.
 * `away`: nothing was watched since it was written (a live sensor; captures follow each other).
 * ERR_FAILED when the file is there and cannot be read: it would be overwritten.
 */
NODISCARD enum err state_load(
	const struct state *s, struct engine *e, bool away, struct err_ctx *why);
/* After engine_finish. False when it could not be written (said). */
bool state_save(struct state *s, struct engine *e);
/* While the engine runs, a few times a second: every STATE_EVERY_S a new file. */
#define STATE_EVERY_S 300
void state_poll(struct state *s, struct engine *e, int64_t monotonic_ns);

#endif
