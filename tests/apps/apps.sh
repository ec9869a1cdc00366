# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the tests of applications: what tests/tool has, and a desktop without
# systemd: udev with our rules and everything else that `make install` puts there,
# D-Bus, PipeWire, WirePlumber and the server that PulseAudio's programs talk to.
#
# The guest has real time here, not a clock of instructions, and is slow: what an
# application says about times and formats is judged, never how long it took.

# shellcheck disable=SC2034 # tool.sh looks at it
cold=yes
# shellcheck source-path=SCRIPTDIR source=../tool/tool.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tool/tool.sh"

# needs TOOL: or nothing is tested.
needs() { command -v "$1" >/dev/null || tap_skip_all "$1 is missing: tests/packages apps"; }

# said PATTERN FILE: a program has said this.
said() { grep -qE -- "$1" "$2" 2>/dev/null; }

# background NAME COMMAND...: its words in $scratch/NAME.log, its number $job.
background() {
	local log=$scratch/$1.log

	shift
	"$@" >"$log" 2>&1 </dev/null &
	job=$!
}

# What `make -C userspace install DESTDIR=build/installed` made on the host becomes the guest's.
install_all() {
	local from=${AVRING_BUILD:-$repo/build}/installed

	[[ -d $from ]] || {
		tap_not_ok "there is $from: make -C userspace install DESTDIR=$from"
		tap_end
	}
	cp -r "$from"/* /
	ldconfig
}

# desktop_start: one for all tests of a guest where APPS_KEEP is set; else it goes at the end.
desktop_start() {
	desktop=/run/avring-desktop
	export XDG_RUNTIME_DIR=$desktop/run XDG_STATE_HOME=$desktop/state XDG_CONFIG_HOME=$desktop/config
	export DBUS_SESSION_BUS_ADDRESS=unix:path=$XDG_RUNTIME_DIR/bus
	trap desktop_stop EXIT
	[[ -d $desktop ]] || desktop_new
	wait_until 200 desktop_complete || {
		tap_not_ok "PipeWire shows the card"
		tap_note "$(objects; grep -v "Test Pattern" "$desktop"/{pipewire,wireplumber,pulse}.log | tail -n 60)"
		tap_end
	}
}

desktop_new() {
	install_all
	udev_start
	mkdir -p /run/systemd/{seats,sessions,users,machines} /run/dbus "$desktop"
	mkdir -m 700 "$XDG_RUNTIME_DIR"
	daemon system-dbus dbus-daemon --system --nofork --nopidfile
	daemon dbus dbus-daemon --session --nofork --nopidfile --address="$DBUS_SESSION_BUS_ADDRESS"
	wait_until 60 test -S /run/dbus/system_bus_socket -a -S "$XDG_RUNTIME_DIR/bus"
	daemon pipewire pipewire
	daemon wireplumber wireplumber
	daemon pulse pipewire-pulse
}

# daemon NAME COMMAND...: it does not end with the test.
daemon() {
	local log=$desktop/$1.log

	shift
	setsid "$@" >"$log" 2>&1 </dev/null &
	echo $! >>"$desktop/pids"
	disown
}

# shellcheck disable=SC2317 # at exit
desktop_stop() {
	if [[ ! ${APPS_KEEP-} ]]; then
		xargs kill <"$desktop/pids"
		wait_until 60 desktop_gone
		udevadm control --exit
		rm -rf "$desktop"
	fi
	put_away
}

# shellcheck disable=SC2317 # at exit
desktop_gone() {
	local pid

	while read -r pid; do
		! kill -0 "$pid" 2>/dev/null || return 1
	done <"$desktop/pids"
}

# desktop_complete: picture and sound of card 0 can be chosen, and pulse answers.
desktop_complete() {
	pactl info >/dev/null 2>&1 && objects >"$scratch/objects" &&
		grep -q '^Video/Source|.*avring.0' "$scratch/objects" &&
		grep -q '^Audio/Source|.*avring.0' "$scratch/objects"
}

# objects: a line per device and node: class, name, description, serial number.
objects() {
	pw-dump 2>/dev/null | jq -r '.[].info.props | select(."media.class" != null) |
		[."media.class", ."node.name" // ."device.name",
		 ."node.description" // ."device.description", ."object.serial"] | join("|")'
}

# member CLASS CARD NUMBER: of the line in $scratch/objects that is such an object of a card.
member() {
	awk -F'|' -v class="$1" -v card="avring.$2" -v number="$3" \
		'$1 == class && index($2, card) { print $number; exit }' "$scratch/objects"
}

# What PipeWire calls it, and the number under which it knows it.
name_of() { member "$1" "$2" 2; }
serial() { member "$1" "$2" 4; }

# beeps FILE SAMPLES: a WAV file of 16 bits has so many samples or more, and a beep.
beeps() {
	python3 -c 'import array, sys
data = open(sys.argv[1], "rb").read()
data = data[data.index(b"data") + 8:]
samples = array.array("h", data[:len(data) // 2 * 2])
loudest = max(map(abs, samples), default=0)
print("largest sample", loudest, "of", len(samples))
sys.exit(loudest < 16000 or len(samples) < int(sys.argv[2]))' "$@"
}
