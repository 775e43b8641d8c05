/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/config/config.h"

#include "sensor/base/clock.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATA "tests/data/config/"

static enum err parse(struct config **out, const char *text, struct err_ctx *why)
{
	return config_parse(out, text, strlen(text), "dir/test.yaml", why);
}

/* The configuration, or the end of the test with the reason. */
static struct config *load(const char *path)
{
	struct config *c = NULL;
	struct err_ctx why = { "" };

	cr_assert_eq(config_load(&c, path, &why), ERR_OK, "%s", why.text);
	return c;
}

static struct ip ip_of(const char *text)
{
	struct ip ip = { 0 };

	cr_assert(ip_parse(&ip, text), "%s", text);
	return ip;
}

/* --- errors -------------------------------------------------------------------------------- */

static size_t count_yaml_files(const char *folder)
{
	DIR *dir = opendir(folder);
	size_t count = 0;

	cr_assert_not_null(dir, "%s", folder);
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		size_t len = strlen(entry->d_name);
		count += len > 5 && strcmp(entry->d_name + len - 5, ".yaml") == 0;
	}
	closedir(dir);
	return count;
}

/* Each line of EXPECTED is the whole message of the file it begins with. */
Test(config, every_bad_file_is_refused_with_its_place_key_and_reason)
{
	FILE *expected = fopen(DATA "bad/EXPECTED", "re");
	char line[1024];
	size_t rows = 0;

	cr_assert_not_null(expected);
	for (; fgets(line, sizeof(line), expected); rows++) {
		struct config *c = NULL;
		struct err_ctx why = { "" };
		char path[256];
		line[strcspn(line, "\n")] = '\0';
		snprintf(path, sizeof(path), DATA "bad/%.*s", (int)strcspn(line, ":"), line);
		enum err err = config_load(&c, path, &why);
		cr_assert_eq(err, ERR_USAGE, "%s: %d %s", path, err, why.text);
		cr_assert_null(c, "%s", path);
		cr_assert_eq(
			strncmp(why.text, DATA "bad/", strlen(DATA "bad/")), 0, "%s", why.text);
		cr_assert_str_eq(why.text + strlen(DATA "bad/"), line, "%s", path);
	}
	fclose(expected);
	cr_assert_eq(rows, count_yaml_files(DATA "bad"), "a file for every line");
}

Test(config, every_good_file_is_read)
{
	DIR *dir = opendir(DATA "good");

	cr_assert_not_null(dir);
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		char path[512];
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), DATA "good/%s", entry->d_name);
		config_free(load(path));
	}
	closedir(dir);
}

Test(config, a_file_that_is_not_there_is_named)
{
	struct config *c;
	struct err_ctx why;

	cr_assert_eq(config_load(&c, "tests/data/config/nowhere.yaml", &why), ERR_USAGE);
	cr_assert_str_eq(why.text, "tests/data/config/nowhere.yaml: No such file or directory");
	cr_assert_eq(config_load(&c, "tests/data/config", &why), ERR_USAGE);
	cr_assert_str_eq(why.text, "tests/data/config: Is a directory");
}

Test(config, a_file_over_the_limit_is_refused_before_it_is_read)
{
	size_t len = CONFIG_BYTES_MAX + 1;
	char *bytes = malloc(len);
	struct config *c;
	struct err_ctx why;

	memset(bytes, '\n', len);
	cr_assert_eq(config_parse(&c, bytes, len, "big.yaml", &why), ERR_USAGE);
	cr_assert_str_eq(why.text, "big.yaml: larger than 4 MiB, which no configuration is");
	memcpy(bytes, "{}", 2);
	cr_assert_eq(
		config_parse(&c, bytes, len - 1, "big.yaml", &why), ERR_OK, "%s", why.text);
	config_free(c);
	free(bytes);
}

Test(config, every_cut_of_a_whole_file_is_a_configuration_or_an_error)
{
	char bytes[8192];
	FILE *file = fopen(DATA "good/everything.yaml", "re");

	cr_assert_not_null(file);
	size_t len = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	for (size_t cut = 0; cut < len; cut++) {
		struct config *c = NULL;
		struct err_ctx why = { "" };
		char *copy = malloc(cut + 1); /* exact, so that a byte too far shows */
		memcpy(copy, bytes, cut);
		enum err err = config_parse(&c, copy, cut, "cut.yaml", &why);
		cr_assert(err == ERR_OK || err == ERR_USAGE, "%zu: %d", cut, err);
		cr_assert_eq(err == ERR_OK, why.text[0] == '\0', "%zu: %s", cut, why.text);
		config_free(c);
		free(copy);
	}
}

