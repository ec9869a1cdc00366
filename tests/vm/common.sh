# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by run, kernel, modules and selftest: where things are, how
# failures are said.

# Physical paths: the guest finds every file under the same name as the host,
# and a symbolic link through a directory that the guest replaces (/tmp) would
# lead nowhere there.
vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck disable=SC2034  # used by the scripts that source this file
repo=$(cd "$vm_dir/../.." && pwd -P)
# shellcheck disable=SC2034
build=${AVRING_BUILD:-$repo/build}
# shellcheck disable=SC2034
cache=${AVRING_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/avring}
prog=tests/vm/$(basename "$0")

# Exit statuses of the harness itself, clear of what tests use (0..4, 77).
readonly EX_USAGE=2 EX_SKIP=77 EX_HARNESS=125

say() { printf '%s: %s\n' "$prog" "$*" >&2; }
die() { say "$@"; exit "$EX_HARNESS"; }
skip() { say "$@"; exit "$EX_SKIP"; }
usage_error() { say "$* (see $prog --help)"; exit "$EX_USAGE"; }

# Whatever else goes wrong must not look like the status of a test.
set -E
trap 'die "unexpected failure near line $LINENO of $0"' ERR

# need TOOL PACKAGE: a missing tool is named together with its cure.
need() {
	[[ $PATH == *sbin* ]] || PATH=$PATH:/usr/sbin:/sbin
	command -v "$1" >/dev/null || die "$1 not found: apt-get install $2"
}

# The comment block at the top of a script is its help text.
show_help() {
	sed -n '/^# SPDX/d; /^#!/d; /^#/!q; s/^# \{0,1\}//p' "$0"
}
