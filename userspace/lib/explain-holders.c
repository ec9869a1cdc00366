// SPDX-License-Identifier: MIT
/*
 * explain-holders: who has a device node open. /proc shows the files of our own
 * processes, and to root those of all.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "explain.h"

#define AVRING_HOLDERS_NODES 4

/**
 * struct avring_holders - nodes, and a process that may have one open
 * @nodes: their numbers
 * @n: how many
 * @hidden: the files of some process were not shown
 */
struct avring_holders {
	dev_t nodes[AVRING_HOLDERS_NODES];
	unsigned int n;
	bool hidden;
};

static bool avring_holders_match(const struct avring_holders *holders, const struct stat *file)
{
	for (unsigned int i = 0; i < holders->n; i++)
		if (S_ISCHR(file->st_mode) && file->st_rdev == holders->nodes[i])
			return true;
	return false;
}

/* Has the process one of the nodes open? */
static bool avring_holders_has(struct avring_holders *holders, const char *pid)
{
	char path[64];
	struct dirent *entry;
	struct stat file;
	bool found = false;
	DIR *files;

	snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
	files = opendir(path);
	if (!files) {
		holders->hidden |= errno == EACCES;
		return false;
	}
	while (!found && (entry = readdir(files)))
		found = !fstatat(dirfd(files), entry->d_name, &file, 0) &&
			avring_holders_match(holders, &file);
	closedir(files);
	return found;
}

static void avring_holders_name(const char *pid, char *name, size_t size)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.16s/comm", pid);
	file = fopen(path, "re");
	if (!file || !fgets(name, size, file))
		snprintf(name, size, "a process");
	name[strcspn(name, "\n")] = '\0';
	if (file)
		fclose(file);
}

static unsigned int avring_holders_list(struct avring_holders *holders,
					struct avring_refusal *refusal)
{
	DIR *processes = opendir("/proc");
	struct dirent *entry;
	unsigned int n = 0;
	char name[32];

	while (processes && (entry = readdir(processes))) {
		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    !avring_holders_has(holders, entry->d_name))
			continue;
		avring_holders_name(entry->d_name, name, sizeof(name));
		avring_explain_item(refusal, &n, "%s (pid %s%s)", name, entry->d_name,
				    atoi(entry->d_name) == getpid() ? ", this process" : "");
	}
	if (processes)
		closedir(processes);
	return n;
}

void avring_explain_holders(struct avring_refusal *refusal, char paths[][64], unsigned int n)
{
	struct avring_holders holders = { .n = 0 };
	struct stat file;

	for (unsigned int i = 0; i < n && holders.n < AVRING_HOLDERS_NODES; i++)
		if (!stat(paths[i], &file))
			holders.nodes[holders.n++] = file.st_rdev;
	avring_explain_say(refusal, "busy: open in ");
	if (avring_holders_list(&holders, refusal))
		return;
	avring_explain_say(refusal, holders.hidden ? "a process whose files only root can see" :
						     "no process; its memory may still be mapped");
}
