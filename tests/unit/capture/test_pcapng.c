/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What pcapng files have beside enhanced packets of one interface (test_file.c), damage told by name, and
 * libpcap's reading of real ones.
 */
#include "sensor/capture/pcapng.h"

#include <criterion/criterion.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/base/attribute.h"
#include "sensor/base/clock.h"
#include "sensor/capture/file.h"
#include "tests/unit/capture/file_rig.h"

#define FRAME_BYTES 20

/* --- blocks ----------------------------------------------------------------------------------------- */

static void put_block_head(struct writer *w, uint32_t type, uint32_t len)
{
	writer_put(w, type, 4);
	writer_put(w, len, 4);
}

static void put_fill(struct writer *w, size_t len, uint8_t fill)
{
	for (size_t i = 0; i < len; i++)
		fputc(fill, w->stream);
}

/* Of a kind that is passed over. */
static void put_other(struct writer *w, uint32_t type, uint32_t body_len)
{
	put_block_head(w, type, 12 + body_len);
	put_fill(w, body_len, 0xee);
	writer_put(w, 12 + body_len, 4);
}

static void put_simple(struct writer *w, uint32_t wire_len)
{
	put_block_head(w, 3, 16 + FRAME_BYTES);
	writer_put(w, wire_len, 4);
	put_fill(w, FRAME_BYTES, 0x33);
	writer_put(w, 16 + FRAME_BYTES, 4);
}

static void put_obsolete(struct writer *w, unsigned interface, uint64_t time)
{
	put_block_head(w, 2, 32 + FRAME_BYTES);
	writer_put(w, interface, 2);
	writer_put(w, 7, 2); /* drops */
	writer_put(w, time >> 32, 4);
	writer_put(w, time & 0xffffffff, 4);
	writer_put(w, FRAME_BYTES, 4);
	writer_put(w, FRAME_BYTES, 4);
	put_fill(w, FRAME_BYTES, 0x22);
	writer_put(w, 32 + FRAME_BYTES, 4);
}

/* With if_tsresol as it stands, if_tsoffset, and an option that is not looked at. */
static void put_interface(
	struct writer *w, unsigned link, uint32_t snaplen, uint8_t resolution, int64_t offset_s)
{
	uint32_t len = 20 + 8 + 8 + 12 + 4;

	put_block_head(w, 1, len);
	writer_put(w, link, 2);
	writer_put(w, 0, 2);
	writer_put(w, snaplen, 4);
	writer_put(w, 2, 2); /* if_name */
	writer_put(w, 3, 2);
	put_fill(w, 3, 'e');
	put_fill(w, 1, 0);
	writer_put(w, 9, 2);
	writer_put(w, 1, 2);
	writer_put(w, w->big ? (uint32_t)resolution << 24 : resolution, 4);
	writer_put(w, 14, 2);
	writer_put(w, 8, 2);
	writer_put(w, (uint64_t)offset_s, 8);
	writer_put(w, 0, 4);
	writer_put(w, len, 4);
}

static void start(struct writer *w, bool big)
{
	writer_open(w, big);
	writer_put_section(w);
}

/* --- frames, one by one ------------------------------------------------------------------------------ */

struct read_file {
	struct source *source;
	struct frame batch[SOURCE_BATCH_MAX];
	size_t count;
	struct err_ctx why;
};

static void read_first(struct read_file *r, struct writer *w)
{
	cr_assert_eq(fclose(w->stream), 0);
	cr_assert_eq(source_open_file(&r->source, w->path, &r->why), ERR_OK, "%s", r->why.text);
	unlink(w->path);
	cr_assert_eq(source_next_batch(r->source, r->batch, &r->count, &r->why), SOURCE_OK,
		"%s", r->why.text);
}

static void read_end(struct read_file *r)
{
	cr_expect_eq(source_next_batch(r->source, r->batch, &r->count, &r->why), SOURCE_END,
		"%s", r->why.text);
	source_close(r->source);
}

