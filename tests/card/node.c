// SPDX-License-Identifier: MIT
/*
 * node: the first PCI card with its driver. See node.h.
 */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "module.h"
#include "node.h"
#include "tap.h"

#define NODE_DRIVER "/sys/bus/pci/drivers/avring-pci"
#define NODE_NUMBER NODE_DRIVER "/0000:*/avring/avring*"
#define NODE_FUNCTION "/sys/bus/pci/devices/0000:00:10.0/0000:*:00.0"

/* The first path that matches, or an empty string. */
static void node_match(const char *pattern, char *path, size_t size)
{
	glob_t found;

	*path = '\0';
	if (glob(pattern, 0, NULL, &found))
		return;
	snprintf(path, size, "%s", found.gl_pathv[0]);
	globfree(&found);
}

const char *node_missing(void)
{
	char path[256];

	node_match(NODE_NUMBER, path, sizeof(path));
	return *path ? NULL : "no PCI card with a driver: tests/vm/run --card 1";
}

void node_find(struct node *node)
{
	char path[256];
	int fd;

	node_match(NODE_NUMBER, path, sizeof(path));
	tap_check(*path, NODE_NUMBER ": expected a card, got none");
	snprintf(node->path, sizeof(node->path), "/dev/%.16s", strrchr(path, '/') + 1);
	snprintf(node->alsa, sizeof(node->alsa), "hw:%.16s", strrchr(path, '/') + 1);
	snprintf(node->address, sizeof(node->address), "%.12s", path + strlen(NODE_DRIVER "/"));
	fd = node_open(node, O_RDWR);
	must(sys(ioctl(fd, AVRING_IOC_INFO, &node->info)));
	close(fd);
}

int node_open(const struct node *node, int flags)
{
	return must(sys(open(node->path, flags | O_CLOEXEC)));
}

static int node_tell(const char *file, const char *address)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC), error = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, address, strlen(address)) < 0)
		error = -errno;
	close(fd);
	return error;
}

int node_unbind(const struct node *node)
{
	return node_tell(NODE_DRIVER "/unbind", node->address);
}

int node_bind(const struct node *node)
{
	return node_tell(NODE_DRIVER "/bind", node->address);
}

void node_reset(const struct node *node)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/reset", node->address);
	must(node_tell(path, "1"));
}

int node_log(void)
{
	int log = must(sys(open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)));

	must(sys(lseek(log, 0, SEEK_END)));
	return log;
}

unsigned int node_said(int log, const char *text)
{
	unsigned int lines = 0;
	char line[1024];
	ssize_t bytes;

	/* EPIPE: lines were lost that nobody had read. The next ones are there. */
	while ((bytes = read(log, line, sizeof(line) - 1)) > 0 || (bytes < 0 && errno == EPIPE)) {
		line[bytes > 0 ? bytes : 0] = '\0';
		lines += !!strstr(line, text);
	}
	return lines;
}

bool node_has_power(const struct node *node, const char *status)
{
	char path[96], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/power/runtime_status", node->address);
	fd = must(sys(open(path, O_RDONLY | O_CLOEXEC)));
	must(sys(read(fd, text, sizeof(text) - 1)));
	close(fd);
	text[strcspn(text, "\n")] = '\0';
	return !strcmp(text, status);
}

struct node_power {
	const struct node *node;
	const char *status;
};

static bool node_power_is(void *arg)
{
	const struct node_power *wanted = arg;

	return node_has_power(wanted->node, wanted->status);
}

void node_expect_power(const struct node *node, const char *status)
{
	struct node_power wanted = { node, status };

	tap_check(tap_eventually(node_power_is, &wanted, 10), "%s: expected to be %s within 10 s",
		  node->address, status);
}

void node_restore(void)
{
	char path[256];

	if (access(NODE_DRIVER, F_OK) && module_load())
		return;
	node_match(NODE_NUMBER, path, sizeof(path));
	if (*path)
		return;
	node_match(NODE_FUNCTION, path, sizeof(path));
	if (*path)
		node_tell(NODE_DRIVER "/bind", strrchr(path, '/') + 1);
}
