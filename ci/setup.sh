# setup.sh - sourced by ci/boot, ci/test and ci/bench from the root of the tree:
# install what is missing, find an i386 BusyBox, build.
#
#   setup [PACKAGE...]        the packages every build needs, and these; ?NAME
#                             only if the distribution has it
#   build DIR MESON-OPTION... (re)build in DIR, quietly unless it fails

base="meson ninja-build nasm gcc-i686-linux-gnu libc6-dev-i386-cross
	qemu-system-x86 grub-pc-bin grub-common xorriso mtools python3 cpio"
busybox=

say() {
	echo "$*" >&2
}

die() {
	say "$0: $*"
	exit 1
}

setup() {
	if isdebian; then
		aptsetup $base "$@"
	else
		othersetup
	fi
	findbusybox
	runsbusybox || emulator
}

# Does this host's kernel run i386 programs?
runsbusybox() {
	[ -z "$busybox" ] || "$busybox" true 2>/dev/null
}

# Where it does not, QEMU's user emulation serves the build, if it is told to.
emulator() {
	command -v qemu-i386-static >/dev/null && return
	command -v qemu-i386 >/dev/null && return
	isdebian || die "this host runs no i386 programs; please install qemu-i386"
	aptsetup qemu-user-static
}

# There the tests ask Linux in QEMU, which ci/linux.py fetches by these lists.
linuxlists() {
	runsbusybox || [ -d build/linux/amd64 ] || ! isdebian || freshlists
}

isdebian() {
	[ -r /etc/os-release ] || return 1
	case " $(. /etc/os-release; echo "$ID $ID_LIKE") " in
	*" debian "* | *" ubuntu "*) return 0 ;;
	esac
	return 1
}

asroot() {
	if [ "$(id -u)" = 0 ]; then
		env DEBIAN_FRONTEND=noninteractive "$@"
	elif command -v sudo >/dev/null; then
		sudo env DEBIAN_FRONTEND=noninteractive "$@"
	else
		die "not root and no sudo; please run as root: $*"
	fi
}

# Packages of the list that are not installed.
missing() {
	for p in "$@"; do
		s=$(dpkg-query -W -f='${db:Status-Status}' "${p#\?}" 2>/dev/null)
		[ "$s" = installed ] || echo "$p"
	done
}

aptsetup() {
	need=$(missing "$@")
	[ -n "$need" ] || return 0
	case $need in
	*:i386*) addi386 ;;
	esac
	# an optional package is not worth fetching lists again in every run
	case $(echo $need) in
	[!?]* | *" "[!?]*) freshlists ;;
	*) [ -z "$stale" ] || freshlists ;;
	esac
	need=$(available $need)
	[ -n "$need" ] || return 0
	say "installing:" $need
	asroot apt-get install -y -q --no-install-recommends --no-remove \
		$need >&2 || die "could not install:" $need
}

# Those of the list that must be, and of the optional ones those there are.
available() {
	for p in "$@"; do
		case $p in
		\?*) apt-cache show "${p#\?}" >/dev/null 2>&1 || continue ;;
		esac
		echo "${p#\?}"
	done
}

# Package lists of i386 too.  Their absence makes the lists stale.
addi386() {
	if ! dpkg --print-foreign-architectures | grep -qx i386 &&
		[ "$(dpkg --print-architecture)" != i386 ]; then
		say "adding the i386 architecture"
		asroot dpkg --add-architecture i386
		stale=1
	fi
	haslists '*-i386_Packages*' || stale=1
}

haslists() {
	[ -n "$(find /var/lib/apt/lists -maxdepth 1 -name "$1" | head -n 1)" ]
}

# Fetch the package lists, if that has not been done for a week.
freshlists() {
	[ -z "$stale" ] && haslists '*_Packages*' && [ -n "$(find \
		/var/lib/apt/lists/partial -maxdepth 0 -mtime -7)" ] && return
	asroot apt-get update -q >&2 || say "apt-get update failed; going on"
	stale=
}

# Another system: say what to install, and stop unless that has been done.
othersetup() {
	[ -f build/build.ninja ] && return
	say "This is not Debian or Ubuntu: please install the packages yourself:"
	say "  Fedora:   meson ninja-build nasm gcc glibc-devel.i686" \
		"glibc-static.i686 qemu-system-x86 grub2-tools-extra" \
		"grub2-pc-modules xorriso mtools python3 cpio clang lld gdb" \
		"e2fsprogs debootstrap"
	say "  Arch:     meson nasm gcc lib32-glibc lib32-gcc-libs" \
		"qemu-system-x86 grub libisoburn mtools python cpio clang lld gdb" \
		"e2fsprogs debootstrap"
	say "  Homebrew: meson ninja nasm i686-elf-gcc qemu i686-elf-grub" \
		"xorriso mtools python cpio e2fsprogs (and a static i386 BusyBox)"
	say "then, with a cross file that names your compiler:"
	say "  meson setup build --cross-file cross-i686.ini -Dbusybox=PATH"
	exit 1
}

# Is it an ELF32 file for the i386?
isi386() {
	[ "$(od -An -tx1 -N5 "$1" 2>/dev/null | tr -d ' ')" = 7f454c4601 ]
}

# The distribution's busybox-static for i386: installed, fetched by an earlier
# run, or fetched now.  It is unpacked, not installed, because it would push out
# the busybox that the host's own initramfs needs.
findbusybox() {
	for b in /bin/busybox build/busybox/bin/busybox \
		build/busybox/usr/bin/busybox; do
		isi386 $b && { busybox=$b; return; }
	done
	isdebian || return 0
	say "fetching busybox-static:i386"
	addi386
	freshlists
	mkdir -p build/busybox
	(cd build/busybox && apt-get download -q \
		-o APT::Sandbox::User=root busybox-static:i386 >&2 &&
		dpkg-deb -x busybox-static_*_i386.deb .) ||
		die "could not fetch busybox-static:i386"
	findbusybox2
}

findbusybox2() {
	for b in build/busybox/bin/busybox build/busybox/usr/bin/busybox; do
		isi386 $b && { busybox=$b; return; }
	done
	die "no i386 busybox in the package"
}

build() {
	dir=$1
	shift
	[ -n "$busybox" ] && set -- "$@" "-Dbusybox=$(readlink -f $busybox)"
	if [ -f $dir/build.ninja ]; then
		quietly $dir meson configure $dir "$@"
	else
		mkdir -p $dir
		quietly $dir meson setup $dir --cross-file cross-i686.ini "$@"
	fi
	quietly $dir ninja -C $dir
}

# Run a command of the build in dir; its output only if it fails.
quietly() {
	mkdir -p $1/logs
	log=$1/logs/build.log
	shift
	"$@" >$log 2>&1 && return
	cat $log >&2
	die "failed: $*"
}
