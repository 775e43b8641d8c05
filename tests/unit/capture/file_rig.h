/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file_rig.h -- a capture file in the making, and what comes out when it is read.
 *
 *	writer_open(&w, false);
 *	writer_put_pcap_header(&w, false, 1);
 *	writer_put_record(&w, SECONDS, 0, 60, 1500, 0xab);
 *	writer_read_back(&w, &r);
 *	cr_assert_eq(r.count, 1);
 *
 * Nothing written is checked, so that a file can be wrong in any way. A writer may also have a
 * stream of the test's own, a pipe for one.
 *
 * Owner:  the test closes the stream and removes the file, unless writer_read_back does.
 * Errors: a file that cannot be made and a source that breaks its contract fail the test
 *         (cr_assert); what a reading gives is the test's to judge.
 */
#ifndef TESTS_UNIT_CAPTURE_FILE_RIG_H
#define TESTS_UNIT_CAPTURE_FILE_RIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sensor/capture/source.h"

#define SECONDS 1700000000u /* a time for records: 2023-11-14T22:13:20Z */

struct writer {
	FILE *stream;
	bool big; /* byte order */
	char path[64];
};

/* A new file below /tmp. */
void writer_open(struct writer *w, bool big);
/* The low `bytes` bytes of the value, in the file's order. */
void writer_put(struct writer *w, uint64_t value, unsigned bytes);

/* pcap: the head, and records of `caplen` bytes that are all `fill`. */
void writer_put_pcap_header(struct writer *w, bool nano, uint32_t link);
void writer_put_record(struct writer *w, uint32_t seconds, uint32_t fraction, uint32_t caplen,
	uint32_t wire_len, uint8_t fill);

/*
 * pcapng: a section; an interface, where `resolution` is the exponent of if_tsresol and 0 leaves
 * the option out; an enhanced packet of 16 bytes that are all `fill`.
 */
void writer_put_section(struct writer *w);
void writer_put_interface(struct writer *w, unsigned link, unsigned resolution);
void writer_put_enhanced(
	struct writer *w, uint32_t interface, uint64_t time, uint32_t wire_len, uint8_t fill);

struct reading {
	size_t count;       /* of frames */
	struct frame first; /* its bytes are gone, but for the first of them */
	uint8_t first_byte;
	enum source_status end;
	enum err opened; /* not ERR_OK: of the rest only `why` is set */
	struct err_ctx why;
	uint64_t size_bytes, position_bytes; /* as the source had them at its end */
};

/* Open as source_open_file does, and read to the end. */
void reading_load(struct reading *r, const char *path);
/* The same with a thread that decompresses ahead. */
void reading_load_ahead(struct reading *r, const char *path);
/* Close what was written, load and remove it. */
void writer_read_back(struct writer *w, struct reading *r);

/*
 * The real captures in $DYNWATCH_SHARED/pcaps (default ../shared), pcap and pcapng or only these, in the order
 * of their names. Without the folder there are none, unless it was named.
 */
void shared_captures_each(bool only_pcapng, void (*try)(const char *path));

#endif
