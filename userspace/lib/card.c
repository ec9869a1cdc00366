// SPDX-License-Identifier: MIT
/*
 * card: the ring node of a card and the nodes beside it.
 */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "internal.h"

bool avring_card_path(const char *device, char *path, size_t size)
{
	const char *name = strncmp(device, "/dev/", 5) ? device : device + 5;
	const char *digit;

	if (strncmp(name, "avring", 6) || !name[6])
		return false;
	for (digit = name + 6; *digit; digit++)
		if (!isdigit((unsigned char)*digit))
			return false;
	return (size_t)snprintf(path, size, "/dev/%s", name) < size;
}

int avring_card_info(const char *device, struct avring_info *info)
{
	char path[32];
	int fd, error;

	if (!device || !info || !avring_card_path(device, path, sizeof(path)))
		return -EINVAL;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return avring_errno();
	error = avring_ioctl_retry(fd, AVRING_IOC_INFO, info);
	close(fd);
	return error;
}

/* "DEVNAME=video0" in a uevent file becomes "video0". */
static int avring_card_devname(FILE *uevent, char *name, size_t size)
{
	char line[256];

	while (fgets(line, sizeof(line), uevent)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "DEVNAME=", 8))
			continue;
		return (size_t)snprintf(name, size, "/dev/%s", line + 8) < size ? 0 : -ENAMETOOLONG;
	}
	return -ENODEV;
}

int avring_devnum_path(struct avring_devnum devnum, char *path, size_t size)
{
	char uevent[64];
	struct stat stat_of;
	FILE *file;
	int error;

	if (!devnum.major && !devnum.minor)
		return -ENODEV;
	snprintf(uevent, sizeof(uevent), "/sys/dev/char/%u:%u/uevent", devnum.major, devnum.minor);
	file = fopen(uevent, "re");
	if (!file)
		return errno == ENOENT ? -ENODEV : avring_errno();
	error = avring_card_devname(file, path, size);
	fclose(file);
	if (error)
		return error;
	/* A node that somebody made by hand may be another one. */
	if (stat(path, &stat_of) || !S_ISCHR(stat_of.st_mode) ||
	    stat_of.st_rdev != makedev(devnum.major, devnum.minor))
		return -ENODEV;
	return 0;
}

int avring_card_open_node(struct avring_devnum devnum, int flags)
{
	char path[256];
	int error = avring_devnum_path(devnum, path, sizeof(path)), fd;

	if (error)
		return error;
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? avring_errno() : fd;
}
