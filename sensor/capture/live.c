/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A live interface over libpcap.
 *
 * The handle does not block: the source waits in poll for a block of frames (the kernel hands
 * one over when it is full or 100 ms old) or for interruption, and gives up after 100 ms. The
 * interrupt is an eventfd that is written and never read, so that it cannot be missed. What the
 * kernel had captured by then is still read: a stop loses nothing that came before it.
 *
 * An interface may go away at any time and that never ends the source:
 *
 *	UP    frames come
 *	DOWN  the interface is there and down; the kernel keeps our socket bound to it
 *	GONE  the handle is of no use (interface deleted, replaced, any error): opened anew
 *
 * Once a second the counters are read (they wrap) and the state is checked; every change of it
 * is one line of log. Opening anew needs the capability that the first opening needed.
 */
#include "sensor/capture/source.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sensor/base/clock.h"
#include "sensor/base/log.h"
#include "sensor/base/text.h"
#include "sensor/capture/fanout.h"
#include "sensor/capture/filter.h"
#include "sensor/capture/libpcap.h"
#include "sensor/capture/losses.h"

#define POLL_MS           100
#define DRAIN_NS          (150 * NS_PER_MS) /* the oldest block is 100 ms old, and some time to get it */
#define CHECK_INTERVAL_NS NS_PER_S
/* Full batches in a row without asking the kernel: about a millisecond. */
#define UNASKED_MAX       16
#define SNAPLEN_DEFAULT   65535
#define BUFFER_MB_DEFAULT 64
#define BUFFER_MB_MAX     2047 /* libpcap takes bytes in an int */

enum live_state {
	LIVE_UP,
	LIVE_DOWN,
	LIVE_GONE,
};

struct live_source {
	struct source base;          /* first: the ops get a pointer to it */
	struct live_options options; /* its pointers are ours */
	pcap_t *pcap;                /* NULL when GONE */
	int wake_fd;                 /* readable once interrupted */
	int control_fd;              /* for questions about the interface */
	unsigned index; /* of the interface when it was opened; 0: "any" has none */
	enum live_state state;
	bool said;     /* that it is not UP */
	unsigned full; /* batches in a row that were full: more is waiting */
	int64_t check_at_ns;
	int64_t end_at_ns; /* interrupted: read until then; 0 before that */
	int64_t since_ns;  /* frames before this one are not for us; INT64_MIN: all are */
	struct losses losses;
	struct libpcap_batch batch;
};

static struct live_source *live_of(struct source *s)
{
	return (struct live_source *)s;
}

/* libpcap's name for all interfaces at once. */
static bool is_any(const char *interface)
{
	return strcmp(interface, "any") == 0;
}

/* "lo, eth0, any": for the error that follows a wrong name. */
static void interfaces_list(struct text *t)
{
	char text[PCAP_ERRBUF_SIZE];
	pcap_if_t *all = NULL;

	if (pcap_findalldevs(&all, text) == -1)
		return;
	for (pcap_if_t *i = all; i; i = i->next) {
		/* what is no network interface (USB, D-Bus, netfilter) is none that helps */
		if (if_nametoindex(i->name) != 0 || is_any(i->name))
			text_printf(t, "%s%s", t->len > 0 ? ", " : "", i->name);
	}
	pcap_freealldevs(all);
}

static enum err name_error(const char *interface, struct err_ctx *why)
{
	struct text names = { 0 };

	interfaces_list(&names);
	err_set(why, ERR_USAGE, "%s: no such interface (there are: %s)", interface,
		names.at ? names.at : "none");
	text_deinit(&names);
	return ERR_USAGE;
}

/* Turn what pcap_create or pcap_activate said into a sentence. */
static enum err activate_error(
	const char *interface, int status, const char *detail, struct err_ctx *why)
{
	switch (status) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return name_error(interface, why);
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return err_set(why, ERR_FAILED,
			"%s: not permitted to capture: this takes CAP_NET_RAW (run as root, or "
			"give the program the capability)",
			interface);
	case PCAP_ERROR_IFACE_NOT_UP:
		return err_set(why, ERR_FAILED, "%s: the interface is down", interface);
	default:
		return err_set(why, ERR_FAILED, "%s: %s%s%s", interface,
			pcap_statustostr(status), *detail ? ": " : "", detail);
	}
}

