#!/usr/bin/env bash
# Changes the program in a sample of places, one at a time, and looks whether a test notices.
#
#     scripts/mutants.sh [COUNT [SEED [FOLDER]]]     150 mutants of src/protocol/{store,jose,roles} with seed 1
#
# `cargo mutants` lists the places; scripts/mutants compiles all mutants of the sample into one program, and runs each
# with the tests that reach it. Prints the mutants that no test notices, and fails if there are any. FOLDER (default
# target/mutants) keeps the copy of the tree, its build and all results: the same command again goes on where it
# stopped. Needs cargo-mutants.
set -euo pipefail
export LC_ALL=C.UTF-8

root=$(cd "$(dirname "$0")/.." && pwd)
count=${1:-150}
seed=${2:-1}
folder=${3:-$root/target/mutants}
cargo mutants --version >/dev/null 2>&1 || {
    echo "mutants: needs cargo-mutants: cargo install cargo-mutants" >&2
    exit 1
}
mkdir -p "$folder"
folder=$(realpath "$folder")
cargo build --quiet --release --locked --manifest-path "$root/scripts/mutants/Cargo.toml" --target-dir "$folder/tool"
tool=$folder/tool/release/mutants
export CARGO_TARGET_DIR=$folder/build

run=$folder/$count-$seed
if [ ! -e "$run/tree/unviable" ]; then
    rm -rf "$run"
    mkdir -p "$run/tree"
    (cd "$root" && git ls-files -z | xargs -0 cp --parents -t "$run/tree")
    (cd "$root" && cargo mutants --list --json -f 'src/protocol/store/**' -f 'src/protocol/jose/**' -f 'src/protocol/roles/**') >"$run/list.json"
    "$tool" sample "$run/list.json" "$count" "$seed" "$run/sample.json"
    "$tool" apply "$run/sample.json" "$run/tree"
fi
"$tool" run "$run/sample.json" "$run/tree" "$run/results"
