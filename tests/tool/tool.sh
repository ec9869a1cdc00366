# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the tests of the tool: TAP, the tool itself, disks that can be full or
# bad. They run in a guest with two cards, as root, with a clock that counts
# instructions (tests/vm/run --icount).
#
# AVRING_TOOL: the program, if it is not build/userspace/avring. Who sets cold before needs
# no warm recorder.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
# shellcheck source-path=SCRIPTDIR source=../stream/tap.sh
. "$here/../stream/tap.sh"
avring=${AVRING_TOOL:-${AVRING_BUILD:-$repo/build}/userspace/avring}
# shellcheck disable=SC2034 # tests use them
card=/dev/avring0 other=/dev/avring1 nl=$'\n'

# Seconds to wait for something that must come. The guest's time leaps while it waits
# for its host, so this is no limit that anything may come near to; what hangs is
# ended by the limit of the guest (tests/vm/run --timeout).
patience=100000

[[ -x $avring ]] || {
	echo "not ok - there is $avring"
	exit 1
}

# udev_start: a udev of the guest's own, with our rules, that has seen all nodes.
udev_start() {
	local udevd=/lib/systemd/systemd-udevd

	[[ -x $udevd ]] || tap_skip_all "no $udevd: apt-get install udev"
	mkdir -p /run/udev/rules.d
	cp "$repo"/userspace/udev/*.rules /run/udev/rules.d/
	"$udevd" --daemon 2>"$scratch/udevd" ||
		tap_skip_all "udevd does not start here: $(<"$scratch/udevd")"
	udevadm trigger --action=add --settle --subsystem-match={avring,video4linux,media,sound}
}

# sound_property NUMBER NAME: what udev knows of an ALSA card.
sound_property() { udevadm info --query=property --property="$2" --value "/sys/class/sound/card$1"; }

# words FILE: without what is always said: that it is ready, and, in tests/tool/record, what is
# recorded in which ring.
words() { grep -v -e ': ready$' -e ', in a ring of [0-9]* bytes, ' "$1"; }

# run COMMAND...: $status, and what was said in $out and $err.
run() {
	"$@" >"$scratch/out" 2>"$scratch/err" </dev/null
	status=$?
	# shellcheck disable=SC2034 # tests use it
	out=$(<"$scratch/out")
	err=$(words "$scratch/err")
}

# gives CLAIM STATUS WORDS COMMAND...: it ends like this and says these words and no others on
# stderr; both are shell patterns.
gives() {
	local claim=$1 want=$2 words=$3

	shift 3
	run "$@"
	# shellcheck disable=SC2053 # patterns
	if [[ $status == $want && $err == $words ]]; then
		tap_ok "$claim"
		return
	fi
	tap_not_ok "$claim"
	tap_note "$*${nl}status $status, expected $want${nl}said: $err${nl}expected: $words"
	return 1
}

# same CLAIM EXPECTED GOT
same() {
	if [[ $2 == "$3" ]]; then
		tap_ok "$1"
		return
	fi
	tap_not_ok "$1"
	tap_note "expected: $2${nl}got: $3"
	return 1
}

# holds CLAIM COMMAND...: it succeeds.
holds() {
	local claim=$1 said

	shift
	if said=$("$@" 2>&1); then
		tap_ok "$claim"
		return
	fi
	tap_not_ok "$claim"
	tap_note "$*${nl}$said"
	return 1
}

bytes_of() { stat -c %s "$1"; }

# A member of the only, or last, line of JSON in a file: json FILE EXPRESSION, with
# the line as "d".
json() {
	python3 -c 'import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
d = lines[-1]
print(eval(sys.argv[2]))' "$1" "$2"
}

# disk NAME MIB [ATTRIBUTE=VALUE]...: a disk in memory, /dev/NAME.
disk() {
	local name=$1 size=$2 dir=/sys/kernel/config/nullb/$1 a

	shift 2
	modprobe -a configfs || return
	mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config || return
	modprobe null_blk nr_devices=0 || return
	mkdir "$dir" || return
	for a in "size=$size" memory_backed=1 "$@" power=1; do
		echo "${a#*=}" >"$dir/${a%%=*}" || return
	done
	disks+=("$name")
	wait_until "$patience" test -b "/dev/$name"
}
disks=()

# volume NAME MIB [ATTRIBUTE=VALUE]...: with ext4 on it, at $scratch/NAME.
volume() {
	local where=$scratch/$1

	if ! disk "$@" || ! mkdir "$where" || ! modprobe ext4 ||
		! mkfs.ext4 -q -O ^has_journal "/dev/$1" >/dev/null || ! mount "/dev/$1" "$where"; then
		tap_not_ok "there is a disk $1 of $2 MiB"
		tap_end
	fi
	mounts+=("$where")
}
mounts=()

put_away() {
	local d

	cd /
	# shellcheck disable=SC2046
	[[ ! $(jobs -pr) ]] || kill $(jobs -pr)
	wait
	for d in "${mounts[@]}"; do umount "$d"; done
	for d in "${disks[@]}"; do
		echo 0 >"/sys/kernel/config/nullb/$d/power"
		rmdir "/sys/kernel/config/nullb/$d"
	done
	rm -rf "$scratch"
}

scratch=$(mktemp -d "${TMPDIR:-/tmp}/avring-XXXXXX") || exit 1
trap put_away EXIT

# What a recorder needs is read from the host beforehand, for it would miss frames
# while it waits for that.
warm_up() {
	"$avring" record -q -t 0.2 --video "$scratch/warm.raw" --audio "$scratch/warm.wav" "$card"
	"$avring" verify "$scratch/warm.raw" --audio "$scratch/warm.wav"
	rm -f "$scratch"/warm.*
} >/dev/null 2>&1

# start NAME COMMAND...: in the background, and wait until it says "ready". Its
# stderr is $scratch/NAME.err, its number $job.
start() {
	local name=$1

	shift
	"$@" >"$scratch/$name.out" 2>"$scratch/$name.err" </dev/null &
	job=$!
	until grep -q ready "$scratch/$name.err"; do
		kill -0 "$job" 2>/dev/null || {
			tap_not_ok "$* gets ready"
			tap_note "$(<"$scratch/$name.err")"
			return 1
		}
		sleep 0.1
	done
}

# grows FILE [BYTES]: wait until $job has written so much; it fails if that has ended before.
grows() {
	local size

	until size=$(stat -c %s "$1" 2>/dev/null) && ((size >= ${2:-1})); do
		kill -0 "$job" 2>/dev/null || {
			tap_not_ok "$1 grows to ${2:-1} bytes: it has ${size:-0}, and who writes it has ended"
			return 1
		}
		sleep 0.1
	done
}

# ends NAME: wait for $job: $status and $err.
ends() {
	wait "$job"
	status=$?
	err=$(words "$scratch/$1.err")
}

# ended CLAIM NAME STATUS WORDS: as gives, for what start began.
ended() {
	local claim=$1 want=$3 words=$4

	ends "$2"
	# shellcheck disable=SC2053
	if [[ $status == "$want" && $err == $words ]]; then
		tap_ok "$claim"
		return
	fi
	tap_not_ok "$claim"
	tap_note "status $status, expected $want${nl}said: $err${nl}expected: $words"
	return 1
}

# A recording is whole: no part of a frame, an index that was closed and names
# each byte, and every frame that it names is right. whole CLAIM FILE FRAME-BYTES
# [STATUS-OF-VERIFY]
whole() {
	local claim=$1 file=$2 frame=$3 want=${4:-0} bytes

	bytes=$(bytes_of "$file")
	run "$avring" verify "$file"
	if ((bytes && bytes % frame == 0 && status == want)) &&
		[[ $(json "$file.jsonl" 'd["bytes"]') == "$bytes" ]]; then
		tap_ok "$claim"
		return
	fi
	tap_not_ok "$claim"
	tap_note "$bytes bytes, frames of $frame; verify ends with $status, expected $want${nl}$err${nl}$(cat "$file.jsonl")"
	return 1
}

[[ ! -e $card || ${cold-} ]] || warm_up
