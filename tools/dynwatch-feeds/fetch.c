/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/dynwatch-feeds/fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/base/attribute.h"
#include "sensor/base/clock.h"

#define AGENT          "dynwatch-feeds/" DYNWATCH_VERSION
#define CONNECT_MAX_NS (30 * NS_PER_S)
#define SLOW_BYTES_S   100 /* less than this is next to nothing */
#define WAIT_MS        200 /* between two looks at is_stopped */
/* Of an answer that is not the list, as much is read as lets the connection be used again. */
#define ASIDE_MAX 65536

/* One file under way: a request, and another one for each redirect. */
struct transfer {
	struct fetch *fetch;
	CURL *easy;
	CURLU *origin; /* of the URL that is configured */
	char *url;     /* of this request */
	struct curl_slist *headers;
	unsigned hops;
	int64_t start_ns, deadline_ns;
	uint64_t aside;
	bool too_large;
	int write_error; /* errno */
	char error[CURL_ERROR_SIZE];
};

static void fail(struct transfer *t, const char *format, ...) PRINTF_LIKE(2, 3);
static void fail(struct transfer *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(t->fetch->why.text, sizeof(t->fetch->why.text), format, args);
	va_end(args);
	t->fetch->outcome = FETCH_FAILED;
}

/* --- URLs ---------------------------------------------------------------------------------- */

static CURLU *parse(const char *url)
{
	CURLU *u = curl_url();

	if (u && curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK)
		return u;
	curl_url_cleanup(u);
	return NULL;
}

