// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring-core: what every card is made of: memory, rings, and what the nodes of cards share.
 * Modules of cards use it: avring has the virtual ones, avring-pci that of the PCI board.
 */
#include <linux/module.h>

#include "names.h"
#include "ring/ringdev.h"
#include "video/courier.h"

static int __init avring_core_init(void)
{
	int err = avring_courier_init();

	if (err)
		return err;
	err = avring_ringdev_init_class(AVRING_MAX_CARDS);
	if (err)
		avring_courier_exit();
	return err;
}
module_init(avring_core_init);

static void __exit avring_core_exit(void)
{
	avring_ringdev_exit_class();
	avring_courier_exit();
}
module_exit(avring_core_exit);

MODULE_DESCRIPTION("Fault-served ring buffers for sound and video capture cards");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.3.0");
