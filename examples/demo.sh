#!/bin/sh
# Starts the echo server, sends a text of some megabytes through it with the echo client, a line
# from Python as well, and stops the server. Run by `make demo`.
#
# usage: demo.sh BUILD        (BUILD: the directory with the library and the two programs)
set -eu
build=${1:?usage: demo.sh BUILD}
for program in echoserver echoclient; do
    test -x "$build/$program" || { echo "demo: there is no $build/$program: make demo builds it" >&2; exit 1; }
done
scratch=$(mktemp -d)
server=
trap 'test -z "$server" || kill "$server" 2>/dev/null; rm -rf "$scratch"' EXIT

# Some megabytes of real text that every copy of this project has: its guides and its sources.
for times in 1 2 3 4 5 6 7 8 9 10; do
    find README.md docs man include src -name '*.[ch1-9]' -o -name '*.md' -o -name '*.rs' | LC_ALL=C sort | xargs cat
done >"$scratch/text"
printf '%-11s %s\n' text: "$(wc -c <"$scratch/text") bytes of text through an echo server, line by line"

"$build/echoserver" 0 >"$scratch/server" &
server=$!
tries=0
until grep -q port "$scratch/server"; do
    tries=$((tries + 1))
    test $tries -le 100 || { echo "demo: the server did not start within 10 s" >&2; exit 1; }
    sleep 0.1
done
port=$(sed 's/.*port //' "$scratch/server")
printf '%-11s %s\n' echoserver: "$(cat "$scratch/server")"

printf '%-11s %s\n' echoclient: "$("$build/echoclient" 127.0.0.1 "$port" "$scratch/text")"
if command -v python3 >/dev/null; then
    printf '%-11s %s\n' Python: "$(python3 examples/echo_ctypes.py "$build/libcsapp.so" 127.0.0.1 "$port")"
else
    printf '%-11s %s\n' Python: "left out, since python3 is not installed"
fi

kill "$server"
wait "$server" 2>/dev/null || true
server=
echo "demo: every byte came back; the server is stopped"
