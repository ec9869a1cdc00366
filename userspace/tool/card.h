/* SPDX-License-Identifier: MIT */
/*
 * What a card is, as a tree that is printed as text or as JSON.
 */
#ifndef AVRING_TOOL_CARD_H
#define AVRING_TOOL_CARD_H

#include "tool.h"

/* Paths of the ring nodes, in the order of their numbers; NULL at the end. */
char **card_find_all(void);
void card_free_all(char **paths);

/**
 * card_choose() - the card that is meant where none was named
 * @device: as typed; NULL becomes the only card that there is
 *
 * Return: TOOL_GO_ON; TOOL_USAGE: there is none, or there are several, which were said.
 */
int card_choose(const char **device);

/*
 * Say on stderr which cards are plugged in or were asked for and have no driver: it could not
 * make them, or somebody has unbound it. Returns how many.
 */
size_t card_tell_missing(void);

/* Does the card have a clock of its own? false also if @device is no card. */
bool tool_has_card_clock(const char *device);

/**
 * card_nodes_json() - the nodes of a card
 * @device: ring node, as typed
 * @out: the tree
 *
 * Return: 0, or a negative errno.
 */
int card_nodes_json(const char *device, json_t **out);

/* The same, with formats, what the rings are set up for, and with @rings how they are. */
int card_info_json(const char *device, bool rings, json_t **out);

#endif
