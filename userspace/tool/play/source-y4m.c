// SPDX-License-Identifier: MIT
/*
 * Y4M films, each picture of which is read into the ring.
 */
#include <errno.h>
#include <unistd.h>

#include "../bytes.h"
#include "../y4m.h"
#include "source.h"

static int play_y4m_open(struct play_source *source)
{
	const struct avring_video_format *wish = &source->format.video;
	struct tool_y4m y4m;
	int error;

	if (wish->width || wish->pixelformat)
		return tool_usage("%s: says size and pixel format itself", source->path);
	/* A rate may be given to play faster or slower; without any there is no pace. */
	error = tool_y4m_open(&y4m, source->fd,
			      (struct tool_rate){ wish->rate_num, wish->rate_den });
	if (error && (tool_signals() || error != -EBADMSG))
		return play_source_fail(error, source);
	if (error) {
		tool_error("%s: %s", source->path, y4m.words);
		return TOOL_FAILED;
	}
	source->begin = y4m.begin;
	source->format.video = y4m.video;
	return TOOL_OK;
}

static ssize_t play_y4m_read(struct play_source *source, void *data, size_t length)
{
	int error = tool_y4m_frame(source->fd);

	if (error)
		return error == -ENODATA ? 0 : error;
	return tool_bytes_read(source->fd, data, length);
}

static int play_y4m_rewind(struct play_source *source)
{
	return lseek(source->fd, source->begin, SEEK_SET) < 0 ? -errno : 0;
}

static void play_y4m_close(struct play_source *source)
{
	(void)source;
}

const struct play_container play_y4m = {
	.name = "y4m",
	.suffixes = "y4m",
	.stream = AVRING_STREAM_VIDEO,
	.open = play_y4m_open,
	.read = play_y4m_read,
	.rewind = play_y4m_rewind,
	.close = play_y4m_close,
};
