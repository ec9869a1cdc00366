// SPDX-License-Identifier: MIT
/*
 * Reading from files and pipes. See bytes.h.
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "bytes.h"
#include "tool.h"

/* Who gave us the file may not want to wait for it; we do. */
void tool_bytes_wait(int fd)
{
	struct pollfd file = { .fd = fd, .events = POLLIN };

	poll(&file, 1, -1);
}

ssize_t tool_bytes_read(int fd, void *data, size_t length)
{
	size_t done = 0;
	ssize_t part;

	while (done < length) {
		part = read(fd, (char *)data + done, length - done);
		if (part < 0 && errno == EINTR && !tool_signals())
			continue;
		if (part < 0 && errno == EAGAIN) {
			tool_bytes_wait(fd);
			continue;
		}
		if (part < 0)
			return -errno;
		if (!part)
			break;
		done += part;
	}
	return done;
}