/* NULL when there is none. Freed with curl_free; the handle is only read. */
static char *part_of(CURLU *u, CURLUPart part)
{
	char *text = NULL;

	if (curl_url_get(u, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK)
		return NULL;
	return text;
}

static bool is_same(CURLU *a, CURLU *b, CURLUPart part)
{
	char *left = part_of(a, part), *right = part_of(b, part);
	bool same = left && right && strcasecmp(left, right) == 0;

	curl_free(left);
	curl_free(right);
	return same;
}

static bool is_same_origin(CURLU *a, CURLU *b)
{
	return is_same(a, b, CURLUPART_SCHEME) && is_same(a, b, CURLUPART_HOST) &&
	       is_same(a, b, CURLUPART_PORT);
}

static bool has_scheme(CURLU *u, const char *scheme)
{
	char *text = part_of(u, CURLUPART_SCHEME);
	bool has = text && strcmp(text, scheme) == 0;

	curl_free(text);
	return has;
}

bool fetch_origin(const char *url, char *out, size_t size)
{
	CURLU *u = parse(url);
	char *scheme = u ? part_of(u, CURLUPART_SCHEME) : NULL;
	char *host = u ? part_of(u, CURLUPART_HOST) : NULL;

	snprintf(out, size, "%s://%s", scheme ? scheme : "", host ? host : "");
	bool is_one = scheme && host;
	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(u);
	return is_one;
}

bool fetch_date(const char *text, int64_t *out_s)
{
	*out_s = *text ? (int64_t)curl_getdate(text, NULL) : -1;
	return *out_s != -1;
}

/* --- what comes ---------------------------------------------------------------------------- */

static long status_of(const struct transfer *t)
{
	long status = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static bool write_all(struct transfer *t, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t put = write(t->fetch->fd, bytes, len);
		if (put == -1 && errno == EINTR)
			continue;
		if (put == -1) {
			t->write_error = errno;
			return false;
		}
		bytes += put;
		len -= (size_t)put;
	}
	return true;
}

static size_t take_body(char *bytes, size_t one, size_t len, void *arg)
{
	struct transfer *t = arg;
	struct fetch *f = t->fetch;

	(void)one;
	if (status_of(t) != 200) {
		t->aside += len;
		return t->aside <= ASIDE_MAX ? len : CURL_WRITEFUNC_ERROR;
	}
	if (len > f->max_bytes - f->bytes) {
		t->too_large = true;
		return CURL_WRITEFUNC_ERROR;
	}
	if (!write_all(t, bytes, len))
		return CURL_WRITEFUNC_ERROR;
	f->bytes += len;
	return len;
}

/* A header of the last answer; NULL when it has none. */
static const char *header(const struct transfer *t, const char *name)
{
	struct curl_header *found;

	if (curl_easy_header(t->easy, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK)
		return NULL;
	return found->value;
}

/* --- what is sent -------------------------------------------------------------------------- */

static bool add_header(struct transfer *t, const char *name, const char *value)
{
	char *line;

	if (asprintf(&line, "%s: %s", name, value) == -1)
		return false;
	struct curl_slist *more = curl_slist_append(t->headers, line);
	explicit_bzero(line, strlen(line));
	free(line);
	if (more)
		t->headers = more;
	return more != NULL;
}

static void free_headers(struct transfer *t)
{
	for (struct curl_slist *s = t->headers; s; s = s->next)
		explicit_bzero(s->data, strlen(s->data)); /* one of them has the key */
	curl_slist_free_all(t->headers);
	t->headers = NULL;
}

static bool set_headers(struct transfer *t)
{
	const struct fetch *f = t->fetch;
	CURLU *here = parse(t->url);
	bool added = here != NULL;

	free_headers(t);
	/* Not curl's own way: it does not notice when the end is missing. */
	added = added && add_header(t, "Accept-Encoding", "gzip");
	if (f->key && here && is_same_origin(t->origin, here))
		added = added && add_header(t, f->auth_header, f->key);
	if (f->last && f->last->etag[0])
		added = added && add_header(t, "If-None-Match", f->last->etag);
	if (f->last && f->last->last_modified[0])
		added = added && add_header(t, "If-Modified-Since", f->last->last_modified);
	curl_url_cleanup(here);
	return added && curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers) == CURLE_OK;
}

/* As curl(1) does it; the library alone does not look. */
static void set_bundle(CURL *easy)
{
	const char *bundle = getenv("CURL_CA_BUNDLE");

	if (!bundle || !*bundle)
		bundle = getenv("SSL_CERT_FILE");
	if (bundle && *bundle)
		curl_easy_setopt(easy, CURLOPT_CAINFO, bundle);
}

static bool set_options(struct transfer *t)
{
	CURL *e = t->easy;
	int64_t left_ns = t->deadline_ns - clock_monotonic_ns();
	int64_t connect_ns = left_ns < CONNECT_MAX_NS ? left_ns : CONNECT_MAX_NS;
	int64_t patience_s = t->fetch->timeout_ns / 4 / NS_PER_S;

	curl_easy_setopt(e, CURLOPT_PRIVATE, t);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_USERAGENT, AGENT);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->error);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(e, CURLOPT_HTTP_CONTENT_DECODING, 0L);
	curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(e, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	curl_easy_setopt(e, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(e, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)t->fetch->max_bytes);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(left_ns / NS_PER_MS));
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)(connect_ns / NS_PER_MS));
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, (long)SLOW_BYTES_S);
	curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)(patience_s > 0 ? patience_s : 1));
	if (t->fetch->proxy)
		curl_easy_setopt(e, CURLOPT_PROXY, t->fetch->proxy);
	set_bundle(e);
	return curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       curl_easy_setopt(e, CURLOPT_URL, t->url) == CURLE_OK;
}

/* Begin a request; false when there is no time or memory left. */
static bool send_request(struct transfer *t, CURLM *multi)
{
	t->aside = 0;
	t->error[0] = '\0';
	if (t->deadline_ns - clock_monotonic_ns() < NS_PER_MS) {
		fail(t, "not complete in time (timeout)");
		return false;
	}
	if (set_options(t) && set_headers(t) &&
		curl_multi_add_handle(multi, t->easy) == CURLM_OK)
		return true;
	fail(t, "out of memory");
	return false;
}

/* --- what came of it ----------------------------------------------------------------------- */

