/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/capture/capture_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sensor/base/log.h"
#include "sensor/capture/file.h"

static enum err no_memory(struct err_ctx *why)
{
	return err_set(why, ERR_FAILED, "out of memory for the names of captures");
}

/* Takes the path over; NULL is out of memory. */
static enum err take_path(struct capture_files *c, char *path, struct err_ctx *why)
{
	char **more = path ? realloc(c->path, (c->count + 1) * sizeof(*more)) : NULL;

	if (!more) {
		free(path);
		return no_memory(why);
	}
	c->path = more;
	c->path[c->count++] = path;
	return ERR_OK;
}

static char *path_in(const char *directory, const char *name)
{
	size_t len = strlen(directory);
	const char *slash = len > 0 && directory[len - 1] == '/' ? "" : "/";
	char *path;

	return asprintf(&path, "%s%s%s", directory, slash, name) == -1 ? NULL : path;
}

/* Is this file of a directory meant? If not, a warning says why. */
static bool is_meant(const char *path)
{
	struct stat st;

	if (stat(path, &st) == -1) {
		log_warning("%s: skipped: %s", path, strerror(errno));
		return false;
	}
	if (!S_ISREG(st.st_mode)) {
		log_warning("%s: skipped: %s", path,
			S_ISDIR(st.st_mode) ? "a directory in a directory" : "no file");
		return false;
	}
	if (file_is_capture(path))
		return true;
	log_warning("%s: skipped: %s", path, errno ? strerror(errno) : "no capture file");
	return false;
}

static int by_path(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Every name in the directory that is not hidden, sorted. */
static enum err list(struct capture_files *names, const char *path, struct err_ctx *why)
{
	DIR *directory = opendir(path);
	enum err err = ERR_OK;

	if (!directory)
		return err_set(why, ERR_INPUT, "%s: %s", path, strerror(errno));
	for (const struct dirent *e; err == ERR_OK && (e = readdir(directory));)
		if (e->d_name[0] != '.')
			err = take_path(names, path_in(path, e->d_name), why);
	closedir(directory);
	if (names->count > 0)
		qsort(names->path, names->count, sizeof(*names->path), by_path);
	return err;
}

static enum err add_directory(struct capture_files *c, const char *path, struct err_ctx *why)
{
	struct capture_files names = { 0 };
	size_t before = c->count;
	enum err err = list(&names, path, why);

	for (size_t i = 0; err == ERR_OK && i < names.count; i++) {
		if (!is_meant(names.path[i]))
			continue;
		err = take_path(c, names.path[i], why);
		names.path[i] = NULL;
	}
	capture_files_deinit(&names);
	if (err == ERR_OK && c->count == before)
		err = err_set(why, ERR_INPUT, "%s: no capture file in this directory", path);
	return err;
}

enum err capture_files_add(struct capture_files *c, const char *path, struct err_ctx *why)
{
	struct stat st;

	if (strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return add_directory(c, path, why);
	return take_path(c, strdup(path), why);
}

void capture_files_deinit(struct capture_files *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->path[i]);
	free(c->path);
	*c = (struct capture_files){ 0 };
}
