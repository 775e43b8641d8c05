/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redis_url.h -- where a Redis server is and how to log in.
 *
 *	redis://[[user]:password@]host[:port][/db]      also redis://password@host
 *	rediss://...                                    the same over TLS
 *	unix://[[user]:password@]/path/to.sock[?db=N]   also redis+unix://
 *
 * An IPv6 host is written in brackets. User, password, host and path may be percent-encoded
 * (RFC 3986 2.1).
 *
 * No message made here holds any part of a password, not even when the URL is malformed.
 */
#ifndef SENSOR_OUTPUT_REDIS_URL_H
#define SENSOR_OUTPUT_REDIS_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "sensor/base/attribute.h"
#include "sensor/base/error.h"

#define REDIS_PORT          6379
#define REDIS_URL_MAX       2048
#define REDIS_USER_MAX      256
#define REDIS_PASSWORD_MAX  1024
#define REDIS_HOST_MAX      256
#define REDIS_UNIX_PATH_MAX 108 /* sizeof(sun_path) */
#define REDIS_DATABASE_MAX  1000000

struct redis_url {
	bool tls;
	uint16_t port;
	uint32_t database;
	char host[REDIS_HOST_MAX];      /* "" for a unix socket */
	char path[REDIS_UNIX_PATH_MAX]; /* "" for TCP */
	char user[REDIS_USER_MAX];      /* "": the default user */
	char password[REDIS_PASSWORD_MAX];
	bool has_password;
	char shown[REDIS_HOST_MAX + REDIS_UNIX_PATH_MAX + REDIS_USER_MAX +
		   64]; /* for messages */
};

/* ERR_USAGE with the reason when the text is no such URL. */
NODISCARD enum err redis_url_parse(struct redis_url *out, const char *url, struct err_ctx *why);

#endif
