/* SPDX-License-Identifier: MIT */
/*
 * ring: what readers and producers on the ring node of a card have in common.
 */
#ifndef AVRING_RING_H
#define AVRING_RING_H

#include "internal.h"

/* Open the node: file descriptor or -errno. */
int avring_ring_open_node(const char *device, int flags);

/* ATTACH, and map what that reports; @data is writable for a producer. */
int avring_ring_attach(struct avring_view **out, int fd, struct avring_attach *attach, void **data);

/* ring-setup.c */

/* Set the card up as wished, before attaching. */
int avring_ring_set_up(int fd, const struct avring_options *options);
/* Is that what the ring has come out as? -EBUSY if somebody was faster. */
int avring_ring_check(const struct avring_options *options,
		      const struct avring_stream_format *format);

#endif
