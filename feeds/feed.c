/* SPDX-License-Identifier: BSD-2-Clause */
#include "feeds/intake.h"

#include "sensor/base/decompress.h"
#include "sensor/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_BYTES 65536

static const struct format {
	const char *name;
	void (*read_line)(struct intake *in, struct span line);
	const size_t *state_bytes;         /* for in->state; NULL: none */
	void (*finish)(struct intake *in); /* after the last line; may be NULL */
	/* Instead of lines, if the content is one JSON text; without read_line it must be. */
	void (*read_document)(struct intake *in, const json_t *document);
} formats[FEED_FORMAT_COUNT] = {
	[FEED_AUTO] = { .name = "auto" },
	[FEED_DOMAINS] = { "domains", domains_read_line },
	[FEED_HOSTS] = { "hosts", hosts_read_line },
	[FEED_ADBLOCK] = { "adblock", adblock_read_line },
	[FEED_RPZ] = { "rpz", rpz_read_line, &rpz_state_bytes, rpz_finish },
	[FEED_CSV] = { "csv", csv_read_line, &csv_state_bytes, csv_finish },
	[FEED_URLS] = { "urls", urls_read_line },
	[FEED_DNSMASQ] = { "dnsmasq", dnsmasq_read_line },
	[FEED_UNBOUND] = { "unbound", unbound_read_line },
	[FEED_MALTRAIL] = { "maltrail", maltrail_read_line },
	[FEED_SURICATA] = { "suricata", suricata_read_line },
	[FEED_MISP] = { "misp", csv_read_line, &csv_state_bytes, csv_finish,
		misp_read_document },
	[FEED_STIX] = { "stix", NULL, NULL, NULL, stix_read_document },
	[FEED_SHIPPED] = { "shipped", list_read_line },
};

