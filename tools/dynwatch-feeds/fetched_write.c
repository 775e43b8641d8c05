/* SPDX-License-Identifier: BSD-2-Clause */
/* Apart from the reading: the names of the project's JSON writer are those of jansson's. */
#include "tools/dynwatch-feeds/fetched.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sensor/base/json.h"
#include "sensor/base/replace.h"

static void put_hash(struct json *j, const char *key, const struct fetched_hash *h)
{
	char text[33];

	snprintf(text, sizeof(text), "%016" PRIx64 "%016" PRIx64, h->word[0], h->word[1]);
	json_string(j, key, text);
}

void fetched_format(struct text *out, const struct fetched *f)
{
	struct json j = json_start(out);

	json_object(&j, NULL);
	json_unsigned(&j, "version", FETCHED_VERSION);
	put_hash(&j, "url", &f->url);
	put_hash(&j, "content", &f->content);
	json_unsigned(&j, "bytes", f->bytes);
	json_unsigned(&j, "entries", f->entries);
	if (f->etag[0])
		json_string(&j, "etag", f->etag);
	if (f->last_modified[0])
		json_string(&j, "last_modified", f->last_modified);
	json_object_end(&j);
	text_putc(out, '\n');
}

enum err fetched_save(const struct fetched *f, const char *path, struct err_ctx *why)
{
	struct text text = { 0 };
	struct replace file;

	fetched_format(&text, f);
	if (text.failed)
		errno = ENOMEM;
	bool saved = !text.failed && replace_open(&file, path, 0600);
	if (saved) {
		replace_write(&file, text.at, text.len);
		saved = replace_commit(&file);
	}
	int error = errno;
	text_deinit(&text);
	return saved ? ERR_OK : err_set(why, ERR_FAILED, "%s: %s", path, strerror(error));
}
