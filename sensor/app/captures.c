/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/app/captures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/app/load.h"
#include "sensor/app/privilege.h"
#include "sensor/base/log.h"
#include "sensor/capture/dnstap.h"
#include "sensor/capture/fanout.h"

/* One opening: of which capture, with which of its inputs. */
struct opening {
	struct captures *captures;
	const struct config *config;
	const struct config_capture *settings;
	struct captures_input *input;
	const uint16_t *port;
	size_t port_count;
	struct err_ctx *why;
};

static const enum live_timestamps timestamps[] = {
	[CONFIG_TIMESTAMPS_AUTO] = LIVE_TIMESTAMPS_AUTO,
	[CONFIG_TIMESTAMPS_HOST] = LIVE_TIMESTAMPS_HOST,
	[CONFIG_TIMESTAMPS_ADAPTER] = LIVE_TIMESTAMPS_ADAPTER,
};

/* The configuration's settings for an interface; -i of one that is not there has the defaults. */
static const struct config_capture *settings_of(const struct config *config, const char *name)
{
	static const struct config_capture plain = { .promiscuous = true };

	for (size_t i = 0; i < config->capture_count; i++)
		if (strcmp(config->capture[i].interface, name) == 0)
			return &config->capture[i];
	return &plain;
}

static unsigned members_of(const struct config *config, const char *name)
{
	return settings_of(config, name)->dnstap ? 1 : config->sensor.inputs;
}

static enum dedup_mode dedup_of(const struct config *config, const char *name)
{
	const struct config_capture *settings = settings_of(config, name);

	return load_dedup_mode(settings->interface ? settings->dedup : config->dedup);
}

static void label_input(
	const struct captures *c, struct captures_input *input, unsigned members)
{
	const char *name = c->name[input->capture];

	if (members == 1)
		snprintf(input->label, sizeof(input->label), "%s", name);
	else
		snprintf(input->label, sizeof(input->label), "%s (input %u of %u)", name,
			input->member + 1, members);
}

static enum err add_capture(
	struct captures *c, const struct config *config, const char *name, struct err_ctx *why)
{
	unsigned members = members_of(config, name);

	for (size_t i = 0; i < c->count; i++)
		if (strcmp(c->name[i], name) == 0)
			return err_set(why, ERR_USAGE, "interface %s is given twice", name);
	if (c->input_count + members > LANE_INPUTS_MAX)
		return err_set(why, ERR_USAGE,
			"%s: more than %d input threads: captures times sensor.inputs (%u)",
			config->path, LANE_INPUTS_MAX, config->sensor.inputs);
	c->name[c->count] = name;
	for (unsigned m = 0; m < members; m++) {
		struct captures_input *input = &c->input[c->input_count++];
		input->capture = c->count;
		input->member = m;
		input->dedup = dedup_of(config, name);
		label_input(c, input, members);
	}
	c->count++;
	return ERR_OK;
}

enum err captures_choose(struct captures *c, const struct config *config,
	const char *const *interface, size_t interface_count, struct err_ctx *why)
{
	size_t count = interface_count ? interface_count : config->capture_count;
	enum err err = ERR_OK;

	*c = (struct captures){ 0 };
	if (count == 0)
		return err_set(why, ERR_USAGE, "%s: capture: no interface to watch (or use -i)",
			config->path);
	for (size_t i = 0; err == ERR_OK && i < count; i++)
		err = add_capture(c, config,
			interface_count ? interface[i] : config->capture[i].interface, why);
	if (err == ERR_OK && config->sensor.trackers == 0 && c->input_count > 1)
		return err_set(why, ERR_USAGE,
			"%s: sensor.trackers: 0 works with one capture and sensor.inputs: 1 "
			"only",
			config->path);
	return err;
}

static enum err open_interface(const struct opening *o)
{
	const struct config_capture *settings = o->settings;
	size_t capture = o->input->capture;
	const struct live_options options = {
		.interface = o->captures->name[capture],
		.filter = settings->filter,
		.ports = o->port,
		.port_count = o->port_count,
		.snaplen = settings->snaplen,
		.buffer_mb = settings->buffer_mb,
		.promiscuous = settings->promiscuous,
		.interface_index = (uint16_t)capture,
		.timestamps = timestamps[settings->timestamps],
		.fanout = o->captures->fanout[capture],
		.member = o->input->member,
	};

	return source_open_live(&o->input->source, &options, o->why);
}

/* The socket belongs to whom we are to become, so that it can be removed at the end. */
static enum err open_dnstap(const struct opening *o)
{
	struct dnstap_options options = {
		.socket_path = o->captures->name[o->input->capture],
		.interface_index = (uint16_t)o->input->capture,
	};
	enum err err =
		privilege_user(o->config->sensor.user, &options.owner, &options.group, o->why);

	return err == ERR_OK ? source_open_dnstap(&o->input->source, &options, o->why) : err;
}

/* The group in which several inputs share an interface; none for a single one. */
static enum err make_group(const struct opening *o)
{
	size_t capture = o->input->capture;

	if (o->input->member > 0 || members_of(o->config, o->captures->name[capture]) == 1)
		return ERR_OK;
	o->captures->fanout[capture] = fanout_new();
	return o->captures->fanout[capture] ? ERR_OK
					    : err_set(o->why, ERR_FAILED, "out of memory");
}

static enum err open_input(const struct opening *o)
{
	const char *name = o->captures->name[o->input->capture];
	enum err err = make_group(o);

	if (err == ERR_OK)
		err = o->settings->dnstap ? open_dnstap(o) : open_interface(o);
	if (err == ERR_OK && o->input->member == 0)
		log_notice("%s %s", o->settings->dnstap ? "listening on" : "watching", name);
	return err;
}

enum err captures_open(struct captures *c, const struct config *config,
	const struct packet_options *packet, struct err_ctx *why)
{
	struct opening o = { .captures = c, .config = config, .why = why };
	uint16_t *port = load_filter_ports(config, packet, &o.port_count);
	enum err err = port ? ERR_OK : err_set(why, ERR_FAILED, "out of memory");

	o.port = port;
	for (size_t i = 0; err == ERR_OK && i < c->input_count; i++) {
		o.input = &c->input[i];
		o.settings = settings_of(config, c->name[o.input->capture]);
		err = open_input(&o);
	}
	free(port);
	return err;
}

void captures_close(struct captures *c)
{
	for (size_t i = 0; i < c->input_count; i++)
		source_close(c->input[i].source);
	for (size_t i = 0; i < c->count; i++)
		fanout_free(c->fanout[i]);
	*c = (struct captures){ 0 };
}