/* The operator's part alone: its errors are clearer there, and it cannot close our brackets. */
static bool filter_is_valid(pcap_t *pcap, const struct live_options *o)
{
	struct bpf_program program;

	if (pcap_compile(pcap, &program, o->filter, 1, PCAP_NETMASK_UNKNOWN) == -1)
		return false;
	pcap_freecode(&program);
	return true;
}

/* Compile the whole filter; false with libpcap's reason. */
static bool filter_compile(pcap_t *pcap, struct bpf_program *out, enum filter_link link,
	const struct live_options *o, struct err_ctx *why)
{
	char *text = filter_build(link, o->ports, o->port_count, o->filter);
	bool compiled = text && filter_is_valid(pcap, o) &&
			pcap_compile(pcap, out, text, 1, PCAP_NETMASK_UNKNOWN) == 0;

	if (!compiled)
		err_set(why, ERR_USAGE, "%s: filter \"%s\": %s", o->interface, o->filter,
			text ? pcap_geterr(pcap) : "out of memory");
	free(text);
	return compiled;
}

static enum err filter_install(pcap_t *pcap, const struct live_options *o, struct err_ctx *why)
{
	bool ethernet = pcap_datalink(pcap) == PACKET_LINK_ETHERNET;
	struct bpf_program program;
	enum err err = ERR_OK;

	if (!filter_compile(
		    pcap, &program, ethernet ? FILTER_ETHERNET : FILTER_UNTAGGED, o, why))
		return ERR_USAGE;
	if (pcap_setfilter(pcap, &program) == -1)
		err = err_set(
			why, ERR_FAILED, "%s: filter: %s", o->interface, pcap_geterr(pcap));
	pcap_freecode(&program);
	return err;
}

/* While an interface is down its link type is not known: check the filter as for Ethernet. */
static enum err filter_check(const struct live_options *o, struct err_ctx *why)
{
	pcap_t *dead = pcap_open_dead(PACKET_LINK_ETHERNET, o->snaplen);
	struct bpf_program program;
	enum err err = ERR_OK;

	if (!dead)
		return err_set(why, ERR_FAILED, "%s: out of memory", o->interface);
	if (filter_compile(dead, &program, FILTER_ETHERNET, o, why))
		pcap_freecode(&program);
	else
		err = ERR_USAGE;
	pcap_close(dead);
	return err;
}

/* Does the interface offer times of this kind? */
static bool offers(pcap_t *pcap, int type)
{
	int *types = NULL;
	int count = pcap_list_tstamp_types(pcap, &types);
	bool found = false;

	for (int i = 0; i < count; i++)
		found = found || types[i] == type;
	if (count > 0)
		pcap_free_tstamp_types(types);
	return found;
}

/* Which of libpcap's kinds of time to ask for. */
static enum err times_choose(
	pcap_t *pcap, const struct live_options *o, int *type, struct err_ctx *why)
{
	*type = PCAP_TSTAMP_HOST;
	if (o->timestamps == LIVE_TIMESTAMPS_HOST)
		return ERR_OK;
	if (offers(pcap, PCAP_TSTAMP_ADAPTER))
		*type = PCAP_TSTAMP_ADAPTER;
	else if (o->timestamps == LIVE_TIMESTAMPS_AUTO)
		return ERR_OK;
	else if (offers(pcap, PCAP_TSTAMP_ADAPTER_UNSYNCED))
		*type = PCAP_TSTAMP_ADAPTER_UNSYNCED;
	else
		return err_set(why, ERR_USAGE,
			"%s: timestamps: adapter: the interface offers no times of its own "
			"(use host or auto)",
			o->interface);
	return ERR_OK;
}

static void handle_configure(pcap_t *pcap, const struct live_options *o, int time_type)
{
	pcap_set_snaplen(pcap, o->snaplen);
	/* "any" cannot, and since libpcap 1.10.5 that would be a warning to who never asked for it */
	pcap_set_promisc(pcap, o->promiscuous && !is_any(o->interface));
	pcap_set_buffer_size(pcap, o->buffer_mb * 1024 * 1024);
	pcap_set_timeout(pcap, POLL_MS);
	/* not every interface can; what it gives is asked for later */
	pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
	if (time_type != PCAP_TSTAMP_HOST)
		pcap_set_tstamp_type(pcap, time_type);
}

