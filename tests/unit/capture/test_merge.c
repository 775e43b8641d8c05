/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/base/attribute.h"
#include "sensor/base/clock.h"
#include "sensor/capture/capture_files.h"
#include "sensor/capture/merge.h"

#define SECONDS   1700000000
#define FILES_MAX 1000

/* --- files ----------------------------------------------------------------------------------- */

/* A directory of captures, removed at the end. */
struct shelf {
	char directory[64];
	char *path[FILES_MAX];
	size_t count;
};

static void shelf_init(struct shelf *s)
{
	s->count = 0;
	snprintf(s->directory, sizeof(s->directory), "/tmp/dynwatch-test-XXXXXX");
	cr_assert_not_null(mkdtemp(s->directory));
}

static void shelf_deinit(struct shelf *s)
{
	char command[128];

	for (size_t i = 0; i < s->count; i++)
		free(s->path[i]);
	snprintf(command, sizeof(command), "rm -r %s", s->directory);
	cr_assert_eq(system(command), 0);
}

static FILE *shelf_file(struct shelf *s, const char *name)
{
	cr_assert_neq(asprintf(&s->path[s->count], "%s/%s", s->directory, name), -1);
	FILE *file = fopen(s->path[s->count++], "wb");
	cr_assert_not_null(file);
	return file;
}

static void put32(FILE *file, uint32_t value)
{
	fwrite(&value, sizeof(value), 1, file);
}

static void put_header(FILE *file, uint32_t link)
{
	static const uint16_t version[] = { 2, 4 };

	put32(file, 0xa1b2c3d4);
	fwrite(version, sizeof(version), 1, file);
	put32(file, 0);
	put32(file, 0);
	put32(file, 65535);
	put32(file, link);
}

/* A frame of 20 bytes, all of them its `mark`, so many milliseconds after SECONDS. */
static void put_frame(FILE *file, unsigned at_ms, uint8_t mark)
{
	uint8_t bytes[20];

	memset(bytes, mark, sizeof(bytes));
	put32(file, SECONDS + at_ms / 1000);
	put32(file, at_ms % 1000 * 1000);
	put32(file, sizeof(bytes));
	put32(file, sizeof(bytes));
	fwrite(bytes, sizeof(bytes), 1, file);
}

/* A capture with `count` frames from `first_ms` on, one each `step_ms`; returns its size. */
static long put_capture(struct shelf *s, const char *name, unsigned first_ms, unsigned step_ms,
	unsigned count, uint8_t mark)
{
	FILE *file = shelf_file(s, name);

	put_header(file, 1);
	for (unsigned i = 0; i < count; i++)
		put_frame(file, first_ms + i * step_ms, mark);
	long size = ftell(file);
	fclose(file);
	return size;
}

/* --- reading --------------------------------------------------------------------------------- */

struct reading {
	size_t count, out_of_order;
	unsigned at_ms[20000];
	uint8_t mark[20000];
	uint16_t link[20000];
	enum source_status end;
	struct err_ctx why;
	uint64_t size_bytes, position_bytes;
};

static void read_source(struct reading *r, struct source *s)
{
	struct frame batch[SOURCE_BATCH_MAX];
	size_t count;

	memset(r, 0, sizeof(*r));
	while ((r->end = source_next_batch(s, batch, &count, &r->why)) == SOURCE_OK) {
		cr_assert(count > 0 && count <= SOURCE_BATCH_MAX);
		for (size_t i = 0; i < count; i++) {
			r->at_ms[r->count] = (unsigned)(batch[i].ts_ns / NS_PER_MS -
							INT64_C(1000) * SECONDS);
			r->mark[r->count] = batch[i].bytes[0];
			r->link[r->count] = batch[i].link;
			cr_assert_eq(batch[i].bytes[19], batch[i].bytes[0]);
			cr_assert_eq(batch[i].interface, 0);
			if (r->count > 0 && r->at_ms[r->count] < r->at_ms[r->count - 1])
				r->out_of_order++;
			r->count++;
		}
	}
	cr_assert_eq(count, 0);
	r->size_bytes = s->size_bytes;
	r->position_bytes = s->position_bytes;
	source_close(s);
}

static void read_merged(struct reading *r, char *const path[], size_t count)
{
	struct err_ctx why = { 0 };
	struct source *s;

	cr_assert_eq(
		source_open_merged(&s, path, count, false, NULL, &why), ERR_OK, "%s", why.text);
	read_source(r, s);
}

