#!/usr/bin/env bash
# Says which rows of `orderseal bench` a change made faster or slower.
#
#     scripts/bench-compare.sh [-n ROUNDS] [-s SECONDS] REV [REV2] [--] [FILTER…]
#
#     scripts/bench-compare.sh HEAD                      # what is not yet committed, the usual rows
#     scripts/bench-compare.sh main HEAD ecb/des seal/   # two commits, rows whose id contains one of these
#
# Builds REV and REV2 (default: the working tree, new files included) one after the other in the same
# temporary folder, so that equal sources make equal programs. Then runs both in turn, ROUNDS times
# each (default 10) for SECONDS each (default 10), and compares the rounds by `bench --baseline` of
# the later program: a rank test over the medians of the rounds, with a risk of 1 % for all rows
# together. A difference of medians under 2 % is "same" all the same: code that merely moved makes as
# much.
#
# Whatever follows REV and names a commit is REV2; -- ends that. For a row that is noisy, give more
# rounds or seconds. Needs git, cargo and awk. The exit code is 1 if a row is slower, 2 for wrong
# usage or if nothing could be compared, else 0.
set -euo pipefail
export LC_ALL=C

fail() { # WORDS…
    echo "bench-compare.sh: error: $*" >&2
    exit 2
}
usage() {
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p;}' "$0"
    exit "$1"
}

rounds=10 seconds=10
while getopts :n:s:h option; do
    case $option in
        n) rounds=$OPTARG ;;
        s) seconds=$OPTARG ;;
        h) usage 0 ;;
        *) usage 2 >&2 ;;
    esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || usage 2 >&2
case $rounds in '' | *[!0-9]* | 0*) fail "$rounds is no number of rounds" ;; esac

root=$(git -C "$(dirname "$0")" rev-parse --show-toplevel) || fail "not in a git repository"
commit() { git -C "$root" rev-parse --verify --quiet "$1^{commit}"; }
commit "$1" > /dev/null || fail "$1 is no revision"
first=$1 second=
shift
if [ $# -gt 0 ] && [ "$1" != -- ] && commit "$1" > /dev/null; then
    second=$1
    shift
fi
[ "${1:-}" != -- ] || shift
filter=()
[ $# = 0 ] || filter=(--filter "$@")

lab=$(mktemp -d "${TMPDIR:-/tmp}/orderseal-compare.XXXXXX")
clean() {
    git -C "$root" worktree remove --force "$lab/tree" 2> /dev/null || true
    rm -rf "$lab"
    git -C "$root" worktree prune
}
trap clean EXIT
trap 'exit 2' HUP INT TERM

working_tree() { # the tree object of the files as they are; index and branch stay what they were
    cp "$(git -C "$root" rev-parse --path-format=absolute --git-path index)" "$lab/index"
    GIT_INDEX_FILE=$lab/index git -C "$root" add --all
    GIT_INDEX_FILE=$lab/index git -C "$root" write-tree
}

# The crates that both depend on are built once, and kept for the next time.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target}/bench-compare
build() { # NAME TREE
    git -C "$lab/tree" read-tree --reset -u "$2"
    (cd "$lab/tree" && cargo build --release --locked --quiet --bin orderseal) || fail "$1 does not build"
    cp "$CARGO_TARGET_DIR/release/orderseal" "$lab/$1"
}

git -C "$root" worktree add --quiet --detach --no-checkout "$lab/tree"
echo "building $first and ${second:-the working tree}" >&2
build a "$(git -C "$root" rev-parse "$first^{tree}")"
if [ -n "$second" ]; then
    build b "$(git -C "$root" rev-parse "$second^{tree}")"
else
    build b "$(working_tree)"
fi
# The package's own part is named after the temporary folder, and of no use any more.
(cd "$lab/tree" && cargo clean --release --quiet --package orderseal)

run() { # a or b
    "$lab/$1" bench --json --quiet --seconds "$seconds" ${filter[@]+"${filter[@]}"} >> "$lab/$1.json" \
        || fail "orderseal bench failed"
}
for ((round = 1; round <= rounds; round++)); do
    echo "round $round of $rounds" >&2
    # In turn who is first, so that a drift of the machine favours neither.
    if ((round % 2)); then run a; run b; else run b; run a; fi
    if [ "$round" = 1 ]; then
        # The least value of the test, for all rounds of one before all of the other: 2 / C(2n, n).
        rows=$(($(wc -l < "$lab/a.json") - 1))
        awk -v n="$rounds" -v rows="$rows" 'BEGIN {
            for (orders = i = 1; i <= n; i++) orders *= (n + i) / i
            exit 2 / orders > 0.01 / rows
        }' || fail "$rounds rounds are too few to compare $rows rows"
    fi
done

name() { # REVISION: with its hash
    echo "$1 ($(git -C "$root" rev-parse --short "$1^{commit}"))"
}
echo "a: $(name "$first")"
echo "b: $(if [ -n "$second" ]; then name "$second"; else echo "the working tree"; fi)"
echo "$rounds rounds of $seconds s each, alternating"
code=0
"$lab/b" bench --from "$lab/b.json" --baseline "$lab/a.json" --fail-on 2% || code=$?
case $code in
    0) ;;
    9) exit 1 ;;
    *) fail "the rounds could not be compared" ;;
esac