/*
 * A socket gets every packet of the interface until it is in its group: those were for others.
 * Times of the adapter cannot be compared with our clock; then a few packets are seen twice.
 */
static enum err group_join(
	struct live_source *l, pcap_t *pcap, int time_type, struct err_ctx *why)
{
	l->since_ns = INT64_MIN;
	if (!l->options.fanout)
		return ERR_OK;
	enum err err =
		fanout_join(l->options.fanout, pcap_fileno(pcap), l->options.interface, why);
	if (err == ERR_OK && time_type == PCAP_TSTAMP_HOST)
		l->since_ns = clock_wall_ns();
	return err;
}

/*
 * Open the interface: on ERR_OK the source is UP. *status is libpcap's, for callers that want
 * to tell an interface that is down from a wrong one.
 */
static enum err handle_open(struct live_source *l, int *status, struct err_ctx *why)
{
	const struct live_options *o = &l->options;
	char text[PCAP_ERRBUF_SIZE] = "";
	pcap_t *pcap = pcap_create(o->interface, text);
	enum err err;

	*status = PCAP_ERROR;
	if (!pcap)
		return activate_error(o->interface, PCAP_ERROR, text, why);
	int time_type;
	err = times_choose(pcap, o, &time_type, why);
	if (err != ERR_OK) {
		pcap_close(pcap);
		return err;
	}
	handle_configure(pcap, o, time_type);
	*status = pcap_activate(pcap);
	if (*status < 0) {
		err = activate_error(o->interface, *status, pcap_geterr(pcap), why);
		pcap_close(pcap);
		return err;
	}
	if (*status > 0 && l->state == LIVE_UP)
		log_warning("%s: %s", o->interface, pcap_statustostr(*status));
	err = libpcap_batch_adopt(&l->batch, pcap, o->interface, why);
	if (err == ERR_OK)
		err = filter_install(pcap, o, why);
	if (err == ERR_OK)
		err = group_join(l, pcap, time_type, why);
	if (err == ERR_OK && pcap_setnonblock(pcap, 1, text) == -1)
		err = err_set(why, ERR_FAILED, "%s: %s", o->interface, text);
	if (err != ERR_OK) {
		pcap_close(pcap);
		return err;
	}
	l->pcap = pcap;
	l->index = if_nametoindex(o->interface);
	losses_restart(&l->losses);
	return ERR_OK;
}

static void counters_read(struct live_source *l)
{
	struct pcap_stat stat;

	if (!l->pcap || pcap_stats(l->pcap, &stat) == -1)
		return;
	losses_update(&l->losses,
		&(struct losses_reading){ .received = stat.ps_recv,
			.dropped_kernel = stat.ps_drop,
			.dropped_interface = l->options.member == 0 ? stat.ps_ifdrop : 0 });
}

/*
 * Give up the handle; `reason` is the one line of log about it. What happens to the interface
 * happens to all that share it: the first of them says it.
 */
static void handle_give_up(struct live_source *l, const char *reason, bool shared)
{
	l->said = !shared || l->options.member == 0;
	if (l->said)
		log_warning("%s: %s; opening it anew until it is back", l->options.interface,
			reason);
	counters_read(l);
	pcap_close(l->pcap);
	l->pcap = NULL;
	l->state = LIVE_GONE;
}

static void handle_reopen(struct live_source *l)
{
	struct err_ctx why = { 0 };
	int status;

	if (handle_open(l, &status, &why) == ERR_OK) {
		l->state = LIVE_UP;
		if (l->said)
			log_notice("%s: capturing again", l->options.interface);
	} else {
		log_debug("%s", why.text);
	}
}

static bool interface_is_up(const struct live_source *l)
{
	struct ifreq request = { 0 };

	/* if_nametoindex has taken the name before, so it fits */
	strncpy(request.ifr_name, l->options.interface, sizeof(request.ifr_name) - 1);
	return ioctl(l->control_fd, SIOCGIFFLAGS, &request) == 0 &&
	       (request.ifr_flags & IFF_UP) != 0;
}

