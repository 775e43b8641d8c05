/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dynwatch lookup: what the sensor would make of a name or an address.
 *
 * The verdict is not worked out here: a query for the name, or an answer with the address, is shown
 * to the very rules that judge live traffic, once for each tenant, and their alerts are printed with
 * the lines that would allow them.
 */
#include "sensor/app/commands.h"

#include "feeds/registered.h"
#include "rules/judge.h"
#include "rules/verdict.h"
#include "sensor/app/load.h"
#include "sensor/app/lookup_listed.h"
#include "sensor/app/lookup_refused.h"
#include "sensor/base/clock.h"
#include "sensor/base/hash.h"
#include "sensor/base/log.h"
#include "sensor/base/usage.h"
#include "sensor/dns/message.h"
#include "sensor/pipeline/observe.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JUDGE_BYTES  ((size_t)8 << 20)
#define CLIENT_PORT  40000
#define ALERTS_MAX   8
#define FOREIGN_TEXT "192.0.2.1" /* documentation: in no tenant's networks */

static const char help[] =
	"Usage: dynwatch lookup [-c FILE] [--tenant T] [--client IP] NAME|ADDRESS...\n"
	"Say what the sensor would make of each name, or of an answer with the address: what\n"
	"lists say about it and where, its registered domain, the verdict for each tenant, and\n"
	"the lines that would allow it.\n"
	"\n"
	"  -c, --config FILE   the configuration; without it the shipped lists and one tenant\n"
	"      --tenant T      for this tenant only\n"
	"      --client IP     as if this client asked; without it one of the tenant's networks\n"
	"  -h, --help          this text\n";

struct arguments {
	const char *config, *tenant, *client;
	char **name;
	int name_count;
	struct ip client_ip;
};

struct lookup {
	const struct arguments *args;
	const struct knowledge *known;
	const struct config *config;
	struct registered *registered;
	struct refusals *refusals;
	struct alert *alert[ALERTS_MAX]; /* of the query just shown */
	size_t alert_count;
};

/* --- the name ------------------------------------------------------------------------------ */

static void print_registered(const struct lookup *l, const struct dns_name *name)
{
	unsigned labels = registered_labels(l->registered, name);
	char text[DNS_NAME_TEXT_MAX];

	if (labels == 0) {
		printf("  registered  none: a public suffix or a single label\n");
		return;
	}
	dns_name_format_suffix(name, labels, text);
	printf("  registered  %s\n", text);
}

/* --- verdicts ------------------------------------------------------------------------------ */

static void keep_alert(void *arg, const struct alert *a)
{
	struct lookup *l = arg;

	/* Others than lookup.* speak of the server that is asked, and this one is made up. */
	if (a->kind != ALERT_RAISED || l->alert_count == ALERTS_MAX ||
		strncmp(rule_table[a->rule].id, "lookup.", 7) != 0)
		return;
	struct alert *copy = malloc(sizeof(*copy));
	if (!copy)
		return;
	alert_copy(copy, a);
	l->alert[l->alert_count++] = copy;
}

static void drop_alerts(struct lookup *l)
{
	for (size_t i = 0; i < l->alert_count; i++)
		free(l->alert[i]);
	l->alert_count = 0;
}

/* As an input thread would hand it on. Freed with free(); NULL: out of memory. */
static struct observation *observe(const struct lookup *l, const struct dns_message *m,
	const struct ip *client, uint16_t tenant)
{
	struct observer observer = { .known = l->known };
	struct frame frame = { .ts_ns = clock_wall_ns() };
	struct packet packet = { .src = *client, .sport = CLIENT_PORT, .dport = 53 };
	struct parties who = { .tenant = tenant };

	if (!ip_parse(&packet.dst, FOREIGN_TEXT))
		return NULL;
	observe_prepare_names(&observer, &who, m);
	struct observation *o = calloc(1, observe_bound(&who, m));
	if (o)
		observe_build(&observer, o, &frame, &packet, &who, m);
	return o;
}

static struct observation *make_query(const struct lookup *l, const struct dns_name *name,
	const struct ip *client, uint16_t tenant)
{
	struct dns_message m = {
		.flags = DNS_FLAG_RD,
		.count = { 1, 0, 0, 0 },
		.has_question = true,
		.qtype = DNS_TYPE_A,
		.qclass = DNS_CLASS_IN,
		.qname = *name,
	};

	return observe(l, &m, client, tenant);
}

/* An answer with the address, to a name that nobody has. */
static struct observation *make_answer(
	const struct lookup *l, const struct ip *ip, const struct ip *client, uint16_t tenant)
{
	static const uint8_t start[] = "\0\1\x81\x80\0\1\0\1\0\0\0\0\4name\7invalid";
	bool v4 = ip_is_v4(ip);
	uint8_t type = v4 ? DNS_TYPE_A : DNS_TYPE_AAAA, size = v4 ? 4 : 16;
	const uint8_t question[] = { 0, type, 0, 1 };
	const uint8_t record[] = { 0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, size };
	uint8_t wire[sizeof(start) + sizeof(question) + sizeof(record) + 16], *at = wire;
	struct dns_message m;

	at = mempcpy(at, start, sizeof(start)); /* the NUL is the root */
	at = mempcpy(at, question, sizeof(question));
	at = mempcpy(at, record, sizeof(record));
	at = mempcpy(at, ip->bytes + 16 - size, size);
	if (dns_message_decode(&m, wire, (size_t)(at - wire)) != DNS_OK)
		return NULL;
	return observe(l, &m, client, tenant);
}

