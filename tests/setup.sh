#!/bin/sh
# Installs what the tests need and this machine lacks, after saying what and how much: as root with apt-get,
# on Debian and Ubuntu. Otherwise says what to type. Fails if the tests cannot run without what is missing.
#
# usage: setup.sh
set -eu

# Prints the packages that are missing of those in its input: lines of a package and a command that
# fails without it.
missing() {
    while read -r package probe; do
        sh -c "$probe" >/dev/null 2>&1 </dev/null || printf ' %s' "$package"
    done
}

# Without these nothing can be told about the library.
needed=$(missing <<'END'
check       pkg-config --exists check
g++         command -v g++
mandoc      command -v mandoc
pkg-config  command -v pkg-config
strace      command -v strace
valgrind    command -v valgrind
END
)
# Without these a part is left out, and `make check` says which.
python_tests=$(python3 -c 'import sys; print("libpython%d.%d-testsuite" % sys.version_info[:2])' 2>/dev/null || echo python3)
wanted=$(missing <<END
abigail-tools  command -v abidiff
clang          command -v clang
cmake          command -v cmake
codespell      command -v codespell
debhelper      command -v dh
dh-python      command -v dh_python3
diction        command -v diction
doxygen        command -v doxygen
gdb            command -v gdb
iproute2       command -v ip
jq             command -v jq
libclang-rt-dev echo 'int main(void) { return 0; }' | clang -fsanitize=memory -x c - -o /dev/null
$python_tests  python3 -c 'import importlib.util as u; u.find_spec("test.test_io") or exit(1)'
lintian        command -v lintian
llvm           command -v llvm-symbolizer
man-db         command -v man
python3-jsonschema python3 -c 'import jsonschema'
python3-venv   python3 -c 'import ensurepip'
END
)
test -n "$needed$wanted" || exit 0
test -z "$needed" || echo "The tests need these Debian packages, which are missing:$needed"
test -z "$wanted" || echo "The tests skip some parts without these Debian packages:$wanted"

if ! command -v apt-get >/dev/null; then
    echo "There is no apt-get here: install these tools with the package manager of this system."
elif test "$(id -u)" != 0; then
    echo "Install them with: sudo apt-get install$needed$wanted"
else
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    export DEBIAN_FRONTEND=noninteractive LC_ALL=C
    run() {
        "$@" >"$log" 2>&1 && return
        cat "$log"
        echo "setup: failed: $*" >&2
        return 1
    }
    run apt-get update || true # what was known before may do
    for package in $wanted; do # not every release has each
        apt-cache show "$package" >/dev/null 2>&1 || wanted=$(echo "$wanted " | sed "s/ $package / /")
    done
    install="apt-get install -y --no-install-recommends $needed $wanted"
    $install --assume-no 2>/dev/null | sed -n 's/^[0-9]* upgraded, /apt-get installs: /p; /^Need to get/p; /^After this/p' || true
    run $install && exit 0
fi
test -z "$needed" || exit 1
