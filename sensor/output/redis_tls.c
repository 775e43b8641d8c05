/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/redis_tls.h"

#include <stdio.h>

static bool refuse(struct redis_fault *fault, const char *text)
{
	snprintf(fault->code, sizeof(fault->code), "tls");
	snprintf(fault->text, sizeof(fault->text), "TLS: %s", text);
	return false;
}

#ifdef HAVE_HIREDIS_SSL

#include "sensor/base/ip.h"

#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>

bool redis_tls_available(void)
{
	return true;
}

/* The certificate must be for this host: a name, or an address. */
static bool expect_host(SSL *ssl, const char *host)
{
	struct ip ip;

	if (ip_parse(&ip, host))
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
	return SSL_set_tlsext_host_name(ssl, host) == 1 && SSL_set1_host(ssl, host) == 1;
}

static SSL *new_session(const char *host)
{
	SSL_CTX *settings = SSL_CTX_new(TLS_client_method());
	SSL *ssl = NULL;

	if (!settings)
		return NULL;
	SSL_CTX_set_verify(settings, SSL_VERIFY_PEER, NULL);
	if (SSL_CTX_set_min_proto_version(settings, TLS1_2_VERSION) == 1 &&
		SSL_CTX_set_default_verify_paths(settings) == 1)
		ssl = SSL_new(settings); /* holds on to the settings */
	SSL_CTX_free(settings);
	if (ssl && !expect_host(ssl, host)) {
		SSL_free(ssl);
		return NULL;
	}
	return ssl;
}

bool redis_tls_start(
	redisContext *context, const char *host, void **session, struct redis_fault *fault)
{
	SSL *ssl = new_session(host);

	if (!ssl)
		return refuse(fault, "cannot set up a session");
	if (redisInitiateSSL(context, ssl) != REDIS_OK) {
		refuse(fault, context->errstr);
		/* hiredis took the session over only if it succeeded */
		SSL_free(ssl);
		return false;
	}
	*session = ssl;
	return true;
}

/* hiredis knows errno only; what the certificate lacks is what the operator needs to know. */
static void explain(SSL *ssl, struct redis_fault *fault)
{
	long verdict = SSL_get_verify_result(ssl);
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	if (verdict != X509_V_OK)
		snprintf(fault->text, sizeof(fault->text), "TLS: certificate verify failed: %s",
			X509_verify_cert_error_string(verdict));
	else
		snprintf(fault->text, sizeof(fault->text), "TLS: handshake failed: %s",
			reason ? reason : "the server ended it");
	snprintf(fault->code, sizeof(fault->code), "tls");
}

enum redis_tls_step redis_tls_shake(void *session, short *events, struct redis_fault *fault)
{
	SSL *ssl = session;

	ERR_clear_error();
	int result = SSL_do_handshake(ssl);
	if (result == 1)
		return REDIS_TLS_DONE;
	switch (SSL_get_error(ssl, result)) {
	case SSL_ERROR_WANT_READ:
		*events = POLLIN;
		return REDIS_TLS_WAIT;
	case SSL_ERROR_WANT_WRITE:
		*events = POLLOUT;
		return REDIS_TLS_WAIT;
	default:
		explain(ssl, fault);
		return REDIS_TLS_FAILED;
	}
}

#else

bool redis_tls_available(void)
{
	return false;
}

bool redis_tls_start(
	redisContext *context, const char *host, void **session, struct redis_fault *fault)
{
	(void)context;
	(void)host;
	(void)session;
	return refuse(fault, "hiredis was built without it");
}

enum redis_tls_step redis_tls_shake(void *session, short *events, struct redis_fault *fault)
{
	(void)session;
	(void)events;
	refuse(fault, "hiredis was built without it");
	return REDIS_TLS_FAILED;
}

#endif
