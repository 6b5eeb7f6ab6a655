# What an ordinary user does with an installed libcsapp, each thing as its documentation says.
# VERSION is the one to expect; prog.c is beside it.

# check WHAT PROGRAM...: runs a program, which has to say what it should.
check() {
    what=$1
    shift
    said=$("$@")
    if test "$said" != "$VERSION a line"; then
        echo "$what: said '$said'" >&2
        exit 1
    fi
    echo "$what: fine"
}

# has COMMAND PACKAGE
has() {
    command -v "$1" >/dev/null && return
    echo "SKIPPED: $1 is not installed (Debian: $2)"
    return 1
}

strict="-g -Wall -Wextra -Wpedantic -Werror"

$CC $strict prog.c -o shared $(pkg-config --cflags --libs csapp)
check "shared library" ./shared
readelf -d shared | grep -q 'NEEDED.*libcsapp\.so\.1'

$CC $strict -static prog.c -o static $(pkg-config --cflags --static --libs csapp)
check "static library" ./static

mkdir -p handed-in
cp prog.c "$(pkg-config --variable=object csapp)" "$(pkg-config --variable=includedir csapp)/csapp.h" handed-in
(cd handed-in && $CC $strict -I. prog.c csapp.o -o prog)
check "object file" handed-in/prog

# The Makefile for projects, from among the installed guides.
mkdir -p course
cp prog.c course
cp /usr/*/share/doc/csapp/examples/Makefile course 2>/dev/null || cp /usr/share/doc/libcsapp-dev/examples/Makefile course
for target in all static sanitize debug; do
    make -C course CSAPP="$(pkg-config --variable=prefix csapp)" $target >make.log 2>&1 || { cat make.log >&2; exit 1; }
    check "make $target" env ASAN_OPTIONS=detect_leaks=0 course/prog
done

if has cmake cmake; then
    mkdir -p project
    cp prog.c project
    cat >project/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.10)
project(user C)
find_package(csapp 1.0 REQUIRED)
add_executable(shared prog.c)
target_link_libraries(shared csapp::csapp)
add_executable(static prog.c)
target_link_libraries(static csapp::csapp_static)
END
    cmake -S project -B out >cmake.log 2>&1 && cmake --build out >>cmake.log 2>&1 || { cat cmake.log >&2; exit 1; }
    readelf -d out/shared | grep -q 'NEEDED.*libcsapp\.so\.1'
    ! readelf -d out/static | grep -q libcsapp
    check "CMake, shared" out/shared
    check "CMake, static" out/static
fi

if has man man-db; then
    MANWIDTH=100 man rio_readlineb >page.txt
    grep -q 'ssize_t rio_readlineb\|rio_readlineb(rio_t \*rp, void \*usrbuf, size_t maxlen)' page.txt
    for name in $(nm -D --defined-only "$(pkg-config --variable=libdir csapp)/libcsapp.so" | cut -d' ' -f3); do
        man -w 3 "$name" >/dev/null
    done
    man -w 7 csapp >/dev/null
    echo "manual pages: fine"
fi

if python3 -m venv --system-site-packages environment >venv.log 2>&1; then
    cat >prog.py <<'END'
import csapp, os, socket
here, there = socket.socketpair()
csapp.writen(there, b"a line\n")
with csapp.Rio(here) as rio:
    print(csapp.version(), rio.readline().decode(), end="")
END
    check "Python" environment/bin/python prog.py
else
    echo "SKIPPED: this Python makes no virtual environments (Debian: python3-venv)"
fi

# From the call in C a step leads into the library's function, in its own source, with a name and arguments; and a
# reader is shown as what it is.
if has gdb gdb; then
    line=$(grep -n 'the debugger stops here' prog.c | cut -d: -f1)
    gdb -nx -batch -iex 'set debuginfod enabled off' -ex "break $line" -ex run -ex step -ex backtrace \
        -ex finish -ex 'frame function main' -ex 'print rio' shared >gdb.txt 2>&1 || true # what it says is looked at
    if ! grep -q '^#[0-9] .*Rio_readlineb (rp=0x[0-9a-f]*, usrbuf=0x[0-9a-f]*, maxlen=8192) at .*\.rs:' gdb.txt ||
        ! grep -q "^#[0-9] .* in main () at prog.c:$line" gdb.txt ||
        grep -q ' core::' gdb.txt ||
        ! grep -q '^\$[0-9]* = rio_t on descriptor [0-9]*, nothing unread' gdb.txt; then
        cat gdb.txt >&2
        exit 1
    fi
    echo "gdb: fine"
fi
