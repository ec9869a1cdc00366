/* SPDX-License-Identifier: MIT */
/*
 * module: take the driver out of the kernel and put it back.
 */
#ifndef TEST_MODULE_H
#define TEST_MODULE_H

/* Note the parameters that the module has now, for module_load(). */
void module_remember(void);

/* delete_module() without waiting: 0 or -errno. */
int module_unload(void);

/* modprobe with the remembered parameters: 0, or -EIO if modprobe failed. */
int module_load(void);

#endif
