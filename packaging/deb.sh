#!/bin/sh
# Makes Debian packages of the built library by dpkg-deb alone, since the Rust that the library needs is
# newer than what Debian's own build tools would ask for. They end up in BUILD.
#
# usage: deb.sh VERSION SONAME BUILD
set -eu
version=$1 soname=$2 build=$3
arch=$(dpkg --print-architecture)
multiarch=$(${CC:-cc} -print-multiarch)
major=${soname##*.}
stage=$build/deb
rm -rf "$stage"
all=$stage/all
make -s install DESTDIR="$all" PREFIX=/usr LIBDIR="/usr/lib/$multiarch" \
    PYTHONDIR=/usr/lib/python3/dist-packages >/dev/null

# move PACKAGE PATH...: gives a package its part of the installation.
move() {
    package=$1
    shift
    for path; do
        mkdir -p "$stage/$package/$(dirname "$path")"
        mv "$all/$path" "$stage/$package/$path"
    done
}

# package NAME SECTION DEPENDS DESCRIPTION: writes what dpkg wants to know, and packs.
package() {
    dir=$stage/$1
    doc=$dir/usr/share/doc/$1
    mkdir -p "$dir/DEBIAN" "$doc"
    cp LICENSE "$doc/copyright"
    chmod 644 "$doc/copyright"
    find "$dir" -type d -exec chmod 755 {} +
    (cd "$dir" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
    size=$(du -sk --exclude=DEBIAN "$dir" | cut -f1)
    cat >"$dir/DEBIAN/control" <<END
Package: $1
Source: csapp
Version: $version-1
Architecture: $arch
Multi-Arch: ${5:-same}
Maintainer: The libcsapp project <libcsapp@localhost>
Section: $2
Priority: optional
Installed-Size: $size
Depends: $3
Description: $4
 The functions of csapp.h, of "Computer Systems: A Programmer's Perspective":
 robust I/O, socket helpers and checked wrappers of system calls.
END
    dpkg-deb --root-owner-group --build "$dir" "$build/${1}_$version-1_$arch.deb" >/dev/null
    echo "$build/${1}_$version-1_$arch.deb"
}

lib=usr/lib/$multiarch
# The newest version of libc of which the library uses a symbol.
libc=$(readelf -V "$build/$soname" | sed -n 's/.*Name: GLIBC_\([0-9.]*\).*/\1/p' | sort -V | tail -n 1)

move libcsapp$major "$lib/libcsapp.so.$version" "$lib/$soname"
mkdir -p "$stage/libcsapp$major/DEBIAN"
echo "activate-noawait ldconfig" >"$stage/libcsapp$major/DEBIAN/triggers"
echo "libcsapp $major libcsapp$major (>= $version)" >"$stage/libcsapp$major/DEBIAN/shlibs"
package libcsapp$major libs "libc6 (>= $libc)" "CS:APP support library"

id=$(readelf -n "$build/$soname" | sed -n 's/.*Build ID: *//p')
rest=${id#??}
by_id=usr/lib/debug/.build-id/${id%"$rest"}
mkdir -p "$stage/libcsapp$major-dbgsym/$by_id"
mv "$all/$lib/.debug/libcsapp.so.$version.debug" "$stage/libcsapp$major-dbgsym/$by_id/$rest.debug"
rmdir "$all/$lib/.debug"
package libcsapp$major-dbgsym debug "libcsapp$major (= $version-1)" "CS:APP support library - debug symbols"

rm "$all/usr/lib/python3/dist-packages/csapp/$soname"
move python3-csapp usr/lib/python3/dist-packages/csapp
package python3-csapp python "python3 (>= 3.9), libcsapp$major (= $version-1)" "CS:APP support library - Python" no

move libcsapp-dev usr/include usr/share/man "$lib"
package libcsapp-dev libdevel "libcsapp$major (= $version-1), libc6-dev" "CS:APP support library - development"
left=$(find "$all" ! -type d)
test -z "$left" || { echo "deb.sh: in no package: $left" >&2; exit 1; }
rm -rf "$stage"