static struct reading r;

/* The marks in order as text: "aaabb". */
static void expect_marks(const char *expected)
{
	cr_assert_eq(r.count, strlen(expected), "%zu frames: %.*s", r.count, (int)r.count,
		(char *)r.mark);
	cr_assert_eq(
		memcmp(r.mark, expected, r.count), 0, "%.*s", (int)r.count, (char *)r.mark);
}

/* --- order ----------------------------------------------------------------------------------- */

Test(merge, files_that_follow_each_other_are_read_by_time_whatever_their_order)
{
	struct shelf s;

	shelf_init(&s);
	put_capture(&s, "1", 2000, 10, 3, 'c');
	put_capture(&s, "2", 0, 10, 3, 'a');
	put_capture(&s, "3", 1000, 10, 3, 'b');
	read_merged(&r, s.path, s.count);
	expect_marks("aaabbbccc");
	cr_assert_eq(r.end, SOURCE_END);
	shelf_deinit(&s);
}

Test(merge, files_that_overlap_become_one_time_line)
{
	struct shelf s;

	shelf_init(&s);
	put_capture(&s, "1", 0, 10, 5, 'a');
	put_capture(&s, "2", 15, 10, 2, 'b');
	put_capture(&s, "3", 16, 1, 3, 'c');
	read_merged(&r, s.path, s.count);
	expect_marks("aabcccabaa");
	cr_assert_eq(r.out_of_order, 0);
	shelf_deinit(&s);
}

Test(merge, frames_of_the_same_time_come_in_the_order_of_the_paths)
{
	struct shelf s;

	shelf_init(&s);
	put_capture(&s, "z", 0, 0, 3, 'a');
	put_capture(&s, "y", 0, 0, 2, 'b');
	put_capture(&s, "x", 0, 0, 2, 'c');
	put_capture(&s, "w", 0, 0, 1, 'd');
	read_merged(&r, s.path, s.count);
	expect_marks("aaabbccd");
	shelf_deinit(&s);
}

Test(merge, frames_of_one_file_keep_their_order_where_its_times_jump_back)
{
	struct shelf s;

	shelf_init(&s);
	FILE *file = shelf_file(&s, "back");
	put_header(file, 1);
	put_frame(file, 100, 'a');
	put_frame(file, 50, 'b');
	put_frame(file, 300, 'c');
	fclose(file);
	put_capture(&s, "other", 60, 50, 4, 'o');
	read_merged(&r, s.path, s.count);
	cr_assert_eq(r.end, SOURCE_END);
	expect_marks("oaboooc");
	shelf_deinit(&s);
}

/* Random files against sorting all frames by time, file and place in the file. */
Test(merge, any_overlap_gives_what_sorting_gives)
{
	static struct {
		unsigned at_ms;
		size_t file;
	} all[20000];

	for (unsigned round = 0; round < 12; round++) {
		struct shelf s;
		size_t count = 0;
		shelf_init(&s);
		srand(round);
		for (unsigned f = 0; f < 2 + round; f++) {
			char name[16];
			unsigned at_ms = (unsigned)rand() % 2000;
			snprintf(name, sizeof(name), "%u", f);
			FILE *file = shelf_file(&s, name);
			put_header(file, 1);
			for (int i = rand() % 400; i > 0; i--) {
				at_ms += (unsigned)rand() % 4;
				put_frame(file, at_ms, (uint8_t)f);
				all[count].at_ms = at_ms;
				all[count++].file = f;
			}
			fclose(file);
		}
		for (size_t i = 1; i < count; i++) { /* stable */
			for (size_t k = i; k > 0; k--) {
				if (all[k - 1].at_ms < all[k].at_ms ||
					(all[k - 1].at_ms == all[k].at_ms &&
						all[k - 1].file <= all[k].file))
					break;
				__typeof__(all[0]) swap = all[k];
				all[k] = all[k - 1];
				all[k - 1] = swap;
			}
		}
		read_merged(&r, s.path, s.count);
		cr_assert_eq(r.count, count, "round %u", round);
		for (size_t i = 0; i < count; i++)
			cr_assert(r.at_ms[i] == all[i].at_ms && r.mark[i] == all[i].file,
				"round %u, frame %zu", round, i);
		shelf_deinit(&s);
	}
}