static const struct {
	const char *name;
	bool broken;
	const char *meaning;
} rejects[FEED_REJECT_COUNT] = {
#define FEED_REJECT(id, text, damage, explanation)                                             \
	[FEED_REJECT_##id] = { text, damage, explanation },
#include "feeds/rejects.def"
#undef FEED_REJECT
};

/* The content as it streams by: lines end in LF, CR or CR LF. */
struct stream {
	struct intake *in;
	bool is_document;
	struct text document;
	bool started;  /* something was read: the byte order mark is behind */
	bool after_cr; /* a LF now belongs to the line before */
	bool too_long;
	size_t len;
	char line[FEED_LINE_MAX];
};

/* What comes before the next CR or LF. Octet by octet: with memchr, a file of CRs alone would be
 * searched to its end for every line. */
static struct span first_line(struct span s)
{
	size_t len = 0;

	while (len < s.len && s.at[len] != '\n' && s.at[len] != '\r')
		len++;
	return (struct span){ .at = s.at, .len = len };
}

static void end_line(struct stream *s)
{
	struct intake *in = s->in;

	in->line = (struct span){ .at = s->line, .len = s->len };
	in->report->lines++;
	if (s->too_long)
		intake_reject(in, FEED_REJECT_LINE_TOO_LONG);
	else if (memchr(s->line, '\0', s->len))
		intake_reject(in, FEED_REJECT_NUL_BYTE);
	else
		formats[in->report->format].read_line(in, in->line);
	s->len = 0;
	s->too_long = false;
}

static void add_to_line(struct stream *s, struct span piece)
{
	size_t room = sizeof(s->line) - s->len;

	if (piece.len > room) {
		s->too_long = true;
		piece.len = room;
	}
	memcpy(s->line + s->len, piece.at, piece.len);
	s->len += piece.len;
}

static void read_chunk(struct stream *s, struct span chunk)
{
	s->in->report->bytes += chunk.len;
	if (!s->started && span_starts(chunk, "\xef\xbb\xbf"))
		chunk = span_skip(chunk, 3);
	s->started = true;
	while (chunk.len > 0 && !s->in->out_of_memory) {
		if (s->after_cr && chunk.at[0] == '\n')
			chunk = span_skip(chunk, 1);
		s->after_cr = false;
		struct span piece = first_line(chunk);
		add_to_line(s, piece);
		if (piece.len == chunk.len)
			return;
		s->after_cr = chunk.at[piece.len] == '\r';
		chunk = span_skip(chunk, piece.len + 1);
		end_line(s);
	}
}

/* Keep the text until it is whole. */
static enum err add_to_document(struct stream *s, struct span chunk, struct err_ctx *why)
{
	s->in->report->bytes += chunk.len;
	if (!s->started && span_starts(chunk, "\xef\xbb\xbf"))
		chunk = span_skip(chunk, 3);
	s->started = true;
	if (chunk.len > FEED_DOCUMENT_MAX - s->document.len)
		return err_set(why, ERR_USAGE, "%s: more than %zu MiB of JSON",
			s->in->spec->path, FEED_DOCUMENT_MAX >> 20);
	text_add(&s->document, chunk.at, chunk.len);
	s->in->out_of_memory = s->document.failed;
	return ERR_OK;
}

static enum err read_document(struct stream *s, struct err_ctx *why)
{
	json_error_t error;
	/* A NUL in a text costs that text alone. */
	json_t *document = json_loadb(s->document.at, s->document.len, JSON_ALLOW_NUL, &error);

	if (!document)
		return err_set(why, ERR_USAGE, "%s:%d:%d: %s", s->in->spec->path, error.line,
			error.column, error.text);
	formats[s->in->report->format].read_document(s->in, document);
	json_decref(document);
	return ERR_OK;
}

static enum err read_piece(struct stream *s, struct span piece, struct err_ctx *why)
{
	if (s->is_document)
		return add_to_document(s, piece, why);
	read_chunk(s, piece);
	return ERR_OK;
}

static void finish_lines(struct stream *s)
{
	const struct format *format = &formats[s->in->report->format];

	if ((s->len > 0 || s->too_long) && !s->in->out_of_memory)
		end_line(s);
	if (s->started && format->finish && !s->in->out_of_memory)
		format->finish(s->in);
}

static enum err finish(struct stream *s, struct err_ctx *why)
{
	if (s->is_document && !s->in->out_of_memory)
		return read_document(s, why);
	if (!s->is_document)
		finish_lines(s);
	return ERR_OK;
}

static bool starts_document(struct span start)
{
	if (span_starts(start, "\xef\xbb\xbf"))
		start = span_skip(start, 3);
	start = span_trim(start);
	return span_starts(start, "{") || span_starts(start, "[");
}

/* The format, chosen once the start of the content is at hand. */
static enum err choose_format(struct stream *s, struct span start, struct err_ctx *why)
{
	struct intake *in = s->in;
	enum feed_format format = in->spec->format;

	if (format == FEED_AUTO)
		format = recognise_format(start);
	in->report->format = format;
	s->is_document = formats[format].read_document &&
			 (!formats[format].read_line || starts_document(start));
	if (!formats[format].state_bytes)
		return ERR_OK;
	in->state = calloc(1, *formats[format].state_bytes);
	return in->state ? ERR_OK
			 : err_set(why, ERR_FAILED, "feed %s: out of memory", in->spec->name);
}

static int open_feed(
	const struct feed_spec *spec, struct feed_report *report, struct err_ctx *why)
{
	struct stat st;
	/* O_NONBLOCK: a named pipe must not hang the start. */
	int fd = open(spec->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd == -1) {
		err_set(why, ERR_USAGE, "%s: %s", spec->path, strerror(errno));
		return -1;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		report->modified_s = st.st_mtim.tv_sec;
		return fd;
	}
	err_set(why, ERR_USAGE, "%s: not a regular file", spec->path);
	close(fd);
	return -1;
}

static ssize_t read_fd(void *arg, void *buf, size_t size)
{
	ssize_t got;

	do
		got = read(*(const int *)arg, buf, size);
	while (got == -1 && errno == EINTR);
	return got;
}

/* Fill the chunk unless the file ends before; -1: d->why or errno. */
static ssize_t fill(struct decompress *d, char chunk[CHUNK_BYTES])
{
	size_t len = 0;

	while (len < CHUNK_BYTES) {
		ssize_t got = decompress_read(d, chunk + len, CHUNK_BYTES - len);
		if (got == -1)
			return -1;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	return (ssize_t)len;
}

/* One chunk; *end when there was none. */
static enum err read_next(
	struct stream *s, struct decompress *d, bool *end, struct err_ctx *why)
{
	char chunk[CHUNK_BYTES];
	const char *path = s->in->spec->path;
	enum err err = ERR_OK;

	ssize_t got = fill(d, chunk);
	*end = got == 0;
	if (got == 0)
		return ERR_OK;
	if (got == -1)
		return err_set(
			why, ERR_USAGE, "%s: %s", path, d->why[0] ? d->why : strerror(errno));
	if (s->in->report->bytes > FEED_BYTES_MAX - (size_t)got)
		return err_set(
			why, ERR_USAGE, "%s: more than %zu GiB", path, FEED_BYTES_MAX >> 30);
	struct span piece = { .at = chunk, .len = (size_t)got };
	if (!s->started)
		err = choose_format(s, piece, why);
	return err ? err : read_piece(s, piece, why);
}

static enum err read_file(struct stream *s, const struct feed_spec *spec, struct err_ctx *why)
{
	int fd = open_feed(spec, s->in->report, why);
	struct decompress d = { .read = read_fd, .arg = &fd };
	enum err err = ERR_OK;
	bool end = false;

	if (fd == -1)
		return ERR_USAGE;
	while (!err && !end && !s->in->out_of_memory)
		err = read_next(s, &d, &end, why);
	decompress_deinit(&d);
	close(fd);
	return err;
}

static enum err read_content(
	struct stream *s, const struct feed_spec *spec, struct err_ctx *why)
{
	struct span content = { .at = spec->content, .len = spec->content_len };

	if (content.len == 0)
		content.len = strlen(content.at);
	struct span start = content;
	if (start.len > CHUNK_BYTES)
		start.len = CHUNK_BYTES;
	enum err err = choose_format(s, start, why);
	return err ? err : read_piece(s, content, why);
}

/* The provider of lines that do not name one. */
static enum err find_provider(struct intake *in, struct err_ctx *why)
{
	const struct feed_spec *spec = in->spec;
	const char *id = spec->provider ? spec->provider : spec->name;

	if (!intake_has_provider(spec->kind) || spec->format == FEED_SHIPPED)
		return ERR_OK;
	in->detail = provider_register(in->target->providers, id, spec->tier);
	if (in->detail != PROVIDER_NONE)
		return ERR_OK;
	return err_set(why, ERR_USAGE,
		"feed %s: \"%s\" cannot be a provider's id (1 to 63 of a-z 0-9 . _ -)",
		spec->name, id);
}

enum err feed_load(struct feed_target *target, const struct feed_spec *spec, uint16_t source,
	struct feed_report *report, struct err_ctx *why)
{
	struct intake in = {
		.target = target, .spec = spec, .report = report, .source = source
	};
	struct stream stream;

	/* An empty file has no start to recognise. */
	*report = (struct feed_report){ .format = spec->format ? spec->format : FEED_DOMAINS };
	enum err err = find_provider(&in, why);
	if (err != ERR_OK)
		return err;
	stream.in = &in;
	stream.started = stream.after_cr = stream.too_long = false;
	stream.len = 0;
	stream.is_document = false;
	stream.document = (struct text){ 0 };
	err = spec->content ? read_content(&stream, spec, why) : read_file(&stream, spec, why);
	if (err == ERR_OK)
		err = finish(&stream, why);
	text_deinit(&stream.document);
	free(in.state);
	if (in.out_of_memory)
		err = err_set(why, ERR_FAILED, "feed %s: out of memory at line %llu",
			spec->name, (unsigned long long)report->lines);
	return err;
}

uint64_t feed_report_accepted(const struct feed_report *r)
{
	return r->accepted[SCOPE_SUFFIX] + r->accepted[SCOPE_EXACT] + r->accepted[SCOPE_BELOW];
}

uint64_t feed_report_rejected(const struct feed_report *r)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < FEED_REJECT_COUNT; i++)
		sum += r->rejected[i];
	return sum;
}

const char *feed_format_name(enum feed_format format)
{
	return format < FEED_FORMAT_COUNT ? formats[format].name : "unknown";
}

bool feed_format_parse(enum feed_format *out, const char *text)
{
	for (size_t i = 0; i < FEED_FORMAT_COUNT; i++) {
		if (strcmp(text, formats[i].name) == 0) {
			*out = (enum feed_format)i;
			return true;
		}
	}
	return false;
}

const char *feed_reject_name(enum feed_reject reject)
{
	return reject < FEED_REJECT_COUNT ? rejects[reject].name : "accepted";
}

const char *feed_reject_meaning(enum feed_reject reject)
{
	return reject < FEED_REJECT_COUNT ? rejects[reject].meaning : "taken";
}

bool feed_reject_is_broken(enum feed_reject reject)
{
	return reject < FEED_REJECT_COUNT && rejects[reject].broken;
}
