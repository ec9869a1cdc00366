# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154  # arch, cache, oldstable: those of kernel and apt.sh
# Sourced by kernel: a Debian of another architecture, which its guests have as their root and the
# cross compiler as its, and that compiler. Unpacked only: nothing of the former can run here, so no
# package is configured, and Debian's cross compilers cannot be installed beside gcc-multilib.

# Suites are shell scripts that start stock programs; what is linked against comes with headers.
readonly tree_foreign="base-files base-passwd libc-bin bash dash coreutils findutils grep sed gawk diffutils
	util-linux mount kmod procps busybox-static python3 alsa-utils v4l-utils ffmpeg
	libc6-dev libasound2-dev zlib1g-dev libjansson-dev libsndfile1-dev"

# What the scripts of these packages would have done.
configure_tree() {
	local d lib

	cp "$1/usr/share/base-passwd/passwd.master" "$1/etc/passwd"
	cp "$1/usr/share/base-passwd/group.master" "$1/etc/group"
	ln -sfn dash "$1/usr/bin/sh"
	ln -sfn gawk "$1/usr/bin/awk"
	for lib in "$1"/usr/lib/*-linux-gnu/{blas,lapack}/*.so.3; do
		[[ ! -e $lib ]] || ln -sfn "$(basename "$(dirname "$lib")")/${lib##*/}" "${lib%/*/*}/${lib##*/}"
	done
	# The guest mounts something at each.
	for d in dev proc sys tmp run root; do
		mkdir -p "$1/$d"
	done
}

readonly tree_cross="gcc-12-aarch64-linux-gnu cpp-12-aarch64-linux-gnu libgcc-12-dev-arm64-cross"

# unpack_cross DIR: its assembler and linker are those of the machine (binutils-aarch64-linux-gnu).
unpack_cross() {
	local p packages

	# shellcheck disable=SC2086  # words
	packages=$(printf '%s:amd64 ' $tree_cross)
	# shellcheck disable=SC2086
	unpack "$1" ${packages//-cross:amd64/-cross}
	for p in gcc cpp; do
		ln -s "aarch64-linux-gnu-$p-12" "$1/usr/bin/aarch64-linux-gnu-$p"
	done
	ln -s /usr/aarch64-linux-gnu "$1/usr/aarch64-linux-gnu"
}

# make_foreign_tree DIR: from an apt of that architecture (setup_apt).
make_foreign_tree() {
	local packages log d deb debs

	# shellcheck disable=SC2086  # words
	log=$(apt-get -qq -s --no-install-recommends install $tree_foreign 2>&1) ||
		die "the packages of the guest's root: $(tail -n 1 <<<"$log")"
	mapfile -t packages < <(sed -n 's/^Inst \([^ ]*\) .*/\1/p' <<<"$log")
	say "making a root for $arch guests (${#packages[@]} packages, about 700 MB)"
	log=$(cd "$cache/debs" && apt-get -qq download "${packages[@]}" 2>&1) ||
		die "apt-get download: $(tail -n 1 <<<"$log")"
	for d in bin sbin lib; do
		mkdir -p "$1/usr/$d"
		ln -s "usr/$d" "$1/$d"
	done
	debs=$(deb_names "${packages[@]}") || die "no names of the packages"
	for deb in $debs; do
		dpkg-deb --fsys-tarfile "$cache/debs/$deb" | tar -x -C "$1" --keep-directory-symlink ||
			die "cannot unpack $deb"
	done
	configure_tree "$1"
}

# provide DIR MAKE: DIR is there, or made by the function MAKE from the packages of $arch.
provide() {
	local new

	[[ ! -e $1 ]] || return 0
	need dpkg-deb dpkg
	mkdir -p "$cache/trees" "$cache/debs"
	exec 9>"$cache/lock-$oldstable-$arch"
	flock 9
	if [[ ! -e $1 ]]; then
		rm -rf --one-file-system "$cache/trees/.new".*
		new=$(mktemp -d "$cache/trees/.new.XXXXXX")
		chmod 755 "$new"
		setup_apt "$oldstable-$arch" deb "$oldstable" "$arch"
		update_lists "$oldstable-$arch"
		"$2" "$new"
		mv -T "$new" "$1"
	fi
	exec 9>&-
}

# Sets guest: the root that guests of $arch have; where it is foreign, it is made once for all.
find_guest() {
	local key

	guest=/
	[[ $arch != amd64 ]] || return 0
	key=$(sha256sum <<<"$tree_foreign")
	guest=$cache/trees/$arch-${key:0:8}
	provide "$guest" make_foreign_tree
}

# Sets cross: where the compiler for $arch is, if it is not this machine's own.
find_cross() {
	local key

	cross=
	[[ $arch != amd64 ]] || return 0
	need aarch64-linux-gnu-ld binutils-aarch64-linux-gnu
	key=$(sha256sum <<<"$tree_cross")
	cross=$cache/trees/cross-$arch-${key:0:8}
	provide "$cross" unpack_cross
	cross+=/usr/bin
}
