#!/usr/bin/env bash
# Gives changed inputs to everything that reads bytes from outside, and looks for panics, for wrong memory accesses
# (AddressSanitizer), and for results that differ from those of plain implementations.
#
#     scripts/fuzz.sh MINUTES [TARGET…]     run each target so long, two at once; all targets if none is named
#     scripts/fuzz.sh --check [MINUTES [FAULT…]]
#                                           put the faults of fuzz/faults back, one after the other, in a copy of the
#                                           tree, and fail if the target that must find one does not within MINUTES (5)
#
# fuzz/targets has the targets; the head of each says what it does. They begin with seeds from the repository's tests,
# and with files that the program at ORDERSEAL makes, if that is set. Programs, corpora and findings are in
# CARGO_TARGET_DIR or target/fuzz; corpora are kept for the next run. The exit code is 1 if something was found; its
# input is named. To run it again: build/TARGET INPUT.
#
# Needs cargo-fuzz and a C++ compiler. The stable compiler is enough, as RUSTC_BOOTSTRAP=1 is set.
set -euo pipefail
export LC_ALL=C.UTF-8

root=$(cd "$(dirname "$0")/.." && pwd)
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target/fuzz}
export RUSTC_BOOTSTRAP=1
# Otherwise each commit would build everything anew.
export ORDERSEAL_COMMIT=fuzzing
mkdir -p "$CARGO_TARGET_DIR"
folder=$(realpath "$CARGO_TARGET_DIR")
host=$(rustc -vV | sed -n 's/^host: //p')
at_once=2

usage() {
    echo "usage: scripts/fuzz.sh MINUTES [TARGET…]" >&2
    echo "       scripts/fuzz.sh --check [MINUTES [FAULT…]]" >&2
    exit 2
}

targets() {
    (cd "$root/fuzz/targets" && printf '%s\n' *.rs | sed 's/\.rs$//')
}

faults() {
    (cd "$root/fuzz/faults" && printf '%s\n' *.patch | sed 's/\.patch$//')
}

# build TREE [TARGET]: builds one target of a tree, or all, and puts the programs into the folder build.
build() {
    local tree=$1 target
    shift
    mkdir -p "$folder/build"
    (cd "$tree/fuzz" && cargo fuzz build --fuzz-dir . --debug-assertions "$@") >"$folder/build.log" 2>&1 || {
        cat "$folder/build.log" >&2
        exit 1
    }
    for target in ${1:-$(targets)}; do
        cp "$folder/$host/release/$target" "$folder/build/$target"
    done
}

# seed PROGRAM CORPUS: adds the program's seeds to a corpus.
seed() {
    ORDERSEAL_FUZZ_SEEDS=$2 "$1" >"$folder/seeds.log" 2>&1 || {
        cat "$folder/seeds.log" >&2
        exit 1
    }
}

# made_files: files of the command orderseal, for targets that take them as they are.
made_files() {
    [ -n "${ORDERSEAL:-}" ] || return 0
    local made
    made=$(mktemp -d "${TMPDIR:-/tmp}/orderseal-fuzz.XXXXXX")
    (
        cd "$made"
        mkdir -p "$folder/corpus/keys" "$folder/corpus/headers"
        for embodiment in 1 4 6; do
            "$ORDERSEAL" keygen --embodiment "$embodiment" --shop tokyo --orders 5 -o service.jwks
            "$ORDERSEAL" bundle shop --keyring service.jwks -o shop.jwks
            "$ORDERSEAL" bundle client --keyring service.jwks --orders 5 -o client.jwks
            for file in service shop client; do
                cp "$file.jwks" "$folder/corpus/keys/made-$embodiment-$file"
            done
            head -n 3 "$root/fixtures/orders.ndjson" >orders.ndjson
            "$ORDERSEAL" encrypt --bundle client.jwks orders.ndjson -o sealed.jwe
            cp sealed.jwe "$folder/corpus/headers/made-$embodiment"
            rm -f -- *.jwks* *.jwe
        done
    ) >"$folder/made.log" 2>&1 || echo "fuzz: the program at ORDERSEAL made no files: $folder/made.log" >&2
    rm -rf "$made"
}

