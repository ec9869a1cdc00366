/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * avring: the driver of the PCI card.
 */
#ifndef AVRING_PCI_CARD_H
#define AVRING_PCI_CARD_H

#include <linux/kconfig.h>
#include <linux/types.h>

/* Cards that exist at the same time; their numbers begin where the caller says. */
#define AVRING_PCI_MAX_CARDS	16

#if IS_ENABLED(CONFIG_PCI)
int avring_pci_register_driver(int first_number);
void avring_pci_unregister_driver(void);
void avring_pci_number_from(int first_number);
bool avring_pci_any(void);
#else
static inline int avring_pci_register_driver(int first_number)
{
	return 0;
}

static inline void avring_pci_unregister_driver(void)
{
}

static inline void avring_pci_number_from(int first_number)
{
}

static inline bool avring_pci_any(void)
{
	return false;
}
#endif

#endif
