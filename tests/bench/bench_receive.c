/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_receive -- what libpcap alone takes from an interface: every packet into an empty callback,
 * until SIGTERM. The handle is as sensor/capture/live.c opens it for a configuration without
 * options: same filter, snapshot length, buffer, timeout, precision, not blocking behind poll.
 */
#include <pcap/pcap.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "sensor/app/load.h"
#include "sensor/base/clock.h"
#include "sensor/capture/source.h"

#define SNAPLEN     65535
#define BUFFER_MB   64
#define POLL_MS     100
#define DRAIN_NS    (300 * NS_PER_MS)
#define BATCH       64
#define SECONDS_MAX 120

static volatile sig_atomic_t stopped;

static void stop(int number)
{
	(void)number;
	stopped = 1;
}

static void empty(u_char *count, const struct pcap_pkthdr *header, const u_char *bytes)
{
	(void)header;
	(void)bytes;
	++*(unsigned long *)count;
}

static char *filter_text(void)
{
	struct err_ctx why;
	struct config *config;
	static struct packet_options packet;
	size_t count;

	if (config_builtin(&config, &why) != ERR_OK)
		return NULL;
	load_packet_options(&packet, config, 0);
	uint16_t *ports = load_filter_ports(config, &packet, &count);
	char *text = ports ? source_builtin_filter(ports, count, "") : NULL;
	free(ports);
	config_free(config);
	return text;
}

static pcap_t *open_handle(const char *interface)
{
	char error[PCAP_ERRBUF_SIZE] = "";
	struct bpf_program program;
	char *filter = filter_text();
	pcap_t *p = pcap_create(interface, error);

	if (!filter || !p)
		return NULL;
	pcap_set_snaplen(p, SNAPLEN);
	pcap_set_promisc(p, 1);
	pcap_set_buffer_size(p, BUFFER_MB * 1024 * 1024);
	pcap_set_timeout(p, POLL_MS);
	pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO);
	if (pcap_activate(p) < 0 ||
		pcap_compile(p, &program, filter, 1, PCAP_NETMASK_UNKNOWN) == -1 ||
		pcap_setfilter(p, &program) == -1 || pcap_setnonblock(p, 1, error) == -1) {
		fprintf(stderr, "bench_receive: %s: %s\n", interface, pcap_geterr(p));
		return NULL;
	}
	pcap_freecode(&program);
	free(filter);
	return p;
}

/* Until SIGTERM and what the kernel held by then was read; never longer than SECONDS_MAX. */
static unsigned long receive(pcap_t *p)
{
	unsigned long count = 0;
	int64_t end_ns = clock_monotonic_ns() + SECONDS_MAX * NS_PER_S;
	bool draining = false;

	while (clock_monotonic_ns() < end_ns) {
		struct pollfd ready = { .fd = pcap_get_selectable_fd(p), .events = POLLIN };
		poll(&ready, 1, POLL_MS);
		if (stopped && !draining) {
			draining = true;
			end_ns = clock_monotonic_ns() + DRAIN_NS;
		}
		if (pcap_dispatch(p, BATCH, empty, (u_char *)&count) < 0)
			break;
	}
	return count;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = stop };
	struct pcap_stat stat = { 0 };

	if (argc != 2) {
		fprintf(stderr, "usage: bench_receive INTERFACE\n");
		return 2;
	}
	pcap_t *p = open_handle(argv[1]);
	if (!p)
		return 1;
	sigaction(SIGTERM, &action, NULL);
	fprintf(stderr, "bench_receive: watching %s\n", argv[1]);
	int64_t before_ns = clock_cpu_ns();
	unsigned long count = receive(p);
	pcap_stats(p, &stat);
	printf("{\"packets\":{\"read\":%lu,\"dropped\":%u},\"cpu_s\":%.6f}\n", count,
		stat.ps_drop, (double)(clock_cpu_ns() - before_ns) / 1e9);
	pcap_close(p);
	return 0;
}
