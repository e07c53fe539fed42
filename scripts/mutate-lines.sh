#!/usr/bin/env bash
# Changes sealed lines at random and compares what orderseal opens with what jwcrypto opens.
#
#     scripts/mutate-lines.sh [SECONDS [SEED [FOLDER]]]
#
# Takes lines of every alg, enc and curve from both programs, and authentic lines that no program would write; changes
# bytes, base64url, segments, header members, JSON, sizes of IV, tag and keys. Fails if orderseal opens a line that
# jwcrypto refuses, or opens another text; such lines stay in FOLDER, with their keys. Needs python3 and the network.
# ORDERSEAL=path uses a program that is already built.
set -euo pipefail
export LC_ALL=C.UTF-8

root=$(cd "$(dirname "$0")/.." && pwd)
if [ -z "${ORDERSEAL:-}" ]; then
    (cd "$root" && cargo build --release --quiet --bin orderseal)
    ORDERSEAL=${CARGO_TARGET_DIR:-$root/target}/release/orderseal
fi
ORDERSEAL=$(realpath "$ORDERSEAL")
export ORDERSEAL

lab=$(mktemp -d "${TMPDIR:-/tmp}/orderseal-mutate.XXXXXX")
trap 'rm -rf "$lab"' EXIT
folder=${3:-$lab/lines}
mkdir -p "$folder"
python3 -m venv "$lab/venv"
"$lab/venv/bin/pip" install --quiet --disable-pip-version-check jwcrypto==1.6.1
"$lab/venv/bin/python" "$root/scripts/mutate-lines/mutate.py" "${1:-60}" "${2:-$RANDOM}" "$folder"
