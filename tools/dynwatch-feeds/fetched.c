/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/dynwatch-feeds/fetched.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/base/hash.h"

#define HASH_TEXT_LEN 32

/* --- hashes -------------------------------------------------------------------------------- */

struct fetched_hash fetched_hash_start(void)
{
	return (struct fetched_hash){ { HASH_K1, HASH_K2 } };
}

void fetched_hash_add(struct fetched_hash *h, const void *bytes, size_t bytes_len)
{
	for (size_t i = 0; i < 2; i++)
		h->word[i] = hash_bytes(h->word[i], bytes, bytes_len);
}

bool fetched_hash_equal(const struct fetched_hash *a, const struct fetched_hash *b)
{
	return a->word[0] == b->word[0] && a->word[1] == b->word[1];
}

/* As much as there is, up to `size`; -1 with errno. */
static ssize_t read_piece(int fd, char *buf, size_t size, off_t at)
{
	size_t len = 0;

	while (len < size) {
		ssize_t got = pread(fd, buf + len, size - len, at + (off_t)len);
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return -1;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	return (ssize_t)len;
}

bool fetched_hash_file(struct fetched_hash *out, uint64_t *bytes, int fd)
{
	char piece[FETCHED_PIECE];
	ssize_t got;

	*out = fetched_hash_start();
	*bytes = 0;
	while ((got = read_piece(fd, piece, sizeof(piece), (off_t)*bytes)) > 0) {
		fetched_hash_add(out, piece, (size_t)got);
		*bytes += (uint64_t)got;
	}
	return got == 0;
}

/* --- what servers say ---------------------------------------------------------------------- */

bool fetched_is_etag(const char *text)
{
	size_t len = strlen(text);
	const char *quoted = strncmp(text, "W/", 2) == 0 ? text + 2 : text;

	if (len >= FETCHED_ETAG_MAX || strlen(quoted) < 2 || quoted[0] != '"' ||
		text[len - 1] != '"')
		return false;
	for (const char *at = quoted + 1; at < text + len - 1; at++) {
		if (*at <= ' ' || *at == '"' || *at > '~')
			return false;
	}
	return true;
}

bool fetched_is_date(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789 ,:+-";

	return *text && strlen(text) < FETCHED_DATE_MAX && !text[strspn(text, letters)];
}

/* --- the file ------------------------------------------------------------------------------ */

static bool get_hash(struct fetched_hash *out, const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	char half[17] = "";

	if (!text || strlen(text) != HASH_TEXT_LEN || text[strspn(text, "0123456789abcdef")])
		return false;
	memcpy(half, text, 16);
	out->word[0] = strtoull(half, NULL, 16);
	out->word[1] = strtoull(text + 16, NULL, 16);
	return true;
}

static bool get_count(uint64_t *out, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	*out = json_is_integer(value) && json_integer_value(value) >= 0
		       ? (uint64_t)json_integer_value(value)
		       : 0;
	return json_is_integer(value) && json_integer_value(value) >= 0;
}

/* It may be missing, but not be something else. */
static bool get_word(char *out, size_t size, const json_t *object, const char *key,
	bool (*is_one)(const char *text))
{
	const json_t *value = json_object_get(object, key);
	const char *text = json_string_value(value);

	if (!value)
		return true;
	if (!text || !is_one(text))
		return false;
	snprintf(out, size, "%s", text);
	return true;
}

static const char *read_object(struct fetched *out, const json_t *object)
{
	uint64_t version;

	if (!json_is_object(object) || !get_count(&version, object, "version"))
		return "not written by dynwatch-feeds";
	if (version != FETCHED_VERSION)
		return "of another version";
	if (!get_hash(&out->url, object, "url") ||
		!get_hash(&out->content, object, "content") ||
		!get_count(&out->bytes, object, "bytes") ||
		!get_count(&out->entries, object, "entries") ||
		!get_word(out->etag, sizeof(out->etag), object, "etag", fetched_is_etag) ||
		!get_word(out->last_modified, sizeof(out->last_modified), object,
			"last_modified", fetched_is_date))
		return "damaged";
	return NULL;
}

bool fetched_parse(
	struct fetched *out, const char *bytes, size_t bytes_len, struct err_ctx *why)
{
	json_error_t error;
	json_t *object = json_loadb(bytes, bytes_len, 0, &error);

	*out = (struct fetched){ 0 };
	const char *wrong = object ? read_object(out, object) : error.text;
	if (wrong) {
		*out = (struct fetched){ 0 };
		err_set(why, ERR_INPUT, "%s", wrong);
	}
	json_decref(object);
	return !wrong;
}

enum err fetched_load(struct fetched *out, const char *path, struct err_ctx *why)
{
	char bytes[FETCHED_BYTES_MAX];
	struct err_ctx wrong;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	*out = (struct fetched){ 0 };
	if (fd == -1)
		return errno == ENOENT
			       ? err_set(why, ERR_FAILED, "%s", "")
			       : err_set(why, ERR_INPUT, "%s: %s", path, strerror(errno));
	ssize_t got = read_piece(fd, bytes, sizeof(bytes), 0);
	int error = errno;
	close(fd);
	if (got == -1)
		return err_set(why, ERR_INPUT, "%s: %s", path, strerror(error));
	if (!fetched_parse(out, bytes, (size_t)got, &wrong))
		return err_set(why, ERR_INPUT, "%s: %s", path, wrong.text);
	return ERR_OK;
}
