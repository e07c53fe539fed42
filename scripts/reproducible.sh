#!/usr/bin/env bash
# Builds and packs the program twice, in folders of different names, and compares the archives byte for byte.
#
#     scripts/reproducible.sh [TARGET]
#
# Takes the commit that is checked out, not what has changed since. Needs git; takes ten minutes on two cores.
set -euo pipefail
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/.."

lab=$(mktemp -d "${TMPDIR:-/tmp}/orderseal-reproducible.XXXXXX")
trap 'rm -rf "$lab"' EXIT
unset CARGO_TARGET_DIR ORDERSEAL
for folder in "$lab/one" "$lab/a folder of another name"; do
    git clone --quiet . "$folder"
    (cd "$folder" && scripts/package.sh "$@" >"$folder.log" 2>&1) || {
        cat "$folder.log" >&2
        exit 1
    } &
done
wait -n && wait -n
cd "$lab"
sha256sum ./*/target/package/*.tar.gz
if cmp ./*/target/package/*.tar.gz; then
    echo "reproducible: both archives are the same"
else
    echo "reproducible: FAILED: the archives differ" >&2
    exit 1
fi
