// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: who has how much. See memory/account.h.
 *
 * A memory cgroup bounds who is in one; these limits are for everybody else, as RLIMIT_MEMLOCK
 * is. As there, the real user counts. Users of a user namespace are that one who made it, or a new
 * name would be a new half; but those of one that root made, for a container, are themselves.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/kernel.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/overflow.h>
#include <linux/printk.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/uidgid.h>
#include <linux/user_namespace.h>

#include "compat.h"
#include "memory/account.h"

#define AVRING_PAGES_PER_MIB	(SZ_1M / PAGE_SIZE)
#define AVRING_MOST_READERS	SZ_1M

/**
 * struct avring_account - of one card
 * @refs: the card and its charges
 * @name: of the card
 * @has: how much of each resource; under avring_account_lock
 */
struct avring_account {
	struct kref refs;
	char name[32];
	unsigned long has[AVRING_RESOURCES];
};

/**
 * struct avring_payer - a user who has something of any card; gone with the last of it
 * @node: in avring_payers
 * @uid: who it is
 * @has: as in struct avring_account. All of it is guarded by avring_account_lock
 */
struct avring_payer {
	struct list_head node;
	kuid_t uid;
	unsigned long has[AVRING_RESOURCES];
};

/* Guards all that is counted; innermost, process context. */
static DEFINE_SPINLOCK(avring_account_lock);
static LIST_HEAD(avring_payers);
static unsigned long avring_account_total[AVRING_RESOURCES];

/* In MiB; 0 stands for the default. */
static unsigned long avring_max_memory;
static unsigned long avring_max_card_memory;
static unsigned int avring_max_readers = 1024;

static unsigned long avring_account_all_mib(void)
{
	return READ_ONCE(avring_max_memory) ?: totalram_pages() / 2 / AVRING_PAGES_PER_MIB;
}

static unsigned long avring_account_card_mib(void)
{
	return READ_ONCE(avring_max_card_memory) ?: avring_account_all_mib();
}

static int avring_max_memory_set(const char *val, const struct kernel_param *kp)
{
	const unsigned long most = ULONG_MAX / AVRING_PAGES_PER_MIB;
	unsigned long mib;

	if (kstrtoul(val, 0, &mib) || mib > most) {
		pr_err("avring: %s=%s is not a number of MiB from 0 to %lu\n", kp->name, val, most);
		return -EINVAL;
	}
	WRITE_ONCE(*(unsigned long *)kp->arg, mib);
	return 0;
}

static int avring_max_memory_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%lu\n", kp->arg == &avring_max_memory ?
		avring_account_all_mib() : avring_account_card_mib());
}

static const struct kernel_param_ops avring_max_memory_ops = {
	.set = avring_max_memory_set,
	.get = avring_max_memory_get,
};
module_param_cb(max_memory, &avring_max_memory_ops, &avring_max_memory, 0644);
MODULE_PARM_DESC(max_memory, "MiB that all cards together may have (default, and 0: half of the machine's)");
module_param_cb(max_card_memory, &avring_max_memory_ops, &avring_max_card_memory, 0644);
MODULE_PARM_DESC(max_card_memory, "MiB that a card may have, and twice what a user may have (default, and 0: max_memory)");

static int avring_max_readers_set(const char *val, const struct kernel_param *kp)
{
	int err = param_set_uint_minmax(val, kp, 2, AVRING_MOST_READERS);

	if (err)
		pr_err("avring: max_readers=%s is not a number from 2 to %u\n", val,
		       AVRING_MOST_READERS);
	return err;
}

static const struct kernel_param_ops avring_max_readers_ops = {
	.set = avring_max_readers_set,
	.get = param_get_uint,
};
module_param_cb(max_readers, &avring_max_readers_ops, &avring_max_readers, 0644);
MODULE_PARM_DESC(max_readers, "files that may read rings of a card, and twice what a user may have (default 1024)");

/**
 * avring_account_share() - what a ring may take that nobody wished to be as long
 *
 * Return: bytes, a quarter of what a user may have: while rings are exchanged there are two, and
 * he may have two cards.
 */
u64 avring_account_share(void)
{
	return min_t(u64, avring_account_card_mib(), SZ_1G) * SZ_1M / 8;
}

/**
 * avring_account_new() - open the account of a card
 * @card: its name, for messages
 *
 * Return: the account with one reference, or NULL.
 */
struct avring_account *avring_account_new(const char *card)
{
	struct avring_account *account = kzalloc(sizeof(*account), GFP_KERNEL);

	if (account) {
		kref_init(&account->refs);
		strscpy(account->name, card, sizeof(account->name));
	}
	return account;
}

static void avring_account_release(struct kref *refs)
{
	kfree(container_of(refs, struct avring_account, refs));
}

/**
 * avring_account_put() - drop a reference
 * @account: gone for the caller
 */
void avring_account_put(struct avring_account *account)
{
	kref_put(&account->refs, avring_account_release);
}

/* Whose it is what the caller asks for. */
static kuid_t avring_account_user(void)
{
	const struct user_namespace *ns = current_user_ns();
	kuid_t uid = current_uid();

	for (; ns != &init_user_ns && !uid_eq(ns->owner, GLOBAL_ROOT_UID); ns = ns->parent)
		uid = ns->owner;
	return uid;
}

/* Return: that of the same user, or @fresh, which becomes his. */
static struct avring_payer *avring_account_payer_locked(struct avring_payer *fresh)
{
	struct avring_payer *payer;

