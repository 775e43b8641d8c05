/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mkpcap -- makes large, realistic DNS captures for benchmarks and load tests.
 *
 * Every figure that shapes the traffic is an option with a default taken from enterprise
 * networks: popular names are asked for often (Zipf), most queries carry EDNS, answers come
 * after a delay, some answers are chains of CNAMEs into a content network, some names do not
 * exist, some are dynamic, now and then a host updates its own record. The same options and seed
 * give the same file, byte for byte.
 */
#include <errno.h>
#include <stdio.h>

#include "tools/mkpcap/traffic.h"

#define OUT_BYTES (1 << 20)

/* Classic pcap in this machine's byte order: magic, version 2.4, no zone, snaplen, Ethernet. */
static bool write_file_header(FILE *out)
{
	const uint32_t header[6] = { 0xa1b2c3d4, 4 << 16 | 2, 0, 0, 65535, 1 };
	return fwrite(header, sizeof(header), 1, out) == 1;
}

static bool write_frame(void *arg, const struct wire *frame, uint64_t since_start_us)
{
	FILE *out = arg;
	const uint32_t header[4] = {
		(uint32_t)(TRAFFIC_START_S + (int64_t)(since_start_us / 1000000)),
		(uint32_t)(since_start_us % 1000000), (uint32_t)frame->len, (uint32_t)frame->len
	};

	return fwrite_unlocked(header, sizeof(header), 1, out) == 1 &&
	       fwrite_unlocked(frame->at, frame->len, 1, out) == 1;
}

static bool write_capture(const struct options *o, const struct names *names)
{
	FILE *out = strcmp(o->path, "-") == 0 ? stdout : fopen(o->path, "wb");
	struct traffic t = {
		.options = o,
		.names = names,
		.layout = { .vlans = o->vlans, .host_bits = frame_host_bits(o->tenants) },
		.draw = { .state = o->seed },
		.sink = write_frame,
		.sink_arg = out,
	};

	if (!out)
		return false;
	setvbuf(out, NULL, _IOFBF, OUT_BYTES);
	bool written = write_file_header(out) && traffic_run(&t);
	return fclose(out) == 0 && written;
}

static int complain(const char *path)
{
	fprintf(stderr, "mkpcap: %s: %s\n", path, strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	struct options o;
	struct names names;
	int status = 0;

	switch (options_parse(&o, argc, argv)) {
	case OPTIONS_HELP:
		return 0;
	case OPTIONS_BAD:
		return 2;
	case OPTIONS_OK:
		break;
	}
	errno = ENOMEM;
	if (!names_new(&names, o.names, o.dynamic))
		return complain("names");
	/* the feed first: who reads a capture from a pipe has the feed by then */
	if (o.feed_path && !names_write_feed(&names, o.feed_path, o.feed_names))
		status = complain(o.feed_path);
	else if (!write_capture(&o, &names))
		status = complain(o.path);
	names_free(&names);
	return status;
}