# run PROGRAM CORPUS FINDINGS MINUTES LOG: runs one target; what it finds is in FINDINGS.
run() {
    mkdir -p "$2" "$3"
    # Folders in memory stay behind if a target ends with a finding.
    # Threads that are just ending look like leaks.
    nice -n 10 "$1" -max_total_time=$((60 * $4)) -timeout=30 -rss_limit_mb=4096 -max_len=70000 -detect_leaks=0 \
        -print_final_stats=1 -artifact_prefix="$3/" "$2" >"$5" 2>&1
}

# figures LOG: executions each second, and coverage.
figures() {
    sed -n 's/^stat::average_exec_per_sec: *//p' "$1" | tail -n 1 | tr '\n' ' '
    echo -n "executions/s, "
    grep -ao 'cov: [0-9]* ft: [0-9]* corp: [0-9]*' "$1" | tail -n 1
}

remove_folders() {
    rm -rf /dev/shm/orderseal-fuzz-* "${TMPDIR:-/tmp}"/orderseal-fuzz-*
}

check() {
    local minutes=$1 failed=0 patch target name copy
    shift
    # shellcheck disable=SC2046  # names are words
    [ "$#" -gt 0 ] || set -- $(faults)
    for name; do
        patch=$root/fuzz/faults/$name.patch
        [ -f "$patch" ] || usage
        target=$(sed -n 's/^target: //p' "$patch")
        copy=$folder/check/$name
        rm -rf "$copy"
        mkdir -p "$copy"
        (cd "$root" && git ls-files -z | xargs -0 cp --parents -t "$copy")
        patch --quiet -p1 -d "$copy" <"$patch"
        build "$copy" "$target"
        mv "$folder/build/$target" "$copy/program"
        seed "$copy/program" "$copy/corpus"
        if run "$copy/program" "$copy/corpus" "$copy/findings" "$minutes" "$copy/log"; then
            echo "fuzz: FAILED: $target did not find the fault $name in $minutes minutes" >&2
            failed=1
        else
            echo "$name: found by $target, as it must be ($(sed -n 's/^stat::number_of_executed_units: *//p' "$copy/log" | tail -n 1) executions): $(grep -a -m 1 -A1 'panicked at' "$copy/log" | tail -n 1)"
        fi
        rm -rf "$copy/src" "$copy/tests" "$copy/testkit"
    done
    return "$failed"
}

cargo fuzz --version >/dev/null 2>&1 || {
    echo "fuzz: needs cargo-fuzz: cargo install cargo-fuzz" >&2
    exit 1
}
trap remove_folders EXIT
case ${1:-} in
--check)
    shift
    minutes=${1:-5}
    [ "$#" -eq 0 ] || shift
    check "$minutes" "$@"
    exit
    ;;
'' | *[!0-9]*) usage ;;
esac
minutes=$1
shift
if [ "$#" -eq 0 ]; then
    mapfile -t chosen < <(targets)
else
    chosen=("$@")
fi
for target in "${chosen[@]}"; do
    [ -f "$root/fuzz/targets/$target.rs" ] || {
        echo "fuzz: no target $target; there are: $(targets | tr '\n' ' ')" >&2
        exit 2
    }
done

if [ "${#chosen[@]}" -eq 1 ]; then
    build "$root" "${chosen[0]}"
else
    build "$root"
fi
made_files
for target in "${chosen[@]}"; do
    seed "$folder/build/$target" "$folder/corpus/$target"
done
mkdir -p "$folder/logs"
rm -f "$folder/found"
one() {
    local target=$1 log=$folder/logs/$1
    if run "$folder/build/$target" "$folder/corpus/$target" "$folder/findings/$target" "$minutes" "$log"; then
        echo "$target: nothing found, $(figures "$log")"
    else
        echo "fuzz: FAILED: $target: $(grep -ao 'written to .*' "$log" | tail -n 1); its log is $log" >&2
        echo "$target" >>"$folder/found"
    fi
}
for target in "${chosen[@]}"; do
    while [ "$(jobs -pr | wc -l)" -ge "$at_once" ]; do
        sleep 1
    done
    one "$target" &
done
wait
[ ! -e "$folder/found" ]
