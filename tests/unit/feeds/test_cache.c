/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/cache.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/feeds/feed_rig.h"

#define IDENTITY "made of this"

struct place {
	char dir[40];
	char path[64];
};

static void place_init(struct place *p)
{
	strcpy(p->dir, "/tmp/dynwatch-cache-XXXXXX");
	cr_assert(mkdtemp(p->dir));
	snprintf(p->path, sizeof(p->path), "%s/file", p->dir);
}

static void place_deinit(const struct place *p)
{
	unlink(p->path);
	cr_expect_eq(rmdir(p->dir), 0, "nothing is left beside the file");
}

static struct cache_reader *open_it(
	const struct place *p, const char *identity, struct err_ctx *why)
{
	return cache_open(p->path, identity, strlen(identity), why);
}

static void write_bytes(const struct place *p, const void *bytes, size_t len)
{
	struct err_ctx why;
	struct cache_writer *w = cache_create(p->path, IDENTITY, strlen(IDENTITY), &why);

	cr_assert(w, "%s", why.text);
	/* In uneven pieces: the checksum must not depend on them. */
	for (size_t at = 0, piece = 1; at < len; at += piece, piece = piece % 97 + 7) {
		if (piece > len - at)
			piece = len - at;
		cache_put(w, (const char *)bytes + at, piece);
	}
	cr_assert_eq(cache_commit(w, &why), ERR_OK, "%s", why.text);
}

Test(cache, gives_back_what_was_put_in)
{
	static char in[300000], out[sizeof(in)];
	struct place p;
	struct err_ctx why;
	struct stat st;

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (char)(i * 2654435761u >> 13);
	place_init(&p);
	write_bytes(&p, in, sizeof(in));
	cr_assert_eq(stat(p.path, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0600, "it holds seeds");
	struct cache_reader *r = open_it(&p, IDENTITY, &why);
	cr_assert(r, "%s", why.text);
	cr_expect_eq(cache_left(r), sizeof(in));
	cr_assert(cache_get(r, out, 1) && cache_get(r, out + 1, sizeof(out) - 1));
	cr_expect_eq(memcmp(in, out, sizeof(in)), 0);
	cr_expect_not(cache_get(r, out, 1), "the checksum is none of it");
	(void)!cache_close(r);
	r = open_it(&p, IDENTITY, &why);
	cr_assert(r && cache_get(r, out, sizeof(out)));
	cr_expect(cache_close(r));
	r = open_it(&p, IDENTITY, &why);
	cr_assert(r && cache_get(r, out, 10));
	cr_expect_not(cache_close(r), "nobody has looked at the rest");
	place_deinit(&p);
}

Test(cache, of_something_else_or_missing_is_no_matter)
{
	static const char *const others[] = { "", "made of", "made of that",
		"made of this too" };
	struct place p;
	struct err_ctx why;

	place_init(&p);
	cr_expect_null(open_it(&p, IDENTITY, &why));
	cr_expect_str_empty(why.text, "%s", why.text);
	write_bytes(&p, "content", 7);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		cr_expect_null(open_it(&p, others[i], &why), "%s", others[i]);
		cr_expect_str_empty(why.text, "%s", why.text);
	}
	place_deinit(&p);
}

/* Is all of the file as it was? The content goes to `out`, what there is of it. */
static bool is_whole(const struct place *p, char *out, size_t len)
{
	struct err_ctx why;
	struct cache_reader *r = open_it(p, IDENTITY, &why);

	if (!r)
		return false;
	bool got = cache_get(r, out, len);
	bool undamaged = cache_close(r);
	return got && undamaged;
}

Test(cache, any_damage_is_found)
{
	char content[100] = "some content that fills more than one block of the checksum",
	     out[100];
	struct place p;
	struct stat st;

	place_init(&p);
	write_bytes(&p, content, sizeof(content));
	cr_assert(is_whole(&p, out, sizeof(out)));
	cr_assert_eq(stat(p.path, &st), 0);
	for (off_t at = 0; at < st.st_size; at++) {
		char was, is;
		int fd = open(p.path, O_RDWR | O_CLOEXEC);
		cr_assert_eq(pread(fd, &was, 1, at), 1);
		is = (char)(was ^ 1 << at % 8);
		cr_assert_eq(pwrite(fd, &is, 1, at), 1);
		cr_expect_not(is_whole(&p, out, sizeof(out)), "octet %ld", (long)at);
		cr_assert_eq(pwrite(fd, &was, 1, at), 1);
		close(fd);
	}
	cr_expect(is_whole(&p, out, sizeof(out)), "and nothing else");
	for (off_t len = st.st_size - 1; len >= 0; len--) {
		cr_assert_eq(truncate(p.path, len), 0);
		cr_expect_not(is_whole(&p, out, sizeof(out)), "cut to %ld", (long)len);
	}
	place_deinit(&p);
}

Test(cache, what_is_not_ours_is_refused_with_the_reason)
{
	struct place p;
	struct err_ctx why;

	place_init(&p);
	write_bytes(&p, "content", 7);
	cr_assert_eq(chmod(p.path, 0620), 0);
	cr_expect_null(open_it(&p, IDENTITY, &why));
	cr_expect(strstr(why.text, "others may write it"), "%s", why.text);
	unlink(p.path);
	cr_assert_eq(symlink("/dev/null", p.path), 0);
	cr_expect_null(open_it(&p, IDENTITY, &why));
	cr_expect(strstr(why.text, p.path), "%s", why.text);
	unlink(p.path);
	cr_assert_eq(mkfifo(p.path, 0600), 0);
	cr_expect_null(open_it(&p, IDENTITY, &why), "a pipe must not hang");
	cr_expect(strstr(why.text, "not a regular file"), "%s", why.text);
	unlink(p.path);
	FILE *file = fopen(p.path, "w");
	cr_assert(file && fputs("127.0.0.1 localhost, and some more", file) >= 0);
	cr_assert_eq(fclose(file), 0);
	cr_assert_eq(chmod(p.path, 0600), 0);
	cr_expect_null(open_it(&p, IDENTITY, &why));
	cr_expect(strstr(why.text, "not a cache"), "%s", why.text);
	place_deinit(&p);
}