Test(pcapng, each_interface_has_its_link_type_and_its_time)
{
	for (int big = 0; big < 2; big++) {
		struct read_file r;
		struct writer w;
		start(&w, big);
		put_interface(&w, 1, 65535, 6, 0);
		put_interface(&w, 113, 96, 9, 3600);
		put_interface(&w, 1, 262144, 0x8a, -1); /* 1/1024 s */
		put_interface(&w, 1, 0, 12, 0);
		writer_put_enhanced(&w, 1, SECONDS * UINT64_C(1000000000) + 5, 99, 1);
		writer_put_enhanced(&w, 0, SECONDS * UINT64_C(1000000) + 5, 99, 2);
		writer_put_enhanced(&w, 2, SECONDS * UINT64_C(1024) + 512, 99, 3);
		writer_put_enhanced(&w, 3, UINT64_C(5000000000007), 99, 4);
		read_first(&r, &w);
		cr_assert_eq(r.count, 4);
		cr_expect_eq(r.batch[0].link, PACKET_LINK_LINUX_SLL);
		cr_expect_eq(r.batch[0].ts_ns, (SECONDS + 3600) * NS_PER_S + 5);
		cr_expect_eq(r.batch[1].link, PACKET_LINK_ETHERNET);
		cr_expect_eq(r.batch[1].ts_ns, SECONDS * NS_PER_S + 5000);
		cr_expect_eq(r.batch[2].ts_ns, (SECONDS - 1) * NS_PER_S + NS_PER_S / 2);
		cr_expect_eq(r.batch[3].ts_ns, 5 * NS_PER_S, "picoseconds are cut");
		for (unsigned i = 0; i < 4; i++)
			cr_expect_eq(r.batch[i].bytes[15], i + 1);
		read_end(&r);
	}
}

Test(pcapng, times_that_cannot_be_are_held_within_bounds)
{
	static const struct {
		uint8_t resolution;
		int64_t offset_s;
		uint64_t time;
		int64_t want_ns;
	} rows[] = {
		{ 0, 0, UINT64_MAX, (INT64_MAX / NS_PER_S - 1) * NS_PER_S },
		{ 6, INT64_MAX, 1, (INT64_MAX / NS_PER_S - 1) * NS_PER_S },
		{ 6, INT64_MIN, 1, 0 },
		{ 127, 0, UINT64_MAX, 0 },
		{ 0xff, 0, UINT64_MAX, 0 },
		{ 0x80, 0, 7, 7 * NS_PER_S },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct read_file r;
		struct writer w;
		start(&w, false);
		put_interface(&w, 1, 65535, rows[i].resolution, rows[i].offset_s);
		writer_put_enhanced(&w, 0, rows[i].time, 99, 1);
		read_first(&r, &w);
		cr_expect_eq(r.batch[0].ts_ns, rows[i].want_ns, "row %zu: %lld", i,
			(long long)r.batch[0].ts_ns);
		read_end(&r);
	}
}

Test(pcapng, simple_and_obsolete_packets)
{
	struct read_file r;
	struct writer w;

	start(&w, true);
	put_interface(&w, 1, 18, 6, 0);
	put_simple(&w, 1500);
	put_obsolete(&w, 0, SECONDS * UINT64_C(1000000));
	read_first(&r, &w);
	cr_assert_eq(r.count, 2);
	cr_expect_eq(r.batch[0].caplen, 18, "cut by the interface's snapshot length");
	cr_expect_eq(r.batch[0].wire_len, 1500);
	cr_expect_eq(r.batch[0].ts_ns, 0, "it has none");
	cr_expect_eq(r.batch[1].caplen, FRAME_BYTES);
	cr_expect_eq(r.batch[1].ts_ns, SECONDS * NS_PER_S);
	cr_expect_eq(r.batch[1].bytes[0], 0x22);
	read_end(&r);
}

Test(pcapng, other_blocks_are_passed_over_however_long_they_are)
{
	struct read_file r;
	struct writer w;

	start(&w, false);
	put_other(&w, 10, 64);
	put_interface(&w, 1, 0, 6, 0);
	put_other(&w, 0xbad, 3 * 1024 * 1024);
	put_other(&w, 4, 0);
	writer_put_enhanced(&w, 0, 1, 16, 1);
	put_other(&w, 5, 128 * 1024);
	read_first(&r, &w);
	cr_expect_eq(r.count, 1);
	read_end(&r);
}

Test(pcapng, sections_of_either_byte_order_in_one_file)
{
	struct read_file r;
	struct writer w;
	size_t count = 0;

	start(&w, false);
	put_interface(&w, 1, 0, 6, 0);
	writer_put_enhanced(&w, 0, 1, 16, 1);
	w.big = true;
	writer_put_section(&w);
	put_interface(&w, 113, 0, 6, 0);
	writer_put_enhanced(&w, 0, 2, 16, 2);
	w.big = false;
	writer_put_section(&w);
	put_interface(&w, 1, 0, 3, 0);
	writer_put_enhanced(&w, 0, 3, 16, 3);
	read_first(&r, &w);
	count = r.count;
	cr_assert_eq(count, 3);
	cr_expect_eq(r.batch[1].link, PACKET_LINK_LINUX_SLL);
	cr_expect_eq(r.batch[2].link, PACKET_LINK_ETHERNET);
	cr_expect_eq(r.batch[2].ts_ns, 3 * NS_PER_MS);
	read_end(&r);
}

