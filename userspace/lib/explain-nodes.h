/* SPDX-License-Identifier: MIT */
/*
 * explain-nodes: the nodes behind the name of a device, and those that are there instead.
 */
#ifndef AVRING_EXPLAIN_NODES_H
#define AVRING_EXPLAIN_NODES_H

#include "internal.h"

enum avring_nodes_kind {
	AVRING_NODES_RING,
	AVRING_NODES_PICTURE,
	AVRING_NODES_SOUND,
};

#define AVRING_NODES_MAX 3
#define AVRING_NODES_PATH 64

/**
 * struct avring_nodes - what avring_reader_open() opens
 * @kind: which sort of device it takes the name for
 * @stream: AVRING_STREAM_* that is read
 * @paths: nodes: the ring first, and last what else may keep a card busy
 * @n_needed: how many a reader opens; none for a PCM that is a plugin
 * @n: how many
 * @picture: of the V4L2 node, "" if there is none
 * @pcm: name of the PCM, "" if there is none
 */
struct avring_nodes {
	enum avring_nodes_kind kind;
	uint32_t stream;
	char paths[AVRING_NODES_MAX][AVRING_NODES_PATH];
	unsigned int n_needed;
	unsigned int n;
	char picture[AVRING_NODES_PATH];
	char pcm[AVRING_NODES_PATH];
};

void avring_nodes_find(struct avring_nodes *nodes, const char *device, uint32_t stream);

/* May we not open this one as a reader does? */
bool avring_nodes_denied(const struct avring_nodes *nodes, unsigned int i);

/**
 * struct avring_owner - whose a node is
 * @user: name or number
 * @group: same
 * @mode: bits of permission
 */
struct avring_owner {
	char user[33];
	char group[33];
	unsigned int mode;
};

int avring_nodes_owner(const char *path, struct avring_owner *owner);

/* "a media controller": 0; -ENOENT if it is what captures pictures. */
int avring_nodes_what(const char *path, char *what, size_t size);

#define AVRING_NODES_ROWS 16

/**
 * struct avring_nodes_list - devices that there are
 * @rows: path, and name if it has one
 * @n: how many
 */
struct avring_nodes_list {
	struct {
		char path[AVRING_NODES_PATH];
		char name[48];
	} rows[AVRING_NODES_ROWS];
	unsigned int n;
};

void avring_nodes_cards(struct avring_nodes_list *list);
/* What captures pictures: all, and what belongs to the same device as a node. */
void avring_nodes_captures(struct avring_nodes_list *list);
void avring_nodes_siblings(const char *path, struct avring_nodes_list *list);

#endif
