#!/bin/sh
# Writes csapp.c to standard output: an object in the form of a C file, for Makefiles that compile csapp.c. The library's
# csapp.o is made of it, too.
#
# usage: csapp.c.sh OBJECT
#
# Each section becomes a list of bytes, each relocation a line for the assembler. On x86-64, a call within a section is
# filled in here instead. READELF, OBJCOPY: other tools than those.
set -eu

object=${1:?usage: csapp.c.sh OBJECT}
READELF=${READELF:-readelf}
OBJCOPY=${OBJCOPY:-objcopy}
bytes=$(mktemp)
trap 'rm -f "$bytes"' EXIT

machine=$("$READELF" -hW "$object" | sed -n 's/^ *Machine: *//p')
test -n "$machine" || { echo "csapp.c.sh: $object is not an object file" >&2; exit 1; }
case $machine in
*X86-64*) processor=x86-64 macro='defined(__x86_64__) && defined(__LP64__)' ;;
AArch64*) processor=AArch64 macro='defined(__aarch64__) && defined(__LP64__)' ;;
RISC-V*) processor=RISC-V macro='defined(__riscv) && defined(__LP64__)' ;;
*) processor= macro=0 ;;
esac

cat <<END
/*
 * csapp.c - libcsapp, to replace the book's csapp.c: a Makefile that compiles csapp.c needs no change.
 * Generated from the library, which is compiled Rust. It contains the machine code${processor:+ for $processor}.
 * If another C file includes it, it is only csapp.h, and the library has to be linked.
 */
#if !defined(__INCLUDE_LEVEL__) || __INCLUDE_LEVEL__ == 0
#if !($macro)
#error "${processor:+This csapp.c holds machine code for $processor: copy the one that is built on this machine, or }link libcsapp"
#endif
#endif

#include "csapp.h"

#if !defined(__INCLUDE_LEVEL__) || __INCLUDE_LEVEL__ == 0
#ifdef __GNUC__
#define CODE __extension__ __asm__
#else
#define CODE __asm__
#endif
END
test -n "$processor" || { echo '#endif'; exit 0; }

# Of awk. A line of the symbol table: number, value, size, type, binding, visibility, section, name.
FUNCTIONS='
    function number(hex,    i, value) {
        for (i = 1; i <= length(hex); i++)
            value = value * 16 + index("0123456789abcdef", substr(hex, i, 1)) - 1
        return value + 0
    }
    function short(hex) {
        sub(/^0+/, "", hex)
        return "0x" (hex == "" ? "0" : hex)
    }
    function is_named() { return $7 ~ /^[0-9]/ && $4 != "SECTION" && $8 != "" && $8 !~ /^\.L/ }
    function code(text) { print "CODE(\"" text "\");" }

    # Of each symbol, where it is; a global one may be another in a program.
    $1 ~ /^[0-9]+:$/ {
        home[$1 + 0] = $5 == "LOCAL" ? $7 : ""
        value[$1 + 0] = number($2)
    }
    # Of a line of the relocations: its symbol, and whether that is in the same section.
    function symbol() { return number(substr($2, 1, 8)) }
    function is_within(section) { return $3 ~ /^R_X86_64_(PLT|PC)32$/ && home[symbol()] == section }
'

# Number, name, type, size, flags and alignment of each section that goes into a program. (The brackets of a number
# have a space in them below ten.)
sections=$("$READELF" -SW "$object" | sed -n 's/^ *\[ *\([0-9]*\)\] /\1 /p' |
    awk '$8 ~ /A/ && NF == 11 { print $1, $2, $3, $6, $8, $11 }')

# Bytes, and at their places the names of functions, and of what the global offset table has an entry for.
echo "$sections" | while read -r number name type size flags align; do
    kind=progbits
    case $type in NOBITS) kind=nobits ;; *UNWIND) kind=unwind ;; esac
    echo "CODE(\".section $name,\\\"$(echo "$flags" | tr 'AXW' 'axw')\\\",%$kind; .balign $align; .Lcsapp_$number:\");"
    if test $kind = nobits; then
        head -c "$(printf %d "0x$size")" /dev/zero >"$bytes"
    else
        "$OBJCOPY" -O binary --only-section="$name" "$object" "$bytes"
    fi
    { "$READELF" -sW "$object"; "$READELF" -rW "$object"; od -An -v -w32 -t u1 "$bytes"; } | awk -v section="$number" -v name="$name" "$FUNCTIONS"'
        function flush() {
            if (line != "")
                code(".byte " substr(line, 2))
            line = ""
        }
        $1 ~ /^[0-9]+:$/ && is_named() && $7 == section {
            binding = ""
            if ($5 == "WEAK")
                binding = ".weak " $8 "; .type " $8 ",%function; .size " $8 "," $3 "; "
            else if ($8 ~ /^csapp_/) # clang keeps a local name in no relocation
                binding = ".weak " $8 "; .hidden " $8 "; "
            labels[number($2)] = labels[number($2)] "\n" binding $8 ":"
        }
        $1 == "Relocation" { in_section = $3 == "\047.rela" name "\047" }
        in_section && $3 ~ /^R_/ && is_within(section) {
            distance = value[symbol()] + ($(NF - 1) == "-" ? -1 : 1) * number($NF) - number($1)
            for (i = 0; i < 4; i++) {
                filled[number($1) + i] = (distance % 256 + 256) % 256
                distance = (distance - filled[number($1) + i]) / 256
            }
        }
        /^ *[0-9 ]+$/ {
            for (i = 1; i <= NF; i++) {
                if (offset in labels) {
                    flush()
                    count = split(substr(labels[offset], 2), names, "\n")
                    for (j = 1; j <= count; j++)
                        code(names[j])
                }
                line = line "," (offset in filled ? filled[offset] : $i)
                offset++
            }
            flush()
        }
        BEGIN { offset = 0 }'
done

# What the linker fills in: a symbol by its name, or by its distance from a section's start.
{
    "$READELF" -SW "$object" | sed -n 's/^ *\[ *\([0-9]*\)\] /section \1 /p'
    "$READELF" -sW "$object"
    "$READELF" -rW "$object"
} | awk "$FUNCTIONS"'
    $1 == "section" { sections[".rela" $3] = $2 }
    $1 ~ /^[0-9]+:$/ {
        sub(/@.*/, "", $8)
        places[$1 + 0] = is_named() || $7 == "UND" ? $8 : ".Lcsapp_" $7 "+" short($2)
        if ($7 == "UND" && $8 != "")
            code(($5 == "WEAK" ? ".weak " : ".globl ") $8)
    }
    $1 == "Relocation" { gsub(/\047/, "", $3); section = sections[$3] }
    section && $1 ~ /^[0-9a-f]+$/ && $3 ~ /^R_/ && !is_within(section) {
        code(".reloc .Lcsapp_" section "+" short($1) "," $3 "," places[symbol()] $(NF - 1) "0x" $NF)
    }'
echo '#endif'
