/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reload.h -- a changed configuration, feed or database comes into force while the sensor runs.
 *
 * A thread of its own waits for a reason (reload_request on SIGHUP, the control socket, a file that
 * has changed), builds the next version of what is known beside the one in force, checks it, and
 * publishes it (engine_publish). When nobody uses the old one any more it is freed and its memory given
 * back. An error changes nothing, and says where it is. A feed whose file is not to be believed keeps
 * what it had. What only a restart can change stays as it is, and is named.
 *
 * The service manager is told of each reload (sd_notify).
 *
 * Owner:    the reloader owns every version, the first one from reload_start on.
 * Memory:   two versions at most; the next one is not begun before the old one is free.
 * Threads:  all but reload_hold and reload_release: the main thread.
 */
#ifndef SENSOR_APP_RELOAD_H
#define SENSOR_APP_RELOAD_H

#include "sensor/app/control.h"
#include "sensor/app/engine.h"
#include "sensor/app/load.h"

/* How long one reload waits until nobody uses the old version; the next one waits on. */
#define RELOAD_LEAVE_S 30

struct reload_options {
	const char *path;            /* of the configuration */
	const struct config *config; /* that the sensor starts with; outlives the reloader */
	struct load_options load;    /* that its first version is made with */
	struct engine *engine;       /* started before the reloader, ends after reload_stop */
	struct control *control;     /* open; served by the reloader's thread */
};

struct reload;

/* Files are watched from now on: before the first version is loaded. NULL when out of memory. */
struct reload *reload_new(const struct reload_options *options);
/* Frees every version: when the engine is gone. */
void reload_free(struct reload *r);

/* The thread. On success `known` and what *loaded holds belong to the reloader. */
NODISCARD enum err reload_start(struct reload *r, struct knowledge *known,
	const struct load_report *loaded, struct err_ctx *why);
/* Reload soon: on SIGHUP. */
void reload_request(struct reload *r);
/* No reload is begun any more, and none waits for others. Does not wait for one under way. */
void reload_cease(struct reload *r);
/* The same, and the thread ends. */
void reload_stop(struct reload *r);

/* A version that is in force, and what became of its feeds. */
struct reload_view {
	const struct knowledge *known;
	const struct load_report *loaded;
};

/*
 * For who looks now and then, from any thread: what is in force stays until reload_release, and holds
 * up the next reload so long.
 */
struct reload_view reload_hold(struct reload *r);
void reload_release(struct reload *r);

#endif
