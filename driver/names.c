// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: what a card and its nodes are called. See names.h.
 *
 *		card		capture			output
 *	names=	avring 0	avring 0 capture	avring 0 output
 *	names=Desk	Desk	Desk			Desk output
 *
 * Programs find nodes by these names, so that no two are equal, whatever was chosen: a
 * name is used once, none looks like the default one of a card, and none ends as that of
 * an output node does.
 */
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>

#include "names.h"

/* Virtual cards and PCI cards. */
#define AVRING_NAMES_MAX	24

#define AVRING_NAMES_DEFAULT	"avring "
#define AVRING_NAMES_OUTPUT	" output"

/* The longest whose output node still has a name of 31 bytes. */
#define AVRING_NAMES_MAX_BYTES	(31 - (sizeof(AVRING_NAMES_OUTPUT) - 1))

static char *avring_names[AVRING_NAMES_MAX];
static unsigned int avring_names_count;

static bool avring_names_printable(const char *name)
{
	while (*name && !iscntrl(*name))
		name++;
	return !*name;
}

static bool avring_names_ends(const char *name, const char *end)
{
	const size_t length = strlen(name), tail = strlen(end);

	return length >= tail && !strcmp(name + length - tail, end);
}

static bool avring_names_taken(const char *name, char *const *before)
{
	char *const *other;

	for (other = avring_names; other < before; other++)
		if (*other && !strcmp(*other, name))
			return true;
	return false;
}

/* Return: why the name cannot be, or NULL. */
static const char *avring_names_fault(const char *name, char *const *slot)
{
	if (strlen(name) > AVRING_NAMES_MAX_BYTES)
		return "is longer than 24 bytes";
	if (!avring_names_printable(name))
		return "has control characters in it";
	if (!strncmp(name, AVRING_NAMES_DEFAULT, strlen(AVRING_NAMES_DEFAULT)))
		return "begins with \"avring \", as cards do that have no name";
	if (avring_names_ends(name, AVRING_NAMES_OUTPUT))
		return "ends with \" output\", as output nodes do";
	if (*name && avring_names_taken(name, slot))
		return "is there twice";
	return NULL;
}

/* Called for each name in turn. An empty one leaves a card its default. */
static int avring_names_set(const char *val, const struct kernel_param *kp)
{
	const char *name = skip_spaces(val);
	const char *fault = avring_names_fault(name, kp->arg);

	if (fault) {
		pr_err("avring: names=%s %s\n", name, fault);
		return -EINVAL;
	}
	return param_set_charp(name, kp);
}

static const struct kernel_param_ops avring_names_ops = {
	.set = avring_names_set,
	.get = param_get_charp,
	.free = param_free_charp,
};

static struct kparam_array avring_names_array = {
	.max = AVRING_NAMES_MAX,
	.elemsize = sizeof(avring_names[0]),
	.num = &avring_names_count,
	.ops = &avring_names_ops,
	.elem = avring_names,
};
module_param_cb(names, &param_array_ops, &avring_names_array, 0444);
MODULE_PARM_DESC(names, "names of the cards, in their order, up to 24 bytes each (default \"avring N\")");

/**
 * avring_names_of() - what a card is called
 * @number: of the card
 * @names: filled
 */
void avring_names_of(int number, struct avring_names *names)
{
	const char *name = number < AVRING_NAMES_MAX ? avring_names[number] : NULL;

	if (name && *name) {
		strscpy(names->card, name, sizeof(names->card));
		strscpy(names->capture, name, sizeof(names->capture));
	} else {
		snprintf(names->card, sizeof(names->card), AVRING_NAMES_DEFAULT "%d", number);
		snprintf(names->capture, sizeof(names->capture), "%.20s capture", names->card);
	}
	snprintf(names->output, sizeof(names->output), "%.24s" AVRING_NAMES_OUTPUT, names->card);
}
