/* SPDX-License-Identifier: MIT */
/*
 * disk: a disk that tests may overwrite.
 *
 * $DISK, or /dev/vda in the test VM. Nowhere else is a disk taken for granted.
 */
#ifndef TEST_DISK_H
#define TEST_DISK_H

/* Opened O_RDWR | O_DIRECT | O_EXCL; skips the test if there is none. */
int disk_open(void);

/* A new ext4 on it, mounted; skips the test if that cannot be had. */
void disk_mount(const char *where);
void disk_unmount(const char *where);

#endif
