#!/usr/bin/env bash
# Unit tests of the order page's script under node: texts, cryptography, memory, and orders that open in
# `orderseal decrypt`. scripts/browser-test.sh tests whole pages.
#
#     scripts/page-test.sh
#
# Needs node (18 or later) and no packages. ORDERSEAL=path uses a program that is already built.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -z "${ORDERSEAL:-}" ]; then
    cargo build --quiet --locked --bin orderseal
    ORDERSEAL=${CARGO_TARGET_DIR:-target}/debug/orderseal
fi
ORDERSEAL=$(realpath "$ORDERSEAL") node --test --test-reporter=spec tests/page-js/*.test.mjs
