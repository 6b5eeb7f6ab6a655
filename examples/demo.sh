#!/bin/sh
# Starts the echo server, sends a text of some megabytes through it with the echo client, a line
# from Python as well, and stops the server. Run by `make demo`.
#
# usage: demo.sh BUILD        (BUILD: the directory with the library and the two programs)
set -eu
build=$1
scratch=$(mktemp -d)
server=
trap 'test -z "$server" || kill "$server" 2>/dev/null; rm -rf "$scratch"' EXIT

# Real text that every machine with this project has: the sources of its own dependencies.
"${CARGO:-cargo}" metadata --format-version 1 --locked |
    python3 -c '
import json, pathlib, sys
for package in json.load(sys.stdin)["packages"]:
    if package["name"] == "libc":
        for file in sorted(pathlib.Path(package["manifest_path"]).parent.rglob("*.rs")):
            sys.stdout.buffer.write(file.read_bytes())
' >"$scratch/text"

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
printf '%-11s %s\n' Python: "$(python3 examples/echo_ctypes.py "$build/libcsapp.so" 127.0.0.1 "$port")"

kill "$server"
wait "$server" 2>/dev/null || true
server=
echo "demo: every byte came back; the server is stopped"
