/* SPDX-License-Identifier: MIT */
/*
 * explain: why a device was refused, in words. Nothing is changed by asking.
 *
 *	explain.c		what kind of thing it is, who may open it, what there is instead
 *	explain-nodes.c		the nodes behind a name, and those that there are
 *	explain-options.c	wishes that no device can meet
 *	explain-picture.c	what a V4L2 node can do
 *	explain-sound.c		what an ALSA PCM can do
 *	explain-holders.c	who has it open
 */
#ifndef AVRING_EXPLAIN_H
#define AVRING_EXPLAIN_H

#include "internal.h"

/* Append to the text. */
void avring_explain_say(struct avring_refusal *refusal, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * avring_explain_item() - append an item of a list
 * @refusal: its text
 * @n: counts the items
 * @format: of the item
 *
 * A long list ends with "...".
 */
void avring_explain_item(struct avring_refusal *refusal, unsigned int *n, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Which member of struct avring_options is wrong. */
void avring_explain_member(struct avring_refusal *refusal, const char *member);

/* The others: true if they have said why. */
bool avring_explain_options(struct avring_refusal *refusal, const struct avring_options *options);
bool avring_explain_picture(struct avring_refusal *refusal, const char *path,
			    const struct avring_video_format *wish);
bool avring_explain_sound(struct avring_refusal *refusal, const char *pcm,
			  const struct avring_audio_format *wish);

/* Who has one of @n nodes open, as far as /proc shows it to us. */
void avring_explain_holders(struct avring_refusal *refusal, char paths[][64], unsigned int n);

#endif
