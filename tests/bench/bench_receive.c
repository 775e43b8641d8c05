/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_receive -- what libpcap alone takes from an interface: every packet into an empty callback,
 * until SIGTERM. The handle is as sensor/capture/live.c opens it for a configuration without
 * options: same filter, snapshot length, buffer, timeout, precision, not blocking behind poll; and
 * several of them, each with a thread of its own, share the interface in the same way.
 */
#include <pcap/pcap.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "sensor/app/load.h"
#include "sensor/base/clock.h"
#include "sensor/capture/fanout.h"
#include "sensor/capture/source.h"

#define SNAPLEN     65535
#define BUFFER_MB   64
#define POLL_MS     100
#define DRAIN_NS    (300 * NS_PER_MS)
#define BATCH       64
#define SECONDS_MAX 120
#define INPUTS_MAX  16

struct input {
	pcap_t *pcap;
	pthread_t thread;
	unsigned long count;
};

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

static bool share(struct fanout *fanout, pcap_t *p, const char *interface)
{
	struct err_ctx why;

	if (!fanout || fanout_join(fanout, pcap_fileno(p), interface, &why) == ERR_OK)
		return true;
	fprintf(stderr, "bench_receive: %s\n", why.text);
	return false;
}

static pcap_t *open_handle(const char *interface, struct fanout *fanout)
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
	return share(fanout, p, interface) ? p : NULL;
}

/* Until SIGTERM and what the kernel held by then was read; never longer than SECONDS_MAX. */
static void *receive(void *arg)
{
	struct input *input = arg;
	int64_t end_ns = clock_monotonic_ns() + SECONDS_MAX * NS_PER_S;
	bool draining = false;

	while (clock_monotonic_ns() < end_ns) {
		struct pollfd ready = {
			.fd = pcap_get_selectable_fd(input->pcap),
			.events = POLLIN,
		};
		poll(&ready, 1, POLL_MS);
		if (stopped && !draining) {
			draining = true;
			end_ns = clock_monotonic_ns() + DRAIN_NS;
		}
		if (pcap_dispatch(input->pcap, BATCH, empty, (u_char *)&input->count) < 0)
			break;
	}
	return NULL;
}

/* All at once, the first on this thread. */
static bool receive_all(struct input *input, int inputs)
{
	for (int i = 1; i < inputs; i++)
		if (pthread_create(&input[i].thread, NULL, receive, &input[i]))
			return false;
	receive(&input[0]);
	for (int i = 1; i < inputs; i++)
		pthread_join(input[i].thread, NULL);
	return true;
}

int main(int argc, char **argv)
{
	static struct input input[INPUTS_MAX];
	struct sigaction action = { .sa_handler = stop };
	int inputs = argc > 2 ? atoi(argv[2]) : 1;
	unsigned long read = 0, dropped = 0;

	if (argc < 2 || argc > 3 || inputs < 1 || inputs > INPUTS_MAX) {
		fprintf(stderr, "usage: bench_receive INTERFACE [INPUTS]\n");
		return 2;
	}
	struct fanout *fanout = inputs > 1 ? fanout_new() : NULL;
	for (int i = 0; i < inputs; i++) {
		input[i].pcap = open_handle(argv[1], fanout);
		if (!input[i].pcap)
			return 1;
	}
	sigaction(SIGTERM, &action, NULL);
	fprintf(stderr, "bench_receive: watching %s\n", argv[1]);
	int64_t before_ns = clock_cpu_ns();
	if (!receive_all(input, inputs))
		return 1;
	for (int i = 0; i < inputs; i++) {
		struct pcap_stat stat = { 0 };
		pcap_stats(input[i].pcap, &stat);
		read += input[i].count;
		dropped += stat.ps_drop;
		pcap_close(input[i].pcap);
	}
	fanout_free(fanout);
	printf("{\"packets\":{\"read\":%lu,\"dropped\":%lu},\"cpu_s\":%.6f}\n", read, dropped,
		(double)(clock_cpu_ns() - before_ns) / 1e9);
	return 0;
}
