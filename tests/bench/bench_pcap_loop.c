/* SPDX-License-Identifier: BSD-2-Clause */
/* bench_pcap_loop -- what libpcap alone costs: every packet of a file into an empty callback. */
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

#include "sensor/base/clock.h"

static void empty(u_char *count, const struct pcap_pkthdr *header, const u_char *bytes)
{
	(void)header;
	(void)bytes;
	++*(unsigned long *)count;
}

int main(int argc, char **argv)
{
	char error[PCAP_ERRBUF_SIZE];
	unsigned long count = 0;
	if (argc != 2) {
		fprintf(stderr, "usage: bench_pcap_loop FILE\n");
		return 2;
	}
	pcap_t *p = pcap_open_offline(argv[1], error);
	if (!p) {
		fprintf(stderr, "bench_pcap_loop: %s\n", error);
		return 1;
	}
	int64_t start = clock_monotonic_ns();
	pcap_loop(p, -1, empty, (u_char *)&count);
	double ns = (double)(clock_monotonic_ns() - start);
	printf("libpcap, empty loop              %7.1f ns/packet  %6.2f Mpps\n",
		ns / (double)count, (double)count / ns * 1e3);
	pcap_close(p);
	return 0;
}
