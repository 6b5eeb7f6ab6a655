# Functions for a copy of this machine in which anything may be installed, and which is gone when the
# script ends. Sourced by a script that runs as root in a mount namespace of its own, in an empty
# directory: . copy.sh PROJECT
#
# The machine's files lie below an overlay, upper/ has what differs from them, copy/ is both together.

project=$1
user=csapp-user

make_copy() {
    mount -t tmpfs tmpfs . || return
    cd "$PWD" # into what is mounted there now
    mkdir upper work copy
    mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work copy || return
    for dir in /dev /proc; do
        mount --rbind $dir copy$dir || return
    done
    mkdir -p "copy$project"
    mount --bind "$project" "copy$project"
    chroot copy useradd --create-home $user
}

# as_root COMMAND...: with what sudo leaves of the environment, so without Rust, but for a system's own. CC is
# set only if it is set here: else cargo would build the library again, in the project itself.
as_root() {
    chroot copy env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        HOME=/root LC_ALL=C.UTF-8 ${CC:+CC="$CC"} "$@"
}

# as_user FILE: a shell script, run by an ordinary user who has prog.c and cannot see the project.
as_user() {
    mount -t tmpfs -o mode=755 tmpfs "copy$project"
    cp "$1" copy/home/$user/script.sh
    cp "$project/tests/user/prog.c" copy/home/$user/prog.c
    chroot --userspec=$user copy env -i PATH=/usr/local/bin:/usr/bin:/bin HOME=/home/$user \
        LC_ALL=C.UTF-8 CC="${CC:-cc}" VERSION="$VERSION" PYTHONDONTWRITEBYTECODE=1 \
        sh -euc 'cd; . ./script.sh'
    umount "copy$project"
}

# Every file that the copy has and the machine has not, or has otherwise, and every new directory; but those
# of the user, the project, and the caches of ldconfig, man and cargo, which make asks again if the system has one.
changes() {
    (
        cd upper
        find . \( -path "./home" -o -path ".$project" -o -path ./tmp -o -path ./etc/ld.so.cache \
            -o -path ./root/.cargo -o -path ./var/cache -o -path ./var/lib/dpkg -o -path ./var/log \) -prune -o -print |
            LC_ALL=C sort |
            while read -r path; do
                test -d "$path" && test -d "/$path" || echo "$path"
            done
    )
}
