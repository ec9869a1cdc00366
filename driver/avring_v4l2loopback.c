// SPDX-License-Identifier: GPL-2.0-only
/*
 * avring: a module that does nothing but have a name.
 *
 * OBS offers "Start Virtual Camera" only where "v4l2loopback" occurs in /proc/modules,
 * and then takes the first output node that it finds, whose ever it is. Loaded beside
 * avring this says that there is one; an alias would not do, because OBS would ask for
 * the administrator's password at every start.
 */
#include <linux/module.h>

MODULE_DESCRIPTION("Tells OBS that the output node of avring is a virtual camera");
MODULE_LICENSE("GPL");
MODULE_SOFTDEP("pre: avring");
