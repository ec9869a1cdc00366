# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by the suites: runs TAP programs one after the other. A program that
# ends badly without saying "not ok" (a crash, a missing file) gets that line here,
# so that the sum of the lines is the whole truth.

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck disable=SC2034 # the suites use it
tests=$repo/tests
# shellcheck disable=SC2034
bin=${AVRING_BUILD:-$repo/build}/tests
suite_failed=0

suite_run() {
	local name=${1#"$repo"/} said status start=$SECONDS

	said=$(mktemp)
	echo "# $name ${*:2}"
	"$@" 2>&1 | tee "$said"
	status=${PIPESTATUS[0]}
	if ((status != 0 && status != 4)); then
		suite_failed=1
		grep -q '^not ok' "$said" || echo "not ok - $name ended with status $status"
	fi
	if ((status == 4)) && ! grep -qE '^(ok|1\.\.0)( .*)? # SKIP' "$said"; then
		suite_failed=1
		echo "not ok - $name ended as if it had skipped all"
	fi
	grep -qE '^(ok|not ok|1\.\.0 # SKIP)' "$said" || {
		suite_failed=1
		echo "not ok - $name tested nothing"
	}
	echo "# $name took $((SECONDS - start)) s"
	rm -f "$said"
}

# Every deadline is longer where every access is checked (tests/vm/source-kernel).
case $(uname -r) in
*-debug) export TAP_SLOWER=${TAP_SLOWER:-12} ;;
esac

# suite_loops LENGTH: how often races turn (tests/lib/user.h).
suite_loops() {
	case $1 in
	--quick) export LOOPS=${LOOPS:-5} ;;
	--short) export LOOPS=${LOOPS:-15} ;;
	esac
}

# suite_as_user: from here on tests are run by an ordinary user of the groups video and audio, who may
# use the nodes as userspace/udev/60-avring.rules and the rules of udev say.
suite_as_user() {
	local video audio

	video=$(getent group video | cut -d: -f3)
	audio=$(getent group audio | cut -d: -f3)
	export TAP_USER=1000:$video,$audio
	chgrp video /dev/avring* /dev/video* /dev/media* && chgrp audio /dev/snd/* &&
		chmod 660 /dev/avring* /dev/video* /dev/media* /dev/snd/* || suite_failed=1
}

suite_end() {
	exit "$suite_failed"
}
