// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring_sleeper: put one PCI function to sleep and wake it up, as a suspend of the whole
 * system does with each of them. The guests' root file system (9p over virtio) would not
 * survive that.
 *
 *	insmod avring_sleeper.ko address=0000:01:00.0 ms=300
 *
 * It is done when insmod ends; a load that succeeds is one where each step did. Then the
 * module can be taken out again.
 */
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/pm.h>
#include <linux/pm_runtime.h>

static char *address;
module_param(address, charp, 0444);
MODULE_PARM_DESC(address, "PCI address, 0000:01:00.0");

static unsigned int ms = 300;
module_param(ms, uint, 0444);
MODULE_PARM_DESC(ms, "how long it sleeps, milliseconds");

typedef int (*sleeper_step)(struct device *dev);

/* What the PM core calls for a suspend to RAM, in its order. */
static int sleeper_run(struct device *dev)
{
	const struct dev_pm_ops *pm = dev->bus->pm;
	const sleeper_step down[] = { pm->prepare, pm->suspend, pm->suspend_late,
				      pm->suspend_noirq };
	const sleeper_step up[] = { pm->resume_noirq, pm->resume_early, pm->resume };
	unsigned int i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(down) && err >= 0; i++)
		err = down[i] ? down[i](dev) : 0;
	if (err < 0)
		dev_err(dev, "suspend step %u: %d\n", i - 1, err);
	msleep(ms);
	for (i = 0; i < ARRAY_SIZE(up) && err >= 0; i++)
		err = up[i] ? up[i](dev) : 0;
	if (pm->complete)
		pm->complete(dev);
	return min(err, 0);
}

static int __init sleeper_init(void)
{
	struct device *dev;
	int err;

	dev = address ? bus_find_device_by_name(&pci_bus_type, NULL, address) : NULL;
	if (!dev)
		return -ENODEV;
	/* The PM core holds both for each device. */
	pm_runtime_get_noresume(dev);
	device_lock(dev);
	err = sleeper_run(dev);
	device_unlock(dev);
	pm_runtime_put(dev);
	put_device(dev);
	return err;
}
module_init(sleeper_init);

static void __exit sleeper_exit(void)
{
}
module_exit(sleeper_exit);

MODULE_DESCRIPTION("Suspends one PCI function, for tests");
MODULE_LICENSE("GPL");