Test(pcapng, packets_of_an_interface_that_cannot_be_decoded_are_for_the_books)
{
	struct read_file r;
	struct writer w;

	start(&w, false);
	put_interface(&w, 255, 0, 6, 0);
	put_interface(&w, 1, 0, 6, 0);
	writer_put_enhanced(&w, 0, 1, 16, 1);
	writer_put_enhanced(&w, 1, 2, 16, 2);
	read_first(&r, &w);
	cr_assert_eq(r.count, 2);
	cr_expect_not(packet_link_supported(r.batch[0].link));
	cr_expect_eq(r.batch[1].link, PACKET_LINK_ETHERNET);
	read_end(&r);
}

Test(pcapng, when_none_can_be_decoded_the_link_type_is_named)
{
	struct reading r;
	struct writer w;

	start(&w, false);
	put_interface(&w, 255, 0, 6, 0);
	writer_put_enhanced(&w, 0, 1, 16, 1);
	writer_read_back(&w, &r);
	cr_expect_eq(r.opened, ERR_INPUT);
	cr_expect(strstr(r.why.text, w.path) == r.why.text, "%s", r.why.text);
	cr_expect(strstr(r.why.text, "link type BLUETOOTH_BREDR_BB (255,"), "%s", r.why.text);
}

/* put_interface's have a name, writer_put_interface's have none. */
Test(pcapng, frames_are_numbered_by_the_names_of_their_interfaces)
{
	static const char *const names[] = { "lan", "eeee", "eee" };
	const struct source_interfaces interfaces = { names, ARRAY_LEN(names), 77 };
	const struct file_options options = { .wake_fd = -1, .interfaces = &interfaces };
	struct read_file r;
	struct writer w;

	start(&w, true);
	put_interface(&w, 1, 0, 6, 0);
	writer_put_interface(&w, 1, 0);
	writer_put_enhanced(&w, 0, 1, 16, 1);
	writer_put_enhanced(&w, 1, 2, 16, 2);
	cr_assert_eq(fclose(w.stream), 0);
	cr_assert_eq(file_open(&r.source, w.path, &options, &r.why), ERR_OK, "%s", r.why.text);
	unlink(w.path);
	cr_assert_eq(source_next_batch(r.source, r.batch, &r.count, &r.why), SOURCE_OK);
	cr_assert_eq(r.count, 2);
	cr_expect_eq(r.batch[0].interface, 2);
	cr_expect_eq(r.batch[1].interface, 77);
	read_end(&r);
}

/* --- damage -------------------------------------------------------------------------------------------- */

static void put_good(struct writer *w)
{
	start(w, false);
	put_interface(w, 1, 0, 6, 0);
	writer_put_enhanced(w, 0, 1, 16, 1);
}

static void length_of_nine(struct writer *w)
{
	put_block_head(w, 6, 9);
	put_fill(w, 40, 0);
}

static void length_not_of_fours(struct writer *w)
{
	put_block_head(w, 0xbad, 33);
	put_fill(w, 40, 0);
}

static void lengths_that_differ(struct writer *w)
{
	put_block_head(w, 6, 52);
	put_fill(w, 44, 0);
}

static void packet_of_nobody(struct writer *w)
{
	writer_put_enhanced(w, 1, 1, 16, 1);
}

static void packet_longer_than_its_block(struct writer *w)
{
	put_block_head(w, 6, 36);
	put_fill(w, 12, 0);
	writer_put(w, 5, 4);
	writer_put(w, 5, 4);
	put_fill(w, 4, 0);
	writer_put(w, 36, 4);
}

static void packet_longer_than_any(struct writer *w)
{
	put_block_head(w, 6, 0x7ffffff0);
	put_fill(w, 40, 0);
}

static void option_longer_than_its_block(struct writer *w)
{
	put_block_head(w, 1, 28);
	writer_put(w, 1, 8);
	writer_put(w, 2, 2);
	writer_put(w, 500, 2);
	put_fill(w, 4, 0);
	writer_put(w, 28, 4);
}

static void section_of_no_order(struct writer *w)
{
	put_block_head(w, 0x0a0d0d0a, 28);
	put_fill(w, 20, 0);
}

static void section_of_another_version(struct writer *w)
{
	put_block_head(w, 0x0a0d0d0a, 28);
	writer_put(w, 0x1a2b3c4d, 4);
	writer_put(w, 2, 4);
	writer_put(w, UINT64_MAX, 8);
	writer_put(w, 28, 4);
}

static void half_a_packet(struct writer *w)
{
	put_block_head(w, 6, 60);
	put_fill(w, 20, 0);
}

static void half_of_another(struct writer *w)
{
	put_block_head(w, 5, 6000);
	put_fill(w, 992, 0);
}

