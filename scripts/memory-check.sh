#!/usr/bin/env bash
# Looks for reads and writes outside of what they may touch, in all kernels: their tests run under AddressSanitizer, and
# with an allocator that puts each allocation between pages that nobody may touch, once with the guard after it, once
# before it. The sanitizer sees arrays on the stack and tables; the guards also see assembly and vector instructions.
# First shows that faults are noticed, with five that are put in on purpose.
#
#     scripts/memory-check.sh [FILTER…]     tests of these modules; `ciphers::` if none is named
#
# Tests run on every backend of the processor. Needs no other toolchain, as RUSTC_BOOTSTRAP=1 is set; Linux on x86-64.
set -euo pipefail
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/.."

target=x86_64-unknown-linux-gnu
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/memory-check
export RUSTC_BOOTSTRAP=1
export RUSTFLAGS="-Zsanitizer=address --cfg guard_pages"
# The allocator is ours: there is nothing that the sanitizer could count.
export ASAN_OPTIONS=detect_leaks=0
log=$CARGO_TARGET_DIR/log
mkdir -p "$CARGO_TARGET_DIR"

# tests GUARD WORDS…: runs tests with the guard there.
tests() {
    if [ "$1" = before ]; then
        export GUARD=before
    else
        unset GUARD
    fi
    shift
    cargo test --quiet --lib --target "$target" -- "$@"
}

cargo test --quiet --lib --target "$target" --no-run
for fault in "after reads_after_the_end" "after reads_after_the_end_in_assembly" "before reads_before_the_beginning" \
    "after reads_what_was_freed" "after reads_outside_of_an_array"; do
    read -r guard name <<<"$fault"
    if tests "$guard" "guard_pages::faults::$name" --exact --ignored >"$log" 2>&1; then
        echo "memory-check: FAILED: the fault $name went unnoticed" >&2
        exit 1
    fi
    grep -q 'AddressSanitizer: \|signal: 11' "$log" || {
        echo "memory-check: FAILED: the fault $name did not run: $log" >&2
        exit 1
    }
    echo "$name: noticed"
done
for guard in after before; do
    echo "guard $guard each allocation:"
    tests "$guard" "${@:-ciphers::}" | tee "$log"
    grep -q '^test result: ok\. [1-9]' "$log" || {
        echo "memory-check: FAILED: no test has such a name" >&2
        exit 1
    }
done
echo "memory-check: nothing was read or written outside"
