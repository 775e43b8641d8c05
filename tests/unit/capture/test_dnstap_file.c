/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/base/attribute.h"
#include "sensor/base/clock.h"
#include "sensor/capture/dnstap.h"
#include "sensor/capture/file.h"
#include "tests/support/dnstap_build.h"

static char path[64];

static void write_file(const void *bytes, size_t bytes_len)
{
	snprintf(path, sizeof(path), "/tmp/dynwatch-test-XXXXXX");
	int fd = mkstemp(path);
	cr_assert_neq(fd, -1);
	cr_assert_eq(write(fd, bytes, bytes_len), (ssize_t)bytes_len);
	close(fd);
}

struct reading {
	size_t frames, dns;
	int64_t first_ts_ns, last_ts_ns;
	enum source_status end;
	struct err_ctx why;
};

static struct reading read_file(void)
{
	struct reading r = { 0 };
	struct frame batch[SOURCE_BATCH_MAX];
	struct source *s;
	size_t count;

	cr_assert_eq(source_open_file(&s, path, &r.why), ERR_OK, "%s", r.why.text);
	while ((r.end = source_next_batch(s, batch, &count, &r.why)) == SOURCE_OK) {
		cr_assert_gt(count, 0);
		for (size_t i = 0; i < count; i++) {
			cr_assert_not_null(batch[i].decoded);
			if (r.frames++ == 0)
				r.first_ts_ns = batch[i].ts_ns;
			r.last_ts_ns = batch[i].ts_ns;
			if (batch[i].result != PACKET_DNS)
				continue;
			r.dns++;
			cr_assert_eq(batch[i].decoded->payload_len, DNSTAP_BUILD_QUERY_LEN);
			cr_assert_eq(batch[i].decoded->payload[0], 0x12);
		}
	}
	source_close(s);
	unlink(path);
	return r;
}

static void put_start(struct dnstap_build *b)
{
	dnstap_build_control(b, 2, DNSTAP_BUILD_CONTENT);
}

static void put_frames(struct dnstap_build *b, size_t count)
{
	for (size_t i = 0; i < count; i++)
		dnstap_build_frame(
			b, &(struct dnstap_spec){
				   .query_time_s = DNSTAP_BUILD_TIME_S + (int64_t)i });
}

Test(dnstap_file, is_recognised_by_its_content_and_read_to_its_stop)
{
	struct dnstap_build b = { 0 };

	put_start(&b);
	put_frames(&b, 5000);
	dnstap_build_control(&b, 3, NULL);
	write_file(b.at, b.len);
	cr_assert(dnstap_is_recorded(path));
	cr_assert(file_is_capture(path));
	struct reading r = read_file();
	cr_assert_eq(r.end, SOURCE_END, "%s", r.why.text);
	cr_assert_eq(r.dns, 5000);
	cr_assert_eq(r.first_ts_ns, DNSTAP_BUILD_TIME_S * NS_PER_S + 123456789);
	cr_assert_eq(r.last_ts_ns, (DNSTAP_BUILD_TIME_S + 4999) * NS_PER_S + 123456789);
	dnstap_build_deinit(&b);
}

Test(dnstap_file, several_streams_in_one_file_are_one)
{
	struct dnstap_build b = { 0 };

	for (int i = 0; i < 3; i++) {
		put_start(&b);
		put_frames(&b, 2);
		dnstap_build_control(&b, 3, NULL);
	}
	write_file(b.at, b.len);
	struct reading r = read_file();
	cr_assert_eq(r.end, SOURCE_END, "%s", r.why.text);
	cr_assert_eq(r.dns, 6);
	dnstap_build_deinit(&b);
}