Test(merge, each_frame_keeps_the_link_type_of_its_file)
{
	struct shelf s;

	shelf_init(&s);
	put_capture(&s, "ethernet", 0, 10, 2, 'a');
	FILE *file = shelf_file(&s, "cooked");
	put_header(file, 113);
	put_frame(file, 5, 'b');
	fclose(file);
	read_merged(&r, s.path, s.count);
	expect_marks("aba");
	cr_assert_eq(r.link[0], PACKET_LINK_ETHERNET);
	cr_assert_eq(r.link[1], PACKET_LINK_LINUX_SLL);
	shelf_deinit(&s);
}

/* --- how many, how much ---------------------------------------------------------------------- */

static size_t descriptors_open(void)
{
	DIR *directory = opendir("/proc/self/fd");
	size_t count = 0;

	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

Test(merge, a_thousand_rotated_files_need_a_few_descriptors)
{
	struct frame batch[SOURCE_BATCH_MAX];
	struct err_ctx why = { 0 };
	struct source *source;
	struct shelf s;
	size_t total = 0, count;
	uint64_t size = 0;
	int64_t last_ns = 0;

	shelf_init(&s);
	for (unsigned i = 0; i < FILES_MAX; i++) {
		char name[16];
		snprintf(name, sizeof(name), "%u", i);
		/* 7919 is prime to 1000: every time once, in no order */
		size += (uint64_t)put_capture(
			&s, name, i * 7919 % FILES_MAX * 100, 10, 11, 'x');
	}
	size_t before = descriptors_open();
	cr_assert_eq(source_open_merged(&source, s.path, s.count, false, NULL, &why), ERR_OK);
	cr_assert_eq(descriptors_open(), before + 1, "only what wakes it");
	cr_assert_eq(source->size_bytes, size);
	cr_assert_eq(source->position_bytes, 0);
	while (source_next_batch(source, batch, &count, &why) == SOURCE_OK) {
		for (size_t i = 0; i < count; i++) {
			cr_assert_geq(batch[i].ts_ns, last_ns);
			last_ns = batch[i].ts_ns;
		}
		total += count;
		cr_assert_leq(descriptors_open(), before + 3);
	}
	cr_assert_eq(total, FILES_MAX * 11);
	cr_assert_eq(source->position_bytes, size);
	source_close(source);
	cr_assert_eq(descriptors_open(), before);
	shelf_deinit(&s);
}

Test(merge, one_path_is_the_file_itself)
{
	struct err_ctx why = { 0 };
	struct source *source;
	struct shelf s;

	shelf_init(&s);
	put_capture(&s, "only", 0, 1, 5, 'a');
	cr_assert_eq(source_open_merged(&source, s.path, 1, false, NULL, &why), ERR_OK, "%s",
		why.text);
	cr_assert_str_eq(source->name, s.path[0]);
	source_close(source);
	char missing[] = "/nonexistent/x.pcap", *path[] = { missing };
	cr_assert_eq(source_open_merged(&source, path, 1, false, NULL, &why), ERR_INPUT);
	cr_assert_null(source);
	shelf_deinit(&s);
}

/* --- damage ---------------------------------------------------------------------------------- */

static void expect_said(const char *expected)
{
	char text[4096] = "";
	FILE *said = cr_get_redirected_stderr();
	size_t len = fread(text, 1, sizeof(text) - 1, said);

	text[len] = '\0';
	cr_assert_not_null(strstr(text, expected), "\"%s\" is not in: %s", expected, text);
}

Test(merge, a_damaged_file_costs_its_rest_and_is_named, .init = cr_redirect_stderr)
{
	struct shelf s;

	shelf_init(&s);
	long size = put_capture(&s, "cut", 0, 10, 3, 'a');
	cr_assert_eq(truncate(s.path[0], size - 5), 0);
	put_capture(&s, "whole", 5, 10, 4, 'b');
	put_capture(&s, "later", 1000, 10, 2, 'c');
	read_merged(&r, s.path, s.count);
	expect_marks("ababbbcc");
	cr_assert_eq(r.end, SOURCE_ERROR);
	cr_assert_str_eq(r.why.text, "1 of 3 captures could not be read to the end");
	cr_assert_eq(r.position_bytes, r.size_bytes);
	fflush(stderr);
	expect_said(s.path[0]);
	shelf_deinit(&s);
}

Test(merge, what_cannot_be_opened_is_named_and_the_others_are_read, .init = cr_redirect_stderr)
{
	struct shelf s;

	shelf_init(&s);
	put_capture(&s, "good", 0, 10, 3, 'a');
	FILE *file = shelf_file(&s, "text");
	fputs("no capture at all, but long enough for a header", file);
	fclose(file);
	file = shelf_file(&s, "link");
	put_header(file, 255);
	put_frame(file, 5, 'b');
	fclose(file);
	s.path[s.count++] = strdup("/nonexistent/x.pcap");
	put_capture(&s, "empty", 0, 10, 0, 'a');
	read_merged(&r, s.path, s.count);
	expect_marks("aaa");
	cr_assert_eq(r.end, SOURCE_ERROR);
	cr_assert_str_eq(r.why.text, "3 of 5 captures could not be read to the end");
	cr_assert_eq(r.position_bytes, r.size_bytes);
	fflush(stderr);
	expect_said("/nonexistent/x.pcap: No such file");
	shelf_deinit(&s);
}

Test(merge, a_file_that_goes_before_its_time_is_named, .init = cr_redirect_stderr)
{
	struct err_ctx why = { 0 };
	struct source *source;
	struct shelf s;

	shelf_init(&s);
	put_capture(&s, "first", 0, 10, 3, 'a');
	put_capture(&s, "gone", 1000, 10, 3, 'b');
	cr_assert_eq(source_open_merged(&source, s.path, s.count, false, NULL, &why), ERR_OK);
	cr_assert_eq(unlink(s.path[1]), 0);
	read_source(&r, source);
	expect_marks("aaa");
	cr_assert_eq(r.end, SOURCE_ERROR);
	shelf_deinit(&s);
}

Test(merge, no_file_with_a_frame_is_an_end)
{
	struct shelf s;

	shelf_init(&s);
	put_capture(&s, "1", 0, 0, 0, 'a');
	put_capture(&s, "2", 0, 0, 0, 'b');
	read_merged(&r, s.path, s.count);
	cr_assert_eq(r.count, 0);
	cr_assert_eq(r.end, SOURCE_END);
	shelf_deinit(&s);
}

/* --- pipes and interruption ------------------------------------------------------------------ */

Test(merge, standard_input_is_read_alone_only)
{
	char file[] = "Makefile", dash[] = "-", *path[] = { file, dash };
	struct err_ctx why = { 0 };
	struct source *source;

	cr_assert_eq(source_open_merged(&source, path, 2, false, NULL, &why), ERR_USAGE);
	cr_assert_null(source);
	cr_assert_not_null(strstr(why.text, "alone"), "%s", why.text);
}

struct pipe_job {
	const char *path;
	unsigned frames;
	bool stays; /* open, until the job's owner closes it */
	FILE *file;
};

static void *write_pipe(void *arg)
{
	struct pipe_job *job = arg;

	job->file = fopen(job->path, "wb");
	put_header(job->file, 1);
	for (unsigned i = 0; i < job->frames; i++)
		put_frame(job->file, i * 10, 'p');
	fflush(job->file);
	if (!job->stays)
		fclose(job->file);
	return NULL;
}

static void shelf_pipe(struct shelf *s, struct pipe_job *job, pthread_t *thread)
{
	cr_assert_neq(asprintf(&s->path[s->count], "%s/pipe", s->directory), -1);
	job->path = s->path[s->count++];
	cr_assert_eq(mkfifo(job->path, 0600), 0);
	cr_assert_eq(pthread_create(thread, NULL, write_pipe, job), 0);
}

Test(merge, a_pipe_is_opened_once_and_merged_too)
{
	struct pipe_job job = { .frames = 3 };
	pthread_t thread;
	struct shelf s;

	shelf_init(&s);
	put_capture(&s, "file", 5, 10, 3, 'f');
	shelf_pipe(&s, &job, &thread);
	read_merged(&r, s.path, s.count);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	expect_marks("pfpfpf");
	cr_assert_eq(r.size_bytes, 0, "not known");
	cr_assert_eq(r.end, SOURCE_END);
	shelf_deinit(&s);
}

static void *interrupt_later(void *source)
{
	usleep(50000);
	source_interrupt(source);
	return NULL;
}

Test(merge, an_interrupt_ends_the_wait_for_a_pipe_and_is_no_error)
{
	struct pipe_job job = { .frames = SOURCE_BATCH_MAX + 1, .stays = true };
	struct err_ctx why = { 0 };
	struct source *source;
	pthread_t writer, interrupter;
	struct shelf s;

	shelf_init(&s);
	put_capture(&s, "file", 5, 10, 3, 'f');
	shelf_pipe(&s, &job, &writer);
	cr_assert_eq(source_open_merged(&source, s.path, s.count, false, NULL, &why), ERR_OK);
	cr_assert_eq(pthread_create(&interrupter, NULL, interrupt_later, source), 0);
	read_source(&r, source);
	cr_assert_eq(r.end, SOURCE_END);
	cr_assert_geq(r.count, SOURCE_BATCH_MAX);
	cr_assert_eq(pthread_join(interrupter, NULL), 0);
	cr_assert_eq(pthread_join(writer, NULL), 0);
	fclose(job.file);
	shelf_deinit(&s);
}

/* Files that were not opened yet stay closed; of those that are, what was read may still come. */
Test(merge, an_interrupt_opens_no_more_files)
{
	struct frame batch[SOURCE_BATCH_MAX];
	struct err_ctx why = { 0 };
	struct source *source;
	struct shelf s;
	size_t count, total = 0;

	shelf_init(&s);
	for (unsigned i = 0; i < 50; i++) {
		char name[16];
		snprintf(name, sizeof(name), "%u", i);
		put_capture(&s, name, i * 1000, 10, 10, 'a');
	}
	cr_assert_eq(source_open_merged(&source, s.path, s.count, false, NULL, &why), ERR_OK);
	cr_assert_eq(source_next_batch(source, batch, &count, &why), SOURCE_OK);
	source_interrupt(source);
	while (source_next_batch(source, batch, &count, &why) == SOURCE_OK)
		total += count;
	cr_assert_lt(total, 50);
	cr_assert_eq(source_next_batch(source, batch, &count, &why), SOURCE_END);
	source_close(source);
	shelf_deinit(&s);
}

/* --- directories ------------------------------------------------------------------------------ */

Test(capture_files, of_a_directory_those_files_count_that_begin_like_a_capture,
	.init = cr_redirect_stderr)
{
	struct capture_files c = { 0 };
	struct err_ctx why = { 0 };
	struct shelf s;
	char path[128];

	shelf_init(&s);
	put_capture(&s, "b.dump", 0, 10, 1, 'b');
	put_capture(&s, "a", 10, 10, 1, 'a');
	put_capture(&s, ".hidden.pcap", 10, 10, 1, 'h');
	fclose(shelf_file(&s, "notes.pcap"));
	snprintf(path, sizeof(path), "%s/more", s.directory);
	cr_assert_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/fifo", s.directory);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(capture_files_add(&c, s.directory, &why), ERR_OK, "%s", why.text);
	cr_assert_eq(c.count, 2);
	cr_assert_str_eq(c.path[0], s.path[1]);
	cr_assert_str_eq(c.path[1], s.path[0]);
	fflush(stderr);
	expect_said("notes.pcap: skipped: no capture file");
	capture_files_deinit(&c);
	cr_assert_eq(c.count, 0);
	shelf_deinit(&s);
}

Test(capture_files, files_and_standard_input_are_taken_as_they_are)
{
	struct capture_files c = { 0 };
	struct err_ctx why = { 0 };

	cr_assert_eq(capture_files_add(&c, "/nonexistent", &why), ERR_OK);
	cr_assert_eq(capture_files_add(&c, "-", &why), ERR_OK);
	cr_assert_eq(capture_files_add(&c, "Makefile", &why), ERR_OK);
	cr_assert_eq(c.count, 3);
	cr_assert_str_eq(c.path[1], "-");
	capture_files_deinit(&c);
}

Test(capture_files, a_directory_without_a_capture_is_an_error_with_its_path)
{
	struct capture_files c = { 0 };
	struct err_ctx why = { 0 };
	struct shelf s;

	shelf_init(&s);
	cr_assert_eq(capture_files_add(&c, s.directory, &why), ERR_INPUT);
	cr_assert_eq(strncmp(why.text, s.directory, strlen(s.directory)), 0, "%s", why.text);
	cr_assert_eq(c.count, 0);
	capture_files_deinit(&c);
	shelf_deinit(&s);
}
