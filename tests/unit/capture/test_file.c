/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Captures as they come from a file or from standard input, sound and damaged, and how a read of
 * them is interrupted; test_file_compressed.c has those that are compressed.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "sensor/base/attribute.h"
#include "sensor/base/clock.h"
#include "sensor/capture/file.h"
#include "sensor/capture/source.h"
#include "tests/unit/capture/file_rig.h"

/* --- what a file says ------------------------------------------------------------------------ */

Test(file, pcap_of_either_byte_order_and_precision_reads_the_same)
{
	for (unsigned i = 0; i < 4; i++) {
		bool big = i % 2, nano = i / 2;
		struct writer w;
		struct reading r;
		writer_open(&w, big);
		writer_put_pcap_header(&w, nano, 1);
		writer_put_record(&w, SECONDS, nano ? 123456789 : 123456, 60, 1500, 0xab);
		writer_put_record(&w, SECONDS + 1, 0, 0, 0, 0);
		writer_read_back(&w, &r);
		cr_assert_eq(r.opened, ERR_OK, "%u: %s", i, r.why.text);
		cr_assert_eq(r.end, SOURCE_END, "%u", i);
		cr_assert_eq(r.count, 2, "%u", i);
		cr_assert_eq(r.first.ts_ns, SECONDS * NS_PER_S + (nano ? 123456789 : 123456000),
			"%u", i);
		cr_assert_eq(r.first.caplen, 60, "%u", i);
		cr_assert_eq(r.first.wire_len, 1500, "%u", i);
		cr_assert_eq(r.first.link, PACKET_LINK_ETHERNET, "%u", i);
		cr_assert_eq(r.first.interface, 0, "%u", i);
		cr_assert_eq(r.first_byte, 0xab, "%u", i);
		cr_assert_eq(r.size_bytes, 24 + 16 + 60 + 16, "%u", i);
		cr_assert_eq(r.position_bytes, r.size_bytes, "%u", i);
	}
}

Test(file, pcapng_of_either_byte_order_and_any_resolution_reads_the_same)
{
	static const struct {
		unsigned resolution;
		uint64_t units;
	} rows[] = { { 0, 1000000 }, { 9, 1000000000 }, { 6, 1000000 }, { 3, 1000 } };

	for (unsigned i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		uint64_t units = rows[i / 2].units;
		struct writer w;
		struct reading r;
		writer_open(&w, i % 2);
		writer_put_section(&w);
		writer_put_interface(&w, 113, rows[i / 2].resolution);
		writer_put_enhanced(&w, 0, SECONDS * units + units / 2, 99, 0xcd);
		writer_read_back(&w, &r);
		cr_assert_eq(r.opened, ERR_OK, "%u: %s", i, r.why.text);
		cr_assert_eq(r.count, 1, "%u", i);
		cr_assert_eq(r.end, SOURCE_END, "%u", i);
		cr_assert_eq(r.first.ts_ns, SECONDS * NS_PER_S + NS_PER_S / 2, "%u", i);
		cr_assert_eq(r.first.caplen, 16, "%u", i);
		cr_assert_eq(r.first.wire_len, 99, "%u", i);
		cr_assert_eq(r.first.link, PACKET_LINK_LINUX_SLL, "%u", i);
		cr_assert_eq(r.first_byte, 0xcd, "%u", i);
	}
}

Test(file, seconds_after_2038_are_no_dates_before_1970)
{
	static const uint32_t seconds[] = { 0, 2147483647, 2147483648, UINT32_MAX };

	for (size_t i = 0; i < ARRAY_LEN(seconds); i++) {
		struct writer w;
		struct reading r;
		writer_open(&w, false);
		writer_put_pcap_header(&w, false, 1);
		writer_put_record(&w, seconds[i], 999999, 60, 60, 1);
		writer_read_back(&w, &r);
		cr_assert_eq(
			r.first.ts_ns, seconds[i] * NS_PER_S + 999999000, "%u", seconds[i]);
	}
}

