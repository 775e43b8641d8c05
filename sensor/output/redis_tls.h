/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * redis_tls.h -- TLS for rediss://, when hiredis was built with it (1.x with hiredis_ssl; the
 * 0.14 of Debian 12 has none, and then redis_tls_available is false).
 *
 * The server's certificate must be valid for its name under the system's authorities, or those
 * that SSL_CERT_FILE and SSL_CERT_DIR name.
 */
#ifndef SENSOR_OUTPUT_REDIS_TLS_H
#define SENSOR_OUTPUT_REDIS_TLS_H

#include <stdbool.h>

#include "sensor/base/attribute.h"
#include "sensor/output/redis_link.h"

bool redis_tls_available(void);

enum redis_tls_step {
	REDIS_TLS_DONE,
	REDIS_TLS_WAIT, /* for what *events says, then step again */
	REDIS_TLS_FAILED,
};

/* Begin TLS on a connected context, which owns *session from then on. */
NODISCARD bool redis_tls_start(
	redisContext *context, const char *host, void **session, struct redis_fault *fault);
/* Go on with the handshake as far as it goes without waiting. */
NODISCARD enum redis_tls_step redis_tls_shake(
	void *session, short *events, struct redis_fault *fault);

#endif
