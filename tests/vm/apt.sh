# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by kernel and by tests/card/build: an apt of our own, whose sources are the mirror that
# this machine names, and which leaves the state of this machine's packages alone.

readonly oldstable=bookworm stable=trixie
readonly keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# "URI SUITE" of every enabled binary source with the component main.
host_sources() {
	local lists=(/etc/apt/sources.list /etc/apt/sources.list.d/*.list)
	local deb822=(/etc/apt/sources.list.d/*.sources) f

	for f in "${lists[@]}"; do
		[[ -r $f ]] || continue
		# deb [options] URI SUITE COMPONENT...
		sed -n 's/#.*//; s/^deb[[:space:]]\+\(\[[^]]*\][[:space:]]*\)\?//p' "$f" |
			awk '{ for (i = 3; i <= NF; i++) if ($i == "main") print $1, $2 }'
	done
	for f in "${deb822[@]}"; do
		[[ -r $f ]] || continue
		awk '
		function flush(  i, j, u, s) {
			if (v["types"] ~ /(^| )deb( |$)/ && v["components"] ~ /(^| )main( |$)/ &&
			    v["enabled"] !~ /no|false/) {
				split(v["uris"], u, " "); split(v["suites"], s, " ")
				for (i = 1; i in u; i++)
					for (j = 1; j in s; j++)
						print u[i], s[j]
			}
			split("", v); key = ""
		}
		/^#/ { next }
		/^[[:space:]]*$/ { flush(); next }
		/^[[:space:]]/ { sub(/^[[:space:]]+/, ""); v[key] = v[key] " " $0; next }
		{ key = tolower($0); sub(/:.*/, "", key); sub(/^[^:]*:[[:space:]]*/, ""); v[key] = $0 }
		END { flush() }' "$f"
	done
}

# Third parties publish "bookworm main" too; only Debian's mirror and its
# derivatives carry a -updates suite, and only Debian the -security one.
find_mirrors() {
	local sources

	sources=$(host_sources)
	mirror=${AVRING_MIRROR:-$(awk '$2 ~ /^[a-z]+-updates$/ { print $1; exit }' <<<"$sources")}
	mirror=${mirror:-$(awk '$2 ~ /^(bookworm|trixie|forky|stable|testing|sid)$/ { print $1; exit }' <<<"$sources")}
	security=${AVRING_SECURITY_MIRROR:-$(awk '$2 ~ /^[a-z]+-security$/ { print $1; exit }' <<<"$sources")}
	[[ $mirror ]] ||
		die "no Debian mirror in /etc/apt/sources.list*: set AVRING_MIRROR=URI"
}

# suite_sources TYPE SUITE: the lines of a sources.list.
suite_sources() {
	local type=$1 suite=$2 s more=updates

	[[ $suite == "$oldstable" ]] || more=backports
	for s in "$suite" "$suite-$more"; do
		echo "$type [signed-by=$keyring] $mirror $s main"
	done
	[[ $suite != "$oldstable" || ! $security ]] ||
		echo "$type [signed-by=$keyring] $security $suite-security main"
}

# shellcheck disable=SC2154  # cache is in common.sh
# setup_apt NAME TYPE SUITE [ARCH]: an apt of our own with its lists, its downloads, an empty package
# state, in apt/NAME; TYPE is deb or deb-src. What runs on this machine is there beside what ARCH has.
# The machine's apt.conf.d is not read (its hooks would run), but for the proxies.
setup_apt() {
	local type=$2 suite=$3 arch=${4:-amd64} a=$cache/apt/$1

	[[ -r $keyring ]] || die "$keyring not found: apt-get install debian-archive-keyring"
	find_mirrors
	mkdir -p "$a/lists/partial" "$a/cache/archives/partial" "$a/etc" "$cache/debs"
	: >"$a/status"
	suite_sources "$type" "$suite" >"$a/etc/sources.list"
	{
		cat <<-X
		Dir::State::lists "$a/lists";
		Dir::State::status "$a/status";
		Dir::Cache "$a/cache";
		Dir::Etc::sourcelist "$a/etc/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::parts "/dev/null";
		Dir::Etc::main "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
		APT::Architecture "$arch";
		APT::Architectures { "$arch"; "amd64"; };
		APT::Sandbox::User "root";
		APT::Default-Release "$suite-backports";
		Acquire::Check-Valid-Until "false";
		Acquire::Languages "none";
		Acquire::Retries "3";
		X
		apt-config dump | grep -i '^Acquire::.*proxy' || true
	} >"$a/etc/apt.conf"
	# A target release that is not in the sources is an error to apt.
	[[ $suite == "$stable" ]] || sed -i '/Default-Release/d' "$a/etc/apt.conf"
	export APT_CONFIG=$a/etc/apt.conf
}

# update_lists NAME: those of setup_apt.
update_lists() {
	local log

	say "reading the package lists of $1"
	if ! log=$(apt-get -qq --error-on=any update 2>&1); then
		# Old lists still name packages that the mirror usually has.
		[[ $(find "$cache/apt/$1/lists" -maxdepth 1 \( -name '*_Packages*' -o -name '*_Sources*' \)) ]] ||
			die "apt-get update for $1: $(grep -m 1 '^E:' <<<"$log" || tail -n 1 <<<"$log")"
		say "warning: apt-get update for $1 failed, going on with older lists"
	fi
}