Test(file, a_time_that_cannot_be_is_held_within_bounds)
{
	struct writer w;
	struct reading r;

	writer_open(&w, false);
	writer_put_pcap_header(&w, false, 1);
	writer_put_record(&w, SECONDS, UINT32_MAX, 60, 60, 1);
	writer_read_back(&w, &r);
	cr_assert_eq(r.first.ts_ns, SECONDS * NS_PER_S);
	writer_open(&w, false);
	writer_put_section(&w);
	writer_put_interface(&w, 1, 0);
	writer_put_enhanced(&w, 0, UINT64_MAX, 16, 1);
	writer_read_back(&w, &r);
	cr_assert_eq(r.count, 1);
	cr_assert_gt(r.first.ts_ns, 0);
}

Test(file, fewer_bytes_on_the_wire_than_captured_are_raised_to_the_captured)
{
	struct writer w;
	struct reading r;

	writer_open(&w, false);
	writer_put_pcap_header(&w, false, 1);
	writer_put_record(&w, SECONDS, 0, 60, 10, 1);
	writer_read_back(&w, &r);
	cr_assert_eq(r.count, 1);
	cr_assert_eq(r.first.caplen, 60);
	cr_assert_eq(r.first.wire_len, 60);
}

/* Each frame is filled with its number, and keeps it until the next batch is asked for. */
Test(file, frames_come_in_batches_and_keep_their_bytes)
{
	enum { COUNT = 3 * SOURCE_BATCH_MAX + 5 };
	struct frame batch[SOURCE_BATCH_MAX];
	struct err_ctx why = { 0 };
	struct writer w;
	struct source *s;
	size_t count, total = 0;

	writer_open(&w, false);
	writer_put_pcap_header(&w, false, 1);
	for (unsigned i = 0; i < COUNT; i++)
		writer_put_record(&w, SECONDS + i, 0, 20 + i * 3, 2000, (uint8_t)i);
	fclose(w.stream);
	cr_assert_eq(source_open_file(&s, w.path, &why), ERR_OK, "%s", why.text);
	cr_assert_str_eq(s->name, w.path);
	while (source_next_batch(s, batch, &count, &why) == SOURCE_OK) {
		cr_assert_eq(count, total < COUNT - 5 ? SOURCE_BATCH_MAX : 5);
		for (size_t i = 0; i < count; i++, total++) {
			cr_assert_eq(batch[i].caplen, 20 + total * 3);
			cr_assert_eq(batch[i].ts_ns, (int64_t)(SECONDS + total) * NS_PER_S);
			for (size_t at = 0; at < batch[i].caplen; at++)
				cr_assert_eq(batch[i].bytes[at], (uint8_t)total);
		}
	}
	cr_assert_eq(total, COUNT);
	source_close(s);
	unlink(w.path);
}

Test(file, a_batch_of_the_largest_frames_fits)
{
	struct writer w;
	struct reading r;

	writer_open(&w, false);
	writer_put_pcap_header(&w, false, 1);
	for (unsigned i = 0; i < SOURCE_BATCH_MAX + 1; i++)
		writer_put_record(&w, SECONDS, 0, 262144, 262144, 0x77);
	writer_read_back(&w, &r);
	cr_assert_eq(r.count, SOURCE_BATCH_MAX + 1, "%s", r.why.text);
	cr_assert_eq(r.first.caplen, 262144);
}

/* Records of all sizes, so that every part of one comes to lie across the end of a read. */
enum { CROSSING = 4000 };

static uint32_t crossing_len(size_t number)
{
	return number % 500 == 499 ? 262144 - (uint32_t)number : (uint32_t)(number * 37 % 400);
}

static void put_crossing(struct writer *w)
{
	writer_put_pcap_header(w, false, 1);
	for (size_t i = 0; i < CROSSING; i++)
		writer_put_record(w, SECONDS, (uint32_t)i, crossing_len(i), 262144, (uint8_t)i);
}