Test(cache, one_that_cannot_be_written_leaves_the_old_one)
{
	struct place p;
	struct err_ctx why;
	char out[7];

	place_init(&p);
	cr_expect_null(cache_create("/nonexistent/file", "", 0, &why));
	cr_expect(strstr(why.text, "/nonexistent/file"), "%s", why.text);
	write_bytes(&p, "content", 7);
	struct cache_writer *w = cache_create(p.path, IDENTITY, strlen(IDENTITY), &why);
	cr_assert(w);
	cache_put(w, "half", 4);
	cr_expect(is_whole(&p, out, sizeof(out)), "until all is written");
	cr_assert_eq(cache_commit(w, &why), ERR_OK);
	cr_expect_not(is_whole(&p, out, sizeof(out)), "then it is the new one");
	place_deinit(&p);
}

/* --- an index in it ------------------------------------------------------------------------ */

#define NAMES 3000

static struct index *make_index(void)
{
	struct index_builder *b = index_builder_new(77);
	char text[64];

	cr_assert(b);
	for (unsigned i = 0; i < NAMES; i++) {
		struct mark mark = {
			.kind = (uint8_t)(i % 3), .scope = (uint8_t)(i % 2), .source = 1
		};
		snprintf(text, sizeof(text), "h%u.d%u.example", i, i % 100);
		struct dns_name name = name_of(text);
		cr_assert_eq(index_builder_add(b, &name, mark), INDEX_ADDED);
	}
	struct index *index = index_build(b);
	cr_assert(index);
	return index;
}

static void save(const struct place *p, const struct index *index)
{
	struct err_ctx why;
	struct cache_writer *w = cache_create(p->path, IDENTITY, strlen(IDENTITY), &why);

	cr_assert(w, "%s", why.text);
	index_save(index, w);
	cr_assert_eq(cache_commit(w, &why), ERR_OK);
}

/* Ask for everything that could lead astray. */
static size_t look_at_all(const struct index *index)
{
	struct index_hit hit[INDEX_HITS_MAX];
	char text[64];
	size_t hits = 0;

	for (unsigned i = 0; i < NAMES + 100; i++) {
		snprintf(text, sizeof(text), "www.h%u.d%u.example", i, i % 100);
		struct dns_name name = name_of(text);
		size_t count = index_match_name(index, &name, hit);
		for (size_t k = 0; k < count; k++) {
			size_t marks, len;
			cr_expect(index_marks(index, hit[k].entry, &marks));
			cr_expect(index_entry_name(index, hit[k].entry, &len));
			hits += marks;
		}
	}
	return hits;
}

Test(cache, an_index_comes_back_as_it_was)
{
	struct place p;
	struct err_ctx why;
	struct index *index = make_index();

	place_init(&p);
	save(&p, index);
	struct cache_reader *r = open_it(&p, IDENTITY, &why);
	cr_assert(r, "%s", why.text);
	struct index *again = index_restore(r);
	cr_assert(again && cache_close(r));
	cr_expect(index_is_sound(again));
	cr_expect_eq(index_seed(again), 77);
	cr_expect_eq(index_depth(again), index_depth(index));
	cr_expect_eq(index_name_count(again), NAMES);
	cr_expect_eq(index_memory_bytes(again), index_memory_bytes(index));
	cr_expect_gt(look_at_all(index), NAMES / 3);
	cr_expect_eq(look_at_all(again), look_at_all(index));
	for (uint32_t a = 0, b = 0; index_next(index, &a);) {
		cr_assert(index_next(again, &b));
		cr_assert_eq(a, b);
	}
	index_free(again);
	index_free(index);
	place_deinit(&p);
}

Test(cache, a_damaged_index_that_is_sound_harms_nobody)
{
	struct place p;
	struct err_ctx why;
	struct index *index = make_index();
	struct stat st;
	unsigned sound = 0;
	uint64_t state = 12345;

	place_init(&p);
	save(&p, index);
	index_free(index);
	cr_assert_eq(stat(p.path, &st), 0);
	int fd = open(p.path, O_RDWR | O_CLOEXEC);
	for (unsigned i = 0; i < 2000; i++) {
		/* The head often, the rest anywhere: as if somebody made the checksum right. */
		state = state * 6364136223846793005u + 1442695040888963407u;
		off_t at = (off_t)((state >> 20) % (uint64_t)(i % 2 ? 200 : st.st_size));
		char was, is = (char)(state >> 55);
		cr_assert_eq(pread(fd, &was, 1, at), 1);
		cr_assert_eq(pwrite(fd, &is, 1, at), 1);
		struct cache_reader *r = open_it(&p, IDENTITY, &why);
		index = r ? index_restore(r) : NULL;
		if (r)
			(void)!cache_close(r);
		if (index && index_is_sound(index)) {
			sound++;
			(void)look_at_all(index);
		}
		index_free(index);
		cr_assert_eq(pwrite(fd, &was, 1, at), 1);
	}
	close(fd);
	cr_expect_gt(sound, 100, "much is only a wrong answer");
	place_deinit(&p);
}
