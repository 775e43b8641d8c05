/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/intake.h"

#include <stdio.h>

#include "feeds/plain.h"
#include "feeds/registered.h"

/* The line as it will be shown: number, printable ASCII, the rest as \xHH, cut to fit. */
static void write_sample(char out[FEED_SAMPLE_MAX], uint64_t number, struct span line)
{
	size_t len =
		(size_t)snprintf(out, FEED_SAMPLE_MAX, "%llu: ", (unsigned long long)number);

	for (size_t i = 0; i < line.len && len + 5 < FEED_SAMPLE_MAX; i++) {
		unsigned char c = (unsigned char)line.at[i];
		if (c >= 0x20 && c < 0x7f)
			out[len++] = (char)c;
		else
			len += (size_t)snprintf(out + len, 5, "\\x%02x", c);
	}
	out[len] = '\0';
}

void intake_reject(struct intake *in, enum feed_reject reject)
{
	uint64_t count = in->report->rejected[reject]++;

	if (count < FEED_SAMPLES_MAX)
		write_sample(in->report->sample[reject][count], in->report->lines, in->line);
}

void intake_next_entry(struct intake *in, struct span entry)
{
	in->line = entry;
	in->report->lines++;
}

struct span intake_json_text(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_string(value))
		return (struct span){ "", 0 };
	return (struct span){ json_string_value(value), json_string_length(value) };
}

/* Is the name listed as something that strangers share the names below of? */
static bool is_shared_suffix(
	const struct intake *in, const struct dns_name *name, uint64_t hash)
{
	const struct index *suffixes = in->target->provider_suffixes;
	uint32_t entry;
	size_t count;

	if (!suffixes)
		return false;
	if (index_seed(suffixes) != in->seed)
		hash = dns_name_hash(name, index_seed(suffixes));
	if (!index_find_hashed(suffixes, name, hash, &entry))
		return false;
	const struct mark *mark = index_marks(suffixes, entry, &count);
	for (size_t i = 0; i < count; i++) {
		if (mark[i].scope != SCOPE_EXACT)
			return true;
	}
	return false;
}

/* in-addr.arpa and its like are public suffixes by the letter, and what such a list is about. */
static bool is_reverse_zone(const struct intake *in, const struct dns_name *name)
{
	size_t len;

	return in->spec->kind == MARK_LOOKUP_SERVICE &&
	       memcmp(dns_name_suffix(name, 1, &len), "\4arpa", 6) == 0;
}

/*
 * The rails: what no list means when it says it. One label or an ICANN public suffix is refused
 * for every kind, an allow list's too: it would decide over a whole top-level domain. A suffix
 * that strangers share is refused as malicious only; for the other kinds it is the normal case.
 */
static enum feed_reject check_rails(const struct intake *in, const struct dns_name *name,
	uint64_t hash, enum mark_kind kind)
{
	if (name->label_count == 1)
		return FEED_REJECT_SINGLE_LABEL;
	enum registered_section section = registered_suffix_section(name);
	if (section == REGISTERED_ICANN_SUFFIX && !is_reverse_zone(in, name))
		return FEED_REJECT_PUBLIC_SUFFIX;
	if (kind != MARK_MALICIOUS || in->spec->allow_broad)
		return FEED_REJECT_COUNT;
	if (section == REGISTERED_PRIVATE_SUFFIX || is_shared_suffix(in, name, hash))
		return FEED_REJECT_BROAD;
	return FEED_REJECT_COUNT;
}

const char *intake_text(struct span text, char copy[FACTS_TEXT_MAX + 1])
{
	text = span_trim(text);
	if (text.len > FACTS_TEXT_MAX)
		text.len = FACTS_TEXT_MAX;
	memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	return *copy ? copy : NULL;
}

static bool has_ended(const struct intake *in)
{
	return in->facts && in->facts->until_s != 0 && in->spec->now_s > 0 &&
	       in->facts->until_s <= in->spec->now_s;
}

/* The facts go behind their entry. Once there is enough of all, it is handed over. */
static void pass_harvest(struct intake *in, enum mark_kind kind)
{
	if (in->facts && (kind == MARK_MALICIOUS || kind == MARK_ALLOW))
		harvest_add_facts(in->harvest, in->facts);
	if (in->harvest->failed)
		in->stop = true;
	else if (in->harvest->len >= in->harvest_max)
		in->hand_over(in);
}

static bool is_below_own(const struct intake *in, const struct dns_name *name)
{
	const struct index *own = in->target->own_suffixes;
	struct index_hit hit[INDEX_HITS_MAX];
	size_t count = index_match_name(own, name, hit), marks;

	for (size_t i = 0; i < count && hit[i].labels < name->label_count; i++) {
		const struct mark *mark = index_marks(own, hit[i].entry, &marks);
		for (size_t k = 0; k < marks; k++) {
			if (mark[k].kind == MARK_ZONE || mark[k].kind == MARK_SEARCH_SUFFIX)
				return true;
		}
	}
	return false;
}