static void expect_crossing(struct source *s)
{
	struct frame batch[SOURCE_BATCH_MAX];
	struct err_ctx why = { 0 };
	enum source_status status;
	size_t count, total = 0;

	while ((status = source_next_batch(s, batch, &count, &why)) == SOURCE_OK) {
		for (size_t i = 0; i < count; i++, total++) {
			cr_assert_eq(batch[i].caplen, crossing_len(total), "%zu", total);
			cr_assert_eq(batch[i].ts_ns,
				SECONDS * NS_PER_S + (int64_t)total * NS_PER_US, "%zu", total);
			for (size_t at = 0; at < batch[i].caplen; at++)
				cr_assert_eq(batch[i].bytes[at], (uint8_t)total, "%zu", total);
		}
	}
	cr_assert_eq(status, SOURCE_END, "%s", why.text);
	cr_assert_eq(total, CROSSING);
}

Test(file, records_across_the_ends_of_reads_are_whole)
{
	struct err_ctx why = { 0 };
	struct writer w;
	struct source *s;

	writer_open(&w, false);
	put_crossing(&w);
	fclose(w.stream);
	cr_assert_eq(source_open_file(&s, w.path, &why), ERR_OK, "%s", why.text);
	expect_crossing(s);
	source_close(s);
	unlink(w.path);
}

/* A file of three records, cut at every length. */
Test(file, a_cut_file_gives_what_came_before_the_cut_and_then_an_error_with_its_path)
{
	enum { HEADER = 24, RECORD = 16 + 40, SIZE = HEADER + 3 * RECORD };

	for (size_t size = 0; size <= SIZE; size++) {
		struct writer w;
		struct reading r;
		writer_open(&w, size % 2);
		writer_put_pcap_header(&w, false, 1);
		for (unsigned i = 0; i < 3; i++)
			writer_put_record(&w, SECONDS, 0, 40, 40, 1);
		fflush(w.stream);
		cr_assert_eq(ftruncate(fileno(w.stream), (off_t)size), 0);
		writer_read_back(&w, &r);
		if (size < HEADER) {
			cr_assert_eq(r.opened, ERR_INPUT, "%zu bytes", size);
			cr_assert_not_null(strstr(r.why.text, w.path), "%s", r.why.text);
			continue;
		}
		bool whole = (size - HEADER) % RECORD == 0;
		cr_assert_eq(r.count, (size - HEADER) / RECORD, "%zu bytes", size);
		cr_assert_eq(r.end, whole ? SOURCE_END : SOURCE_ERROR, "%zu bytes", size);
		if (!whole)
			cr_assert_not_null(strstr(r.why.text, w.path), "%s", r.why.text);
	}
}

Test(file, a_damaged_record_ends_the_file_with_an_error_after_the_good_ones)
{
	struct writer w;
	struct reading r;

	writer_open(&w, false);
	writer_put_pcap_header(&w, false, 1);
	for (unsigned i = 0; i < 70; i++)
		writer_put_record(&w, SECONDS, 0, 40, 40, 1);
	writer_put(&w, SECONDS, 4);
	writer_put(&w, 0, 4);
	writer_put(&w, 0xfffffff0, 4);
	writer_put(&w, 0xfffffff0, 4);
	writer_put_record(&w, SECONDS, 0, 40, 40, 1);
	writer_read_back(&w, &r);
	cr_assert_eq(r.count, 70);
	cr_assert_eq(r.end, SOURCE_ERROR);
	cr_assert_not_null(strstr(r.why.text, w.path), "%s", r.why.text);
	cr_assert_gt(strlen(r.why.text), strlen(w.path) + 2, "libpcap's reason is missing");
}

