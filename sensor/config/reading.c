/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/config/reading.h"

#include "feeds/feed.h"
#include "sensor/base/clock.h"
#include "sensor/base/nearest.h"
#include "sensor/base/quantity.h"
#include "sensor/dns/name.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define SOCKET_PATH_MAX ((int)sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

static void fail(struct reading *r, struct place_mark at, const struct path *path,
	const char *format, va_list args) __attribute__((format(printf, 4, 0)));
static void fail(struct reading *r, struct place_mark at, const struct path *path,
	const char *format, va_list args)
{
	char key[PATH_TEXT_MAX], what[512];

	if (r->err)
		return;
	vsnprintf(what, sizeof(what), format, args);
	path_format(path, key);
	r->err = err_set(r->why, ERR_USAGE, "%s:%u:%u: %s%s%s", r->name, at.line, at.column,
		key, key[0] ? ": " : "", what);
}

void reading_fail(struct reading *r, const struct path *path, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fail(r, place_find(r->places, path), path, format, args);
	va_end(args);
}

static struct config_option option_of(const struct part *part, enum config_option_id id)
{
	return config_section_key(part->section, id - config_section_first(part->section));
}

struct path reading_key(const struct part *part, enum config_option_id id)
{
	return path_key(part->path, option_of(part, id).key);
}

void reading_fail_key(struct reading *r, const struct part *part, enum config_option_id id,
	const char *format, ...)
{
	struct path path = reading_key(part, id);
	va_list args;

	va_start(args, format);
	fail(r, place_find(r->places, &path), &path, format, args);
	va_end(args);
}

void reading_out_of_memory(struct reading *r)
{
	if (!r->err)
		r->err = err_set(r->why, ERR_FAILED, "%s: out of memory", r->name);
}

struct place_mark reading_mark(
	const struct reading *r, const struct part *part, enum config_option_id id)
{
	struct path path = reading_key(part, id);

	return place_find(r->places, &path);
}

struct raw reading_raw(const struct part *part, enum config_option_id id)
{
	if (!part->raw)
		return (struct raw){ 0 };
	return part->raw[id - config_section_first(part->section)];
}

bool reading_has(const struct part *part, enum config_option_id id)
{
	return reading_raw(part, id).at != NULL;
}

bool reading_is_empty(
	const struct reading *r, const struct part *part, enum config_option_id id)
{
	struct path path = reading_key(part, id);

	return place_is_empty_list(r->places, &path);
}

struct part reading_one(const struct part *part, enum config_option_id id, struct path *path)
{
	struct config_option option = option_of(part, id);

	*path = path_key(part->path, option.key);
	return (struct part){ reading_raw(part, id).at, option.part, path };
}

struct part reading_item(const struct part *part, enum config_option_id id, size_t i,
	struct path *list, struct path *item)
{
	struct config_option option = option_of(part, id);
	const struct raw *first = reading_raw(part, id).at;

	*list = path_key(part->path, option.key);
	*item = path_item(list, i);
	return (struct part){
		first + i * config_section_key_count(option.part),
		option.part,
		item,
	};
}

/* --- one value ----------------------------------------------------------------------------- */

/* The text of the value: as given, or the table's default; NULL when there is neither. */
static const char *text_of(const struct part *part, enum config_option_id id)
{
	const char *given = reading_raw(part, id).at;

	return given ? given : option_of(part, id).initial;
}

static bool count_read(struct reading *r, const struct config_option *option,
	const struct path *path, const char *text, uint64_t *out)
{
	uint64_t min = 0, max = UINT64_MAX;
	const char *unit = option->type == CONFIG_TYPE_COUNT ? option->unit : "";

	if (!quantity_parse_count(&min, option->min) ||
		!quantity_parse_count(&max, option->max) || !quantity_parse_count(out, text)) {
		reading_fail(r, path, "\"%.80s\" is not a whole number from %s to %s", text,
			option->min, option->max);
		return false;
	}
	if (*out < min || *out > max) {
		reading_fail(r, path, "%.80s is out of range: must be from %s to %s%s%s", text,
			option->min, option->max, unit[0] ? " " : "", unit);
		return false;
	}
	return true;
}

uint64_t reading_count(struct reading *r, const struct part *part, enum config_option_id id)
{
	struct config_option option = option_of(part, id);
	struct path path = reading_key(part, id);
	uint64_t count = 0;

	if (r->err || !count_read(r, &option, &path, text_of(part, id), &count))
		return 0;
	return count;
}

