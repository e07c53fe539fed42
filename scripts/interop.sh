#!/usr/bin/env bash
# Checks that our sealed orders open in other people's software and theirs in ours.
#
#     scripts/interop.sh [--all] [--write]
#
# Installs jwcrypto, joserfc and authlib (PyPI), jose and node-jose (npm) and Debian's `jose` into a temporary folder,
# and exchanges texts in both directions: each key management algorithm on each curve with A256GCM and one more content
# encryption algorithm, and all of those with A256KW; with --all, every combination and more sizes. jwcrypto also reads
# signed batches, rewrapped lines, signed files and protected key files. --write also writes docs/INTEROP.md, with --all only. What a library does not do is in scripts/interop/limits.py. Needs python3 and node
# (20 or later) with npm. ORDERSEAL=path uses a program that is already built.
set -euo pipefail
export LC_ALL=C

PYTHON=(jwcrypto==1.6.1 joserfc==1.8.0 authlib==1.9.10)
NPM=(jose@6.2.18 node-jose@2.2.0)
DEBIAN=11 # the version that limits.py is about

all=() write=false
for option; do
    case $option in
        --all) all=(--all) ;;
        --write) write=true ;;
        *) echo "interop.sh: error: there is no option $option" >&2; exit 2 ;;
    esac
done
if [ $write = true ] && [ ${#all[@]} = 0 ]; then
    echo "interop.sh: error: --write needs --all" >&2
    exit 2
fi

root=$(cd "$(dirname "$0")/.." && pwd)
for tool in python3 node npm; do
    command -v "$tool" > /dev/null || { echo "interop.sh: error: $tool is not installed" >&2; exit 1; }
done
if [ -z "${ORDERSEAL:-}" ]; then
    (cd "$root" && cargo build --release --quiet --bin orderseal)
    ORDERSEAL=${CARGO_TARGET_DIR:-$root/target}/release/orderseal
fi
ORDERSEAL=$(realpath "$ORDERSEAL")
export ORDERSEAL ORDERS=$root/fixtures/orders.ndjson

lab=$(mktemp -d "${TMPDIR:-/tmp}/orderseal-interop.XXXXXX")
trap 'rm -rf "$lab"' EXIT
cp "$root"/scripts/interop/* "$lab"
cd "$lab"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "${PYTHON[@]}"
npm install --silent --no-audit --no-fund --prefix . "${NPM[@]}" > /dev/null

libraries=()
library() { # NAME VERSION COMMAND
    libraries+=("$@")
}
library jwcrypto "${PYTHON[0]#*==}" "venv/bin/python jwcrypto_jwe.py"
library joserfc "${PYTHON[1]#*==}" "venv/bin/python joserfc_jwe.py"
library authlib "${PYTHON[2]#*==}" "venv/bin/python authlib_jwe.py"
library jose "${NPM[0]#*@}" "node jose_jwe.mjs"
library node-jose "${NPM[1]#*@}" "node node_jose_jwe.mjs"

# Debian's command is unpacked beside the others, so that nothing is installed on this machine.
debian() { # sets DEBIAN_JOSE and its version, found
    if command -v jose > /dev/null; then
        DEBIAN_JOSE=$(command -v jose)
        found=$(dpkg-query --show --showformat='${Version}' jose 2> /dev/null) || found=unknown
        return
    fi
    mkdir debian
    (cd debian && apt-get download jose libjose0 libjansson4 && for package in *.deb; do dpkg -x "$package" .; done) \
        > /dev/null 2>&1 || return 1
    printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' \
        "$(echo "$lab"/debian/usr/lib/*-linux-gnu)" "$lab/debian/usr/bin/jose" > debian-jose
    chmod +x debian-jose
    DEBIAN_JOSE=$lab/debian-jose
    found=$(basename debian/jose_*.deb) && found=${found#jose_} && found=${found%%_*}
    ./debian-jose alg > /dev/null 2>&1
}
if ! debian; then
    echo "not run: Debian's jose is not installed and its package cannot be downloaded"
elif [ "${found%%-*}" != $DEBIAN ]; then
    echo "not run: Debian's jose is version $found, and the limits in limits.py are those of $DEBIAN"
else
    export DEBIAN_JOSE
    library "Debian's jose" "$found" "venv/bin/python debian_jose_jwe.py"
fi

target=()
[ $write = false ] || target=(--write "$root/docs/INTEROP.md")
venv/bin/python exchange.py "${all[@]}" "${target[@]}" "${libraries[@]}"
venv/bin/python signatures.py

# The document has to be about these versions.
for ((i = 0; i < ${#libraries[@]}; i += 3)); do
    grep -qF "| ${libraries[i]} | ${libraries[i + 1]} |" "$root/docs/INTEROP.md" || {
        echo "interop.sh: error: docs/INTEROP.md is not about ${libraries[i]} ${libraries[i + 1]}" >&2
        echo "interop.sh: hint: write it again with scripts/interop.sh --all --write" >&2
        exit 1
    }
done
