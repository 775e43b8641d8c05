/* SPDX-License-Identifier: BSD-2-Clause */
/* What comes in: captures and feeds. */
#include "sensor/config/reading.h"

#include <stdlib.h>
#include <string.h>

#include "sensor/base/attribute.h"

/* --- capture ------------------------------------------------------------------------------- */

/* What says how packets are captured says nothing of a socket. */
static void refuse_packet_keys(struct reading *r, const struct part *part)
{
	static const enum config_option_id keys[] = { CONFIG_CAPTURE_interface,
		CONFIG_CAPTURE_filter, CONFIG_CAPTURE_buffer_mb, CONFIG_CAPTURE_snaplen,
		CONFIG_CAPTURE_promiscuous, CONFIG_CAPTURE_timestamps, CONFIG_CAPTURE_dedup };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (reading_has(part, keys[i]))
			reading_fail_key(r, part, keys[i],
				"does not go with dnstap; make it a capture of its own");
}

static void read_dnstap(struct reading *r, const struct part *part, struct config_capture *out)
{
	*out = (struct config_capture){
		.interface = reading_socket(r, part, CONFIG_CAPTURE_dnstap),
		.dnstap = true,
		.at = reading_mark(r, part, CONFIG_CAPTURE_dnstap),
	};
	refuse_packet_keys(r, part);
}

static enum config_dedup read_dedup(struct reading *r, const struct part *part)
{
	if (!reading_has(part, CONFIG_CAPTURE_dedup))
		return r->config->dedup;
	return (enum config_dedup)reading_choice(r, part, CONFIG_CAPTURE_dedup);
}

static void read_interface(
	struct reading *r, const struct part *part, struct config_capture *out)
{
	*out = (struct config_capture){
		.interface = reading_text(r, part, CONFIG_CAPTURE_interface),
		.filter = reading_text(r, part, CONFIG_CAPTURE_filter),
		.buffer_mb = (int)reading_count(r, part, CONFIG_CAPTURE_buffer_mb),
		.snaplen = (int)reading_count(r, part, CONFIG_CAPTURE_snaplen),
		.promiscuous = reading_bool(r, part, CONFIG_CAPTURE_promiscuous),
		.timestamps = (enum config_timestamps)reading_choice(
			r, part, CONFIG_CAPTURE_timestamps),
		.dedup = read_dedup(r, part),
		.at = reading_mark(r, part, CONFIG_CAPTURE_interface),
	};
	if (out->interface && !out->interface[0])
		reading_fail_key(r, part, CONFIG_CAPTURE_interface, "empty");
}

static void read_capture(struct reading *r, const struct part *part, struct config_capture *out)
{
	if (reading_has(part, CONFIG_CAPTURE_dnstap))
		read_dnstap(r, part, out);
	else if (reading_has(part, CONFIG_CAPTURE_interface))
		read_interface(r, part, out);
	else
		reading_fail(r, part->path, "interface or dnstap is missing");
}

void reading_captures(struct reading *r, const struct part *top)
{
	struct config *c = r->config;
	size_t count = reading_raw(top, CONFIG_TOP_capture).count;
	char **interface = reading_array(r, count, sizeof(*interface));
	char **socket = reading_array(r, count, sizeof(*socket));
	struct path list, item;

	c->capture = reading_array(r, count, sizeof(*c->capture));
	for (size_t i = 0; c->capture && i < count && !r->err; i++) {
		struct part part = reading_item(top, CONFIG_TOP_capture, i, &list, &item);
		c->capture_count = i + 1;
		read_capture(r, &part, &c->capture[i]);
		if (!r->err)
			*(c->capture[i].dnstap ? &socket[i] : &interface[i]) =
				c->capture[i].interface;
	}
	if (!r->err)
		reading_refuse_twins(r, top, CONFIG_TOP_capture, "interface", interface, count);
	if (!r->err)
		reading_refuse_twins(r, top, CONFIG_TOP_capture, "dnstap", socket, count);
	free(interface);
	free(socket);
}

/* --- feeds --------------------------------------------------------------------------------- */

static void read_kind(struct reading *r, const struct part *part, struct feed_spec *out)
{
	static const enum mark_kind kinds[] = { MARK_MALICIOUS, MARK_ALLOW, MARK_PROVIDER,
		MARK_TUNNEL, MARK_UPDATE_HOST, MARK_IP_CHECK, MARK_POOL, MARK_LOOKUP_SERVICE };
	static const enum provider_tier tiers[] = { TIER_A, TIER_B, TIER_C, TIER_V };

	out->kind = kinds[reading_choice(r, part, CONFIG_FEED_kind)];
	out->tier = tiers[reading_choice(r, part, CONFIG_FEED_tier)];
	if (out->kind == MARK_TUNNEL && !reading_has(part, CONFIG_FEED_tier))
		out->tier = TIER_C;
}

