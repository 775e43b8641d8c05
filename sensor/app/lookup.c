/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dynwatch lookup: what the sensor would make of a name.
 *
 * The verdict is not worked out here: a query for the name is shown to the very rules that judge
 * live traffic, once for each tenant, and their alerts are printed with the lines that would allow
 * them.
 */
#include "sensor/app/commands.h"

#include "feeds/registered.h"
#include "rules/judge.h"
#include "rules/verdict.h"
#include "sensor/app/load.h"
#include "sensor/app/usage.h"
#include "sensor/base/clock.h"
#include "sensor/base/hash.h"
#include "sensor/base/log.h"
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
	"Usage: dynwatch lookup [-c FILE] [--tenant T] [--client IP] NAME...\n"
	"Say what the sensor would make of each name: what lists say about it, its registered\n"
	"domain, the verdict for each tenant, and the lines that would allow it.\n"
	"\n"
	"  -c, --config FILE   the configuration; without it the shipped lists and one tenant\n"
	"      --tenant T      for this tenant only\n"
	"      --client IP     as if this client asked; without it one of the tenant's "
	"networks\n"
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
	struct registered *registered;
	struct alert *alert[ALERTS_MAX]; /* of the query just shown */
	size_t alert_count;
};

/* --- what lists say ------------------------------------------------------------------------ */

/* " for 10.1.4.0/24 until 2027-12-31" */
static void print_scope(const struct policy_approved *approved)
{
	char text[CLOCK_TEXT_MAX > IP_NET_TEXT_MAX ? CLOCK_TEXT_MAX : IP_NET_TEXT_MAX];

	for (size_t i = 0; i < approved->clients.count; i++)
		printf("%s%s%s", i ? ", " : " for ",
			approved->clients.entry[i].excluded ? "not " : "",
			ip_net_format(&approved->clients.entry[i].net, text));
	if (approved->until_ns != INT64_MAX)
		printf(" until %.10s", clock_format(approved->until_ns, text));
}

static void print_mark(const struct lookup *l, const char *listed, const struct mark *m)
{
	const struct knowledge *k = l->known;
	static const char *const scope[] = {
		[SCOPE_SUFFIX] = "and all below",
		[SCOPE_EXACT] = "alone",
		[SCOPE_BELOW] = "below only",
	};

	printf("  listed      %s (%s): %s", listed, scope[m->scope],
		mark_kind_name((enum mark_kind)m->kind));
	switch (m->kind) {
	case MARK_APPROVED:
		printf(" by tenant %s", k->policies->tenant[m->source].id);
		print_scope(&k->policies->tenant[m->source].approved[m->detail]);
		printf("\n");
		return;
	case MARK_ZONE:
	case MARK_SEARCH_SUFFIX:
		printf(" of tenant %s\n", k->policies->tenant[m->source].id);
		return;
	case MARK_PROVIDER:
	case MARK_TUNNEL:
	case MARK_UPDATE_HOST:
	case MARK_IP_CHECK:
		if (m->detail < provider_count(k->providers)) {
			const struct provider *p = provider_at(k->providers, m->detail);
			printf(" %s, tier %s", p->id, provider_tier_name(p->tier));
		}
		break;
	case MARK_MALICIOUS:
		printf(", severity %s", severity_name(k->feed[m->source].severity));
		break;
	default:
		break;
	}
	printf(", by %s\n", k->feed[m->source].name);
}

static void print_listed(const struct lookup *l, const struct dns_name *name)
{
	struct index_hit hit[INDEX_HITS_MAX];
	size_t hits = index_match_name(l->known->index, name, hit);
	char text[DNS_NAME_TEXT_MAX];

	for (size_t i = 0; i < hits; i++) {
		size_t count;
		const struct mark *mark = index_marks(l->known->index, hit[i].entry, &count);
		dns_name_format_suffix(name, hit[i].labels, text);
		for (size_t k = 0; k < count; k++) {
			if (mark_applies(&mark[k], hit[i].labels, name->label_count))
				print_mark(l, text, &mark[k]);
		}
	}
	if (hits == 0)
		printf("  listed      nowhere\n");
}

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
	memcpy(copy, a, alert_size(a));
	l->alert[l->alert_count++] = copy;
}

static void drop_alerts(struct lookup *l)
{
	for (size_t i = 0; i < l->alert_count; i++)
		free(l->alert[i]);
	l->alert_count = 0;
}

