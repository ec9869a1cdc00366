# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the test scripts of this folder: TAP on stdout, nodes by name, a
# private folder that goes away with the script.
#
# exit status of tap_end: 0 passed, 1 failed, 4 everything skipped.

tap_run=0 tap_failed=0 tap_skipped=0

tap_ok() { printf 'ok %d - %s\n' $((++tap_run)) "$1"; }
tap_not_ok() { printf 'not ok %d - %s\n' $((++tap_run)) "$1"; ((++tap_failed)); }
tap_skip() { printf 'ok %d - %s # SKIP %s\n' $((++tap_run)) "$1" "$2"; ((++tap_skipped)); }
tap_note() {
	local text=$*

	echo "# ${text//$'\n'/$'\n# '}"
}

# tap_verdict CLAIM STATUS NOTE: of a command that has just ended.
tap_verdict() {
	if (($2)); then tap_not_ok "$1"; else tap_ok "$1"; fi
	[[ ! $3 ]] || tap_note "$3"
}

tap_skip_all() {
	printf '1..0 # SKIP %s\n' "$1"
	exit 4
}

tap_end() {
	printf '1..%d\n' "$tap_run"
	((tap_run && !tap_failed)) || exit 1
	((tap_skipped < tap_run)) || exit 4
	exit 0
}

# video_node NAME: the /dev/videoN of this name.
video_node() {
	local d

	for d in /sys/class/video4linux/*; do
		[[ $(cat "$d/name" 2>/dev/null) == "$1" ]] || continue
		echo "/dev/${d##*/}"
		return
	done
	return 1
}

# media_node MODEL: the /dev/mediaN of this model.
media_node() {
	local d

	for d in /sys/bus/media/devices/media*; do
		[[ $(cat "$d/model" 2>/dev/null) == "$1" ]] || continue
		echo "/dev/${d##*/}"
		return
	done
	return 1
}

# wait_until SECONDS COMMAND...: whether it came true in time.
wait_until() {
	local end=$((SECONDS + $1))

	shift
	until "$@"; do
		((SECONDS < end)) || return 1
		sleep 0.1
	done
}

# make_scratch: a folder in $scratch, in memory.
make_scratch() {
	scratch=$(mktemp -d "${TMPDIR:-/tmp}/avring-XXXXXX") || exit 1
	trap 'rm -rf "$scratch"' EXIT
}