/* Read by classic.c, and, in the other byte order, by libpcap. */
Test(file, frames_of_a_file_that_does_not_tell_are_of_the_interface_that_is_given)
{
	const struct source_interfaces interfaces = { .otherwise = 5 };
	const struct file_options options = { .wake_fd = -1, .interfaces = &interfaces };

	for (int big = 0; big < 2; big++) {
		struct frame batch[SOURCE_BATCH_MAX];
		struct err_ctx why;
		struct source *s;
		struct writer w;
		size_t count;
		writer_open(&w, big);
		writer_put_pcap_header(&w, false, 1);
		writer_put_record(&w, SECONDS, 0, 40, 40, 1);
		fclose(w.stream);
		cr_assert_eq(file_open(&s, w.path, &options, &why), ERR_OK, "%s", why.text);
		cr_assert_eq(source_next_batch(s, batch, &count, &why), SOURCE_OK);
		cr_expect_eq(batch[0].interface, 5);
		source_close(s);
		unlink(w.path);
	}
}

Test(file, a_link_type_that_cannot_be_decoded_is_named)
{
	struct writer w;
	struct reading r;

	writer_open(&w, false);
	writer_put_pcap_header(&w, false, 255);
	writer_put_record(&w, SECONDS, 0, 40, 40, 1);
	writer_read_back(&w, &r);
	cr_assert_eq(r.opened, ERR_INPUT);
	cr_assert_not_null(strstr(r.why.text, w.path), "%s", r.why.text);
	cr_assert_not_null(strstr(r.why.text, "BLUETOOTH_BREDR_BB"), "%s", r.why.text);
	cr_assert_not_null(strstr(r.why.text, "255"), "%s", r.why.text);
}

Test(file, what_is_no_capture_is_an_error_with_its_path)
{
	static const char *const paths[] = { "/nonexistent/x.pcap", "/tmp", "/dev/null",
		"Makefile" };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct reading r;
		reading_load(&r, paths[i]);
		cr_assert_eq(r.opened, ERR_INPUT, "%s", paths[i]);
		cr_assert_eq(
			strncmp(r.why.text, paths[i], strlen(paths[i])), 0, "%s", r.why.text);
	}
}

Test(file, a_file_loses_nothing)
{
	struct source_losses losses = { 1, 1, 1 };
	struct err_ctx why = { 0 };
	struct writer w;
	struct source *s;

	writer_open(&w, false);
	writer_put_pcap_header(&w, false, 1);
	fclose(w.stream);
	cr_assert_eq(source_open_file(&s, w.path, &why), ERR_OK, "%s", why.text);
	source_losses(s, &losses);
	cr_assert_eq(losses.received + losses.dropped_kernel + losses.dropped_interface, 0);
	source_close(s);
	unlink(w.path);
}

/* --- standard input and interruption --------------------------------------------------------- */

/* A pipe in place of standard input, with so many frames in it; its writing end stays open. */
static struct writer stdin_pipe(unsigned frames)
{
	struct writer w = { 0 };
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
	w.stream = fdopen(ends[1], "wb");
	writer_put_pcap_header(&w, false, 1);
	for (unsigned i = 0; i < frames; i++)
		writer_put_record(&w, SECONDS, 0, 40, 40, 1);
	fflush(w.stream);
	return w;
}

Test(file, dash_is_standard_input)
{
	struct writer w = stdin_pipe(100);
	struct reading r;

	fclose(w.stream);
	reading_load(&r, "-");
	cr_assert_eq(r.opened, ERR_OK, "%s", r.why.text);
	cr_assert_eq(r.count, 100);
	cr_assert_eq(r.end, SOURCE_END);
	cr_assert_eq(r.size_bytes, 0);
	cr_assert_eq(r.position_bytes, 24 + 100 * 56);
}