Test(dnstap_file, cut_at_any_length_gives_what_was_whole_and_then_the_error)
{
	struct dnstap_build b = { 0 };
	size_t start, one;

	put_start(&b);
	start = b.len;
	put_frames(&b, 1);
	one = b.len - start;
	put_frames(&b, 2);
	dnstap_build_control(&b, 3, NULL);
	for (size_t len = 12; len < b.len; len++) {
		write_file(b.at, len);
		struct reading r = read_file();
		size_t whole = len < start ? 0 : (len - start) / one;
		cr_expect_eq(r.end, SOURCE_ERROR, "%zu", len);
		cr_expect_eq(r.dns, whole > 3 ? 3 : whole, "%zu", len);
		cr_expect_not_null(strstr(r.why.text, path), "%zu: %s", len, r.why.text);
		cr_expect_not_null(strstr(r.why.text, "ends "), "%zu: %s", len, r.why.text);
	}
	dnstap_build_deinit(&b);
}

static void other_content(struct dnstap_build *b)
{
	dnstap_build_control(b, 2, "protobuf:other.Other");
}

static void too_large(struct dnstap_build *b)
{
	put_start(b);
	dnstap_build_u32(b, 1 << 24);
}

static void start_again(struct dnstap_build *b)
{
	put_start(b);
	put_start(b);
}

static void garbage_behind(struct dnstap_build *b)
{
	put_start(b);
	dnstap_build_control(b, 3, NULL);
	dnstap_build_octets(b, "garbage", 7);
}

static const struct {
	void (*put)(struct dnstap_build *b);
	const char *says;
} damaged[] = {
	{ other_content, "not of the type protobuf:dnstap.Dnstap" },
	{ too_large, "larger than 128 KiB" },
	{ start_again, "a control frame that cannot be" },
	{ garbage_behind, "what follows its end is none" },
};

Test(dnstap_file, damage_is_an_error_that_says_what_it_is)
{
	for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
		struct dnstap_build b = { 0 };
		damaged[i].put(&b);
		write_file(b.at, b.len);
		struct reading r = read_file();
		cr_expect_eq(r.end, SOURCE_ERROR, "%s", damaged[i].says);
		cr_expect_not_null(strstr(r.why.text, damaged[i].says), "%s", r.why.text);
		dnstap_build_deinit(&b);
	}
}

Test(dnstap_file, frames_that_tell_no_time_are_counted_at_that_of_their_neighbours)
{
	struct dnstap_build b = { 0 };
	const struct dnstap_spec timeless = { .without = DNSTAP_WITHOUT(8) };

	put_start(&b);
	dnstap_build_frame(&b, &timeless);
	put_frames(&b, 1);
	dnstap_build_frame(&b, &timeless);
	dnstap_build_control(&b, 3, NULL);
	write_file(b.at, b.len);
	struct reading r = read_file();
	cr_assert_eq(r.frames, 3);
	cr_assert_eq(r.dns, 1);
	cr_assert_eq(r.first_ts_ns, DNSTAP_BUILD_TIME_S * NS_PER_S + 123456789);
	cr_assert_eq(r.last_ts_ns, r.first_ts_ns);
	dnstap_build_deinit(&b);
}

Test(dnstap_file, other_files_are_not_taken_for_one)
{
	static const char *const others[] = { "", "\0\0\0\0", "\0\0\0\0\0\0\0\4\0\0\0\3",
		"\0\0\0\0\0\0\2\1\0\0\0\2", "\xa1\xb2\xc3\xd4\0\2\0\4\0\0\0\0" };
	static const size_t lens[] = { 0, 4, 12, 12, 12 };

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		write_file(others[i], lens[i]);
		cr_expect(!dnstap_is_recorded(path), "%zu", i);
		unlink(path);
	}
	cr_expect(!dnstap_is_recorded("/nowhere"));
	cr_expect(!dnstap_is_recorded("/tmp"));
}

Test(dnstap_file, an_interrupt_ends_it)
{
	struct dnstap_build b = { 0 };
	struct frame batch[SOURCE_BATCH_MAX];
	struct err_ctx why;
	struct source *s;
	size_t count;

	put_start(&b);
	put_frames(&b, 10);
	write_file(b.at, b.len);
	cr_assert_eq(source_open_file(&s, path, &why), ERR_OK);
	source_interrupt(s);
	cr_assert_eq(source_next_batch(s, batch, &count, &why), SOURCE_END);
	cr_assert_eq(count, 0);
	source_close(s);
	unlink(path);
	dnstap_build_deinit(&b);
}
