/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/output/redis_command.h"

#include "sensor/base/clock.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define ARGUMENTS_MAX 16
#define NUMBER_MAX    24

struct command {
	int argc;
	const char *argv[ARGUMENTS_MAX];
	size_t len[ARGUMENTS_MAX];
};

static void add_bytes(struct command *c, const char *bytes, size_t bytes_len)
{
	assert(c->argc < ARGUMENTS_MAX);
	c->argv[c->argc] = bytes;
	c->len[c->argc++] = bytes_len;
}

static void add(struct command *c, const char *text)
{
	add_bytes(c, text, strlen(text));
}

static void add_field(struct command *c, const char *name, const struct redis_item *item,
	enum redis_field field)
{
	add(c, name);
	add_bytes(c, item->at[field], item->len[field]);
}

static bool append(struct redis_link *link, struct command *c)
{
	return redis_link_append(link, c->argc, c->argv, c->len);
}

bool redis_command_add(
	struct redis_link *link, const struct redis_item *item, const char *maxlen)
{
	struct command c = { .argc = 0 };

	add_field(&c, "XADD", item, REDIS_STREAM);
	if (maxlen[0]) {
		add(&c, "MAXLEN");
		add(&c, "~");
		add(&c, maxlen);
	}
	add(&c, "*");
	add_field(&c, "id", item, REDIS_ID);
	add_field(&c, "tenant", item, REDIS_TENANT);
	add_field(&c, "rule", item, REDIS_RULE);
	add_field(&c, "severity", item, REDIS_SEVERITY);
	add_field(&c, "json", item, REDIS_JSON);
	return append(link, &c);
}

static const char *number(char text[NUMBER_MAX], uint64_t value)
{
	snprintf(text, NUMBER_MAX, "%llu", (unsigned long long)value);
	return text;
}

static bool append_hash(struct redis_link *link, const char *key, const char *version,
	const struct redis_facts *facts)
{
	char started[CLOCK_TEXT_MAX], last[CLOCK_TEXT_MAX] = "";
	char packets[NUMBER_MAX], alerts[NUMBER_MAX], dropped[NUMBER_MAX];
	struct command c = { .argc = 0 };

	if (facts->packets > 0)
		clock_format(facts->last_packet_ns, last);
	add(&c, "HSET");
	add(&c, key);
	add(&c, "version");
	add(&c, version);
	add(&c, "started");
	add(&c, clock_format(facts->started_ns, started));
	add(&c, "last_packet");
	add(&c, last);
	add(&c, "packets");
	add(&c, number(packets, facts->packets));
	add(&c, "alerts");
	add(&c, number(alerts, facts->alerts));
	add(&c, "dropped");
	add(&c, number(dropped, facts->dropped));
	return append(link, &c);
}

bool redis_command_heartbeat(struct redis_link *link, const char *key, const char *version,
	const struct redis_facts *facts)
{
	char seconds[NUMBER_MAX];
	struct command c = { .argc = 0 };

	if (!append_hash(link, key, version, facts))
		return false;
	add(&c, "EXPIRE");
	add(&c, key);
	add(&c, number(seconds, UINT64_C(3) * facts->interval_s));
	return append(link, &c);
}