/* Either somebody's host was taken over, or the list is wrong: the operator wants to know. */
static void note_own_name(struct intake *in, const struct dns_name *name)
{
	struct feed_report *report = in->report;

	if (report->own_names < FEED_SAMPLES_MAX) {
		struct feed_own_name *own = &report->own_name[report->own_names];
		own->line = report->lines;
		own->wire_len = name->wire_len;
		memcpy(own->wire, name->wire, name->wire_len);
	}
	report->own_names++;
}

/* What was understood, and is not taken. */
static void refuse(struct intake *in, struct feed_refusal refusal)
{
	const struct feed_watch *watch = in->target->watch;

	refusal.line = in->report->lines;
	intake_reject(in, refusal.reject);
	if (watch && watch->refused)
		watch->refused(watch->arg, &refusal);
}

/* Is somebody looking for this one? */
static bool is_watched_name(const struct feed_watch *watch, const struct dns_name *name)
{
	return watch->found && watch->name && dns_name_equal(watch->name, name);
}

static bool is_watched_network(const struct feed_watch *watch, const struct ip_net *net)
{
	return watch->found && !watch->name && watch->net.bits == net->bits &&
	       ip_equal(&watch->net.base, &net->base);
}

/* What passes the rails goes into the harvest. */
static void add_name(struct intake *in, const struct dns_name *name, enum mark_scope scope,
	enum mark_kind kind, uint32_t detail)
{
	uint64_t hash = dns_name_hash(name, in->seed);
	enum feed_reject reject = check_rails(in, name, hash, kind);

	if (reject == FEED_REJECT_COUNT && name->label_count > INDEX_LABELS_MAX)
		reject = FEED_REJECT_TOO_DEEP;
	if (reject == FEED_REJECT_COUNT && has_ended(in))
		reject = FEED_REJECT_EXPIRED;
	if (reject != FEED_REJECT_COUNT) {
		refuse(in, (struct feed_refusal){
				   .reject = reject, .name = name, .scope = scope });
		return;
	}
	if (UNLIKELY(in->target->watch)) {
		const struct feed_watch *watch = in->target->watch;
		if (is_watched_name(watch, name))
			watch->found(watch->arg, in->report->lines);
		return;
	}
	const struct mark mark = { .kind = (uint8_t)kind,
		.scope = (uint8_t)scope,
		.source = in->source,
		.detail = detail };
	if (kind == MARK_MALICIOUS && in->target->own_suffixes && is_below_own(in, name))
		note_own_name(in, name);
	harvest_add_name(in->harvest, name, hash, mark);
	pass_harvest(in, kind);
}

void intake_network(struct intake *in, const struct ip_net *net, enum mark_kind kind)
{
	enum feed_reject reject = FEED_REJECT_COUNT;

	if (!in->target->addresses || intake_formats[in->format].names_only ||
		(kind != MARK_MALICIOUS && kind != MARK_ALLOW))
		reject = FEED_REJECT_ADDRESS;
	else if (kind == MARK_MALICIOUS)
		reject = feed_check_address(net, in->spec->allow_broad);
	if (reject == FEED_REJECT_COUNT && has_ended(in))
		reject = FEED_REJECT_EXPIRED;
	if (reject != FEED_REJECT_COUNT) {
		refuse(in, (struct feed_refusal){ .reject = reject, .net = *net });
		return;
	}
	if (in->target->watch) {
		const struct feed_watch *watch = in->target->watch;
		if (is_watched_network(watch, net))
			watch->found(watch->arg, in->report->lines);
		return;
	}
	const struct mark mark = { .kind = (uint8_t)kind, .source = in->source };
	harvest_add_network(in->harvest, net, mark);
	pass_harvest(in, kind);
}

static void add_address(struct intake *in, struct span text, enum mark_kind kind)
{
	struct ip_net net;
	enum feed_reject reject = feed_normalise_address(&net, text.at, text.len);

	if (reject == FEED_REJECT_COUNT)
		intake_network(in, &net, kind);
	else
		intake_reject(in, reject);
}

static void add(struct intake *in, struct span text, enum mark_kind kind, uint32_t detail)
{
	enum mark_scope scope = in->scope;
	struct dns_name name;

	enum feed_reject reject = feed_normalise(&name, &scope, text.at, text.len);
	if (reject == FEED_REJECT_COUNT)
		add_name(in, &name, scope, kind, detail);
	else if (reject == FEED_REJECT_ADDRESS)
		add_address(in, text, kind);
	else
		intake_reject(in, reject);
}

bool intake_bare_name(struct intake *in, struct span text)
{
	struct dns_name name;

	if (!plain_name(&name, text))
		return false;
	add_name(in, &name, in->spec->scope, in->spec->kind, in->detail);
	return true;
}

void intake_name(struct intake *in, struct span text, uint32_t detail)
{
	add(in, text, in->spec->kind, detail);
}

void intake_address(struct intake *in, struct span text)
{
	add_address(in, text, in->spec->kind);
}

void intake_exception(struct intake *in, struct span text)
{
	if (in->spec->kind == MARK_MALICIOUS || in->spec->kind == MARK_ALLOW)
		add(in, text, MARK_ALLOW, 0);
	else
		intake_reject(in, FEED_REJECT_EXCEPTION);
}
