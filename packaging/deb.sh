#!/bin/sh
# Makes Debian packages of the built library by dpkg-deb alone, since the Rust that the library needs is
# newer than what Debian's own build tools would ask for. They end up in BUILD.
#
# usage: deb.sh VERSION SONAME BUILD
#
# DEBFULLNAME and DEBEMAIL say who makes them, SOURCE_DATE_EPOCH when (else the date of the last commit).
set -eu
version=$1 soname=$2 build=$3
maintainer="${DEBFULLNAME:-The libcsapp project} <${DEBEMAIL:-libcsapp@localhost}>"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH
arch=$(dpkg --print-architecture)
multiarch=$(${CC:-cc} -print-multiarch)
major=${soname##*.}
stage=$build/deb
rm -rf "$stage"
all=$stage/all
make -s install DESTDIR="$all" PREFIX=/usr LIBDIR="/usr/lib/$multiarch" DOCDIR=/usr/share/doc/libcsapp-dev \
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
    gzip -9nc CHANGELOG.md >"$doc/changelog.gz"
    gzip -9nc "$stage/changelog" >"$doc/changelog.Debian.gz"
    chmod 644 "$doc"/c*
    find "$dir" -type d -exec chmod 755 {} +
    (cd "$dir" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
    size=$(du -sk --exclude=DEBIAN "$dir" | cut -f1)
    cat >"$dir/DEBIAN/control" <<END
Package: $1
Source: csapp
Version: $version-1
Architecture: $arch
Multi-Arch: ${5:-same}
Maintainer: $maintainer
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
cat >"$stage/changelog" <<END
csapp ($version-1) unstable; urgency=medium

  * Version $version; changelog.gz tells what it changes.

 -- $maintainer  $(LC_ALL=C date -R -u -d "@$SOURCE_DATE_EPOCH")
END
# The newest version of libc of which the library uses a symbol.
libc=$(readelf -V "$build/$soname" | sed -n 's/.*Name: GLIBC_\([0-9.]*\).*/\1/p' | sort -V | tail -n 1)

chmod 644 "$all/$lib/libcsapp.so.$version"
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
move libcsapp$major-dbgsym usr/share/gdb usr/share/csapp
package libcsapp$major-dbgsym debug "libcsapp$major (= $version-1)" "CS:APP support library - debug symbols"

rm "$all/usr/lib/python3/dist-packages/csapp/$soname"
move python3-csapp usr/lib/python3/dist-packages/csapp
mkdir -p "$stage/python3-csapp/DEBIAN"
maintain() {
    printf '#!/bin/sh\nset -e\n%s\n' "$2" >"$stage/python3-csapp/DEBIAN/$1"
    chmod 755 "$stage/python3-csapp/DEBIAN/$1"
}
maintain postinst 'if test "$1" = configure && command -v py3compile >/dev/null; then py3compile -p python3-csapp; fi'
maintain prerm 'if command -v py3clean >/dev/null; then py3clean -p python3-csapp; fi'
package python3-csapp python "python3 (>= 3.9), libcsapp$major (= $version-1)" "CS:APP support library - Python" no

# Debian has manual pages compressed, and links in place of pages that lead to others.
for page in "$all"/usr/share/man/man?/*; do
    read -r first <"$page"
    case $first in
        ".so man3/"*) ln -s "${first##*/}.gz" "$page.gz" && rm "$page" ;;
        ".so "*) ln -s "../${first#.so }.gz" "$page.gz" && rm "$page" ;;
        *) gzip -9n "$page" ;;
    esac
done
rm "$all/usr/share/doc/libcsapp-dev/CHANGELOG.md" # each package has it as changelog.gz
move libcsapp-dev usr/include usr/share/doc/libcsapp-dev usr/share/man "$lib"
package libcsapp-dev libdevel "libcsapp$major (= $version-1), libc6-dev" "CS:APP support library - development"
left=$(find "$all" ! -type d)
test -z "$left" || { echo "deb.sh: in no package: $left" >&2; exit 1; }
rm -rf "$stage"
