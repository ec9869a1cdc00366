// SPDX-License-Identifier: MIT
/*
 * avring list: which cards there are, and which nodes belong to which.
 */
#include <stdio.h>

#include "card.h"
#include "reader.h"

struct list_settings {
	bool json;
};

const struct tool_option list_options[] = {
	{ .letter = 'j',
	  .name = "json",
	  .help = "one JSON document",
	  TOOL_SETS(struct list_settings, json) },
	{ 0 },
};

static const char *list_node(const json_t *card, const char *name)
{
	return json_string_value(json_object_get(json_object_get(card, "nodes"), name)) ?: "-";
}

static void list_sound(const json_t *card, char *text, size_t size)
{
	const json_t *number = json_object_get(card, "alsa_card");

	if (json_is_integer(number))
		snprintf(text, size, "hw:%d", (int)json_integer_value(number));
	else
		snprintf(text, size, "-");
}

static void list_print(json_t *cards)
{
	char sound[16];
	json_t *card;
	size_t i;

	json_array_foreach(cards, i, card)
	{
		list_sound(card, sound, sizeof(sound));
		printf("%s  capture %s  output %s  sound %s  media %s\n",
		       json_string_value(json_object_get(card, "device")),
		       list_node(card, "capture"), list_node(card, "output"), sound,
		       list_node(card, "media"));
	}
}

/* A card that cannot be asked is told, and the others are listed. */
static int list_collect(json_t *cards)
{
	char **paths = card_find_all(), **path;
	int status = TOOL_OK, error;
	json_t *card;

	for (path = paths; path && *path; path++) {
		error = card_nodes_json(*path, &card);
		if (error)
			status = tool_refused(*path, NULL, error);
		else
			json_array_append_new(cards, card);
	}
	card_free_all(paths);
	return status;
}

int cmd_list(int argc, char **argv)
{
	struct list_settings settings = { 0 };
	char **operands;
	json_t *cards;
	int status = tool_parse(argc, argv, &settings, &operands);

	if (status != TOOL_GO_ON)
		return status;
	cards = json_array();
	status = list_collect(cards);
	if (!card_tell_missing() && !json_array_size(cards) && !status)
		tool_error("no card: is the driver loaded?");
	if (settings.json) {
		tool_print_json(cards, false);
	} else {
		list_print(cards);
		json_decref(cards);
	}
	return tool_flush(status);
}