int64_t reading_duration(struct reading *r, const struct part *part, enum config_option_id id)
{
	struct config_option option = option_of(part, id);
	const char *text = text_of(part, id);
	int64_t ns = 0, min = 0, max = INT64_MAX;

	if (r->err)
		return 0;
	if (!quantity_parse_duration(&min, option.min) ||
		!quantity_parse_duration(&max, option.max) ||
		!quantity_parse_duration(&ns, text)) {
		reading_fail_key(r, part, id,
			"\"%.80s\" is not a duration (90s, 5m, 1h30m, 7d) from %s to %s", text,
			option.min, option.max);
		return 0;
	}
	if (ns < min || ns > max)
		reading_fail_key(r, part, id, "%.80s is out of range: must be from %s to %s",
			text, option.min, option.max);
	return ns;
}

bool reading_bool(struct reading *r, const struct part *part, enum config_option_id id)
{
	const char *text = text_of(part, id);
	bool on = false;

	if (!r->err && !quantity_parse_bool(&on, text))
		reading_fail_key(r, part, id, "\"%.80s\" is not true or false", text);
	return on;
}

int64_t reading_day(struct reading *r, const struct part *part, enum config_option_id id)
{
	const char *text = reading_raw(part, id).at;
	int64_t ns = INT64_MAX;

	if (text && !r->err && !clock_parse_day_end(&ns, text))
		reading_fail_key(
			r, part, id, "\"%.80s\" is not a day written YYYY-MM-DD", text);
	return ns;
}

/* "a, b or c" out of "a|b|c". */
static void list_words(const char *words, struct text *out)
{
	while (*words) {
		size_t len = strcspn(words, "|");
		const char *rest = words + len;
		bool last = !strchr(*rest ? rest + 1 : rest, '|');
		text_add(out, words, len);
		if (*rest)
			text_puts(out, last ? " or " : ", ");
		words = *rest ? rest + 1 : rest;
	}
}

static void offer_words(struct nearest *near, const char *words, char (*buffer)[NEAREST_MAX])
{
	while (*words) {
		size_t len = strcspn(words, "|");
		char word[NEAREST_MAX];
		snprintf(word, sizeof(word), "%.*s", (int)len, words);
		const char *before = near->word;
		nearest_offer(near, word);
		if (near->word != before) { /* it keeps pointers, so give it one that stays */
			memcpy(*buffer, word, sizeof(word));
			near->word = *buffer;
		}
		words += len + (words[len] != '\0');
	}
}

static void fail_choice(
	struct reading *r, const struct part *part, enum config_option_id id, const char *text)
{
	const char *words = option_of(part, id).unit;
	struct nearest near = nearest_to(text);
	char best[NEAREST_MAX];
	struct text list = { 0 };

	offer_words(&near, words, &best);
	list_words(words, &list);
	if (near.word)
		reading_fail_key(r, part, id, "\"%.80s\" is not %s; did you mean \"%s\"?", text,
			list.at ? list.at : "", near.word);
	else
		reading_fail_key(
			r, part, id, "\"%.80s\" is not %s", text, list.at ? list.at : "");
	text_deinit(&list);
}

unsigned reading_choice(struct reading *r, const struct part *part, enum config_option_id id)
{
	const char *text = text_of(part, id);
	unsigned choice = 0;

	if (!r->err && !config_choice_find(&choice, option_of(part, id).unit, text))
		fail_choice(r, part, id, text);
	return choice;
}

static char *copy(struct reading *r, const char *text)
{
	char *new = strdup(text);

	if (!new)
		reading_out_of_memory(r);
	return new;
}

char *reading_text(struct reading *r, const struct part *part, enum config_option_id id)
{
	const char *text = text_of(part, id);

	return r->err || !text ? NULL : copy(r, text);
}

char *reading_text_or(struct reading *r, const struct part *part, enum config_option_id id,
	const char *otherwise)
{
	if (reading_has(part, id))
		return reading_text(r, part, id);
	return r->err ? NULL : copy(r, otherwise);
}

char *reading_id(struct reading *r, const struct part *part, enum config_option_id id)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";
	const char *text = text_of(part, id);

	if (r->err)
		return NULL;
	if (!*text || strlen(text) > 63 || text[strspn(text, allowed)]) {
		reading_fail_key(r, part, id,
			"\"%.80s\" must be 1 to 63 letters, digits and . _ - without spaces",
			text);
		return NULL;
	}
	return copy(r, text);
}

