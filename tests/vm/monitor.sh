# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by qmp and by tests/card/ctl, in a guest that was started with --card: QEMU's monitor on
# a port. Starts no program that it can do without, because that takes a tenth of a second in an
# emulated guest.

monitor_die() {
	# shellcheck disable=SC2154  # the sourcing script's name
	printf '%s: %s\n' "$prog" "$*" >&2
	exit "${status:-125}"
}

# There is no udev: the name of a port is in sysfs only.
monitor_device() {
	local p name

	for p in /sys/class/virtio-ports/*; do
		[[ -e $p/name ]] || continue
		read -r name <"$p/name"
		[[ $name != qmp ]] || device=/dev/${p##*/}
	done
}

# From here to the end of this process the monitor is ours.
monitor_open() {
	local device=''

	monitor_device
	[[ $device ]] || monitor_die "no monitor: not in a guest that was started with --card"
	# shellcheck disable=SC1091  # written by run
	. "$OUT/.vm/env"
	exec 9>/run/lock/avring-monitor
	flock 9
	exec 5<>"$device"
	# The first one has to say so; later it is an error that does no harm.
	monitor_ask '{"execute": "qmp_capabilities"}'
}

# Sets answer. With --icount the clock of an idle guest leaps from timer to timer, hours in the time
# that an answer takes, so there it is kept busy.
monitor_read() {
	if [[ $ICOUNT ]]; then
		while ! read -r -t 0 -u 5 _; do :; done
	fi
	read -r -u 5 answer
}

# monitor_ask JSON: sets answer. What happened before it is passed over. An error without an id is
# about words that QEMU could not read.
monitor_ask() {
	local id=$$.$((++monitor_asked))

	[[ $1 == *\} ]] || status=2 monitor_die "not a command: $1"
	printf '%s\n' "${1%\}}, \"id\": \"$id\"}" >&5
	while monitor_read; do
		[[ $answer != *"\"id\": \"$id\""* ]] || return 0
		[[ $answer != '{"error": '* || $answer == *'"id": '* ]] || return 0
	done
	monitor_die "the monitor is gone"
}

monitor_refused() { [[ $answer != *'"return": '* ]]; }

# monitor_event REGEX: the next event that matches; sets answer.
monitor_event() {
	while monitor_read; do
		[[ ! $answer =~ \"event\":.*$1 ]] || return 0
	done
	monitor_die "the monitor is gone"
}

monitor_asked=0
