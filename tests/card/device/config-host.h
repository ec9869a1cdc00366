/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What QEMU's configure would find out, as far as its headers ask: Linux on x86-64 with
 * glibc, and what Debian's package switches on. The card checks the sizes that depend on
 * it before it does anything else.
 */
#define CONFIG_ATOMIC64 1
#define CONFIG_BYTESWAP_H 1
#define CONFIG_INT128 1
#define CONFIG_IOVEC 1
#define CONFIG_KVM 1
#define CONFIG_LINUX 1
#define CONFIG_MADVISE 1
#define CONFIG_POSIX 1
#define CONFIG_POSIX_MADVISE 1
#define CONFIG_SYSMACROS 1
#define CONFIG_TCG 1
#define HAVE_STRCHRNUL 1
#define HAVE_SYSTEM_FUNCTION 1