/* --- values -------------------------------------------------------------------------------- */

Test(config, a_dnstap_socket_in_place_of_an_interface)
{
	static const char text[] = "capture:\n"
				   "  - interface: eth1\n"
				   "  - dnstap: run/dnstap.sock\n"
				   "  - dnstap: /run/dynwatch/other.sock\n";
	struct config *c = NULL;
	struct err_ctx why;

	cr_assert_eq(config_parse(&c, text, sizeof(text) - 1, "/etc/dynwatch/x.yaml", &why),
		ERR_OK, "%s", why.text);
	cr_assert_eq(c->capture_count, 3);
	cr_assert(!c->capture[0].dnstap);
	cr_assert(c->capture[1].dnstap && c->capture[2].dnstap);
	cr_assert_str_eq(c->capture[1].interface, "/etc/dynwatch/run/dnstap.sock");
	cr_assert_str_eq(c->capture[2].interface, "/run/dynwatch/other.sock");
	config_free(c);
}

Test(config, a_capture_without_dedup_has_that_of_the_top)
{
	static const char text[] = "dedup: on\n"
				   "capture:\n"
				   "  - interface: eth1\n"
				   "  - {interface: eth2, dedup: off}\n"
				   "  - {interface: eth3, dedup: auto}\n";
	struct config *c = NULL;
	struct err_ctx why;

	cr_assert_eq(config_parse(&c, text, sizeof(text) - 1, "x.yaml", &why), ERR_OK, "%s",
		why.text);
	cr_assert_eq(c->dedup, CONFIG_DEDUP_ON);
	cr_assert_eq(c->capture[0].dedup, CONFIG_DEDUP_ON);
	cr_assert_eq(c->capture[1].dedup, CONFIG_DEDUP_OFF);
	cr_assert_eq(c->capture[2].dedup, CONFIG_DEDUP_AUTO);
	config_free(c);
	cr_assert_eq(config_parse(&c, "{}", 2, "x.yaml", &why), ERR_OK, "%s", why.text);
	cr_assert_eq(c->dedup, CONFIG_DEDUP_AUTO);
	config_free(c);
}

Test(config, sensor_capture_and_ports)
{
	struct config *c = load(DATA "good/everything.yaml");

	cr_assert_str_eq(c->sensor.name, "edge-1");
	cr_assert_eq(c->sensor.memory_mb, 512);
	cr_assert_eq(c->sensor.inputs, 1);
	cr_assert_eq(c->sensor.trackers, 1);
	cr_assert_str_eq(c->sensor.user, "dynwatch");
	cr_assert_eq(c->capture_count, 1);
	cr_assert_str_eq(c->capture[0].interface, "eth1");
	cr_assert_str_eq(c->capture[0].filter, "");
	cr_assert_eq(c->capture[0].buffer_mb, 64);
	cr_assert_eq(c->capture[0].snaplen, 65535);
	cr_assert(c->capture[0].promiscuous);
	cr_assert_eq(c->port_count, 1);
	cr_assert_eq(c->port[0], 53);
	cr_assert(c->vxlan.given && c->gtpu.given && c->tzsp.given);
	cr_assert_eq(c->vxlan.port_count, 3);
	cr_assert_eq(c->vxlan.port[2], 14789);
	cr_assert_eq(c->gtpu.port[1], 2153);
	cr_assert_eq(c->tzsp.port_count, 0);
	cr_assert(c->builtin_lists);
	config_free(c);
}