/* Show the query to the rules; false when out of memory. */
static bool judge_query(struct lookup *l, const struct observation *query)
{
	struct judge_options options = {
		.memory_bytes = JUDGE_BYTES,
		.sink = keep_alert,
		.sink_arg = l,
	};
	struct judge *judge = judge_new(&options, l->known);

	if (!judge)
		return false;
	judge_observe(judge, query);
	judge_free(judge);
	return true;
}

/* Text of several lines, each moved to the right. */
static void print_indented(const char *text, const char *indent)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		printf("%s%.*s\n", indent, (int)len, text);
		text += len + (text[len] == '\n');
	}
}

static void print_alert(const struct alert *a)
{
	printf("%s (%s)\n              %s\n              allow it with:\n",
		rule_table[a->rule].id, severity_name((enum severity)a->severity),
		alert_get(a, a->message));
	print_indented(alert_get(a, a->allow_hint), "                ");
}

static void print_address_silence(const struct lookup *l, const struct ip *ip,
	const struct policy *tenant, const struct ip *client)
{
	const struct address_set *set = l->known->addresses;
	struct verdict_asker who = { l->known, tenant, client, clock_wall_ns() };
	struct address_hit hit[ADDRESS_HITS_MAX];
	size_t hits = set ? address_set_match(set, ip, hit) : 0;
	uint32_t entry;
	struct verdict v = { .feed_count = 0 };

	if (hits > 0)
		v = verdict_of_address(&who, hit, hits, &entry);
	printf("nothing to report%s\n", v.feed_count ? ": excluded, or switched off"
					: v.allowed  ? ": an allow feed has it"
						     : "");
}

/* Is the name approved, or a provider's own site? Said when there is no alert. */
static void print_silence(const struct lookup *l, const struct subject *about,
	const struct policy *tenant, const struct ip *client)
{
	const struct dns_name *name = &about->name;
	struct index_hit hit[INDEX_HITS_MAX];
	if (about->is_address) {
		print_address_silence(l, &about->ip, tenant, client);
		return;
	}
	size_t hits = index_match_name(l->known->index, name, hit);
	struct verdict_asker who = { l->known, tenant, client, clock_wall_ns() };
	struct verdict_name asked = { name->wire, name->wire_len, name->label_count };
	struct verdict v = verdict_of(&who, asked, hit, hits);

	if (v.feed_count == 0 && v.service == VERDICT_NO_SERVICE)
		printf("nothing to report\n");
	else if (v.service != VERDICT_NO_SERVICE && v.approved)
		printf("nothing to report: approved\n");
	else if (v.own_site)
		printf("nothing to report: the provider's own site\n");
	else
		printf("nothing to report: excluded, or switched off for this rule or tier\n");
}

/* Who asks: the client given, or the first address of the tenant's networks after their base. */
static struct ip client_of(const struct lookup *l, const struct policy *tenant)
{
	struct ip client = l->args->client_ip;

	if (l->args->client)
		return client;
	if (tenant->select.network_count == 0) {
		if (!ip_parse(&client, FOREIGN_TEXT))
			return client;
	} else {
		const struct ip_net *net = &tenant->select.network[0];
		client = net->base;
		if (net->bits < 127)
			client.bytes[15] |= 1;
	}
	return client;
}

static bool print_verdict(
	struct lookup *l, const struct subject *about, const struct policy *tenant)
{
	struct ip client = client_of(l, tenant);
	char client_text[IP_TEXT_MAX];
	struct observation *query =
		about->is_address ? make_answer(l, &about->ip, &client, tenant->number)
				  : make_query(l, &about->name, &client, tenant->number);
	bool done = query && judge_query(l, query);

	free(query);
	if (!done)
		return false;
	printf("  %s, client %s: ", tenant->id, ip_format(&client, client_text));
	if (l->alert_count == 0)
		print_silence(l, about, tenant, &client);
	for (size_t i = 0; i < l->alert_count; i++)
		print_alert(l->alert[i]);
	drop_alerts(l);
	return true;
}

/* Can the client be this tenant's? Selectors by link alone may hold any address. */
static bool is_asked_for(const struct lookup *l, const struct policy *tenant)
{
	const struct arguments *args = l->args;

	if (args->tenant)
		return strcmp(args->tenant, tenant->id) == 0;
	if (tenant->number == POLICY_UNMAPPED)
		return l->known->policies->tenant_count == 1;
	return !args->client || tenant->select.network_count == 0 ||
	       policy_owns_address(tenant, &args->client_ip);
}

