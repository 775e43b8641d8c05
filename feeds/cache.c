/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/base/hash.h"
#include "sensor/base/replace.h"

#define LANES 4      /* of the checksum: their multiplications overlap */
#define PIECE 262144 /* read and summed while it is in the cache */

/* Numbers are as this processor has them: a file of another one does not start like this. */
static const uint64_t magic[2] = { UINT64_C(0x6863746177796464), UINT64_C(0x0001656863616320) };

/* Whole blocks of LANES words; what is left of one waits in `part`. */
struct checksum {
	uint64_t lane[LANES];
	uint8_t part[LANES * 8];
	size_t part_len;
	uint64_t len;
};

struct cache_writer {
	struct replace file;
	struct checksum sum;
};

struct cache_reader {
	int fd;
	uint64_t left;
	struct checksum sum;
	bool failed;
};

/* --- checksum ------------------------------------------------------------------------------ */

static void sum_init(struct checksum *s)
{
	*s = (struct checksum){ .lane = { HASH_K0, HASH_K1, HASH_K2, 1 } };
}

static void sum_block(struct checksum *s, const uint8_t *block)
{
	uint64_t word[LANES];

	memcpy(word, block, sizeof(word));
	for (size_t i = 0; i < LANES; i++)
		s->lane[i] = hash_word(s->lane[i], word[i]);
}

static void sum_add(struct checksum *s, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	s->len += len;
	while (len > 0 && (s->part_len > 0 || len < sizeof(s->part))) {
		size_t take = sizeof(s->part) - s->part_len;
		if (take > len)
			take = len;
		memcpy(s->part + s->part_len, at, take);
		s->part_len += take;
		at += take;
		len -= take;
		if (s->part_len < sizeof(s->part))
			return;
		sum_block(s, s->part);
		s->part_len = 0;
	}
	for (; len >= sizeof(s->part); len -= sizeof(s->part), at += sizeof(s->part))
		sum_block(s, at);
	memcpy(s->part, at, len);
	s->part_len = len;
}

static void sum_end(struct checksum *s, uint64_t out[2])
{
	memset(s->part + s->part_len, 0, sizeof(s->part) - s->part_len);
	sum_block(s, s->part);
	for (size_t i = 0; i < 2; i++) {
		out[i] = hash_word(i, s->len);
		for (size_t k = 0; k < LANES; k++)
			out[i] = hash_word(out[i], s->lane[(k + i) % LANES]);
	}
}

/* --- writing ------------------------------------------------------------------------------- */

struct cache_writer *cache_create(
	const char *path, const void *identity, size_t identity_len, struct err_ctx *why)
{
	struct cache_writer *w = calloc(1, sizeof(*w));
	uint64_t len = identity_len;

	if (!w || !replace_open(&w->file, path, 0600)) {
		err_set(why, ERR_FAILED, "%s: %s", path, strerror(errno));
		free(w);
		return NULL;
	}
	sum_init(&w->sum);
	cache_put(w, magic, sizeof(magic));
	cache_put(w, &len, sizeof(len));
	cache_put(w, identity, identity_len);
	return w;
}

void cache_put(struct cache_writer *w, const void *bytes, size_t len)
{
	if (w->file.failed)
		return;
	sum_add(&w->sum, bytes, len);
	replace_write(&w->file, bytes, len);
}

enum err cache_commit(struct cache_writer *w, struct err_ctx *why)
{
	enum err err = ERR_OK;
	uint64_t sum[2];
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s", w->file.path);
	sum_end(&w->sum, sum);
	replace_write(&w->file, sum, sizeof(sum));
	if (!replace_commit(&w->file))
		err = err_set(why, ERR_FAILED, "%s: %s", path, strerror(errno));
	free(w);
	return err;
}

/* --- reading ------------------------------------------------------------------------------- */

bool cache_get(struct cache_reader *r, void *bytes, size_t len)
{
	uint8_t *at = bytes;

	if (len > r->left)
		r->failed = true;
	while (len > 0 && !r->failed) {
		ssize_t got = read(r->fd, at, len < PIECE ? len : PIECE);
		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0) {
			r->failed = true;
			break;
		}
		sum_add(&r->sum, at, (size_t)got);
		at += got;
		len -= (size_t)got;
		r->left -= (size_t)got;
	}
	return !r->failed;
}

uint64_t cache_left(const struct cache_reader *r)
{
	return r->left;
}

bool cache_close(struct cache_reader *r)
{
	uint64_t is[2], should[2];
	bool ok = !r->failed && r->left == 0;

	sum_end(&r->sum, is);
	ok = ok && read(r->fd, should, sizeof(should)) == sizeof(should) &&
	     memcmp(is, should, sizeof(is)) == 0;
	close(r->fd);
	free(r);
	return ok;
}

/* Open what may be believed: a file of ours (or of root) that no other can write. */
static int open_own(const char *path, uint64_t *len, struct err_ctx *why)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd == -1) {
		if (errno != ENOENT)
			err_set(why, ERR_FAILED, "%s: %s", path, strerror(errno));
		return -1;
	}
	const char *wrong = NULL;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		wrong = "not a regular file";
	else if (st.st_uid != geteuid() && st.st_uid != 0)
		wrong = "belongs to another user";
	else if (st.st_mode & (S_IWGRP | S_IWOTH))
		wrong = "others may write it";
	if (!wrong) {
		*len = (uint64_t)st.st_size;
		return fd;
	}
	err_set(why, ERR_FAILED, "%s: %s", path, wrong);
	close(fd);
	return -1;
}

/* Was it made from what the identity says? */
static bool has_identity(
	struct cache_reader *r, const void *identity, size_t identity_len, bool *is_cache)
{
	uint64_t start[2], len;
	bool same = false;

	*is_cache =
		cache_get(r, start, sizeof(start)) && memcmp(start, magic, sizeof(magic)) == 0;
	if (!*is_cache || !cache_get(r, &len, sizeof(len)) || len != identity_len)
		return false;
	void *found = malloc(identity_len + 1);
	if (found && cache_get(r, found, identity_len))
		same = memcmp(found, identity, identity_len) == 0;
	free(found);
	return same;
}

struct cache_reader *cache_open(
	const char *path, const void *identity, size_t identity_len, struct err_ctx *why)
{
	bool is_cache;
	uint64_t len;

	why->text[0] = '\0';
	int fd = open_own(path, &len, why);
	if (fd == -1)
		return NULL;
	struct cache_reader *r = calloc(1, sizeof(*r));
	if (!r) {
		close(fd);
		return NULL;
	}
	r->fd = fd;
	r->left = len < 2 * sizeof(uint64_t) ? 0 : len - 2 * sizeof(uint64_t);
	sum_init(&r->sum);
	if (has_identity(r, identity, identity_len, &is_cache))
		return r;
	if (!is_cache)
		err_set(why, ERR_FAILED, "%s: not a cache of dynwatch", path);
	r->failed = true;
	(void)!cache_close(r);
	return NULL;
}
