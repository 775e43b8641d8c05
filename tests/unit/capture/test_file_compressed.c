/* SPDX-License-Identifier: BSD-2-Clause */
/* Captures compressed in every format: read, interrupted, cut, and known by their first bytes. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/base/attribute.h"
#include "sensor/capture/file.h"
#include "sensor/capture/source.h"
#include "tests/support/pack.h"
#include "tests/unit/capture/file_rig.h"

#define RECORDS 40000 /* more than are read at once */

/* Write a capture of so many records and compress the file in place; returns its new length. */
static size_t packed_write(struct writer *w, enum pack_format format, unsigned records)
{
	static uint8_t bytes[1 << 22];
	size_t packed_len;

	writer_open(w, false);
	writer_put_pcap_header(w, false, 1);
	for (unsigned i = 0; i < records; i++)
		writer_put_record(w, SECONDS + i, 0, 40 + i % 50, 100, (uint8_t)(i * 7));
	cr_assert_eq(fclose(w->stream), 0);
	w->stream = fopen(w->path, "rb");
	size_t len = fread(bytes, 1, sizeof(bytes), w->stream);
	fclose(w->stream);
	uint8_t *packed = pack(format, bytes, len, &packed_len);
	w->stream = fopen(w->path, "wb");
	cr_assert_eq(fwrite(packed, 1, packed_len, w->stream), packed_len);
	free(packed);
	return packed_len;
}

Test(file_compressed, compressed_captures_read_like_plain_ones)
{
	for (int format = PACK_PLAIN; format < PACK_FORMATS; format++) {
		struct writer w;
		struct reading r[2];
		size_t packed_len = packed_write(&w, format, RECORDS);
		fclose(w.stream);
		reading_load(&r[0], w.path);
		reading_load_ahead(&r[1], w.path);
		unlink(w.path);
		for (size_t i = 0; i < ARRAY_LEN(r); i++) {
			const char *name = pack_names[format];
			cr_assert_eq(r[i].opened, ERR_OK, "%s: %s", name, r[i].why.text);
			cr_assert_eq(r[i].end, SOURCE_END, "%s: %s", name, r[i].why.text);
			cr_assert_eq(r[i].count, RECORDS, "%s", name);
			cr_assert_eq(r[i].first.caplen, 40, "%s", name);
			cr_assert_eq(r[i].size_bytes, packed_len, "%s", name);
			cr_assert_eq(r[i].position_bytes, packed_len,
				"%s: of the file as it is", name);
		}
	}
}

/* Whatever it is compressed with, and whoever reads: after what was read already nothing more is. */
Test(file_compressed, an_interrupt_ends_a_file_long_before_its_end)
{
	for (int i = 0; i < 2 * PACK_FORMATS; i++) {
		const int format = i / 2;
		const struct file_options options = { .wake_fd = -1, .ahead = i % 2 };
		struct frame batch[SOURCE_BATCH_MAX];
		struct err_ctx why = { 0 };
		struct writer w;
		struct source *s;
		size_t count, total = 0;
		packed_write(&w, format, RECORDS);
		fclose(w.stream);
		cr_assert_eq(file_open(&s, w.path, &options, &why), ERR_OK, "%s", why.text);
		while (total < RECORDS / 8) { /* two blocks, so that a thread reads ahead */
			cr_assert_eq(source_next_batch(s, batch, &count, &why), SOURCE_OK);
			total += count;
		}
		source_interrupt(s);
		enum source_status status;
		while ((status = source_next_batch(s, batch, &count, &why)) == SOURCE_OK)
			total += count;
		cr_assert_eq(status, SOURCE_END, "%s", pack_names[format]);
		cr_assert_lt(total, RECORDS / 4, "%s: %zu", pack_names[format], total);
		source_close(s);
		unlink(w.path);
	}
}

Test(file_compressed,
	a_compressed_file_that_is_cut_gives_what_came_before_and_says_path_and_reason)
{
	for (int format = PACK_GZIP; format < PACK_FORMATS; format++) {
		struct writer w;
		struct reading r, ahead;
		size_t packed_len = packed_write(&w, format, RECORDS);
		fflush(w.stream);
		cr_assert_eq(ftruncate(fileno(w.stream), (off_t)packed_len - 6), 0);
		fclose(w.stream);
		reading_load(&r, w.path);
		reading_load_ahead(&ahead, w.path);
		unlink(w.path);
		cr_assert_eq(r.opened, ERR_OK, "%s: %s", pack_names[format], r.why.text);
		cr_assert_eq(r.end, SOURCE_ERROR, "%s", pack_names[format]);
		cr_assert_gt(r.count, 0, "%s", pack_names[format]);
		cr_assert_eq(strncmp(r.why.text, w.path, strlen(w.path)), 0, "%s", r.why.text);
		cr_assert_not_null(
			strstr(r.why.text, "data ends in the middle"), "%s", r.why.text);
		cr_assert_eq(ahead.count, r.count, "%s", pack_names[format]);
		cr_assert_str_eq(ahead.why.text, r.why.text);
	}
}

Test(file_compressed, compressed_standard_input_is_recognised)
{
	struct writer w;
	struct reading r;

	packed_write(&w, PACK_ZSTD, 50);
	fclose(w.stream);
	FILE *in = fopen(w.path, "rb");
	cr_assert_eq(dup2(fileno(in), STDIN_FILENO), STDIN_FILENO);
	reading_load(&r, "-");
	cr_assert_eq(r.count, 50, "%s", r.why.text);
	fclose(in);
	unlink(w.path);
}

static void put_text(struct writer *w, const char *text, size_t text_len)
{
	writer_open(w, false);
	fwrite(text, 1, text_len, w->stream);
	cr_assert_eq(fclose(w->stream), 0);
}

Test(file_compressed, a_capture_is_known_by_its_first_bytes)
{
	static const struct {
		const char *name, *bytes;
		size_t len;
		bool capture;
	} rows[] = {
		{ "pcap", "\xd4\xc3\xb2\xa1", 4, true },
		{ "pcap of the other byte order", "\xa1\xb2\xc3\xd4", 4, true },
		{ "nanoseconds", "\x4d\x3c\xb2\xa1rest", 8, true },
		{ "pcapng", "\x0a\x0d\x0d\x0a", 4, true },
		{ "lz4: opening it says why not", "\x04\x22\x4d\x18", 4, true },
		{ "damaged gzip", "\x1f\x8b\xff\xff\xff\xff", 6, true },
		{ "nothing", "", 0, false },
		{ "a cut magic", "\xd4\xc3\xb2", 3, false },
		{ "text", "some notes", 10, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct writer w;
		put_text(&w, rows[i].bytes, rows[i].len);
		cr_assert_eq(file_is_capture(w.path), rows[i].capture, "%s", rows[i].name);
		unlink(w.path);
	}
	for (int format = PACK_PLAIN; format < PACK_FORMATS; format++) {
		struct writer w;
		packed_write(&w, format, 1);
		fclose(w.stream);
		cr_assert(file_is_capture(w.path), "%s", pack_names[format]);
		unlink(w.path);
	}
	cr_assert_not(file_is_capture("/nonexistent/x.pcap"));
	cr_assert_eq(errno, ENOENT);
}
