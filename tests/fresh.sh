#!/bin/sh
# Makes a bare Debian, and runs make and make check in it, in a clone of what is committed here. The machine is Debian's smallest, with git,
# gcc, make, Python and Rust: Debian's own if that is new enough, or else the toolchain of this machine. How
# to reach package archives and registries is as on this machine.
#
# usage: fresh.sh RELEASE DIR        RELEASE: trixie, bookworm...; DIR: where to make it
#
# COMMANDS="make; make check" says what to run, MIRROR where Debian is. Everything is removed in the end,
# unless KEEP=1.
set -eu
release=${1:?usage: fresh.sh RELEASE DIR} dir=${2:?usage: fresh.sh RELEASE DIR}
project=$(cd "$(dirname "$0")/.." && pwd)

if test "${3:-}" != inside; then
    test "$(id -u)" = 0 || { echo "check-fresh: only root can create a bare Debian: sudo make check-fresh" >&2; exit 2; }
    command -v debootstrap >/dev/null || { echo "check-fresh: needs debootstrap: apt-get install debootstrap" >&2; exit 2; }
    test -e "/usr/share/debootstrap/scripts/$release" || {
        echo "check-fresh: debootstrap knows no release \"$release\": say RELEASE=trixie or RELEASE=bookworm, or install a newer debootstrap" >&2
        exit 2
    }
    rm -rf "$dir"
    mkdir -p "$dir"
    # What is mounted, and what runs, in these namespaces is gone with the process that made them.
    status=0
    unshare --mount --pid --fork --kill-child sh "$0" "$release" "$(cd "$dir" && pwd)" inside || status=$?
    test "${KEEP:-}" || rm -rf "$dir"
    exit $status
fi

say() {
    echo "== $release: $*"
}

say "making a bare system in $dir"
debootstrap --variant=minbase "$release" "$dir" ${MIRROR:-} >"$dir.log" 2>&1 || { tail -n 20 "$dir.log" >&2; exit 1; }
rm "$dir.log"

# Archives and registries as here; of Debian, the other release.
here=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
rm -f "$dir"/etc/apt/sources.list
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    test ! -f "$file" || sed "s/\b$here\b/$release/g" "$file" >"$dir$file"
done
apt-config dump | grep -E '^Acquire::(Check|Retries|http|ftp)' >"$dir/etc/apt/apt.conf.d/99-as-where-it-was-made"
for path in /etc/resolv.conf /etc/hosts /etc/ssl/certs /etc/pip.conf \
    "${CARGO_HOME:-$HOME/.cargo}/config.toml"; do
    test -e "$path" || continue
    copy=$dir$path
    case $path in */config.toml) copy=$dir/root/.cargo/config.toml ;; esac
    mkdir -p "$(dirname "$copy")"
    rm -rf "$copy"
    cp -rL "$path" "$copy" 2>/dev/null || true # links of certificates that lead nowhere
done
for variable in $(env | sed -n 's/^\([A-Za-z_]*\)=.*/\1/p' | grep -E '(^|_)(proxy|PROXY)$|_CERT(_|$)|_CA_?BUNDLE$|_CAINFO$|^CARGO_(NET|HTTP|REGISTR|SOURCE)|^PIP_'); do
    eval "set -- \"\$@\" \"$variable=\$$variable\""
done
shift 3 # what is left are the variables

# A root that is mounted may be divided further, as the tests do.
mount --bind "$dir" "$dir"
mount --rbind /dev "$dir/dev"
mount --rbind /sys "$dir/sys"
mount -t proc proc "$dir/proc"
inside() {
    chroot "$dir" env -i HOME=/root LC_ALL=C.UTF-8 TERM=dumb DEBIAN_FRONTEND=noninteractive \
        PATH="$path" "$@"
}
path=/opt/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

say "installing git, gcc, make, Python and Rust"
quietly() {
    "$@" >"$dir/tmp/log" 2>&1 || { tail -n 20 "$dir/tmp/log" >&2; exit 1; }
}
quietly inside "$@" apt-get update
quietly inside "$@" apt-get install -y --no-install-recommends git gcc libc6-dev make python3 ca-certificates
wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$project/Cargo.toml")
theirs=$(inside apt-cache show rustc | sed -n 's/^Version: \([0-9.]*\).*/\1/p' | sort -V | tail -n 1)
if printf '%s\n' "$wanted" "$theirs" | sort -C -V; then
    quietly inside "$@" apt-get install -y --no-install-recommends rustc cargo
else
    say "its Rust is $theirs, and $wanted is needed: this machine's is taken"
    mkdir "$dir/opt/rust"
    mount --bind -o ro "$(rustc --print sysroot)" "$dir/opt/rust"
fi
say "$(inside rustc --version), $(inside gcc --version | head -n 1)"

git -C "$project" bundle create -q "$dir/srv/libcsapp" HEAD
inside git clone -q /srv/libcsapp /srv/clone
say "${COMMANDS:=make; make check}"
inside "$@" sh -ec "cd /srv/clone; $COMMANDS"
