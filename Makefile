# SPDX-License-Identifier: GPL-2.0-only
# Front door: says what there is and who does it.

KERNELS ?= $(shell awk '!/^\#/ { print $$1 }' tests/kernels)
KDIR ?= /lib/modules/$(shell uname -r)/build
Q := $(if $(V),,@)

.PHONY: help modules load unload userspace install demo bench check check-quick check-apps check-harness check-debug check-arm64 in-tree lint tests packages clean

help:
	@echo 'make modules      the driver for the running kernel (needs its headers)'
	@echo 'make load         load it, with the modules it needs; CARDS=N, SOURCE=loopback, PCI=1, OBS=1'
	@echo 'make unload       unload it'
	@echo 'make userspace    the tool avring, the library and its examples: build/userspace/'
	@echo 'make install      install those; PREFIX=/usr/local, DESTDIR='
	@echo 'make demo         film and voice through the driver in a virtual machine: build/demo/; SOURCE=pci'
	@echo 'make bench        what it costs, beside others who do the same: build/bench/results.json'
	@echo 'make check        every test on every kernel; KERNELS="6.1 6.12 newest"'
	@echo 'make check-quick  the tests that matter daily, on one kernel'
	@echo 'make check-apps   what PipeWire, GStreamer, OBS... do with the card'
	@echo 'make check-harness  the virtual machines and the simulated card that the tests stand on'
	@echo 'make check-debug  the suites on a kernel with KASAN, lockdep, kmemleak...'
	@echo 'make check-arm64  memory, ring and streams on arm64, emulated; ARM64="arm64 arm64-16k"'
	@echo 'make in-tree      the driver in a kernel tree: modules, built in, sparse, Sphinx'
	@echo 'make tests        only build the test programs (every target: V=1)'
	@echo 'make lint         style, kernel-doc, sparse, who includes whom'
	@echo 'make packages     install the Debian packages that the others need'
	@echo 'make clean        remove build/ and what a build left in driver/'

modules:
	$(Q)test -d $(KDIR) || { echo "no headers of the running kernel: $(KDIR) is missing;" \
		"apt-get install linux-headers-$$(uname -r)" >&2; exit 1; }
	$(Q)$(MAKE) -C $(KDIR) M=$(CURDIR)/driver modules

# insmod does not look for what a module needs; modprobe does.
load: modules
	$(Q)modprobe -a videodev mc videobuf2-v4l2 v4l2-tpg snd-pcm
	$(Q)insmod driver/avring-core.ko
	$(Q)insmod driver/avring.ko $(if $(CARDS),cards=$(CARDS)) $(if $(SOURCE),source=$(SOURCE))
	$(if $(PCI),$(Q)insmod driver/avring-pci.ko)
	$(if $(OBS),$(Q)insmod driver/avring_v4l2loopback.ko)

# What others need goes last.
unload:
	$(Q)for module in avring_v4l2loopback avring_pci avring avring_core; do \
		! grep -q "^$$module " /proc/modules || rmmod $$module || exit; done

userspace:
	$(Q)$(MAKE) -C userspace

install:
	$(Q)$(MAKE) -C userspace install $(if $(DESTDIR),DESTDIR='$(abspath $(DESTDIR))')

demo:
	$(Q)demo/run $(if $(SOURCE),--source $(SOURCE))

bench:
	$(Q)tests/packages bench
	$(Q)bench/run $(KERNELS)

tests:
	$(Q)$(MAKE) -C tests

check: packages
	$(Q)tests/check $(KERNELS)

check-quick: packages
	$(Q)tests/check --quick $(firstword $(KERNELS))

check-apps:
	$(Q)tests/packages apps
	$(Q)tests/check --apps $(firstword $(KERNELS))

check-harness: packages
	$(Q)tests/check --harness

check-debug:
	$(Q)tests/packages debug
	$(Q)tests/check --debug debug

check-arm64:
	$(Q)tests/packages arm64
	$(Q)tests/check-arm64 $(ARM64)

in-tree:
	$(Q)tests/packages in-tree
	$(Q)tests/in-tree $(KERNEL)

lint: packages
	$(Q)tests/lint/run

packages:
	$(Q)tests/packages

clean:
	$(Q)rm -rf build
	$(Q)if test -e driver/avring.ko; then \
		$(MAKE) -C $(KDIR) M=$(CURDIR)/driver clean; fi
