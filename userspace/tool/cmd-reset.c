// SPDX-License-Identifier: MIT
/*
 * avring reset: what was wished of a card is forgotten.
 */
#include "card.h"
#include "reader.h"

const struct tool_option reset_options[] = { { 0 } };

/* Opening with these wishes sets them, if that is possible now. */
static int reset_picture(const char *device)
{
	const struct tool_wish wish = {
		.device = device,
		.stream = AVRING_STREAM_VIDEO,
		.size = TOOL_DEFAULT_SIZE,
		.rate = TOOL_DEFAULT_RATE,
		.pixel_format = TOOL_DEFAULT_PIXELS,
	};
	struct avring_reader *reader;
	int status = tool_reader_open(&reader, &wish);

	if (status == TOOL_OK)
		avring_reader_close(reader);
	return status;
}

static int reset_rings(const char *device)
{
	struct avring_options options = { .size = sizeof(options) };
	int error;

	for (; options.stream < AVRING_STREAMS; options.stream++) {
		error = card_reset_ring(device, options.stream, true);
		if (error)
			return tool_refused(device, &options, error);
	}
	return TOOL_OK;
}

/* The ring that was wished may be too long to be opened, and who opens one wishes something. */
static int reset_card(const char *device)
{
	return reset_rings(device) ?: reset_picture(device) ?: reset_rings(device);
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
	return reset_card(device);
}