/* A reader that waited for more before it gave these would wait for ever. */
Test(file, what_a_pipe_holds_is_delivered_while_it_is_silent)
{
	struct writer w = stdin_pipe(3);
	struct frame batch[SOURCE_BATCH_MAX];
	struct err_ctx why = { 0 };
	struct source *s;
	size_t count;

	cr_assert_eq(source_open_file(&s, "-", &why), ERR_OK, "%s", why.text);
	cr_assert_eq(source_next_batch(s, batch, &count, &why), SOURCE_OK);
	cr_assert_eq(count, 3);
	writer_put_record(&w, SECONDS, 0, 40, 40, 1);
	writer_put(&w, SECONDS, 3); /* and a piece of the next */
	fflush(w.stream);
	cr_assert_eq(source_next_batch(s, batch, &count, &why), SOURCE_OK);
	cr_assert_eq(count, 1);
	fclose(w.stream);
	cr_assert_eq(source_next_batch(s, batch, &count, &why), SOURCE_ERROR);
	source_close(s);
}

/* The pieces are of a size that has nothing in common with that of a read. */
static void *write_in_pieces(void *argument)
{
	struct writer *w = argument;

	setvbuf(w->stream, NULL, _IOFBF, 7919);
	put_crossing(w);
	fclose(w->stream);
	return NULL;
}

Test(file, records_that_a_pipe_gives_in_pieces_are_whole)
{
	struct writer w = { 0 };
	struct err_ctx why = { 0 };
	struct source *s;
	pthread_t thread;
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
	w.stream = fdopen(ends[1], "wb");
	cr_assert_eq(pthread_create(&thread, NULL, write_in_pieces, &w), 0);
	cr_assert_eq(source_open_file(&s, "-", &why), ERR_OK, "%s", why.text);
	expect_crossing(s);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	source_close(s);
}

Test(file, standard_input_that_is_cut_is_called_by_its_name)
{
	struct writer w = stdin_pipe(2);
	struct reading r;

	writer_put(&w, 1, 3);
	fclose(w.stream);
	reading_load(&r, "-");
	cr_assert_eq(r.count, 2);
	cr_assert_eq(r.end, SOURCE_ERROR);
	cr_assert_not_null(strstr(r.why.text, "standard input"), "%s", r.why.text);
}

static struct source *interrupted_source;

static void interrupt_from_handler(int number)
{
	(void)number;
	source_interrupt(interrupted_source);
}

Test(file, a_signal_handler_interrupts_a_read_that_waits_for_a_silent_pipe)
{
	struct writer w = stdin_pipe(3);
	struct frame batch[SOURCE_BATCH_MAX];
	struct err_ctx why = { 0 };
	size_t count, total = 0;
	enum source_status status;

	cr_assert_eq(source_open_file(&interrupted_source, "-", &why), ERR_OK, "%s", why.text);
	signal(SIGALRM, interrupt_from_handler);
	setitimer(ITIMER_REAL, &(struct itimerval){ .it_value.tv_usec = 100000 }, NULL);
	while ((status = source_next_batch(interrupted_source, batch, &count, &why)) ==
		SOURCE_OK)
		total += count;
	cr_assert_eq(status, SOURCE_END);
	cr_assert_eq(total, 3, "what came before is delivered");
	source_close(interrupted_source);
	fclose(w.stream);
}

static void *interrupt_from_thread(void *argument)
{
	usleep(100000);
	source_interrupt(argument);
	return NULL;
}

Test(file, another_thread_interrupts_a_read_that_waits_for_a_silent_pipe)
{
	struct writer w = stdin_pipe(0);
	struct frame batch[SOURCE_BATCH_MAX];
	struct err_ctx why = { 0 };
	struct source *s;
	pthread_t thread;
	size_t count;

	cr_assert_eq(source_open_file(&s, "-", &why), ERR_OK, "%s", why.text);
	cr_assert_eq(pthread_create(&thread, NULL, interrupt_from_thread, s), 0);
	cr_assert_eq(source_next_batch(s, batch, &count, &why), SOURCE_END);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	source_close(s);
	fclose(w.stream);
}