Test(config, a_tenant_with_all_its_parts)
{
	struct config *c = load(DATA "good/everything.yaml");
	struct ip inside = ip_of("10.1.2.3"), excluded = ip_of("10.1.66.1"),
		  dns = ip_of("10.1.0.53");

	cr_assert_eq(c->policies->tenant_count, 2);
	const struct policy *p = &c->policies->tenant[1];
	cr_assert_str_eq(p->id, "acme");
	cr_assert(p->select.vlan_count == 1 && p->select.vlan[0] == 101);
	cr_assert(p->select.vni_count == 1 && p->select.vni[0] == 7001);
	cr_assert_eq(p->select.interface_count, 1);
	cr_assert_str_eq(p->select.interface[0], "eth1");
	cr_assert_eq(p->select.network_count, 2);
	cr_assert(ip_net_contains(&p->select.network[0], &inside), "the order of the file");
	cr_assert(ip_set_contains(&p->resolvers, &dns));
	cr_assert_eq(p->approved_count, 3);
	cr_assert_str_eq(p->approved[0].name, "cam7.duckdns.org");
	cr_assert_eq(p->approved[0].until_ns, INT64_MAX);
	cr_assert_str_eq(p->approved[1].name, "dyn.acme.example");
	cr_assert_null(p->approved[2].name);
	cr_assert_eq(p->approved[2].provider, PROVIDER_NONE, "known when the feeds are");
	cr_assert_eq(p->update_clients.count, 1);

	cr_assert_eq(p->zone_count, 1);
	const struct policy_zone *z = &p->zone[0];
	cr_assert_str_eq(z->name, "corp.acme.example");
	cr_assert(ip_set_contains(&z->servers, &dns));
	cr_assert(ip_set_contains(&z->updaters, &inside));
	cr_assert(!ip_set_contains(&z->updaters, &excluded));
	cr_assert(z->require_signed);
	cr_assert_eq(z->critical_count, 3);
	cr_assert_str_eq(z->critical[0], "@");
	cr_assert_eq(z->country_count, 1);
	cr_assert_str_eq(z->country[0], "US");
	cr_assert_eq(p->suffix_count, 1);
	cr_assert_str_eq(p->suffix[0], "corp.acme.example");
	config_free(c);
}

Test(config, an_exclude_holds_until_the_end_of_its_day)
{
	struct config *c = load(DATA "good/everything.yaml");
	const struct policy *p = &c->policies->tenant[1];
	struct ip client = ip_of("10.1.0.25");
	int64_t last = 0;

	cr_assert(clock_parse_day_end(&last, "2027-01-31"));
	cr_assert(policy_excludes(p, RULE_NXDOMAIN_SPIKE, &client, "1.dnsbl.example", last));
	cr_assert(
		!policy_excludes(p, RULE_NXDOMAIN_SPIKE, &client, "1.dnsbl.example", last + 1));
	cr_assert(!policy_excludes(p, RULE_NXDOMAIN_SPIKE, &client, "dnsbl.example", last));
	cr_assert(!policy_excludes(p, RULE_NXDOMAIN_DGA, &client, "1.dnsbl.example", last));
	config_free(c);
}

Test(config, a_tenant_starts_from_the_rules_of_all)
{
	struct config *c = load(DATA "good/everything.yaml");
	const struct rule_settings *all = &c->policies->tenant[POLICY_UNMAPPED].rules;
	const struct rule_settings *acme = &c->policies->tenant[1].rules;

	cr_assert_eq(all->option[OPTION_NXDOMAIN_SPIKE_min_domains].count, 20);
	cr_assert_eq(acme->option[OPTION_NXDOMAIN_SPIKE_min_domains].count, 40);
	cr_assert(all->rule[RULE_NXDOMAIN_SPIKE].severity_set);
	cr_assert(acme->rule[RULE_NXDOMAIN_SPIKE].severity_set);
	cr_assert(!acme->rule[RULE_CHURN_DDNS].severity_set);
	config_free(c);

	c = load(DATA "good/many-ways-to-write.yaml");
	all = &c->policies->tenant[POLICY_UNMAPPED].rules;
	acme = &c->policies->tenant[1].rules;
	cr_assert_eq(all->option[OPTION_CHURN_DDNS_max_ttl].ns, 5400 * NS_PER_S);
	cr_assert_eq(acme->option[OPTION_CHURN_DDNS_max_ttl].ns, 5400 * NS_PER_S);
	cr_assert_eq(acme->rule[RULE_CHURN_DDNS].severity, SEVERITY_LOW);
	cr_assert(all->rule[RULE_CHURN_DDNS].enabled);
	cr_assert(!acme->rule[RULE_CHURN_DDNS].enabled);
	cr_assert_eq(acme->rule[RULE_CHURN_DDNS].suppress_ns, 0);
	config_free(c);
}

