// SPDX-License-Identifier: MIT
/*
 * module: take the driver out of the kernel and put it back.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "module.h"
#include "tap.h"

#define CARDS_PARAMETER "/sys/module/" MODULE_VIRTUAL "/parameters/cards"

static char remembered_cards[16];
static bool remembered_pci;

void module_remember(void)
{
	FILE *cards = fopen(CARDS_PARAMETER, "re");

	remembered_cards[0] = '\0';
	if (cards) {
		if (!fgets(remembered_cards, sizeof(remembered_cards), cards))
			perror(CARDS_PARAMETER);
		fclose(cards);
	}
	remembered_cards[strcspn(remembered_cards, "\n")] = '\0';
	remembered_pci = !access("/sys/module/" MODULE_PCI, F_OK);
}

int module_unload_one(const char *name)
{
	return sys(syscall(SYS_delete_module, name, O_NONBLOCK));
}

int module_unload(void)
{
	static const char *const names[] = { MODULE_PCI, MODULE_VIRTUAL, MODULE_CORE };
	size_t i;
	int error;

	for (i = 0; i < TAP_COUNT(names); i++) {
		error = module_unload_one(names[i]);
		if (error && error != -ENOENT)
			return error;
	}
	return 0;
}

void module_expect_core_in_use(void)
{
	must(module_unload_one(MODULE_VIRTUAL));
	must_refuse(EWOULDBLOCK, module_unload_one(MODULE_CORE));
}

int module_load(void)
{
	char command[128];

	snprintf(command, sizeof(command), "modprobe " MODULE_VIRTUAL " cards=%s",
		 remembered_cards);
	if (remembered_cards[0] && system(command))
		return -EIO;
	return remembered_pci && system("modprobe " MODULE_PCI) ? -EIO : 0;
}
