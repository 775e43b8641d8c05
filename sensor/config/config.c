/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/config/config.h"

#include "sensor/config/reading.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOST_NAME_LEN 256

/* --- the small sections -------------------------------------------------------------------- */

static char *host_name(struct reading *r)
{
	char name[HOST_NAME_LEN] = "";

	if (gethostname(name, sizeof(name) - 1) == -1 || !name[0])
		memcpy(name, "sensor", sizeof("sensor"));
	char *new = strdup(name);
	if (!new)
		reading_out_of_memory(r);
	return new;
}

static void read_sensor(struct reading *r, const struct part *top)
{
	struct path path;
	struct part part = reading_one(top, CONFIG_TOP_sensor, &path);
	struct config_sensor *out = &r->config->sensor;

	out->name = reading_has(&part, CONFIG_SENSOR_name)
			    ? reading_id(r, &part, CONFIG_SENSOR_name)
			    : host_name(r);
	out->memory_mb = reading_count(r, &part, CONFIG_SENSOR_memory_mb);
	out->inputs = (unsigned)reading_count(r, &part, CONFIG_SENSOR_inputs);
	out->trackers = (unsigned)reading_count(r, &part, CONFIG_SENSOR_trackers);
	out->user = reading_text(r, &part, CONFIG_SENSOR_user);
}

static void read_ports(struct reading *r, const struct part *top)
{
	struct config *c = r->config;

	reading_refuse_empty(r, top, CONFIG_TOP_ports);
	uint32_t *port = reading_counts(r, top, CONFIG_TOP_ports, &c->port_count);
	c->port = reading_array(r, c->port_count, sizeof(*c->port));
	for (size_t i = 0; c->port && i < c->port_count; i++)
		c->port[i] = (uint16_t)port[i];
	free(port);
}

static void read_tunnel(struct reading *r, const struct part *tunnels, enum config_option_id id,
	struct config_tunnel *out)
{
	size_t count;
	uint32_t *port = reading_counts(r, tunnels, id, &count);

	out->given = reading_has(tunnels, id) || reading_is_empty(r, tunnels, id);
	if (count > CONFIG_TUNNEL_PORTS_MAX) {
		reading_fail_key(r, tunnels, id, "%d ports at most", CONFIG_TUNNEL_PORTS_MAX);
		count = 0;
	}
	out->port_count = count;
	for (size_t i = 0; i < count; i++)
		out->port[i] = (uint16_t)port[i];
	free(port);
}

static void read_tunnels(struct reading *r, const struct part *top)
{
	struct path path;
	struct part tunnels = reading_one(top, CONFIG_TOP_tunnels, &path);
	struct config *c = r->config;

	read_tunnel(r, &tunnels, CONFIG_TUNNELS_vxlan, &c->vxlan);
	read_tunnel(r, &tunnels, CONFIG_TUNNELS_geneve, &c->geneve);
	read_tunnel(r, &tunnels, CONFIG_TUNNELS_gtpu, &c->gtpu);
	read_tunnel(r, &tunnels, CONFIG_TUNNELS_tzsp, &c->tzsp);
}

static void read_places_of_data(struct reading *r, const struct part *top)
{
	struct config *c = r->config;
	struct path path;
	struct part geoip = reading_one(top, CONFIG_TOP_geoip, &path);

	c->geoip_country = reading_path(r, &geoip, CONFIG_GEOIP_country);
	c->geoip_asn = reading_path(r, &geoip, CONFIG_GEOIP_asn);
	c->geoip_at = place_find(r->places, &path);

	struct part control = reading_one(top, CONFIG_TOP_control, &path);
	c->control_socket = reading_socket(r, &control, CONFIG_CONTROL_socket);
	c->watch = reading_bool(r, &control, CONFIG_CONTROL_watch);
	c->control_at = reading_mark(r, &control, CONFIG_CONTROL_socket);

	struct part metrics = reading_one(top, CONFIG_TOP_metrics, &path);
	if (reading_has(&metrics, CONFIG_METRICS_listen))
		c->metrics_listen = reading_text(r, &metrics, CONFIG_METRICS_listen);
	c->metrics_at = place_find(r->places, &path);

	struct part state = reading_one(top, CONFIG_TOP_state, &path);
	if (reading_has(&state, CONFIG_STATE_path))
		c->state_path = reading_path(r, &state, CONFIG_STATE_path);
}

static void read_top(struct reading *r, const struct raw *raw)
{
	struct part top = { raw, CONFIG_SECTION_TOP, NULL };

	read_sensor(r, &top);
	r->config->dedup = (enum config_dedup)reading_choice(r, &top, CONFIG_TOP_dedup);
	reading_captures(r, &top);
	read_ports(r, &top);
	read_tunnels(r, &top);
	reading_rules(
		r, &top, CONFIG_TOP_rules, &r->config->policies->tenant[POLICY_UNMAPPED].rules);
	if (!r->err)
		reading_tenants(r, &top);
	r->config->builtin_lists = reading_bool(r, &top, CONFIG_TOP_builtin_lists);
	reading_feeds(r, &top);
	r->config->cache = reading_path(r, &top, CONFIG_TOP_cache);
	reading_outputs(r, &top);
	read_places_of_data(r, &top);
}

/* --- from bytes ---------------------------------------------------------------------------- */

static struct config *config_new(const char *name)
{
	struct config *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->path = strdup(name);
	c->policies = policy_set_new();
	if (c->path && c->policies)
		return c;
	config_free(c);
	return NULL;
}

