#!/bin/sh
# Builds the fuzz targets and runs each for some seconds: on its seeds first, then on what the
# fuzzer makes of them. What it learns stays in DIR/corpus, for the next run; an input that
# breaks something is left in DIR/found.
#
# usage: fuzz/run.sh DIR SECONDS LIBRARY    LIBRARY: the libcsapp.so that ships
set -eu

usage="usage: run.sh DIR SECONDS LIBRARY"
dir=${1:?$usage} seconds=${2:?$usage} library=${3:?$usage}
here=$(cd "$(dirname "$0")" && pwd)

case $seconds in
*[!0-9]*)
    echo "make fuzz: SECONDS has to be a number, and is \"$seconds\"" >&2
    exit 2
    ;;
esac
if ! rustc +nightly --version >/dev/null 2>&1; then
    echo "make fuzz needs a nightly compiler: rustup toolchain install nightly --profile minimal" >&2
    exit 2
fi
if ! cargo +nightly fuzz --version >/dev/null 2>&1; then
    echo "make fuzz needs cargo-fuzz: cargo install cargo-fuzz --locked" >&2
    exit 2
fi

mkdir -p "$dir/found"
dir=$(cd "$dir" && pwd)
host=$(rustc +nightly -vV | sed -n 's/^host: //p')
echo "Building the fuzz targets, with AddressSanitizer"
cargo +nightly fuzz build --fuzz-dir "$here" --target "$host" --target-dir "$dir"

for source in "$here"/fuzz_targets/*.rs; do
    target=$(basename "$source" .rs)
    mkdir -p "$dir/corpus/$target"
    echo "== $target: $(ls "$here/seeds/$target" | wc -l) seeds, $seconds s"
    CSAPP_SO=$library "$dir/$host/release/$target" -max_total_time="$seconds" -max_len=4096 \
        -artifact_prefix="$dir/found/$target-" "$dir/corpus/$target" "$here/seeds/$target" \
        >"$dir/$target.log" 2>&1 || {
        tail -n 60 "$dir/$target.log"
        echo "The whole report is in $dir/$target.log; to see it again:"
        echo "CSAPP_SO=$library $dir/$host/release/$target $dir/found/$target-..."
        exit 1
    }
    grep -E '^#.*(DONE|INITED)|^Done' "$dir/$target.log"
done