/* The shipped lists' own format is the only one that no file may have. */
Test(config, every_format_of_feeds_can_be_chosen_by_its_name)
{
	struct config *c = load(DATA "good/feed-formats.yaml");

	cr_assert_eq(c->feed_count, FEED_FORMAT_COUNT - 1);
	for (size_t i = 0; i < c->feed_count; i++) {
		const struct feed_spec *spec = &c->feed[i].spec;
		cr_expect_str_eq(feed_format_name(spec->format), spec->name);
		cr_expect_eq(spec->column, 3, "%s", spec->name);
		cr_expect_eq(spec->min_confidence, 75, "%s", spec->name);
	}
	config_free(c);
}

Test(config, feeds_outputs_and_data_files)
{
	struct config *c = load(DATA "good/everything.yaml");

	cr_assert_eq(c->feed_count, 1);
	const struct config_feed *feed = &c->feed[0];
	cr_assert_str_eq(feed->spec.name, "urlhaus");
	cr_assert_str_eq(feed->spec.path, DATA "good/feeds/urlhaus.hosts");
	cr_assert_eq(feed->spec.kind, MARK_MALICIOUS);
	cr_assert_eq(feed->spec.scope, SCOPE_SUFFIX);
	cr_assert_eq(feed->spec.format, FEED_AUTO);
	cr_assert_eq(feed->severity, SEVERITY_HIGH);
	cr_assert_eq(feed->max_age_ns, 7 * 86400 * NS_PER_S);
	cr_assert_eq(feed->at.line, 40);
	cr_assert_eq(feed->at.column, 11);

	cr_assert_eq(c->output_count, 2);
	cr_assert_eq(c->output[0].kind, CONFIG_OUTPUT_JSONL);
	cr_assert_str_eq(c->output[0].path, "/var/log/dynwatch/alerts.jsonl");
	cr_assert_eq(c->output[1].kind, CONFIG_OUTPUT_REDIS);
	cr_assert_str_eq(c->output[1].url, "redis://user:pass@127.0.0.1:6379/0");
	cr_assert_str_eq(c->output[1].stream, "dynwatch:alerts");
	cr_assert_eq(c->output[1].maxlen, 1000000);
	cr_assert_eq(c->output[1].timeout_ns, 5 * NS_PER_S);
	cr_assert_str_eq(c->output[1].spool, "/var/lib/dynwatch/spool");
	cr_assert_str_eq(c->geoip_country, DATA "good/GeoLite2-Country.mmdb");
	cr_assert_str_eq(c->geoip_asn, DATA "good/GeoLite2-ASN.mmdb");
	cr_assert_str_eq(c->control_socket, DATA "good/control.sock");
	cr_assert_not(c->watch);
	cr_assert_str_eq(c->metrics_listen, "127.0.0.1:9553");
	config_free(c);
}

Test(config, how_a_feed_is_fetched)
{
	struct config *c = load(DATA "good/feed-fetch.yaml");
	const struct config_fetch *least = &c->feed[1].fetch, *most = &c->feed[2].fetch;

	cr_assert_eq(c->feed_count, 4);
	cr_expect_null(c->feed[0].fetch.url);
	cr_expect_str_eq(least->url, "http://127.0.0.1:8080/");
	cr_expect_null(least->auth_file);
	cr_expect_eq(least->max_bytes, (uint64_t)256 << 20);
	cr_expect_eq(least->timeout_ns, 300 * NS_PER_S);
	cr_expect_null(least->proxy, "what the environment says");
	cr_expect_str_eq(most->url, "https://misp.example/feed.json?kind=names");
	cr_expect_str_eq(most->auth_header, "Authorization");
	cr_expect_str_eq(most->auth_file, DATA "good/keys/misp");
	cr_expect_eq(most->max_bytes, (uint64_t)8 << 20);
	cr_expect_eq(most->timeout_ns, 90 * NS_PER_S);
	cr_expect_str_eq(most->proxy, "http://user:secret@proxy.example:3128");
	cr_expect_eq(most->at.line, 7);
	cr_expect_str_eq(c->feed[3].fetch.proxy, "");
	config_free(c);
}