/* Is the interface another one than we opened, or none? Then the handle was given up. */
static bool interface_is_lost(struct live_source *l)
{
	unsigned index = l->index == 0 ? 0 : if_nametoindex(l->options.interface);

	if (index == l->index)
		return false;
	handle_give_up(
		l, index == 0 ? "the interface is gone" : "the interface was replaced", true);
	return true;
}

static void interface_check(struct live_source *l)
{
	if (l->index == 0 || interface_is_lost(l))
		return;
	enum live_state now = interface_is_up(l) ? LIVE_UP : LIVE_DOWN;
	if (now == l->state)
		return;
	l->state = now;
	if (l->options.member != 0)
		return;
	if (now == LIVE_DOWN)
		log_warning("%s: the interface is down; waiting", l->options.interface);
	else
		log_notice("%s: the interface is up again", l->options.interface);
}

/* What is due once a second. */
static void housekeeping(struct live_source *l)
{
	int64_t now_ns = clock_monotonic_ns();

	if (now_ns < l->check_at_ns)
		return;
	l->check_at_ns = now_ns + CHECK_INTERVAL_NS;
	if (!l->pcap) {
		handle_reopen(l);
		return;
	}
	counters_read(l);
	interface_check(l);
}

/*
 * Wait for frames or interruption. A socket in trouble must not make the loop spin. Behind a full batch
 * there is nearly always another one: asking whether there is would be a system call and a lock that the
 * kernel wants, too, so it is done once in a while, for the interruption. Receiving takes 59 ns a frame
 * in place of 71 (CPU of source_next_batch in a loop, veth pair, 300,000 packets/s); libpcap with an
 * empty callback and a poll for each batch takes 63 there.
 */
static void frames_wait(struct live_source *l)
{
	if (l->full % UNASKED_MAX != 0)
		return;
	struct pollfd ready[] = {
		{ .fd = l->end_at_ns == 0 ? l->wake_fd : -1, .events = POLLIN },
		{ .fd = l->pcap ? pcap_get_selectable_fd(l->pcap) : -1, .events = POLLIN },
	};

	if (poll(ready, 2, POLL_MS) == -1)
		return; /* a signal: what it wants comes through wake_fd */
	if (!ready[0].revents && ready[1].revents && !(ready[1].revents & POLLIN))
		poll(ready, 1, POLL_MS);
	if (ready[0].revents)
		l->end_at_ns = clock_monotonic_ns() + DRAIN_NS;
}

/* Interrupted, and what the kernel held by then has been read. */
static bool is_drained(const struct live_source *l)
{
	return l->end_at_ns != 0 && (!l->pcap || clock_monotonic_ns() >= l->end_at_ns);
}

/* Leave out what came before the group was joined. */
static void drop_foreign(struct live_source *l, struct frame batch[], size_t *count)
{
	size_t first = 0;

	while (first < *count && batch[first].ts_ns < l->since_ns)
		first++;
	if (first < *count)
		l->since_ns = INT64_MIN;
	*count -= first;
	memmove(batch, batch + first, *count * sizeof(*batch));
}

static enum source_status live_next_batch(struct source *s,
	struct frame batch[SOURCE_BATCH_MAX], size_t *count, struct err_ctx *why)
{
	struct live_source *l = live_of(s);

	(void)why; /* trouble with an interface passes: it is logged and waited for */
	*count = 0;
	frames_wait(l);
	if (is_drained(l))
		return SOURCE_END;
	housekeeping(l);
	if (!l->pcap) {
		l->full = 0;
		return SOURCE_OK;
	}
	if (libpcap_read(&l->batch, l->pcap, batch, count) < 0 && !interface_is_lost(l))
		handle_give_up(l, pcap_geterr(l->pcap), false);
	l->full = *count == SOURCE_BATCH_MAX ? l->full + 1 : 0;
	if (l->since_ns != INT64_MIN)
		drop_foreign(l, batch, count);
	for (size_t i = 0; i < *count; i++)
		s->position_bytes += batch[i].caplen;
	return SOURCE_OK;
}