static const char *status_meaning(long status)
{
	static const struct {
		long status;
		const char *meaning;
	} meanings[] = {
		{ 401, " Unauthorized: is the key right (auth_file, auth_header)?" },
		{ 403, " Forbidden: is the key right (auth_file, auth_header)?" },
		{ 404, " Not Found" },
		{ 407, " Proxy Authentication Required" },
		{ 410, " Gone" },
		{ 429, " Too Many Requests: ask less often" },
		{ 500, " Internal Server Error" },
		{ 502, " Bad Gateway" },
		{ 503, " Service Unavailable" },
		{ 504, " Gateway Timeout" },
	};

	for (size_t i = 0; i < ARRAY_LEN(meanings); i++) {
		if (meanings[i].status == status)
			return meanings[i].meaning;
	}
	return "";
}

/* libcurl's own sentence may quote the URL of a proxy, with its password. */
static const char *curl_sentence(const struct transfer *t, CURLcode code)
{
	bool quotes =
		strpbrk(t->error, "@?") || (t->fetch->key && strstr(t->error, t->fetch->key));

	return t->error[0] && !quotes ? t->error : curl_easy_strerror(code);
}

static void fail_transfer(struct transfer *t, CURLcode code)
{
	if (t->write_error)
		fail(t, "it could not be written: %s", strerror(t->write_error));
	else if (t->too_large || code == CURLE_FILESIZE_EXCEEDED)
		fail(t, "more than %llu MiB (max_mb)",
			(unsigned long long)(t->fetch->max_bytes >> 20));
	else if (t->aside > ASIDE_MAX)
		fail(t, "HTTP %ld%s", status_of(t), status_meaning(status_of(t)));
	else if (code == CURLE_OPERATION_TIMEDOUT)
		fail(t, "not complete in time (timeout): %s", curl_sentence(t, code));
	else if (code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR ||
		 code == CURLE_HTTP2_STREAM)
		fail(t, "cut off: %s", curl_sentence(t, code));
	else
		fail(t, "%s", curl_sentence(t, code));
}

static void keep_header(const struct transfer *t, const char *name, char *out, size_t size,
	bool (*fits)(const char *))
{
	const char *value = header(t, name);

	snprintf(out, size, "%s", value && fits(value) ? value : "");
}

static void take_content(struct transfer *t)
{
	struct fetch *f = t->fetch;
	const char *encoding = header(t, "Content-Encoding");
	long version = 0;

	f->is_gzip = encoding &&
		     (strcasecmp(encoding, "gzip") == 0 || strcasecmp(encoding, "x-gzip") == 0);
	if (encoding && !f->is_gzip && strcasecmp(encoding, "identity") != 0) {
		fail(t, "sent in an encoding that was not asked for (%.40s)", encoding);
		return;
	}
	curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &version);
	f->length_known = version >= CURL_HTTP_VERSION_2_0 || header(t, "Content-Length") ||
			  header(t, "Transfer-Encoding");
	keep_header(t, "ETag", f->etag, sizeof(f->etag), fetched_is_etag);
	keep_header(t, "Last-Modified", f->last_modified, sizeof(f->last_modified),
		fetched_is_date);
	f->outcome = FETCH_CONTENT;
}

/* May we go where the answer sends us? */
static bool may_follow(struct transfer *t, const char *to)
{
	CURLU *from = parse(t->url), *next = parse(to);
	bool web = next && (has_scheme(next, "http") || has_scheme(next, "https"));
	bool weaker = web && from && has_scheme(from, "https") && has_scheme(next, "http");
	char origin[128];

	curl_url_cleanup(from);
	curl_url_cleanup(next);
	fetch_origin(to, origin, sizeof(origin));
	if (!web)
		fail(t, "redirected to %s, which is no web server", origin);
	else if (weaker)
		fail(t, "redirected from https to %s", origin);
	else if (t->hops++ == FETCH_HOPS_MAX)
		fail(t, "redirected more than %d times", FETCH_HOPS_MAX);
	else
		return true;
	return false;
}

static bool follow(struct transfer *t, const char *to)
{
	if (!may_follow(t, to))
		return false;
	char *url = strdup(to); /* the handle's own */
	if (!url)
		fail(t, "out of memory");
	free(t->url);
	t->url = url;
	return url != NULL;
}

