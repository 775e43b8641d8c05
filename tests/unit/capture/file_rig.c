/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/capture/file_rig.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/capture/file.h"

/* --- a capture file in the making ------------------------------------------------------------ */

void writer_open(struct writer *w, bool big)
{
	snprintf(w->path, sizeof(w->path), "/tmp/dynwatch-test-XXXXXX");
	int fd = mkstemp(w->path);
	cr_assert_neq(fd, -1);
	w->stream = fdopen(fd, "wb");
	w->big = big;
}

void writer_put(struct writer *w, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		fputc((int)(value >> 8 * (w->big ? bytes - 1 - i : i) & 0xff), w->stream);
}

void writer_put_pcap_header(struct writer *w, bool nano, uint32_t link)
{
	writer_put(w, nano ? 0xa1b23c4d : 0xa1b2c3d4, 4);
	writer_put(w, 2, 2);
	writer_put(w, 4, 2);
	writer_put(w, 0, 8);
	writer_put(w, 262144, 4);
	writer_put(w, link, 4);
}

void writer_put_record(struct writer *w, uint32_t seconds, uint32_t fraction, uint32_t caplen,
	uint32_t wire_len, uint8_t fill)
{
	writer_put(w, seconds, 4);
	writer_put(w, fraction, 4);
	writer_put(w, caplen, 4);
	writer_put(w, wire_len, 4);
	for (uint32_t i = 0; i < caplen; i++)
		fputc(fill, w->stream);
}

void writer_put_section(struct writer *w)
{
	writer_put(w, 0x0a0d0d0a, 4);
	writer_put(w, 28, 4);
	writer_put(w, 0x1a2b3c4d, 4);
	writer_put(w, 1, 2);
	writer_put(w, 0, 2);
	writer_put(w, UINT64_MAX, 8);
	writer_put(w, 28, 4);
}

void writer_put_interface(struct writer *w, unsigned link, unsigned resolution)
{
	unsigned len = resolution ? 32 : 20;

	writer_put(w, 1, 4);
	writer_put(w, len, 4);
	writer_put(w, link, 2);
	writer_put(w, 0, 2);
	writer_put(w, 0, 4);
	if (resolution) {
		writer_put(w, 9, 2);
		writer_put(w, 1, 2);
		fputc((int)resolution, w->stream);
		writer_put(w, 0, 3);
		writer_put(w, 0, 4);
	}
	writer_put(w, len, 4);
}

void writer_put_enhanced(
	struct writer *w, uint32_t interface, uint64_t time, uint32_t wire_len, uint8_t fill)
{
	writer_put(w, 6, 4);
	writer_put(w, 32 + 16, 4);
	writer_put(w, interface, 4);
	writer_put(w, time >> 32, 4);
	writer_put(w, time & 0xffffffff, 4);
	writer_put(w, 16, 4);
	writer_put(w, wire_len, 4);
	for (unsigned i = 0; i < 16; i++)
		fputc(fill, w->stream);
	writer_put(w, 32 + 16, 4);
}

/* --- reading it back ------------------------------------------------------------------------- */

static void load(struct reading *r, const char *path, bool ahead)
{
	const struct file_options options = { .wake_fd = -1, .ahead = ahead };
	struct frame batch[SOURCE_BATCH_MAX];
	struct err_ctx after;
	struct source *s;
	size_t count;

	memset(r, 0, sizeof(*r));
	r->opened = file_open(&s, path, &options, &r->why);
	if (r->opened != ERR_OK) {
		cr_assert_null(s);
		return;
	}
	while ((r->end = source_next_batch(s, batch, &count, &r->why)) == SOURCE_OK) {
		cr_assert_gt(count, 0);
		cr_assert_leq(count, SOURCE_BATCH_MAX);
		if (r->count == 0) {
			r->first = batch[0];
			r->first_byte = batch[0].caplen > 0 ? batch[0].bytes[0] : 0;
		}
		r->count += count;
	}
	cr_assert_eq(count, 0);
	cr_assert_eq(source_next_batch(s, batch, &count, &after), r->end, "the end stays");
	r->size_bytes = s->size_bytes;
	r->position_bytes = s->position_bytes;
	source_close(s);
}

void reading_load(struct reading *r, const char *path)
{
	load(r, path, false);
}

void reading_load_ahead(struct reading *r, const char *path)
{
	load(r, path, true);
}

void writer_read_back(struct writer *w, struct reading *r)
{
	cr_assert_eq(fclose(w->stream), 0);
	reading_load(r, w->path);
	unlink(w->path);
}

/* --- real ones --------------------------------------------------------------------------------- */

static int is_pcapng(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && strcmp(dot, ".pcapng") == 0;
}

static int is_capture(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return is_pcapng(entry) || (dot && strcmp(dot, ".pcap") == 0);
}

void shared_captures_each(bool only_pcapng, void (*try)(const char *path))
{
	const char *shared = getenv("DYNWATCH_SHARED");
	char folder[512], path[1024];
	struct dirent **entry;

	snprintf(folder, sizeof(folder), "%s/pcaps", shared ? shared : "../shared");
	int count = scandir(folder, &entry, only_pcapng ? is_pcapng : is_capture, alphasort);
	if (count == -1) {
		cr_assert_null(shared, "%s: not there", folder);
		return;
	}
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry[i]->d_name);
		try(path);
		free(entry[i]);
	}
	free(entry);
}
