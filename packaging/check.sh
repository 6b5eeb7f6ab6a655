#!/bin/sh
# Builds Check, the library of the C test suites, for a target for which Debian has no package that can
# be installed beside this machine's own. The source is Debian's.
#
# usage: check.sh DIR HOST CC
set -eu
usage="usage: check.sh DIR HOST CC"
mkdir -p "${1:?$usage}"
dir=$(cd "$1" && pwd) host=${2:?$usage} cc=${3:?$usage}
sources=$dir/sources
rm -rf "$sources"
mkdir -p "$sources/lists/partial" "$sources/parts"

# Apt's usual sources, asked for source packages, with all that apt writes kept in here.
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    test -f "$file" || continue
    copy=$sources/parts/$(basename "$file")
    case $file in
    *.sources) sed 's/^Types:.*/Types: deb-src/' "$file" >"$copy" ;;
    *.list) sed -n 's/^deb /deb-src /p' "$file" >"$copy" ;;
    esac
done
apt() {
    apt-get -q -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$sources/parts" \
        -o "Dir::State::lists=$sources/lists" -o "Dir::Cache=$sources" -o APT::Sandbox::User=root "$@"
}
cd "$sources"
{
    apt update || true # a source without source packages is no loss
    apt source --download-only check
    tar -xf check_*.orig.tar.*
    cd check-*/
    ./configure --host="$host" --prefix="$dir" --disable-shared --disable-subunit CC="$cc" CFLAGS=-O2
    make -C lib
    make -C src install
    cp check_stdint.h "$dir/include"
    mkdir -p "$dir/lib/pkgconfig"
    sed 's/^Libs:.*/& -lm/' check.pc >"$dir/lib/pkgconfig/check.pc"
} >"$dir/log" 2>&1 || { tail -n 20 "$dir/log" >&2; exit 1; }
rm -rf "$sources"
