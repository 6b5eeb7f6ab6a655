# `make install`, what an ordinary user does then, and `make uninstall`, on a copy of this machine.
# usage: unshare -m sh -eu install.sh PROJECT, in an empty directory

. "$1/tests/user/copy.sh"
make_copy || { echo "SKIPPED: no overlay of this machine's files can be mounted"; exit 0; }

# sudo_make TARGET: as `sudo make` does it.
sudo_make() {
    as_root make -C "$project" BUILD="${BUILD:-build}" CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}" "$@" \
        >log 2>&1 || { cat log >&2; exit 1; }
}

changes >before
sudo_make install
as_user "$project/tests/user/user.sh"
# Root, too, imports the module, and leaves compiled files behind.
as_root python3 -c 'import csapp'
sudo_make uninstall
changes >after
diff before after >&2
echo "uninstall: fine"