static bool print_verdicts(struct lookup *l, const struct subject *about)
{
	const struct policy_set *set = l->known->policies;
	size_t asked = 0;

	for (size_t i = 0; i < set->tenant_count; i++) {
		if (!is_asked_for(l, &set->tenant[i]))
			continue;
		asked++;
		if (!print_verdict(l, about, &set->tenant[i]))
			return false;
	}
	return asked || print_verdict(l, about, &set->tenant[POLICY_UNMAPPED]);
}

/* --- the command --------------------------------------------------------------------------- */

/* A name as people type it: IDN, a URL's host and capitals are understood. */
static bool name_parse(struct dns_name *out, const char *text)
{
	enum mark_scope scope = SCOPE_SUFFIX;

	return feed_normalise(out, &scope, text, strlen(text)) == FEED_REJECT_COUNT ||
	       (dns_name_parse(out, text) && out->label_count > 0);
}

static bool subject_parse(struct subject *out, const char *text)
{
	out->is_address = ip_parse(&out->ip, text);
	return out->is_address || name_parse(&out->name, text);
}

static void print_subject(const struct lookup *l, const struct subject *about)
{
	char text[DNS_NAME_TEXT_MAX];

	if (about->is_address) {
		printf("%s\n", ip_format(&about->ip, text));
		lookup_listed_address(l->known, l->config, &about->ip);
	} else {
		dns_name_format(&about->name, text);
		printf("%s\n", text);
		print_registered(l, &about->name);
		lookup_listed_name(l->known, l->config, &about->name);
	}
	refusals_print(l->refusals, about);
}

static int out_of_memory(void)
{
	log_error("out of memory");
	return ERR_FAILED;
}

static int print_subjects(struct lookup *l, const struct subject about[], size_t count)
{
	int code = ERR_OK;

	l->refusals = refusals_gather(l->config, about, count);
	if (!l->refusals)
		return out_of_memory();
	for (size_t i = 0; i < count && code == ERR_OK; i++) {
		print_subject(l, &about[i]);
		if (!print_verdicts(l, &about[i]))
			code = out_of_memory();
	}
	refusals_free(l->refusals);
	return code;
}

static int parse_subjects(struct subject about[], char *const name[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!subject_parse(&about[i], name[i]))
			return usage_fail("dynwatch lookup",
				"\"%s\" is not a domain name or an address", name[i]);
	}
	return ERR_OK;
}

static int print_all(struct lookup *l)
{
	size_t count = (size_t)l->args->name_count;
	struct subject *about = calloc(count, sizeof(*about));

	if (!about)
		return out_of_memory();
	int code = parse_subjects(about, l->args->name, count);
	if (code == ERR_OK)
		code = print_subjects(l, about, count);
	free(about);
	return code;
}

static bool has_tenant(const struct policy_set *set, const char *id)
{
	for (size_t i = 0; i < set->tenant_count; i++) {
		if (strcmp(set->tenant[i].id, id) == 0)
			return true;
	}
	return false;
}

static int lookup(const struct arguments *args)
{
	struct config *config = NULL;
	struct knowledge *known = NULL;
	struct load_options options = { .seed = hash_random_seed(),
		.cache = LOAD_CACHE_READ,
		.now_s = clock_wall_ns() / NS_PER_S };
	struct err_ctx why;
	enum err err = args->config ? config_load(&config, args->config, &why)
				    : config_builtin(&config, &why);
	int code;

	if (!err)
		err = load_knowledge(&known, config, &options, NULL, &why);
	if (err) {
		log_error("%s", why.text);
		code = (int)err;
	} else if (args->tenant && !has_tenant(known->policies, args->tenant)) {
		code = usage_fail(
			"dynwatch lookup", "--tenant %s: no tenant has that id", args->tenant);
	} else {
		struct lookup l = { .args = args,
			.known = known,
			.config = config,
			.registered = registered_new() };
		code = l.registered ? print_all(&l) : out_of_memory();
		registered_free(l.registered);
	}
	load_free(known);
	config_free(config);
	return code;
}

/* -1: go on; else the exit code. */
static int read_arguments(int argc, char **argv, struct arguments *args)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "tenant", required_argument, NULL, 't' },
		{ "client", required_argument, NULL, 'i' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":c:h", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			args->config = optarg;
			break;
		case 't':
			args->tenant = optarg;
			break;
		case 'i':
			args->client = optarg;
			break;
		case 'h':
			fputs(help, stdout);
			return 0;
		default:
			return usage_bad_option("dynwatch lookup", argv, option);
		}
	}
	args->name = argv + optind;
	args->name_count = argc - optind;
	if (args->client && !ip_parse(&args->client_ip, args->client))
		return usage_fail(
			"dynwatch lookup", "--client %s: not an address", args->client);
	return args->name_count ? -1 : usage_fail("dynwatch lookup", "a NAME is missing");
}

int lookup_command(int argc, char **argv)
{
	struct arguments args = { 0 };
	int done = read_arguments(argc, argv, &args);

	return done == -1 ? lookup(&args) : done;
}