Test(config, a_change_log_is_a_file_or_a_stream_of_its_own)
{
	static const char yaml[] = "outputs:\n"
				   "  - {type: changelog, path: c.jsonl}\n"
				   "  - {type: changelog, url: \"redis://h\"}\n"
				   "  - {type: changelog, url: \"redis://h\", stream: mine}\n";
	struct config *c = NULL;
	struct err_ctx why = { "" };

	cr_assert_eq(
		config_parse(&c, yaml, strlen(yaml), "a.yaml", &why), ERR_OK, "%s", why.text);
	cr_assert_eq(c->output_count, 3);
	for (size_t i = 0; i < 3; i++)
		cr_expect_eq(c->output[i].kind, CONFIG_OUTPUT_CHANGELOG);
	cr_expect(c->output[0].path && !c->output[0].url);
	cr_expect_str_eq(c->output[1].stream, CONFIG_CHANGELOG_STREAM);
	cr_expect_str_eq(c->output[2].stream, "mine");
	config_free(c);
}

Test(config, names_come_out_in_one_form)
{
	struct config *c = load(DATA "good/many-ways-to-write.yaml");
	const struct policy *p = &c->policies->tenant[1];

	cr_assert_str_eq(p->approved[0].name, "cam7.duckdns.org");
	cr_assert_str_eq(p->approved[1].name, "xn--mnchen-3ya.example");
	cr_assert_str_eq(p->zone[1].name, "corp.example");
	cr_assert_str_eq(p->zone[1].critical[1], "*");
	cr_assert_str_eq(p->zone[1].country[0], "US");
	cr_assert_str_eq(p->zone[1].country[1], "DE");
	cr_assert_str_eq(p->suffix[0], "corp.example");
	cr_assert_str_eq(p->exclude[1].name[1], "*.ok.example");
	cr_assert_eq(p->exclude[1].rule, RULE_COUNT);
	cr_assert_eq(p->exclude[0].rule, RULE_LOOKUP_MALICIOUS);
	config_free(c);
}

Test(config, kinds_of_feeds_have_their_tiers_and_providers)
{
	struct config *c = load(DATA "good/many-ways-to-write.yaml");

	cr_assert(!c->builtin_lists);
	cr_assert_eq(c->feed[0].spec.kind, MARK_ALLOW);
	cr_assert_eq(c->feed[0].spec.scope, SCOPE_EXACT);
	cr_assert_eq(c->feed[0].spec.format, FEED_DOMAINS);
	cr_assert_str_eq(c->feed[1].spec.path, "/srv/list.txt");
	cr_assert_str_eq(c->feed[1].spec.provider, "our-dyn");
	cr_assert_eq(c->feed[1].spec.tier, TIER_B);
	cr_assert_eq(c->feed[2].spec.tier, TIER_C, "of a tunnel feed that gives none");
	cr_assert_eq(c->output[0].kind, CONFIG_OUTPUT_DNSLOG);
	cr_assert_str_eq(c->output[1].stream, "dynwatch:alerts");
	cr_assert_eq(c->output[1].queue, 100);
	config_free(c);
}

Test(config, places_of_what_is_checked_later_are_kept)
{
	struct config *c = load(DATA "good/everything.yaml");

	cr_assert_eq(c->provider_count, 1);
	cr_assert_eq(c->provider[0].tenant, 1);
	cr_assert_eq(c->provider[0].approved, 2);
	cr_assert_str_eq(c->provider[0].id, "no-ip");
	cr_assert_str_eq(c->provider[0].key, "tenants[0].ddns.approved[2].provider");
	cr_assert_eq(c->provider[0].at.line, 24);
	cr_assert_eq(c->provider[0].at.column, 21);
	config_free(c);
}

Test(config, a_relative_path_is_relative_to_the_file)
{
	static const struct {
		const char *name, *path;
	} rows[] = {
		{ "dynwatch.yaml", "list.txt" },
		{ "./dynwatch.yaml", "./list.txt" },
		{ "/etc/dynwatch.yaml", "/etc/list.txt" },
		{ "/dynwatch.yaml", "/list.txt" },
	};
	static const char text[] = "feeds: [{name: a, path: list.txt, kind: malicious}]\n";

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct config *c = NULL;
		struct err_ctx why = { "" };
		cr_assert_eq(config_parse(&c, text, strlen(text), rows[i].name, &why), ERR_OK,
			"%s: %s", rows[i].name, why.text);
		cr_assert_str_eq(c->feed[0].spec.path, rows[i].path, "%s", rows[i].name);
		config_free(c);
	}
}

