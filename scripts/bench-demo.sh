#!/usr/bin/env bash
# Shows that `bench --baseline` notices a row that became 10 % slower, and nothing if nothing changed.
#
#     scripts/bench-demo.sh [-n TIMES] [-s SECONDS] [ROW]
#
# Builds the program as committed, and once more with every tenth run of ROW (default
# seal/aes-256-gcm/avx2/256) done twice. Then compares each with a baseline, TIMES times (default 10): both
# run in turn, 8 times with SECONDS for all rows (default 2), because rows can differ by several per cent
# from one start of a program to the next. The exit code is 1 if a slower row went unnoticed or the
# unchanged program failed. Needs git and cargo, and a machine that does little else.
set -euo pipefail

fail() { # WORDS…
    echo "bench-demo.sh: error: $*" >&2
    exit 2
}
times=10 seconds=2
while getopts :n:s: option; do
    case $option in
        n) times=$OPTARG ;;
        s) seconds=$OPTARG ;;
        *) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p;}' "$0" >&2; exit 2 ;;
    esac
done
shift $((OPTIND - 1))
row=${1:-seal/aes-256-gcm/avx2/256}

root=$(git -C "$(dirname "$0")" rev-parse --show-toplevel) || fail "not in a git repository"
lab=$(mktemp -d "${TMPDIR:-/tmp}/orderseal-demo.XXXXXX")
clean() {
    git -C "$root" worktree remove --force "$lab/tree" 2> /dev/null || true
    rm -rf "$lab"
    git -C "$root" worktree prune
}
trap clean EXIT
trap 'exit 2' HUP INT TERM

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}/bench-demo
git -C "$root" worktree add --quiet --detach "$lab/tree" HEAD
build() { # NAME
    echo "building $1" >&2
    (cd "$lab/tree" && cargo build --release --locked --quiet --bin orderseal) || fail "$1 does not build"
    cp "$CARGO_TARGET_DIR/release/orderseal" "$lab/$1"
}
build plain
# A row is set up in one place.
file=$lab/tree/src/bench/rows/mod.rs
sed -i "s|^        (self.set_up)()\$|        let mut once = (self.set_up)();\n        if self.id() != \"$row\" {\n            return once;\n        }\n        let mut runs = 0_u64;\n        Box::new(move \|\| {\n            once();\n            runs += 1;\n            if runs % 10 == 0 {\n                once();\n            }\n        })|" "$file"
git -C "$lab/tree" diff --quiet && fail "the row could not be made slower"
build slower
(cd "$lab/tree" && cargo clean --release --quiet --package orderseal)

# The row, and others on the same backend, which stay as fast as they were.
IFS=/ read -r operation cipher backend _ <<< "$row"
rows=(--filter "$operation/$cipher/$backend/")
compare() { # NAME: with the baseline
    local round
    rm -f "$lab/before" "$lab/after"
    for ((round = 1; round <= 8; round++)); do
        "$lab/plain" bench "${rows[@]}" --seconds "$seconds" --json --quiet >> "$lab/before"
        "$lab/$1" bench "${rows[@]}" --seconds "$seconds" --json --quiet >> "$lab/after"
    done
    "$lab/$1" bench --from "$lab/after" --baseline "$lab/before" --fail-on 5% > "$lab/told" 2> "$lab/errors"
}
wrong=0
for ((time = 1; time <= times; time++)); do
    for name in plain slower; do
        code=0
        compare "$name" || code=$?
        found=$(sed -n 's/^\([^ ]*\) .*  slower$/\1/p' "$lab/told" | tr '\n' ' ')
        case $name-$code-$found in
            plain-0- | "slower-9-$row ") verdict=right ;;
            *) verdict=wrong; wrong=$((wrong + 1)); cat "$lab/told" "$lab/errors" ;;
        esac
        echo "$time: $name: exit code $code, slower: ${found:-none}: $verdict"
    done
done
echo "$((2 * times - wrong)) of $((2 * times)) comparisons were right"
exit $((wrong > 0))
