#!/usr/bin/env bash
# Compares our kernels with the peers (benches/peers) on each instruction set level that this
# processor has: as it is, and with wider instructions hidden from everybody, from the peers too.
#
# usage: scripts/levels.sh [--seconds N] [FILTER…]
#
# A filter is a part of a row's id, as for benches/peers; the default is the rows of the table of
# levels in docs/PERFORMANCE.md. --seconds is the time for each row (default 1). Prints the whole
# report of each level, then a table: how many times as fast as each peer, by level.
#
# Needs Linux on x86-64, a C compiler, and CPUID faulting (flag cpuid_fault in /proc/cpuinfo).
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=1
if [ "${1:-}" = --seconds ]; then
    seconds=${2:?levels.sh: --seconds needs a number}
    shift 2
fi
if [ $# = 0 ]; then
    set -- seal/aes-256-gcm/aws-lc-rs/256 seal-one-key/aes-256-gcm/aws-lc-rs/16384 \
        ctr/aes-256/aws-lc-rs/16384 wrap/aes-256-kw/aws-lc-rs seal-jwe/A256KW+A256GCM/rustcrypto/256 \
        open-jwe/A256KW+A256GCM/rustcrypto/256 wrap/rsa-2048-oaep-256/aws-lc-rs ecb/des/aws-lc-rs/16384
fi

has() {
    grep -qw "$1" /proc/cpuinfo
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# initfirst: before any library has looked for instruction sets.
cc -O2 -Wall -Wextra -Werror -shared -fPIC -Wl,-z,initfirst -o "$scratch/mask-cpu.so" scripts/mask-cpu.c

bench=(cargo bench --locked --manifest-path benches/peers/Cargo.toml)
"${bench[@]}" --no-run
measure() { # LEVEL [VARIABLE=VALUE…]
    local level=$1
    shift
    printf '\n== %s\n\n' "$level"
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="env $*" \
        "${bench[@]}" --quiet -- --seconds "$seconds" "${filters[@]}" | tee "$scratch/$level"
    levels+=("$level")
}

filters=("$@") levels=()
masked=LD_PRELOAD=$scratch/mask-cpu.so
if has avx512vbmi; then measure avx512; fi
if has vaes; then measure vaes "$masked" MASK_CPU=vaes; fi
measure avx2 "$masked" MASK_CPU=avx2

printf '\n== times as fast as the peer, both limited to the level\n\n'
cd "$scratch"
awk -F '  +' -v levels="${levels[*]}" '
    FNR == 1 { ratios = 0 }
    $1 == "ours to peer" {
        ratios = 1
        for (i = 4; i <= NF; i++) peer[i] = substr($i, index($i, " ") + 1)
        next
    }
    $0 == "" { ratios = 0 }
    ratios {
        # Our rows of the levels differ in the backend only.
        split($1, part, "/")
        question = part[1] "/" part[2] "/" part[4]
        for (i = 4; i <= NF; i++) {
            if ($i == "–") continue
            row = sprintf("%-34s  %-10s", question, peer[i])
            if (!(row in seen)) { seen[row] = 1; order[++count] = row }
            ratio[row, FILENAME] = $i
        }
    }
    END {
        columns = split(levels, level, " ")
        printf "%-34s  %-10s", "operation", "peer"
        for (c = 1; c <= columns; c++) printf "  %14s", level[c]
        for (i = 1; i <= count; i++) {
            printf "\n%s", order[i]
            for (c = 1; c <= columns; c++) printf "  %14s", ratio[order[i], level[c]]
        }
        print ""
    }' "${levels[@]}"