Test(pcapng, damage_is_told_after_the_packets_before_it)
{
	static const struct {
		void (*put)(struct writer *w);
		const char *what;
	} rows[] = {
		{ length_of_nine, "a block of a length that cannot be" },
		{ length_not_of_fours, "a block of a length that cannot be" },
		{ lengths_that_differ, "the two lengths of a block differ" },
		{ packet_of_nobody, "a packet of an interface that is not described" },
		{ packet_longer_than_its_block, "a packet is longer than its block" },
		{ packet_longer_than_any, "a block is longer than any packet" },
		{ option_longer_than_its_block, "an option of an interface is longer" },
		{ section_of_no_order, "a section that does not tell its byte order" },
		{ section_of_another_version, "a section of another version than 1" },
		{ half_a_packet, "truncated dump file; a record of 60 bytes has only 28" },
		{ half_of_another, "truncated dump file; 5000 bytes of a block are missing" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct reading r;
		struct writer w;
		put_good(&w);
		rows[i].put(&w);
		writer_read_back(&w, &r);
		cr_assert_eq(r.opened, ERR_OK, "row %zu: %s", i, r.why.text);
		cr_expect_eq(r.count, 1, "row %zu", i);
		cr_expect_eq(r.end, SOURCE_ERROR, "row %zu", i);
		cr_expect(strstr(r.why.text, rows[i].what), "row %zu: %s", i, r.why.text);
		cr_expect(strstr(r.why.text, w.path), "row %zu: %s", i, r.why.text);
	}
}

Test(pcapng, without_an_interface_there_is_nothing_to_read)
{
	struct reading r;
	struct writer w;

	start(&w, false);
	put_other(&w, 10, 64);
	writer_read_back(&w, &r);
	cr_expect_eq(r.opened, ERR_INPUT);
	cr_expect(strstr(r.why.text, "no interface is described"), "%s", r.why.text);
}

/* Every prefix of a file: packets that are whole are read, and what is cut is told. */
Test(pcapng, cut_anywhere)
{
	size_t len = 0;

	for (size_t cut = 4; cut == 4 || cut < len; cut++) {
		struct reading r;
		struct writer w;
		put_good(&w);
		writer_put_enhanced(&w, 0, 2, 16, 2);
		put_other(&w, 5, 20);
		fflush(w.stream);
		len = (size_t)ftell(w.stream);
		cr_assert_eq(ftruncate(fileno(w.stream), (off_t)cut), 0);
		writer_read_back(&w, &r);
		bool whole = cut == 28 + 52 + 48 || cut == 28 + 52 + 2 * 48;
		if (cut < 28 + 52) {
			cr_expect_eq(r.opened, ERR_INPUT, "%zu", cut);
			continue;
		}
		cr_expect_eq(r.opened, ERR_OK, "%zu", cut);
		cr_expect_eq(r.count,
			cut < 128   ? 0
			: cut < 176 ? 1
				    : 2,
			"%zu: %zu", cut, r.count);
		cr_expect_eq(
			r.end, whole || cut == 28 + 52 ? SOURCE_END : SOURCE_ERROR, "%zu", cut);
	}
}

/* --- real ones, beside libpcap ------------------------------------------------------------------------- */

static void compare_with_libpcap(const char *path)
{
	char text[PCAP_ERRBUF_SIZE];
	pcap_t *pcap =
		pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, text);
	struct frame batch[SOURCE_BATCH_MAX];
	struct err_ctx why = { 0 };
	struct pcap_pkthdr *header;
	struct source *s;
	const u_char *bytes;
	size_t count, number = 0;

	cr_assert(pcap, "%s: %s", path, text);
	cr_assert_eq(source_open_file(&s, path, &why), ERR_OK, "%s", why.text);
	while (source_next_batch(s, batch, &count, &why) == SOURCE_OK) {
		for (size_t i = 0; i < count; i++, number++) {
			cr_assert_eq(pcap_next_ex(pcap, &header, &bytes), 1, "%s: %zu", path,
				number);
			cr_assert_eq(batch[i].caplen, header->caplen, "%s: %zu", path, number);
			cr_assert_eq(batch[i].wire_len, header->len, "%s: %zu", path, number);
			cr_assert_eq(batch[i].ts_ns,
				header->ts.tv_sec * NS_PER_S + header->ts.tv_usec, "%s: %zu",
				path, number);
			cr_assert_eq(memcmp(batch[i].bytes, bytes, header->caplen), 0,
				"%s: %zu", path, number);
			cr_assert_eq(batch[i].link, pcap_datalink(pcap), "%s", path);
		}
	}
	cr_assert_neq(pcap_next_ex(pcap, &header, &bytes), 1, "%s: %zu", path, number);
	cr_assert_gt(number, 0, "%s", path);
	source_close(s);
	pcap_close(pcap);
}

Test(pcapng, real_captures_are_read_as_libpcap_reads_them)
{
	shared_captures_each(true, compare_with_libpcap);
}
