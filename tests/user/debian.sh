# The Debian packages installed on a copy of this machine, used by an ordinary user, and purged.
# usage: unshare -m sh -eu debian.sh PROJECT PACKAGE..., in an empty directory

. "$1/tests/user/copy.sh"
shift
make_copy || { echo "SKIPPED: no overlay of this machine's files can be mounted"; exit 0; }

changes >before
for package; do
    cp "$package" copy/home
done
as_root sh -c 'dpkg --install /home/*.deb' >log 2>&1 || { cat log >&2; exit 1; }
as_root ldconfig -p | grep -q libcsapp.so.1
as_user "$project/tests/user/user.sh"
as_root python3 -c 'import csapp'
as_root dpkg --purge csapp-check libcsapp1 libcsapp1-dbgsym libcsapp-dev python3-csapp >log 2>&1 || { cat log >&2; exit 1; }
changes >after
diff before after >&2
echo "purge: fine"