/* One answer is complete, or the request failed. True: there is another one to ask. */
static bool finish_request(struct transfer *t, CURLcode code)
{
	long status = status_of(t);
	char *to = NULL;

	if (code != CURLE_OK) {
		fail_transfer(t, code);
		return false;
	}
	curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &to);
	if (status >= 300 && status < 400 && to)
		return follow(t, to);
	if (status == 200)
		take_content(t);
	else if (status == 304 && t->fetch->last)
		t->fetch->outcome = FETCH_UNCHANGED;
	else
		fail(t, "HTTP %ld%s", status, status_meaning(status));
	return false;
}

/* --- all of them --------------------------------------------------------------------------- */

static void transfer_end(struct transfer *t)
{
	if (t->start_ns)
		t->fetch->elapsed_ns = clock_monotonic_ns() - t->start_ns;
	curl_easy_cleanup(t->easy);
	curl_url_cleanup(t->origin);
	free_headers(t);
	free(t->url);
	*t = (struct transfer){ .fetch = t->fetch };
}

/* False: it has ended already. */
static bool transfer_begin(struct transfer *t, CURLM *multi)
{
	struct fetch *f = t->fetch;

	t->start_ns = clock_monotonic_ns();
	t->deadline_ns = t->start_ns + f->timeout_ns;
	t->easy = curl_easy_init();
	t->origin = parse(f->url);
	t->url = strdup(f->url);
	if (!t->origin)
		fail(t, "the URL cannot be understood");
	else if (!t->easy || !t->url)
		fail(t, "out of memory");
	else if (send_request(t, multi))
		return true;
	transfer_end(t);
	return false;
}

/* Take what has ended; returns how many transfers have. */
static unsigned take_ended(CURLM *multi)
{
	unsigned ended = 0;
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(multi, &left))) {
		struct transfer *t = NULL;
		CURLcode code = message->data.result;
		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
		curl_multi_remove_handle(multi, t->easy);
		if (finish_request(t, code) && send_request(t, multi))
			continue;
		transfer_end(t);
		ended++;
	}
	return ended;
}

static void run(
	CURLM *multi, struct transfer *t, size_t count, unsigned jobs, bool (*is_stopped)(void))
{
	size_t next = 0;
	unsigned under_way = 0;

	while (!is_stopped() && (next < count || under_way > 0)) {
		int running;
		while (next < count && under_way < jobs)
			under_way += transfer_begin(&t[next++], multi);
		if (curl_multi_perform(multi, &running) != CURLM_OK)
			return;
		under_way -= take_ended(multi);
		if (under_way > 0)
			curl_multi_poll(multi, NULL, 0, WAIT_MS, NULL);
	}
}

/* Those that were given up. */
static void abandon(CURLM *multi, struct transfer *t, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (t[i].easy) {
			curl_multi_remove_handle(multi, t[i].easy);
			/* The resolver's thread is not waited for: the end is near. */
			curl_easy_setopt(t[i].easy, CURLOPT_QUICK_EXIT, 1L);
			transfer_end(&t[i]);
		}
	}
}

bool fetch_all(struct fetch *fetch, size_t count, unsigned jobs, bool (*is_stopped)(void))
{
	bool started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
	CURLM *multi = started ? curl_multi_init() : NULL;
	struct transfer *t = calloc(count + 1, sizeof(*t));

	for (size_t i = 0; i < count; i++) {
		fetch[i].outcome = FETCH_FAILED;
		fetch[i].why.text[0] = '\0';
		fetch[i].bytes = 0;
		if (t)
			t[i].fetch = &fetch[i];
	}
	bool able = multi && t;
	if (able) {
		run(multi, t, count, jobs, is_stopped);
		abandon(multi, t, count);
	}
	for (size_t i = 0; i < count; i++) {
		if (fetch[i].outcome == FETCH_FAILED && !fetch[i].why.text[0])
			err_set(&fetch[i].why, ERR_FAILED,
				able ? "interrupted" : "libcurl cannot be started");
	}
	free(t);
	curl_multi_cleanup(multi);
	if (started)
		curl_global_cleanup();
	return able;
}
