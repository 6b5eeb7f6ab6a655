#!/bin/sh
# Changes the library in one small place after another (cargo-mutants) and looks whether the
# tests notice: `make mutants`. Lists what they do not notice; tests/mutants.toml has the changes
# that make no difference.
#
# usage: tests/mutants.sh DIR [MODULE...]    modules: rio net sio report line
# MUTANTS_FLAGS=--iterate leaves out what a run before in DIR has noticed.
set -eu

dir=${1:?usage: mutants.sh DIR [MODULE...]}
shift
all="rio net sio report line"
modules=${*:-$all}
for module in $modules; do
    case " $all " in
    *" $module "*) ;;
    *)
        echo "make mutants: there is no module \"$module\"; the modules are: $all" >&2
        exit 2
        ;;
    esac
done
root=$(cd "$(dirname "$0")/.." && pwd)

# The copy has a target directory and a build directory of its own, whatever this make has.
unset CARGO_TARGET_DIR BUILD MAKEFLAGS MAKEOVERRIDES MAKELEVEL

if ! cargo mutants --version >/dev/null 2>&1; then
    echo "make mutants needs cargo-mutants: cargo install cargo-mutants --locked" >&2
    exit 1
fi

# A test that hangs in a process group of its own outlives its runner. A process namespace ends
# all that is in it; timeout, because unshare is deaf to a mild signal.
confined="timeout --foreground -k 1 3600 unshare --pid --fork --kill-child --mount-proc"
if $confined true 2>/dev/null; then
    host=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
    export "CARGO_TARGET_${host}_RUNNER=$confined"
fi

mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
tree=$dir/tree
mkdir -p "$tree"
(cd "$root" && tar -cf - --exclude=./target --exclude=./build --exclude=./.git --exclude=./fuzz .) |
    tar -xf - -C "$tree"
# cargo-mutants passes over unsafe functions. In the copy these are none.
sed -i 's/unsafe fn /fn /' "$tree"/src/sio.rs "$tree"/src/rio/line/*.rs "$tree"/src/rio.rs
find "$tree/src" -name "*.rs" -exec touch {} + # an earlier run may have left a change compiled
# Only what is run needs to be compiled, each time.
sed -i 's/^crate-type = .*/crate-type = ["lib"]/' "$tree/Cargo.toml"

# The C suites are tests of another package.
suites='--test-package tests'

# Runs the tests that a module's promises are written down in, and no others. The C suites build the
# library that ships from the changed source themselves.
run() {
    module=$1 seconds=$2 which=$3
    shift 3
    echo "== $module: cargo test $*"
    set -f
    # 2: some were missed; 3: some hung, which is as good as noticed
    cargo mutants --config "$root/tests/mutants.toml" --dir "$tree" --in-place \
        --output "$dir/$module" --timeout "$seconds" --no-shuffle --colors never \
        --line-col true ${MUTANTS_FLAGS:-} $which -- "$@" ||
        case $? in 2 | 3) ;; *) exit 1 ;; esac
    set +f
}

for module in $modules; do
    case $module in
    rio) # what the model does not notice, the C suites have to
        run rio 60 "-f src/rio.rs -f src/rio/line.rs -F rio_t:: -F copy_line" --test properties
        (
            MUTANTS_FLAGS=--iterate
            run rio 90 "-f src/rio.rs -f src/rio/line.rs $suites" -- \
                rio::shared lines::shared copies::shared limits::shared error::shared damaged::shared
        ) ;;
    net) run net 180 "-f src/net.rs -f src/net/*.rs $suites" -- \
        net::shared hosts::shared accept_in_time::shared socket::shared cancel::shared ;;
    sio) run sio 60 "-f src/sio.rs $suites" -- sio::shared error::shared ;;
    report) run report 60 "-f src/report.rs $suites" -- \
        error::shared error::not_position sio::shared names::shared net::shared a_thread_ends_alone ;;
    line) run line 25 "-f src/rio/line/*.rs -e neon.rs -e harness.rs -e tests.rs" --lib ;;
    esac
done

echo
for module in $modules; do
    out=$dir/$module/mutants.out
    touch "$out/previously_caught.txt"
    echo "$module: $(cat "$out"/*caught.txt | wc -l) noticed, $(wc -l <"$out/timeout.txt") hung," \
        "$(wc -l <"$out/unviable.txt") do not compile, $(wc -l <"$out/missed.txt") not noticed"
    cat "$out/missed.txt"
done