static void read_format(struct reading *r, const struct part *part, struct feed_spec *out)
{
	static const enum feed_format formats[] = { FEED_AUTO, FEED_DOMAINS, FEED_HOSTS,
		FEED_RPZ, FEED_CSV, FEED_ADBLOCK, FEED_MISP, FEED_STIX, FEED_MALTRAIL,
		FEED_SURICATA, FEED_URLS, FEED_DNSMASQ, FEED_UNBOUND };

	out->format = formats[reading_choice(r, part, CONFIG_FEED_format)];
}

/* Of an entry of this feed: its provider, or else the feed's name. */
static void read_provider(struct reading *r, const struct part *part, struct feed_spec *out)
{
	bool needed = out->kind == MARK_PROVIDER || out->kind == MARK_TUNNEL ||
		      out->kind == MARK_UPDATE_HOST || out->kind == MARK_IP_CHECK;

	if (reading_has(part, CONFIG_FEED_provider))
		out->provider = reading_provider(r, part, CONFIG_FEED_provider);
	else if (needed && !r->err)
		free(reading_provider(r, part, CONFIG_FEED_name));
}

static void read_feed(struct reading *r, const struct part *part, struct config_feed *out)
{
	struct feed_spec *spec = &out->spec;

	spec->name = reading_id(r, part, CONFIG_FEED_name);
	spec->path = reading_path(r, part, CONFIG_FEED_path);
	read_kind(r, part, spec);
	spec->scope = reading_choice(r, part, CONFIG_FEED_match) ? SCOPE_EXACT : SCOPE_SUFFIX;
	read_format(r, part, spec);
	spec->column = (unsigned)reading_count(r, part, CONFIG_FEED_column);
	spec->min_confidence = (unsigned)reading_count(r, part, CONFIG_FEED_min_confidence);
	spec->allow_broad = reading_bool(r, part, CONFIG_FEED_allow_broad);
	read_provider(r, part, spec);
	out->severity = (enum severity)reading_choice(r, part, CONFIG_FEED_severity);
	out->max_age_ns = reading_duration(r, part, CONFIG_FEED_max_age);
	out->limits.max_rejected = (unsigned)reading_count(r, part, CONFIG_FEED_max_rejected);
	out->limits.max_shrink = (unsigned)reading_count(r, part, CONFIG_FEED_max_shrink);
	reading_fetch(r, part, &out->fetch);
	out->at = reading_mark(r, part, CONFIG_FEED_path);
}

/* What is fetched for one feed would overwrite the other's file. */
static void refuse_shared_paths(struct reading *r, const struct part *top)
{
	const struct config *c = r->config;

	for (size_t i = 1; i < c->feed_count && !r->err; i++) {
		for (size_t j = 0; j < i && !r->err; j++) {
			const struct config_feed *a = &c->feed[j], *b = &c->feed[i];
			if (!a->fetch.url || !b->fetch.url ||
				strcmp(a->spec.path, b->spec.path) != 0)
				continue;
			struct path list = path_key(top->path, "feeds");
			struct path item = path_item(&list, i);
			struct path key = path_key(&item, "path");
			reading_fail(r, &key,
				"the feed in line %u is fetched to this file already",
				a->at.line);
		}
	}
}

void reading_feeds(struct reading *r, const struct part *top)
{
	struct config *c = r->config;
	size_t count = reading_raw(top, CONFIG_TOP_feeds).count;
	char **name = reading_array(r, count, sizeof(*name));
	struct path list, item;

	c->feed = reading_array(r, count, sizeof(*c->feed));
	for (size_t i = 0; c->feed && i < count && !r->err; i++) {
		struct part part = reading_item(top, CONFIG_TOP_feeds, i, &list, &item);
		c->feed_count = i + 1;
		c->feed[i].number = i;
		read_feed(r, &part, &c->feed[i]);
		name[i] = (char *)c->feed[i].spec.name;
	}
	if (!r->err)
		reading_refuse_twins(r, top, CONFIG_TOP_feeds, "name", name, count);
	refuse_shared_paths(r, top);
	free(name);
}
