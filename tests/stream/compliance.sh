# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by those who run v4l2-compliance: the tool, and what it says that stock vivid is
# not told as well. They set scratch, frames and exporter.
# shellcheck disable=SC2154

find_tool() {
	local default=v4l2-compliance

	[[ ${AVRING_ROOT:-/} == / ]] || default="chroot $AVRING_ROOT v4l2-compliance"
	read -ra tool <<<"${V4L2_COMPLIANCE:-$default}"
	"${tool[@]}" --version >"$scratch/version" 2>&1 || tap_skip_all "cannot run ${tool[*]}"
}

# run_tool LOG ARGUMENT...
run_tool() {
	local log=$1

	shift
	"${tool[@]}" --color never --no-progress "$@" 2>&1 | tr '\r' '\n' >"$log"
	[[ ! ${OUT-} ]] || cp "$log" "$OUT/compliance-${log##*/}"
}

# findings LOG: what it failed or warned of, each once.
findings() {
	grep -E '(fail|warn): |: FAIL *$' "$1" | sed 's/^[[:space:]]*//; s/[[:space:]]*$//' |
		sort -u
}

# The baseline takes vivid's own nodes, and vivid goes again.
run_vivid() {
	local cap out med loaded=

	[[ ! -d /sys/module/vivid ]] || loaded=yes
	modprobe vivid n_devs=1 node_types=0x101 num_inputs=1 input_types=0 2>"$scratch/modprobe" || return
	cap=$(video_node vivid-000-vid-cap) out=$(video_node vivid-000-vid-out)
	med=$(media_node vivid)
	run_tool "$scratch/vivid-capture" -d "$cap" -s"$frames" -a -e "$exporter"
	run_tool "$scratch/vivid-output" -d "$out" -s"$frames" -a -e "$exporter"
	run_tool "$scratch/vivid-media" -m "$med"
	[[ $loaded ]] || modprobe -r vivid
	findings <(cat "$scratch"/vivid-*) >"$scratch/vivid"
	[[ ! -s $scratch/vivid ]] || tap_note "stock vivid, same tool:" $'\n' "$(<"$scratch/vivid")"
}

# judge LOG CLAIM
judge() {
	local total found ours

	total=$(grep -E "^(Grand )?Total for .*: [0-9]+, Succeeded" "$1" | tail -n 1)
	found=$(findings "$1")
	ours=$(comm -23 <(echo "$found") <(sort -u "$scratch/vivid"))
	if [[ ! $total ]]; then
		tap_not_ok "$2"
		tap_note "no total at the end; the last lines:" $'\n' "$(tail -n 5 "$1")"
	elif [[ $ours || (! $found && ! $total =~ Failed:\ 0,\ Warnings:\ 0$) ]]; then
		tap_not_ok "$2"
		tap_note "$total" $'\n' "$ours"
	else
		tap_ok "$2"
		tap_note "$total"
		[[ ! $found ]] || tap_note "not ours, stock vivid fails it too:" $'\n' "$found"
	fi
}

check_streamed() {
	local way

	for way in "${@:2}"; do
		grep -qE "test $way.*: OK" "$1" && continue
		tap_not_ok "$way was tested"
		return
	done
	tap_ok "${1##*/}: ${*:2} were tested"
}
