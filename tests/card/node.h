/* SPDX-License-Identifier: MIT */
/*
 * node: the first PCI card with its driver: which nodes it has, and how it loses them.
 */
#ifndef TEST_NODE_H
#define TEST_NODE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/avring.h>

/**
 * struct node - a PCI card
 * @address: of its function, "0000:01:00.0"
 * @path: its ring node, "/dev/avring0"
 * @alsa: its sound card, "hw:avring0"
 * @info: what the ring node says
 */
struct node {
	char address[32];
	char path[32];
	char alsa[32];
	struct avring_info info;
};

/* For struct tap_suite: why nothing can be tested here, or NULL. */
const char *node_missing(void);
/* For struct tap_suite: a failed test may leave the card without its driver. */
void node_restore(void);

void node_find(struct node *node);
int node_open(const struct node *node, int flags);
int node_unbind(const struct node *node);
int node_bind(const struct node *node);

/* A function level reset. */
void node_reset(const struct node *node);

/* The kernel's log from now on, to be closed. */
int node_log(void);
/* Read on in it: how many lines have this text? */
unsigned int node_said(int log, const char *text);

/* Runtime power management: "active", "suspended". */
bool node_has_power(const struct node *node, const char *status);
/* Waits for it, 10 s at most. */
void node_expect_power(const struct node *node, const char *status);

#endif
