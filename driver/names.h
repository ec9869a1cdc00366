/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: the number of a card, and what it and its nodes are called. The user may choose
 * names, with the parameter "names" that each module of cards has; nothing else in the
 * driver depends on them.
 */
#ifndef AVRING_NAMES_H
#define AVRING_NAMES_H

#include <linux/moduleparam.h>

/* Cards of all kinds that exist at the same time. */
#define AVRING_MAX_CARDS	32

/**
 * struct avring_names - of one card; each name is below the 32 bytes that V4L2 and ALSA have
 * @number: 0 and up, of no other card
 * @card: media model, sound card
 * @capture: V4L2 node that captures
 * @output: V4L2 node that is written to
 */
struct avring_names {
	int number;
	char card[32];
	char capture[32];
	char output[32];
};

/**
 * struct avring_chosen_names - what the user has chosen, a module parameter
 * @count: how many
 * @names: of the cards in their order; empty or NULL for the default
 */
struct avring_chosen_names {
	unsigned int count;
	char *names[AVRING_MAX_CARDS];
};

int avring_chosen_name_set(const char *val, const struct kernel_param *kp);
int avring_chosen_names_set(const char *val, const struct kernel_param *kp);

/*
 * The parameter "names" of a module, filled into a struct avring_chosen_names. What frees it is the
 * module's own: a module that goes lets go of avring-core before it frees its parameters.
 */
#define AVRING_NAMES_PARAM(chosen) \
	static const struct kernel_param_ops avring_chosen_name_ops = { \
		.set = avring_chosen_name_set, \
		.get = param_get_charp, \
		.free = param_free_charp, \
	}; \
	static int avring_chosen_names_get(char *buffer, const struct kernel_param *kp) \
	{ \
		return param_array_ops.get(buffer, kp); \
	} \
	static void avring_chosen_names_free(void *arg) \
	{ \
		param_array_ops.free(arg); \
	} \
	static const struct kernel_param_ops avring_chosen_names_ops = { \
		.set = avring_chosen_names_set, \
		.get = avring_chosen_names_get, \
		.free = avring_chosen_names_free, \
	}; \
	static struct kparam_array avring_names_array = { \
		.max = AVRING_MAX_CARDS, \
		.elemsize = sizeof((chosen).names[0]), \
		.num = &(chosen).count, \
		.ops = &avring_chosen_name_ops, \
		.elem = (chosen).names, \
	}; \
	module_param_cb(names, &avring_chosen_names_ops, &avring_names_array, 0444); \
	MODULE_PARM_DESC(names, \
		"names of its cards, in their order, up to 24 bytes each (default \"avring N\")")

int avring_names_claim(struct avring_names *names, int number, const char *chosen);
void avring_names_release(struct avring_names *names);

#endif
