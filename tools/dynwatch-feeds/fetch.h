/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fetch.h -- files from web servers (http, https), several at a time. The only user of libcurl.
 *
 * A file that has not changed since it was fetched (ETag, Last-Modified) is not sent again. Redirects
 * are followed as long as they lead to a web server and not from https to http; the key goes to the
 * scheme, host and port of the URL and nowhere else. Certificates are verified, against the bundle
 * that SSL_CERT_FILE or CURL_CA_BUNDLE name, else the system's.
 *
 * What comes may be gzip on the way, and is given as it came: unpacking it is how one knows that it is
 * complete.
 *
 * Owner:    the caller owns every struct fetch and what it points to.
 * Threads:  one; libcurl's name resolver has its own.
 * Input:    untrusted. Whatever a server does ends within timeout_ns, and within max_bytes.
 * Limits:   FETCH_HOPS_MAX redirects; FETCH_JOBS_MAX at a time.
 */
#ifndef TOOLS_DYNWATCH_FEEDS_FETCH_H
#define TOOLS_DYNWATCH_FEEDS_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "sensor/base/error.h"
#include "tools/dynwatch-feeds/fetched.h"

#define FETCH_HOPS_MAX 5
#define FETCH_JOBS_MAX 16

enum fetch_outcome {
	FETCH_FAILED,
	FETCH_UNCHANGED, /* the server says so (304) */
	FETCH_CONTENT,
};

struct fetch {
	/* Asked for. */
	const char *url;
	const char *proxy;             /* NULL: what the environment says; "": none */
	const char *auth_header, *key; /* key NULL: none is sent */
	const struct fetched *last;    /* NULL: whatever is there is wanted */
	uint64_t max_bytes;            /* as it is sent */
	int64_t timeout_ns;            /* all redirects included */
	int fd;                        /* where the content goes */
	/* What came of it. */
	enum fetch_outcome outcome;
	struct err_ctx why; /* FETCH_FAILED: a sentence without key and query */
	uint64_t bytes;     /* in fd */
	int64_t elapsed_ns; /* also of one that failed */
	bool is_gzip;       /* on the way only: to be unpacked */
	bool length_known;  /* an end in the middle would have been noticed */
	char etag[FETCHED_ETAG_MAX], last_modified[FETCHED_DATE_MAX]; /* "": not said */
};

/*
 * Fetch all of them, `jobs` at a time. When `is_stopped` says so, those that are under way are given
 * up. False when libcurl cannot work at all: then every one has failed.
 */
bool fetch_all(struct fetch *fetch, size_t count, unsigned jobs, bool (*is_stopped)(void));

/* A date of HTTP, in seconds since 1970; false: it is none. */
bool fetch_date(const char *text, int64_t *out_s);

/* "https://lists.example": what may be shown of a URL. False: it is none. */
bool fetch_origin(const char *url, char *out, size_t size);

#endif