/* The query as an input thread would hand it on. Freed with free(); NULL: out of memory. */
static struct observation *make_query(const struct lookup *l, const struct dns_name *name,
	const struct ip *client, uint16_t tenant)
{
	struct observer observer = { .known = l->known };
	struct dns_message m = {
		.flags = DNS_FLAG_RD,
		.count = { 1, 0, 0, 0 },
		.has_question = true,
		.qtype = DNS_TYPE_A,
		.qclass = DNS_CLASS_IN,
		.qname = *name,
	};
	struct frame frame = { .ts_ns = clock_wall_ns() };
	struct packet packet = { .vni = PACKET_NO_VNI };
	struct parties who = {
		.client = *client,
		.client_port = CLIENT_PORT,
		.server_port = 53,
		.tenant = tenant,
	};
	struct observation *o = calloc(1, observe_bound(&m));

	if (!ip_parse(&who.server, FOREIGN_TEXT)) {
		free(o);
		return NULL;
	}
	if (o) {
		dns_name_hash_suffixes(
			&m.qname, index_seed(l->known->index), who.qname_hash, DNS_LABELS_MAX);
		observe_build(&observer, o, &frame, &packet, &who, &m);
	}
	return o;
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

/* Is the name approved, or a provider's own site? Said when there is no alert. */
static void print_silence(const struct lookup *l, const struct dns_name *name,
	const struct policy *tenant, const struct ip *client)
{
	struct index_hit hit[INDEX_HITS_MAX];
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
	struct lookup *l, const struct dns_name *name, const struct policy *tenant)
{
	struct ip client = client_of(l, tenant);
	char client_text[IP_TEXT_MAX];
	struct observation *query = make_query(l, name, &client, tenant->number);
	bool done = query && judge_query(l, query);

	free(query);
	if (!done)
		return false;
	printf("  %s, client %s: ", tenant->id, ip_format(&client, client_text));
	if (l->alert_count == 0)
		print_silence(l, name, tenant, &client);
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

static bool print_verdicts(struct lookup *l, const struct dns_name *name)
{
	const struct policy_set *set = l->known->policies;
	size_t asked = 0;

	for (size_t i = 0; i < set->tenant_count; i++) {
		if (!is_asked_for(l, &set->tenant[i]))
			continue;
		asked++;
		if (!print_verdict(l, name, &set->tenant[i]))
			return false;
	}
	return asked || print_verdict(l, name, &set->tenant[POLICY_UNMAPPED]);
}

/* --- the command --------------------------------------------------------------------------- */

/* A name as people type it: IDN, a URL's host and capitals are understood. */
static bool name_parse(struct dns_name *out, const char *text)
{
	enum mark_scope scope = SCOPE_SUFFIX;

	return feed_normalise(out, &scope, text, strlen(text)) == FEED_REJECT_COUNT ||
	       (dns_name_parse(out, text) && out->label_count > 0);
}

static int print_names(struct lookup *l)
{
	for (int i = 0; i < l->args->name_count; i++) {
		struct dns_name name;
		char text[DNS_NAME_TEXT_MAX];
		if (!name_parse(&name, l->args->name[i]))
			return usage_fail(
				"lookup", "\"%s\" is not a domain name", l->args->name[i]);
		dns_name_format(&name, text);
		printf("%s\n", text);
		print_registered(l, &name);
		print_listed(l, &name);
		if (!print_verdicts(l, &name)) {
			log_error("out of memory");
			return ERR_FAILED;
		}
	}
	return ERR_OK;
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
		code = usage_fail("lookup", "--tenant %s: no tenant has that id", args->tenant);
	} else {
		struct lookup l = {
			.args = args, .known = known, .registered = registered_new()
		};
		if (!l.registered)
			log_error("out of memory");
		code = l.registered ? print_names(&l) : ERR_FAILED;
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
			return usage_bad_option("lookup", argv, option);
		}
	}
	args->name = argv + optind;
	args->name_count = argc - optind;
	if (args->client && !ip_parse(&args->client_ip, args->client))
		return usage_fail("lookup", "--client %s: not an address", args->client);
	return args->name_count ? -1 : usage_fail("lookup", "a NAME is missing");
}

int lookup_command(int argc, char **argv)
{
	struct arguments args = { 0 };
	int done = read_arguments(argc, argv, &args);

	return done == -1 ? lookup(&args) : done;
}