Test(config, defaults_stand_in_for_everything)
{
	struct config *c = NULL;
	struct err_ctx why = { "" };
	char host[256] = "";

	cr_assert_eq(parse(&c, "{}", &why), ERR_OK, "%s", why.text);
	cr_assert_eq(gethostname(host, sizeof(host) - 1), 0);
	cr_assert_str_eq(c->sensor.name, host);
	cr_assert_eq(c->sensor.memory_mb, 512);
	cr_assert_eq(c->port_count, 1);
	cr_assert_eq(c->port[0], 53);
	cr_assert(c->builtin_lists);
	cr_assert_eq(c->policies->tenant_count, 1);
	cr_assert_eq(c->capture_count + c->feed_count + c->output_count, 0);
	cr_assert_null(c->geoip_country);
	cr_assert_null(c->control_socket);
	cr_assert(c->watch);
	cr_assert_null(c->metrics_listen);
	config_free(c);
}

Test(config, the_builtin_one_has_all_private_addresses_in_one_tenant)
{
	static const char *const private[] = { "10.255.0.1", "172.31.0.1", "192.168.1.1",
		"100.64.0.1", "127.0.0.1", "169.254.1.1", "::1", "fd00::1", "fe80::1" };
	static const char *const public[] = { "8.8.8.8", "172.32.0.1", "2001:db8::1" };
	struct config *c = NULL;
	struct err_ctx why = { "" };

	cr_assert_eq(config_builtin(&c, &why), ERR_OK, "%s", why.text);
	cr_assert_eq(c->policies->tenant_count, 2);
	const struct policy *p = &c->policies->tenant[1];
	cr_assert_str_eq(p->id, "default");
	for (size_t i = 0; i < ARRAY_LEN(private); i++) {
		struct ip ip = ip_of(private[i]);
		cr_assert(policy_owns_address(p, &ip), "%s", private[i]);
		cr_assert(ip_is_private(&ip), "%s", private[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(public); i++) {
		struct ip ip = ip_of(public[i]);
		cr_assert(!policy_owns_address(p, &ip), "%s", public[i]);
	}
	config_free(c);
}

static void keep_line(void *arg, const char *line)
{
	struct text *all = arg;

	text_printf(all, "%s\n", line);
}

Test(config, what_has_no_effect_yet_is_said)
{
	struct config *c = load(DATA "good/everything.yaml");
	struct text said = { 0 };

	config_warn(c, keep_line, &said);
	cr_assert_str_eq(said.at,
		DATA
		"good/everything.yaml:50:113: outputs[1].spool: this version does not spool to "
		"disk; alerts wait in memory (queue: 65536)\n" DATA
		"good/everything.yaml:52:10: metrics.listen: this version does not serve metrics\n",
		"%s", said.at);
	text_deinit(&said);
	config_free(c);
}

Test(config, five_thousand_tenants_are_read_in_a_moment)
{
	struct text text = { 0 };
	struct config *c = NULL;
	struct err_ctx why = { "" };

	text_puts(&text, "tenants:\n");
	for (unsigned i = 0; i < 5000; i++)
		text_printf(&text,
			"  - id: t%u\n    select: {vlans: [%u], networks: [10.%u.%u.0/24]}\n"
			"    ddns: {approved: [{name: t%u.duckdns.org}]}\n",
			i, i % 4094 + 1, i / 256, i % 256, i);
	int64_t start_ns = clock_monotonic_ns();
	cr_assert_eq(parse(&c, text.at, &why), ERR_OK, "%s", why.text);
	int64_t spent_ms = (clock_monotonic_ns() - start_ns) / NS_PER_MS;
	cr_assert_eq(c->policies->tenant_count, 5001);
	/* A fifth of a second; a search through all tenants for each would take much longer. */
	cr_assert_lt(spent_ms, 20000, "%lld ms", (long long)spent_ms);
	config_free(c);
	text_deinit(&text);
}
