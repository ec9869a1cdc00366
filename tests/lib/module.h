/* SPDX-License-Identifier: MIT */
/*
 * module: take the driver out of the kernel and put it back. What is open holds the module of
 * its card; what is mapped or exported holds avring_core alone.
 */
#ifndef TEST_MODULE_H
#define TEST_MODULE_H

#define MODULE_CORE "avring_core"
#define MODULE_VIRTUAL "avring"
#define MODULE_PCI "avring_pci"

/* Note which modules there are, and with what parameters, for module_load(). */
void module_remember(void);

/* delete_module() of one without waiting: 0 or -errno. */
int module_unload_one(const char *name);

/* All that are there, those of the cards first: 0, or the -errno of the first that stays. */
int module_unload(void);

/* The virtual cards go, and avring_core is refused, because somebody has memory of theirs. */
void module_expect_core_in_use(void);

/* modprobe of what was remembered, with its parameters: 0, or -EIO if it failed. */
int module_load(void);

#endif