	list_for_each_entry(payer, &avring_payers, node)
		if (uid_eq(payer->uid, fresh->uid))
			return payer;
	list_add(&fresh->node, &avring_payers);
	return fresh;
}

/* Return: @payer if he has nothing any more, for kfree(). */
static struct avring_payer *avring_account_leave_locked(struct avring_payer *payer)
{
	unsigned int i;

	for (i = 0; i < AVRING_RESOURCES; i++)
		if (payer->has[i])
			return NULL;
	list_del(&payer->node);
	return payer;
}

/* Who is bound, from the widest on. */
enum avring_account_bound {
	AVRING_BOUND_ALL,
	AVRING_BOUND_CARD,
	AVRING_BOUND_USER,
	AVRING_BOUNDS
};

static unsigned long avring_account_limit(enum avring_resource resource,
					  enum avring_account_bound bound)
{
	unsigned long limit;

	if (resource == AVRING_PAGES)
		limit = AVRING_PAGES_PER_MIB * (bound == AVRING_BOUND_ALL ?
			avring_account_all_mib() : avring_account_card_mib());
	else
		limit = bound == AVRING_BOUND_ALL ? ULONG_MAX : READ_ONCE(avring_max_readers);
	return bound == AVRING_BOUND_USER ? limit / 2 : limit;
}

/* Return: who may not have so much more, or AVRING_BOUNDS. */
static enum avring_account_bound avring_account_check_locked(const struct avring_charge *charge,
							     bool privileged)
{
	const enum avring_resource resource = charge->resource;
	const unsigned long has[AVRING_BOUNDS] = {
		[AVRING_BOUND_ALL] = avring_account_total[resource],
		[AVRING_BOUND_CARD] = charge->account->has[resource],
		[AVRING_BOUND_USER] = charge->payer->has[resource],
	};
	const unsigned int bounds = privileged ? AVRING_BOUND_USER : AVRING_BOUNDS;
	unsigned int bound;

	for (bound = 0; bound < bounds; bound++)
		if (size_add(has[bound], charge->amount) > avring_account_limit(resource, bound))
			return bound;
	return AVRING_BOUNDS;
}

static void avring_account_add_locked(const struct avring_charge *charge, unsigned long amount)
{
	avring_account_total[charge->resource] += amount;
	charge->account->has[charge->resource] += amount;
	charge->payer->has[charge->resource] += amount;
}

static int avring_account_refuse(const struct avring_account *account,
				 enum avring_resource resource, unsigned long amount,
				 enum avring_account_bound bound)
{
	static const char *const resources[AVRING_RESOURCES] = {
		[AVRING_PAGES] = "pages",
		[AVRING_READERS] = "readers",
	};
	static const char *const bounds[AVRING_BOUNDS] = {
		[AVRING_BOUND_ALL] = "all cards",
		[AVRING_BOUND_CARD] = "a card",
		[AVRING_BOUND_USER] = "a user",
	};

	pr_notice_ratelimited("avring: %s: %lu %s refused: %s may have %lu in all\n",
			      account->name, amount, resources[resource], bounds[bound],
			      avring_account_limit(resource, bound));
	return resource == AVRING_PAGES ? -ENOMEM : -EMFILE;
}

/**
 * avring_charge() - count something before it is taken
 * @charge: filled in, for avring_uncharge(); has no account after an error
 * @account: of the card
 * @resource: what
 * @amount: how much, not 0
 *
 * Who may exceed resource limits (CAP_SYS_RESOURCE) is not bound to half of a card. Context:
 * process, may sleep.
 *
 * Return: 0; beyond a limit -ENOMEM for memory, -EMFILE for readers; -ENOMEM.
 */
int avring_charge(struct avring_charge *charge, struct avring_account *account,
		  enum avring_resource resource, unsigned long amount)
{
	const bool privileged = ns_capable_noaudit(&init_user_ns, CAP_SYS_RESOURCE);
	struct avring_payer *fresh = kzalloc(sizeof(*fresh), GFP_KERNEL_ACCOUNT), *unused;
	enum avring_account_bound bound;

	charge->account = NULL;
	if (!fresh)
		return -ENOMEM;
	fresh->uid = avring_account_user();
	*charge = (struct avring_charge){
		.account = account, .resource = resource, .amount = amount,
	};
	spin_lock(&avring_account_lock);
	charge->payer = avring_account_payer_locked(fresh);
	bound = avring_account_check_locked(charge, privileged);
	if (bound == AVRING_BOUNDS)
		avring_account_add_locked(charge, amount);
	unused = charge->payer == fresh ? avring_account_leave_locked(fresh) : fresh;
	spin_unlock(&avring_account_lock);
	kfree(unused);
	if (bound != AVRING_BOUNDS) {
		charge->account = NULL;
		return avring_account_refuse(account, resource, amount, bound);
	}
	kref_get(&account->refs);
	return 0;
}

/**
 * avring_uncharge() - it has been given back
 * @charge: that avring_charge() has filled in with success
 */
void avring_uncharge(const struct avring_charge *charge)
{
	struct avring_payer *unused;

	spin_lock(&avring_account_lock);
	avring_account_add_locked(charge, -charge->amount);
	unused = avring_account_leave_locked(charge->payer);
	spin_unlock(&avring_account_lock);
	kfree(unused);
	avring_account_put(charge->account);
}
