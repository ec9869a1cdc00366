// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring_fail: let allocations of one thread fail, on a kernel without fault injection.
 *
 *	echo 3 >/sys/module/avring_fail/parameters/arm	  the third one from now on fails
 *	echo new >.../arm	the first one fails that has not failed yet in this place: a
 *				place is a path of calls from the system call to the allocation
 *	echo 0 >.../arm		none does
 *	echo forget >.../arm	all places are new again
 *	cat .../arm		"0", or "1 PATH": where one has failed since it was armed
 *
 * The thread is the one that has armed it. Interrupts and requests that must not fail
 * (__GFP_NOFAIL) are left alone.
 *
 *	echo card0 >.../hold	holds this ALSA card, as a lost reference would
 *	echo >.../hold		lets it go
 */
#include <linux/jhash.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/stacktrace.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <sound/core.h>

/* Calls of a path; the first are those of the probe itself. */
#define FAIL_DEPTH 32
#define FAIL_SKIP 3
#define FAIL_PLACES 4096

/* Which argument of the kmalloc() family has the flags. */
#define FAIL_GFP_BUCKETS (IS_ENABLED(CONFIG_SLAB_BUCKETS) ? 3 : 2)

/* One of the thread; nobody else looks at the rest while it is set. */
static struct task_struct *fail_victim;
static bool fail_new;
static long fail_countdown;
static bool fail_hit;
static u32 fail_places[FAIL_PLACES];
static unsigned int fail_n_places;
static unsigned long fail_path[FAIL_DEPTH];
static unsigned int fail_n_path;

static bool fail_is_known(u32 place)
{
	unsigned int i;

	for (i = 0; i < fail_n_places; i++)
		if (fail_places[i] == place)
			return true;
	return false;
}

static bool fail_is_due(void)
{
	u32 place;

	fail_n_path = stack_trace_save(fail_path, FAIL_DEPTH, FAIL_SKIP);
	if (!fail_new)
		return !--fail_countdown;
	place = jhash(fail_path, fail_n_path * sizeof(*fail_path), 0);
	if (fail_is_known(place) || fail_n_places == FAIL_PLACES)
		return false;
	fail_places[fail_n_places++] = place;
	return true;
}

/* What the function returns in place of memory. */
static noinline void *fail_return(void)
{
	return NULL;
}

static int fail_probe(unsigned long gfp, struct pt_regs *regs)
{
	if (fail_victim != current || fail_hit || !in_task() || gfp & __GFP_NOFAIL)
		return 0;
	fail_hit = fail_is_due();
	if (!fail_hit)
		return 0;
	instruction_pointer_set(regs, (unsigned long)fail_return);
	return 1;
}

static int fail_gfp_first(struct kprobe *probe, struct pt_regs *regs)
{
	return fail_probe(regs_get_kernel_argument(regs, 0), regs);
}

static int fail_gfp_second(struct kprobe *probe, struct pt_regs *regs)
{
	return fail_probe(regs_get_kernel_argument(regs, 1), regs);
}

static int fail_gfp_third(struct kprobe *probe, struct pt_regs *regs)
{
	return fail_probe(regs_get_kernel_argument(regs, 2), regs);
}

static int fail_gfp_buckets(struct kprobe *probe, struct pt_regs *regs)
{
	return fail_probe(regs_get_kernel_argument(regs, FAIL_GFP_BUCKETS - 1), regs);
}

/* warn_alloc() tells everybody of memory that lacks, where the caller did not forbid it. */
static int fail_hush(struct kprobe *probe, struct pt_regs *regs)
{
	if (fail_victim != current || !fail_hit || !in_task())
		return 0;
	instruction_pointer_set(regs, (unsigned long)fail_return);
	return 1;
}

/* Tells kprobes that the instruction pointer may be changed. */
static void fail_post(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}

#define FAIL(name, handler) \
	{ \
		.symbol_name = name, .pre_handler = handler, .post_handler = fail_post \
	}

