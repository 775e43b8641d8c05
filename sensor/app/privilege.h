/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * privilege.h -- from root to an ordinary user, once the captures are open.
 *
 * CAP_NET_RAW and CAP_NET_ADMIN are kept, so that an interface that went away can be opened again;
 * everything else is dropped for good, the bounding set too.
 */
#ifndef SENSOR_APP_PRIVILEGE_H
#define SENSOR_APP_PRIVILEGE_H

#include <sys/types.h>

#include "sensor/base/attribute.h"
#include "sensor/base/error.h"

/* Who that is. -1 for "". ERR_USAGE when there is no such user. */
NODISCARD enum err privilege_user(
	const char *user, uid_t *owner, gid_t *group, struct err_ctx *why);

/* `user` "" changes nothing. Only root may change; a user who is already that one is fine. */
NODISCARD enum err privilege_drop(const char *user, struct err_ctx *why);

#endif
