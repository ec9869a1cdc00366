// SPDX-License-Identifier: GPL-2.0-only
/*
 * avcard: is this the QEMU whose headers the card was compiled with?
 *
 * The headers were those of one source package, and the structures in them have no
 * version. In anything else the card would work by luck, or overwrite memory.
 */
#include "avcard.h"

#include "hw/qdev-core.h"
#include "qapi/qapi-commands-control.h"

static void G_NORETURN avcard_refuse(const char *what, const char *here, const char *built)
{
	fprintf(stderr,
		"avcard: built for another QEMU: %s is %s here, the card was built for %s; "
		"build it for this one (tests/card/build)\n",
		what, here, built);
	exit(1);
}

static void avcard_check_version(void)
{
	static const char built[] = "Debian " AVCARD_QEMU_VERSION;
	VersionInfo *version = qmp_query_version(NULL);
	const char *here = strstr(version->package, built);

	/* A rebuild of the same source adds "+bN". */
	if (!here || !strchr("+)", here[sizeof(built) - 1]))
		avcard_refuse("the package", *version->package ? version->package : "none", built);
	qapi_free_VersionInfo(version);
}

static void avcard_check_size(const char *type, size_t built)
{
	size_t here = object_type_get_instance_size(type);
	char bytes[2][32];

	if (here == built)
		return;
	snprintf(bytes[0], sizeof(bytes[0]), "%zu bytes", here);
	snprintf(bytes[1], sizeof(bytes[1]), "%zu bytes", built);
	avcard_refuse(type, bytes[0], bytes[1]);
}

void avcard_check_qemu(void)
{
	avcard_check_version();
	avcard_check_size(TYPE_DEVICE, sizeof(DeviceState));
	avcard_check_size(TYPE_PCI_DEVICE, sizeof(PCIDevice));
	avcard_check_size(TYPE_MEMORY_REGION, sizeof(MemoryRegion));
}
