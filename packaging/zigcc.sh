#!/bin/sh
# The C compiler and linker for a system that is not here: `$ZIG cc` for $ZIG_TARGET, which brings that
# system's headers and the names in its libraries. What cc and rustc say beyond that is left out: their
# names for the target, and libraries that only Rust's std needs.
for argument; do
    shift
    if test "${skip:-}"; then
        skip=
        continue
    fi
    case $argument in
    -arch) skip=1 ;;
    --target=* | -mmacosx-version-min=* | -Wl,-O1) ;;
    -liconv | -lkvm | -lmemstat | -lprocstat | -ldevstat | -lexecinfo | -lutil) ;;
    *) set -- "$@" "$argument" ;;
    esac
done
exec $ZIG cc -target "$ZIG_TARGET" "$@"
