#!/bin/sh
# Compiles the library, its header and programs with it for a system where nothing can be run from here,
# and links them against what that system's libraries are known to have.
#
# usage: ZIG=COMMAND types.sh TARGET DIR
set -eu
usage="usage: ZIG=COMMAND types.sh TARGET DIR"
target=${1:?$usage} dir=${2:?$usage}
case $target in
*-apple-darwin) ZIG_TARGET=${target%%-*}-macos library=libcsapp.dylib ;;
*-freebsd) ZIG_TARGET=${target%%-*}-freebsd library=libcsapp.so ;;
*) echo "types.sh: no zig target is known for $target" >&2; exit 2 ;;
esac
export ZIG ZIG_TARGET
mkdir -p "$dir"
cc=$PWD/packaging/zigcc.sh
printf '#!/bin/sh\nexec %s ar "$@"\n' "$ZIG" >"$dir/ar"
chmod +x "$dir/ar"

name=$(echo "$target" | tr - _)
upper=$(echo "$name" | tr a-z A-Z)
export "CC_$name=$cc" "AR_$name=$(cd "$dir" && pwd)/ar" "CARGO_TARGET_${upper}_LINKER=$cc"
export SDKROOT="$PWD" # rustc looks for Apple's; zig has its own
cargo=${CARGO:-cargo}
echo "== $target"
$cargo clippy --quiet --locked --lib --target "$target" -- -D warnings
$cargo rustc --quiet --locked --release --lib --crate-type cdylib --target "$target" -- \
    -C force-unwind-tables=yes
built=${CARGO_TARGET_DIR:-target}/$target/release
test -f "$built/$library"
rm -f a.o # zig writes it when it is asked which flags it knows

for flags in '' -DCSAPP_EXTRAS -D_GNU_SOURCE -DCSAPP_EDITION=3; do
    "$cc" -std=c11 -Wall -Wextra -Wpedantic -Werror $flags -Iinclude c_tests/programs/conformance.c \
        -o "$dir/conformance" -L"$built" -lcsapp
done
for std in c99 c11 gnu11 gnu17; do
    for program in second_edition third_edition strict with_extras; do
        "$cc" -std=$std -DCSAPP_EXTRAS -Wall -Wextra -Werror -Iinclude "c_tests/programs/$program.c" \
            -o "$dir/$program" -L"$built" -lcsapp
    done
done
echo "ok: the library and the programs compile and link"
