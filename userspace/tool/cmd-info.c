// SPDX-License-Identifier: MIT
/*
 * avring info: everything that a card says of itself.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "card.h"
#include "reader.h"

struct info_settings {
	bool json;
	bool ring;
};

const struct tool_option info_options[] = {
	{ .name = "ring",
	  .help = "attach to the rings for a moment and show them",
	  TOOL_SETS(struct info_settings, ring) },
	{ .letter = 'j',
	  .name = "json",
	  .help = "one JSON document",
	  TOOL_SETS(struct info_settings, json) },
	{ 0 },
};

/* "video, audio" */
static void info_print_list(const json_t *list)
{
	json_t *item;
	size_t i;

	json_array_foreach((json_t *)list, i, item)
		printf("%s%s", i ? " " : "", json_string_value(item));
	putchar('\n');
}

static void info_print_value(const json_t *value)
{
	if (json_is_string(value))
		puts(json_string_value(value));
	else if (json_is_integer(value))
		printf("%" JSON_INTEGER_FORMAT "\n", json_integer_value(value));
	else
		puts("-");
}

/* The same tree as JSON, with one line for each value. */
static void info_print_tree(json_t *tree, int depth)
{
	const char *name;
	json_t *value;

	json_object_foreach(tree, name, value)
	{
		printf("%*s%s:", 2 * depth, "", name);
		if (json_is_object(value)) {
			putchar('\n');
			info_print_tree(value, depth + 1);
		} else if (json_is_array(value) && !strcmp(name, "rate")) {
			printf(" %d/%d\n", (int)json_integer_value(json_array_get(value, 0)),
			       (int)json_integer_value(json_array_get(value, 1)));
		} else if (json_is_array(value)) {
			putchar(' ');
			info_print_list(value);
		} else {
			putchar(' ');
			info_print_value(value);
		}
	}
}

static int info_add(json_t *cards, const char *device, bool ring)
{
	json_t *card;
	int error = card_info_json(device, ring, &card);

	if (error)
		return tool_refused(device, NULL, error);
	json_array_append_new(cards, card);
	return TOOL_OK;
}

static int info_collect(json_t *cards, bool ring)
{
	char **paths = card_find_all(), **path;
	int status = TOOL_OK;

	for (path = paths; path && *path; path++)
		status = info_add(cards, *path, ring) ?: status;
	card_free_all(paths);
	if (!json_array_size(cards) && !status)
		tool_error("no card: is the driver loaded?");
	return status;
}

static void info_print(json_t *cards)
{
	json_t *card;
	size_t i;

	json_array_foreach(cards, i, card)
	{
		if (i)
			putchar('\n');
		info_print_tree(card, 0);
	}
}

int cmd_info(int argc, char **argv)
{
	struct info_settings settings = { 0 };
	char **operands;
	json_t *cards;
	int status = tool_parse(argc, argv, &settings, &operands);

	if (status != TOOL_GO_ON)
		return status;
	if (operands[0] && tool_device_kind(operands[0]) != TOOL_DEVICE_CARD)
		return tool_usage("'%s': expected a card, such as /dev/avring0", operands[0]);
	cards = json_array();
	status = operands[0] ? info_add(cards, operands[0], settings.ring) :
			       info_collect(cards, settings.ring);
	if (!settings.json)
		info_print(cards);
	else if (!operands[0])
		tool_print_json(json_incref(cards), false);
	else if (!status)
		tool_print_json(json_incref(json_array_get(cards, 0)), false);
	json_decref(cards);
	return tool_flush(status);
}
