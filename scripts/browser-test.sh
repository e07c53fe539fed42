#!/usr/bin/env bash
# Orders through pages of `bundle client --form html` in a real browser, for every scheme they have.
#
#     scripts/browser-test.sh [FOLDER]
#
# Lints the page's script, then fills in, orders, and checks: the order opens in `orderseal decrypt`
# and in jwcrypto; no key is left in the document or in storage; a reload does not use an id again; a
# POST arrives at a local listener and nothing else is requested; bad input is explained. With FOLDER,
# pictures of the pages are left there; Japanese texts need a font (Debian: fonts-noto-cjk).
#
# Needs node (20 or later) with npm, and python3; playwright-core and eslint (npm) and jwcrypto (PyPI)
# go into a temporary folder. The browser is CHROMIUM=path, or the chromium found; as root on Debian
# it is installed where it is missing. ORDERSEAL=path uses a program that is already built;
# PARTS="form memory" runs some of the parts only: schemes, form, flow, memory.
set -euo pipefail
export LC_ALL=C.UTF-8

PLAYWRIGHT=playwright-core@1.64.1
ESLINT=eslint@9
JWCRYPTO=jwcrypto==1.6.1

fail() { echo "browser-test.sh: error: $*" >&2; exit 1; }

root=$(cd "$(dirname "$0")/.." && pwd)
for tool in python3 node npm; do
    command -v "$tool" > /dev/null || fail "$tool is not installed"
done
pictures=
if [ $# -gt 0 ]; then
    mkdir -p "$1"
    pictures=$(cd "$1" && pwd)
fi

find_chromium() {
    for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
        [ -z "$name" ] || ! command -v "$name" || return 0
    done
    return 1
}
if ! browser=$(find_chromium); then
    if ! command -v apt-get > /dev/null || [ "$(id -u)" != 0 ]; then
        fail "no chromium was found; install it, or name it by CHROMIUM=path"
    fi
    echo "browser-test.sh: installing chromium"
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium; } \
        > /dev/null 2>&1 || fail "chromium could not be installed by apt-get"
    browser=$(find_chromium) || fail "chromium was installed, and is not there"
fi

if [ -z "${ORDERSEAL:-}" ]; then
    (cd "$root" && cargo build --release --quiet --bin orderseal)
    ORDERSEAL=${CARGO_TARGET_DIR:-$root/target}/release/orderseal
fi
ORDERSEAL=$(realpath "$ORDERSEAL")

lab=$(mktemp -d "${TMPDIR:-/tmp}/orderseal-browser.XXXXXX")
trap 'rm -rf "$lab"' EXIT
cp "$root"/scripts/browser/* "$root"/scripts/interop/{jobs,jwcrypto_jwe}.py "$lab"
cat "$root"/src/protocol/page/program/*.js > "$lab/page.js"
cd "$lab"
npm install --silent --no-audit --no-fund --prefix . "$PLAYWRIGHT" "$ESLINT" > /dev/null ||
    fail "npm could not install $PLAYWRIGHT and $ESLINT"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "$JWCRYPTO" || fail "pip could not install $JWCRYPTO"

npx eslint --max-warnings 0 page.js ./*.mjs
echo "page.js: no complaints from $ESLINT"
CHROMIUM=$browser ORDERSEAL=$ORDERSEAL PICTURES=$pictures node pages.mjs