char *reading_provider(struct reading *r, const struct part *part, enum config_option_id id)
{
	char *text = reading_id(r, part, id);

	if (text && text[strcspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")])
		reading_fail_key(r, part, id,
			"\"%.80s\": ids of providers are written in lower case", text);
	return text;
}

char *reading_path(struct reading *r, const struct part *part, enum config_option_id id)
{
	const char *text = reading_raw(part, id).at;
	const char *slash = strrchr(r->name, '/');
	struct text path = { 0 };

	if (r->err || !text)
		return NULL;
	if (!*text) {
		reading_fail_key(r, part, id, "empty; a path is expected");
		return NULL;
	}
	if (*text != '/' && slash)
		text_add(&path, r->name, (size_t)(slash - r->name) + 1);
	text_puts(&path, text);
	if (path.failed)
		reading_out_of_memory(r);
	return path.at;
}

char *reading_socket(struct reading *r, const struct part *part, enum config_option_id id)
{
	char *path = reading_path(r, part, id);

	if (path && strlen(path) > SOCKET_PATH_MAX)
		reading_fail_key(r, part, id, "the path of a socket has at most %d characters",
			SOCKET_PATH_MAX);
	return path;
}

static bool is_ascii(const char *text)
{
	while (*text && !(*text & 0x80))
		text++;
	return !*text;
}

/* Text to a name; what is not ASCII goes the way of the feeds, which know IDNA. */
static bool name_parse(struct dns_name *out, const char *text)
{
	enum mark_scope scope = SCOPE_SUFFIX;

	if (is_ascii(text))
		return dns_name_parse(out, text) && out->label_count > 0;
	return feed_normalise(out, &scope, text, strlen(text)) == FEED_REJECT_COUNT &&
	       scope == SCOPE_SUFFIX;
}

/* "*.x" keeps its star when `star` allows it. */
static char *name_read(
	struct reading *r, const struct path *path, const char *text, bool star_allowed)
{
	bool star = strncmp(text, "*.", 2) == 0;
	const char *bare = star ? text + 2 : text;
	struct dns_name name;
	char out[DNS_NAME_TEXT_MAX + 2] = "*.";

	if (r->err)
		return NULL;
	if (star && !star_allowed) {
		reading_fail(r, path, "\"%.200s\": names below are meant already; write %.200s",
			text, bare);
		return NULL;
	}
	/* Spaces and slashes are legal octets of a name, but here only ever a mistake. */
	if (strpbrk(bare, " \t/:*") || !name_parse(&name, bare)) {
		reading_fail(r, path, "\"%.200s\" is not a domain name%s", text,
			star_allowed ? ", nor *. and one" : "");
		return NULL;
	}
	if (name.label_count > INDEX_LABELS_MAX) {
		reading_fail(
			r, path, "\"%.200s\" has more than %d labels", text, INDEX_LABELS_MAX);
		return NULL;
	}
	dns_name_format(&name, out + 2);
	return copy(r, star ? out : out + 2);
}

char *reading_name(struct reading *r, const struct part *part, enum config_option_id id)
{
	struct path path = reading_key(part, id);
	const char *text = reading_raw(part, id).at;

	return text ? name_read(r, &path, text, false) : NULL;
}

/* --- lists --------------------------------------------------------------------------------- */

void *reading_array(struct reading *r, size_t count, size_t size)
{
	void *array = count && !r->err ? calloc(count, size) : NULL;

	if (count && !array)
		reading_out_of_memory(r);
	return array;
}

static int compare_numbers(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, c = *(const uint32_t *)right;

	return (a > c) - (a < c);
}

static void refuse_twins(
	struct reading *r, const struct path *path, const uint32_t *number, size_t count)
{
	uint32_t *sorted = reading_array(r, count, sizeof(*sorted));

	if (!sorted)
		return;
	memcpy(sorted, number, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), compare_numbers);
	for (size_t i = 1; i < count; i++) {
		if (sorted[i] == sorted[i - 1])
			reading_fail(r, path, "%u stands twice", sorted[i]);
	}
	free(sorted);
}

uint32_t *reading_counts(
	struct reading *r, const struct part *part, enum config_option_id id, size_t *count)
{
	struct config_option option = option_of(part, id);
	struct path list_path = reading_key(part, id);
	struct raw list = reading_raw(part, id);
	bool given = list.at != NULL;

	*count = 0;
	if (!given && !option.initial[0])
		return NULL;
	uint32_t *number = reading_array(r, given ? list.count : 1, sizeof(*number));
	if (!number)
		return NULL;
	for (size_t i = 0; i < (given ? list.count : 1); i++) {
		struct path path = path_item(&list_path, i);
		uint64_t value = 0;
		if (!count_read(r, &option, &path, given ? raw_item(&list, i) : option.initial,
			    &value))
			break;
		number[(*count)++] = (uint32_t)value;
	}
	refuse_twins(r, &list_path, number, *count);
	return number;
}

char **reading_texts(
	struct reading *r, const struct part *part, enum config_option_id id, size_t *count)
{
	struct path list_path = reading_key(part, id);
	struct raw list = reading_raw(part, id);
	char **text = reading_array(r, list.count, sizeof(*text));

	*count = 0;
	for (size_t i = 0; text && i < list.count; i++) {
		struct path path = path_item(&list_path, i);
		if (!*raw_item(&list, i))
			reading_fail(r, &path, "empty");
		text[i] = copy(r, raw_item(&list, i));
		*count = i + 1;
	}
	return text;
}

char **reading_names(struct reading *r, const struct part *part, enum config_option_id id,
	bool stars, size_t *count)
{
	struct path list_path = reading_key(part, id);
	struct raw list = reading_raw(part, id);
	char **name = reading_array(r, list.count, sizeof(*name));

	*count = 0;
	for (size_t i = 0; name && i < list.count; i++) {
		struct path path = path_item(&list_path, i);
		name[i] = name_read(r, &path, raw_item(&list, i), stars);
		*count = i + 1;
	}
	return name;
}

/* "10.1.2.3/16": say what was probably meant. */
static bool fail_host_bits(struct reading *r, const struct path *path, const char *text)
{
	const char *slash = strchr(text, '/');
	char address[IP_TEXT_MAX], meant[IP_NET_TEXT_MAX];
	struct ip ip;
	uint64_t bits;

	if (!slash || (size_t)(slash - text) >= sizeof(address) ||
		!quantity_parse_count(&bits, slash + 1))
		return false;
	snprintf(address, sizeof(address), "%.*s", (int)(slash - text), text);
	if (!ip_parse(&ip, address))
		return false;
	bits += strchr(address, ':') ? 0 : 96;
	if (bits > 128)
		return false;
	struct ip_net net = { .base = ip_masked(&ip, (unsigned)bits), .bits = (uint8_t)bits };
	reading_fail(r, path, "%.80s has host bits set; did you mean %s or %s?", text,
		ip_net_format(&net, meant), address);
	return true;
}

/* "NET" or, with `exclusions`, "!NET". */
static bool network_parse(struct reading *r, const struct path *path, const char *text,
	bool exclusions, struct ip_net *out)
{
	bool excluded = text[0] == '!';

	if (r->err)
		return false;
	if (excluded && !exclusions) {
		reading_fail(
			r, path, "\"%.80s\": exclusions with ! are not possible here", text);
		return false;
	}
	if (ip_net_parse(out, text + excluded))
		return true;
	if (!fail_host_bits(r, path, text + excluded))
		reading_fail(r, path,
			"\"%.80s\" is not a network (10.1.0.0/16, 2001:db8::/32) or address",
			text);
	return false;
}

struct ip_net *reading_selected(
	struct reading *r, const struct part *part, enum config_option_id id, size_t *count)
{
	struct path list_path = reading_key(part, id);
	struct raw list = reading_raw(part, id);
	struct ip_net *net = reading_array(r, list.count, sizeof(*net));

	*count = 0;
	for (size_t i = 0; net && i < list.count; i++) {
		struct path path = path_item(&list_path, i);
		if (!network_parse(r, &path, raw_item(&list, i), false, &net[i]))
			break;
		*count = i + 1;
	}
	return net;
}

void reading_networks(struct reading *r, const struct part *part, enum config_option_id id,
	struct ip_set *out)
{
	struct path list_path = reading_key(part, id);
	struct raw list = reading_raw(part, id);
	size_t excluded = 0;

	if (list.count > READING_NETWORKS_MAX)
		reading_fail(r, &list_path, "more than %d networks", READING_NETWORKS_MAX);
	for (size_t i = 0; !r->err && i < list.count; i++) {
		struct path path = path_item(&list_path, i);
		const char *text = raw_item(&list, i);
		struct ip_net net;
		if (network_parse(r, &path, text, true, &net) && !ip_set_add(out, text))
			reading_out_of_memory(r);
		excluded += text[0] == '!';
	}
	if (excluded && excluded == list.count)
		reading_fail(r, &list_path,
			"only exclusions, so that nobody is meant; begin with what they are "
			"exclusions from (0.0.0.0/0, \"::/0\")");
}

void reading_refuse_empty(struct reading *r, const struct part *part, enum config_option_id id)
{
	if (!r->err && reading_is_empty(r, part, id))
		reading_fail_key(
			r, part, id, "an empty list; leave the key out if all are meant");
}
