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
#include <linux/mutex.h>
#include <linux/string.h>

#include "compat.h"
#include "names.h"

#define AVRING_NAMES_DEFAULT	"avring "
#define AVRING_NAMES_OUTPUT	" output"

/* The longest whose output node still has a name of 31 bytes. */
#define AVRING_NAMES_MAX_BYTES	(31 - (sizeof(AVRING_NAMES_OUTPUT) - 1))

/* By number; innermost lock. */
static const struct avring_names *avring_named[AVRING_MAX_CARDS];
static DEFINE_MUTEX(avring_named_lock);

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

/* Return: why the name cannot be, or NULL. */
static const char *avring_names_fault(const char *name)
{
	if (strlen(name) > AVRING_NAMES_MAX_BYTES)
		return "is longer than 24 bytes";
	if (!avring_names_printable(name))
		return "has control characters in it";
	if (!strncmp(name, AVRING_NAMES_DEFAULT, strlen(AVRING_NAMES_DEFAULT)))
		return "begins with \"avring \", as cards do that have no name";
	if (avring_names_ends(name, AVRING_NAMES_OUTPUT))
		return "ends with \" output\", as output nodes do";
	return NULL;
}

static int avring_names_refuse(const char *name, const char *fault)
{
	pr_err("avring: names=%s %s\n", name, fault);
	return -EINVAL;
}

/**
 * avring_chosen_name_set() - set one name of the parameter "names"
 * @val: the name; an empty one leaves a card its default
 * @kp: its place
 *
 * Return: 0, -EINVAL, -ENOMEM.
 */
int avring_chosen_name_set(const char *val, const struct kernel_param *kp)
{
	const char *name = skip_spaces(val);
	const char *fault = avring_names_fault(name);

	return fault ? avring_names_refuse(name, fault) : param_set_charp(name, kp);
}
EXPORT_SYMBOL_AVRING(avring_chosen_name_set);

static bool avring_chosen_before(char *const *names, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (!strcmp(names[i], names[n]))
			return true;
	return false;
}

/* A parameter that is given twice counts as it was given last. */
static void avring_chosen_forget(char **names)
{
	unsigned int i;

	for (i = 0; i < AVRING_MAX_CARDS; i++) {
		param_free_charp(&names[i]);
		names[i] = NULL;
	}
}

/**
 * avring_chosen_names_set() - set the parameter "names"
 * @val: names with commas between them
 * @kp: a struct kparam_array
 *
 * Return: 0, -EINVAL, -ENOMEM.
 */
int avring_chosen_names_set(const char *val, const struct kernel_param *kp)
{
	char **names = kp->arr->elem;
	unsigned int i;
	int err;

	avring_chosen_forget(names);
	err = param_array_ops.set(val, kp);
	for (i = 0; !err && i < *kp->arr->num; i++)
		if (*names[i] && avring_chosen_before(names, i))
			err = avring_names_refuse(names[i], "is there twice");
	return err;
}
EXPORT_SYMBOL_AVRING(avring_chosen_names_set);

static bool avring_names_taken(const char *name)
{
	unsigned int i;

	for (i = 0; i < AVRING_MAX_CARDS; i++)
		if (avring_named[i] && !strcmp(avring_named[i]->card, name))
			return true;
	return false;
}

/* Return: why a card that exists may not be called so, or NULL. */
static const char *avring_names_conflict(const char *name)
{
	return avring_names_taken(name) ? "is that of another card" : avring_names_fault(name);
}

/* Return: the number, if it is free, or the lowest that is, or -ENOSPC. */
static int avring_names_free_number(int number)
{
	if (number >= 0 && number < AVRING_MAX_CARDS && !avring_named[number])
		return number;
	for (number = 0; number < AVRING_MAX_CARDS; number++)
		if (!avring_named[number])
			return number;
	return -ENOSPC;
}

static void avring_names_fill(struct avring_names *names, const char *chosen)
{
	if (chosen) {
		strscpy(names->card, chosen, sizeof(names->card));
		strscpy(names->capture, chosen, sizeof(names->capture));
	} else {
		snprintf(names->card, sizeof(names->card), AVRING_NAMES_DEFAULT "%d",
			 names->number);
		snprintf(names->capture, sizeof(names->capture), "%.20s capture", names->card);
	}
	snprintf(names->output, sizeof(names->output), "%.24s" AVRING_NAMES_OUTPUT, names->card);
}

/**
 * avring_names_claim() - a number and names that no other card has
 * @names: filled; avring_names_release() is due
 * @number: is had where it is free, else the lowest that is; negative for that at once
 * @chosen: name of the card, or NULL. One that another card has, or that could be a default, is
 *	not had
 *
 * Return: 0, or -ENOSPC: there are too many cards.
 */
int avring_names_claim(struct avring_names *names, int number, const char *chosen)
{
	const char *conflict;

	if (chosen && !*chosen)
		chosen = NULL;
	mutex_lock(&avring_named_lock);
	number = avring_names_free_number(number);
	if (number >= 0) {
		conflict = chosen ? avring_names_conflict(chosen) : NULL;
		if (conflict) {
			pr_warn("avring: card %d is not called %s: that name %s\n", number, chosen,
				conflict);
			chosen = NULL;
		}
		names->number = number;
		avring_names_fill(names, chosen);
		avring_named[number] = names;
	}
	mutex_unlock(&avring_named_lock);
	return min(number, 0);
}

/**
 * avring_names_release() - others may have them now
 * @names: of a card that nobody sees any more
 */
void avring_names_release(struct avring_names *names)
{
	mutex_lock(&avring_named_lock);
	avring_named[names->number] = NULL;
	mutex_unlock(&avring_named_lock);
}
