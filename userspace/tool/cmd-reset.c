// SPDX-License-Identifier: MIT
/*
 * avring reset: the pictures of a card are those of a new one.
 */
#include "card.h"
#include "reader.h"

const struct tool_option reset_options[] = { { 0 } };

/* Opening with these wishes sets them, if that is possible now. */
static int reset_picture(const char *device)
{
	const struct tool_size size = TOOL_DEFAULT_SIZE;
	const struct tool_rate rate = TOOL_DEFAULT_RATE;
	const struct avring_options options = {
		.size = sizeof(options),
		.stream = AVRING_STREAM_VIDEO,
		.ring_bytes = 1, /* any will do */
		.video = {
			.width = size.width,
			.height = size.height,
			.pixelformat = TOOL_DEFAULT_PIXELS,
			.rate_num = rate.num,
			.rate_den = rate.den,
		},
	};
	struct avring_reader *reader;
	int error = avring_reader_open(&reader, tool_device_path(device), &options);

	if (error)
		return tool_refused(device, &options, error);
	avring_reader_close(reader);
	return TOOL_OK;
}

int cmd_reset(int argc, char **argv)
{
	const char *device;
	char **operands;
	int status = tool_parse(argc, argv, NULL, &operands);

	if (status != TOOL_GO_ON)
		return status;
	device = operands[0];
	status = card_choose(&device);
	if (status != TOOL_GO_ON)
		return status;
	if (tool_device_kind(device) != TOOL_DEVICE_CARD)
		return tool_usage("'%s': expected a card, such as /dev/avring0", device);
	return reset_picture(device);
}