static enum err read_config(struct config *c, const struct schema *schema,
	const struct places *places, const char *bytes, size_t bytes_len, struct err_ctx *why)
{
	struct reading r = { .config = c, .places = places, .name = c->path, .why = why };
	struct raw *raw = NULL;
	enum err err = schema_check(schema, places, c->path, why);

	if (!err)
		err = raw_load(&raw, schema, bytes, bytes_len, c->path, why);
	if (err)
		return err;
	read_top(&r, raw);
	raw_free(schema, raw);
	return r.err;
}

enum err config_parse(struct config **out, const char *bytes, size_t bytes_len,
	const char *name, struct err_ctx *why)
{
	struct places *places = NULL;
	struct schema *schema = schema_new();
	struct config *c = config_new(name);
	enum err err;

	*out = NULL;
	if (!schema || !c)
		err = err_set(why, ERR_FAILED, "%s: out of memory", name);
	else if (bytes_len > CONFIG_BYTES_MAX)
		err = err_set(why, ERR_USAGE,
			"%s: larger than %zu MiB, which no configuration is", name,
			CONFIG_BYTES_MAX >> 20);
	else
		err = places_new(&places, bytes, bytes_len, name, why);
	if (!err)
		err = read_config(c, schema, places, bytes, bytes_len, why);
	places_free(places);
	schema_free(schema);
	if (err)
		config_free(c);
	else
		*out = c;
	return err;
}

/* Up to one byte more than the limit, so that what is too large shows. */
static enum err read_file(
	const char *path, int fd, char *bytes, size_t *bytes_len, struct err_ctx *why)
{
	size_t len = 0;

	while (len <= CONFIG_BYTES_MAX) {
		ssize_t got = read(fd, bytes + len, CONFIG_BYTES_MAX + 1 - len);
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return err_set(why, ERR_USAGE, "%s: %s", path, strerror(errno));
		if (got == 0)
			break;
		len += (size_t)got;
	}
	*bytes_len = len;
	return ERR_OK;
}

enum err config_load(struct config **out, const char *path, struct err_ctx *why)
{
	size_t bytes_len = 0;
	enum err err;

	*out = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return err_set(why, ERR_USAGE, "%s: %s", path, strerror(errno));
	char *bytes = malloc(CONFIG_BYTES_MAX + 1);
	if (bytes)
		err = read_file(path, fd, bytes, &bytes_len, why);
	else
		err = err_set(why, ERR_FAILED, "%s: out of memory", path);
	close(fd);
	if (!err)
		err = config_parse(out, bytes, bytes_len, path, why);
	free(bytes);
	return err;
}

enum err config_builtin(struct config **out, struct err_ctx *why)
{
	/* The addresses that ip_is_private knows, but for "this network". */
	static const char text[] =
		"tenants:\n"
		"  - id: default\n"
		"    select:\n"
		"      networks: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10,\n"
		"                 127.0.0.0/8, 169.254.0.0/16, \"fc00::/7\", \"fe80::/10\", \"::1\"]\n";

	return config_parse(out, text, sizeof(text) - 1, "built-in configuration", why);
}

void config_free(struct config *c)
{
	if (!c)
		return;
	free(c->path);
	free(c->sensor.name);
	free(c->sensor.user);
	for (size_t i = 0; i < c->capture_count; i++) {
		free(c->capture[i].interface);
		free(c->capture[i].filter);
	}
	free(c->capture);
	free(c->port);
	policy_set_free(c->policies);
	for (size_t i = 0; i < c->provider_count; i++) {
		free(c->provider[i].id);
		free(c->provider[i].key);
	}
	free(c->provider);
	for (size_t i = 0; i < c->feed_count; i++) {
		free((char *)c->feed[i].spec.name);
		free((char *)c->feed[i].spec.path);
		free((char *)c->feed[i].spec.provider);
		free(c->feed[i].fetch.url);
		free(c->feed[i].fetch.auth_header);
		free(c->feed[i].fetch.auth_file);
		free(c->feed[i].fetch.proxy);
	}
	free(c->feed);
	for (size_t i = 0; i < c->output_count; i++) {
		free(c->output[i].path);
		free(c->output[i].url);
		free(c->output[i].stream);
		free(c->output[i].spool);
	}
	free(c->output);
	free(c->cache);
	free(c->geoip_country);
	free(c->geoip_asn);
	free(c->control_socket);
	free(c->metrics_listen);
	free(c->state_path);
	free(c);
}

void config_warn(const struct config *c, void (*say)(void *arg, const char *line), void *arg)
{
	struct text line = { 0 };

	for (size_t i = 0; i < c->output_count; i++) {
		const struct config_output *output = &c->output[i];
		if (!output->spool)
			continue;
		text_clear(&line);
		text_printf(&line,
			"%s:%u:%u: outputs[%zu].spool: this version does not spool to disk; "
			"alerts wait in memory (queue: %llu)",
			c->path, output->spool_at.line, output->spool_at.column, i,
			(unsigned long long)output->queue);
		say(arg, line.at ? line.at : "");
	}
	if (c->metrics_listen) {
		text_clear(&line);
		text_printf(&line,
			"%s:%u:%u: metrics.listen: this version does not serve metrics",
			c->path, c->metrics_at.line, c->metrics_at.column);
		say(arg, line.at ? line.at : "");
	}
	text_deinit(&line);
}
