// SPDX-License-Identifier: MIT
/*
 * module: take the driver out of the kernel and put it back.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "device.h"
#include "module.h"
#include "tap.h"

static char module_parameters[64] = "";

void module_remember(void)
{
	unsigned int cards = card_count();

	if (cards)
		snprintf(module_parameters, sizeof(module_parameters), "cards=%u", cards);
}

int module_unload(void)
{
	return sys(syscall(SYS_delete_module, "avring", O_NONBLOCK));
}

int module_load(void)
{
	char command[128];

	snprintf(command, sizeof(command), "modprobe avring %s", module_parameters);
	return system(command) ? -EIO : 0;
}
