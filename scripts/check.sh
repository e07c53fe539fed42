#!/usr/bin/env bash
# Everything that has to hold before a change is taken: what CI runs.
#
#     scripts/check.sh [--interop] [--browser] [--faults]
#
# --interop adds the exchange with other people's software (scripts/interop.sh) and requests that it makes of the servers
# (scripts/api-test.sh), --browser orders through pages in a real browser (scripts/browser-test.sh); both need python3,
# node, npm and the network.
# --faults kills commands at their system calls for two minutes (scripts/fault-sweep.sh); it needs strace.
set -euo pipefail
cd "$(dirname "$0")/.."

interop=false browser=false faults=false
for option; do
    case $option in
        --interop) interop=true ;;
        --browser) browser=true ;;
        --faults) faults=true ;;
        *) echo "check.sh: error: there is no option $option" >&2; exit 2 ;;
    esac
done

step() {
    printf '\n== %s\n' "$*"
    "$@"
}

step cargo fmt --check
step cargo check --locked
step cargo clippy --all-targets --locked --features serve -- -D warnings
RUSTDOCFLAGS="-D warnings" step cargo doc --no-deps --locked --features serve
step cargo test --locked --features serve

for example in service seal_batch kernels; do
    step cargo run --quiet --locked --features serve --example "$example" < fixtures/orders.ndjson
done

# The library by itself: here, and where it is only type-checked. `custom` leaves random numbers to the caller.
step cargo clippy --lib --examples --locked --no-default-features -- -D warnings
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS='--cfg getrandom_backend="custom"'
for target in x86_64-pc-windows-gnu wasm32-unknown-unknown; do
    if [ -d "$(rustc --print target-libdir --target "$target")" ]; then
        step cargo check --lib --locked --no-default-features --target "$target"
    else
        echo; echo "== not run, the target is not installed: the library for $target"
    fi
done

# What is published builds from what was packed, and the examples in its documentation run.
packed=$(mktemp -d)
trap 'rm -rf "$packed"' EXIT
step cargo package --locked --no-verify --allow-dirty
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
tar -xzf "${CARGO_TARGET_DIR:-target}/package/orderseal-$version.crate" -C "$packed"
CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target} step cargo test --doc --locked --no-default-features \
    --manifest-path "$packed/orderseal-$version/Cargo.toml"

# Order in = order out and nothing shared wrongly, at one thread as at many.
RAYON_NUM_THREADS=1 step cargo test --locked --features serve --lib --test flow

# Machines without wide instructions send and open the same orders.
backends=$(cargo run --quiet --locked --features serve -- --version | sed -n 's/^backends *\(.*\);.*/\1/p')
for backend in portable avx2; do
    if [[ " $backends " = *" $backend "* ]]; then
        ORDERSEAL_BACKEND=$backend step cargo test --locked --features serve --test flow --test variants
    else
        echo; echo "== not run, this processor has only $backends: tests/flow and tests/variants on $backend"
    fi
done

# Advisories are checked by CI: their database has to be fetched.
if command -v cargo-deny > /dev/null; then
    step cargo deny --locked check licenses bans sources
else
    echo; echo "== not run, cargo-deny is not installed: licences, bans and sources of dependencies"
fi

# The S-box code is what the circuits' data say.
if [ -e scripts/des-sbox/Cargo.toml ]; then
    step cargo run --quiet --release --locked --manifest-path scripts/des-sbox/Cargo.toml \
        -- check src/ciphers/des/sbox
else
    echo; echo "== not run, the package leaves out the generator: S-boxes against the circuits' data"
fi

# Each benchmark once, to see that it still runs: as a test, with the library that the tests compiled.
benches=()
for bench in benches/*.rs; do
    [ ! -e "$bench" ] || benches+=(--bench "$(basename "$bench" .rs)")
done
[ ${#benches[@]} = 0 ] || step cargo test --locked --features serve "${benches[@]}"

if command -v python3 > /dev/null; then
    echo; echo "== fixtures/orders.ndjson is what scripts/make-fixtures.py writes"
    scripts/make-fixtures.py | cmp - fixtures/orders.ndjson
    echo; echo "== testkit/vectors is what scripts/make-testkit.py writes"
    scripts/make-testkit.py "$packed/vectors"
    diff -r "$packed/vectors" testkit/vectors
else
    echo; echo "== not checked, python3 is not installed: fixtures/orders.ndjson and testkit against their generators"
fi

# These take the program that the tests built: an optimized one would take minutes to build.
ORDERSEAL=$(realpath "${CARGO_TARGET_DIR:-target}/debug/orderseal")
export ORDERSEAL
if command -v node > /dev/null; then
    step scripts/page-test.sh
else
    echo; echo "== not run, node is not installed: unit tests of the order page's script"
fi

optional() { # ASKED OPTION SCRIPT [ARGUMENT…]
    local asked=$1 option=$2
    shift 2
    if [ "$asked" = true ]; then
        step "$@"
    else
        echo; echo "== not run: $1 (ask with $option)"
    fi
}
step scripts/rotation.sh
step scripts/live.sh --check
optional $faults --faults scripts/fault-sweep.sh --seconds 90
optional $interop --interop scripts/interop.sh
optional $interop --interop scripts/api-test.sh 1000 1
optional $browser --browser scripts/browser-test.sh
printf '\nall checks passed\n'