static void live_losses(struct source *s, struct source_losses *out)
{
	struct live_source *l = live_of(s);

	counters_read(l);
	*out = l->losses.total;
}

static void live_interrupt(struct source *s)
{
	struct live_source *l = live_of(s);
	int saved = errno;

	/* not pcap_breakloop: the handle may be just being replaced by its thread */
	if (eventfd_write(l->wake_fd, 1) == -1)
		errno = saved; /* the counter is full: it is readable, which is all we want */
}

static void live_close(struct source *s)
{
	struct live_source *l = live_of(s);

	if (l->pcap)
		pcap_close(l->pcap);
	if (l->wake_fd != -1)
		close(l->wake_fd);
	if (l->control_fd != -1)
		close(l->control_fd);
	libpcap_batch_deinit(&l->batch);
	free((void *)l->options.interface);
	free((void *)l->options.filter);
	free((void *)l->options.ports);
	free(l);
}

static const struct source_ops live_ops = {
	.next_batch = live_next_batch,
	.losses = live_losses,
	.interrupt = live_interrupt,
	.close = live_close,
};

/* The options outlive the call that gave them: the interface may have to be opened anew. */
static bool options_copy(struct live_options *out, const struct live_options *in)
{
	size_t ports_bytes = in->port_count * sizeof(*in->ports);
	uint16_t *ports = malloc(ports_bytes > 0 ? ports_bytes : 1);

	*out = *in;
	out->interface = strdup(in->interface);
	out->filter = strdup(in->filter ? in->filter : "");
	out->ports = ports;
	if (!out->interface || !out->filter || !ports)
		return false;
	if (ports_bytes > 0)
		memcpy(ports, in->ports, ports_bytes);
	if (out->snaplen <= 0)
		out->snaplen = SNAPLEN_DEFAULT;
	if (out->snaplen > LIBPCAP_FRAME_MAX)
		out->snaplen = LIBPCAP_FRAME_MAX;
	if (out->buffer_mb <= 0)
		out->buffer_mb = BUFFER_MB_DEFAULT;
	if (out->buffer_mb > BUFFER_MB_MAX)
		out->buffer_mb = BUFFER_MB_MAX;
	return true;
}

static enum err resources_open(struct live_source *l, struct err_ctx *why)
{
	const char *name = l->options.interface;
	enum err err = libpcap_batch_init(&l->batch, (size_t)l->options.snaplen, why);

	if (err != ERR_OK)
		return err;
	l->batch.interface = l->options.interface_index;
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	l->control_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (l->wake_fd == -1 || l->control_fd == -1)
		return err_set(why, ERR_FAILED, "%s: %s", name, strerror(errno));
	return ERR_OK;
}

/* The first opening; an interface that is down is waited for like one that goes down later. */
static enum err first_open(struct live_source *l, struct err_ctx *why)
{
	int status;
	enum err err = handle_open(l, &status, why);

	if (err != ERR_OK && status == PCAP_ERROR_IFACE_NOT_UP) {
		err = filter_check(&l->options, why);
		if (err == ERR_OK) {
			l->state = LIVE_GONE;
			l->said = l->options.member == 0;
			if (l->said)
				log_warning("%s: the interface is down; waiting",
					l->options.interface);
		}
	}
	return err;
}

enum err source_open_live(
	struct source **out, const struct live_options *options, struct err_ctx *why)
{
	struct live_source *l = calloc(1, sizeof(*l));
	enum err err;

	*out = NULL;
	if (!l)
		return err_set(why, ERR_FAILED, "%s: out of memory", options->interface);
	l->base.ops = &live_ops;
	l->wake_fd = -1;
	l->control_fd = -1;
	if (options_copy(&l->options, options))
		err = resources_open(l, why);
	else
		err = err_set(why, ERR_FAILED, "%s: out of memory", options->interface);
	if (err == ERR_OK)
		err = first_open(l, why);
	if (err != ERR_OK) {
		live_close(&l->base);
		return err;
	}
	l->base.name = l->options.interface;
	*out = &l->base;
	return ERR_OK;
}