/* Each kernel has some of them. */
static struct kprobe fail_probes[] = {
	FAIL("warn_alloc", fail_hush),
	FAIL("kmalloc_trace", fail_gfp_second),
	FAIL("kmalloc_node_trace", fail_gfp_second),
	FAIL("__kmalloc", fail_gfp_second),
	FAIL("__kmalloc_node", fail_gfp_second),
	FAIL("__kmalloc_node_track_caller", fail_gfp_second),
	FAIL("kmalloc_large", fail_gfp_second),
	FAIL("kmem_cache_alloc", fail_gfp_second),
	FAIL("kmem_cache_alloc_node", fail_gfp_second),
	FAIL("kmem_cache_alloc_lru", fail_gfp_third),
	FAIL("alloc_pages", fail_gfp_first),
	FAIL("folio_alloc", fail_gfp_first),
	FAIL("__kmalloc_cache_noprof", fail_gfp_second),
	FAIL("__kmalloc_cache_node_noprof", fail_gfp_second),
	FAIL("__kmalloc_noprof", fail_gfp_second),
	FAIL("__kmalloc_node_noprof", fail_gfp_buckets),
	FAIL("__kmalloc_node_track_caller_noprof", fail_gfp_buckets),
	FAIL("__kmalloc_large_noprof", fail_gfp_second),
	FAIL("kmem_cache_alloc_noprof", fail_gfp_second),
	FAIL("kmem_cache_alloc_node_noprof", fail_gfp_second),
	FAIL("kmem_cache_alloc_lru_noprof", fail_gfp_third),
	FAIL("alloc_pages_noprof", fail_gfp_first),
	FAIL("folio_alloc_noprof", fail_gfp_first),
};

static int fail_arm(const char *text, const struct kernel_param *kp)
{
	long count = 1;
	bool new = sysfs_streq(text, "new");

	WRITE_ONCE(fail_victim, NULL);
	if (sysfs_streq(text, "forget")) {
		fail_n_places = 0;
		return 0;
	}
	if (!new && (kstrtol(text, 10, &count) || count < 0))
		return -EINVAL;
	if (!count)
		return 0;
	fail_new = new;
	fail_countdown = count;
	fail_hit = false;
	WRITE_ONCE(fail_victim, current);
	return 0;
}

static int fail_tell(char *text, const struct kernel_param *kp)
{
	int length = sysfs_emit(text, "%d", fail_hit);
	unsigned int i;

	for (i = 0; fail_hit && i < fail_n_path; i++)
		length += sysfs_emit_at(text, length, " %ps", (void *)fail_path[i]);
	return length + sysfs_emit_at(text, length, "\n");
}

static const struct kernel_param_ops fail_arm_ops = {
	.set = fail_arm,
	.get = fail_tell,
};
module_param_cb(arm, &fail_arm_ops, NULL, 0644);
MODULE_PARM_DESC(arm, "which allocation of this thread fails: N, new, 0, forget");

static struct device *fail_held;

static int fail_hold(const char *text, const struct kernel_param *kp)
{
	struct snd_card *card = NULL;
	int number;

	put_device(fail_held);
	fail_held = NULL;
	if (sysfs_streq(text, ""))
		return 0;
	if (sscanf(text, "card%d", &number) == 1)
		card = snd_card_ref(number);
	if (!card)
		return -ENODEV;
	fail_held = &card->card_dev;
	return 0;
}

static const struct kernel_param_ops fail_hold_ops = {
	.set = fail_hold,
};
module_param_cb(hold, &fail_hold_ops, NULL, 0200);
MODULE_PARM_DESC(hold, "ALSA card that is held, cardN; none if empty");

static void fail_unregister(unsigned int count)
{
	while (count--)
		if (fail_probes[count].addr)
			unregister_kprobe(&fail_probes[count]);
}

static int __init fail_init(void)
{
	unsigned int i, found = 0;
	int err;

	for (i = 0; i < ARRAY_SIZE(fail_probes); i++) {
		err = register_kprobe(&fail_probes[i]);
		if (!err) {
			found++;
			continue;
		}
		fail_probes[i].addr = NULL;
		if (err != -ENOENT) {
			pr_err("avring_fail: %s: %d\n", fail_probes[i].symbol_name, err);
			fail_unregister(i);
			return err;
		}
	}
	pr_info("avring_fail: %u probes\n", found);
	return found ? 0 : -ENOENT;
}
module_init(fail_init);

static void __exit fail_exit(void)
{
	fail_victim = NULL;
	fail_unregister(ARRAY_SIZE(fail_probes));
	put_device(fail_held);
}
module_exit(fail_exit);

MODULE_DESCRIPTION("Lets allocations of one thread fail, for tests");
MODULE_LICENSE("GPL");
