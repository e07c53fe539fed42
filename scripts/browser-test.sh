#!/usr/bin/env bash
# Orders through pages of `bundle client --form html` in a real browser, for every scheme they have, through the
# live page of `serve shop`, with the service's server beside it, and through forms of `bundle form`.
#
#     scripts/browser-test.sh [FOLDER]
#
# Lints the pages' scripts, then fills in, orders, and checks: the order opens in `orderseal decrypt`
# and in jwcrypto; no key is left in the document or in storage; a reload does not use an id again; a
# POST arrives at a local listener and nothing else is requested; bad input is explained. With FOLDER,
# pictures of the pages are left there; Japanese texts need a font (Debian: fonts-noto-cjk).
#
# Needs node (20 or later) with npm, and python3; playwright-core and eslint (npm) and jwcrypto (PyPI)
# go into a temporary folder. The browser is CHROMIUM=path, or the chromium found; as root on Debian
# it is installed where it is missing. ORDERSEAL=path uses a program that is already built
# with the feature `serve`; PARTS="form memory" runs some of the parts only: schemes, form, flow, memory, live,
# attached.
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
    (cd "$root" && cargo build --release --quiet --features serve --bin orderseal)
    ORDERSEAL=${CARGO_TARGET_DIR:-$root/target}/release/orderseal
fi
ORDERSEAL=$(realpath "$ORDERSEAL")
if [ -z "${PARTS:-}" ]; then
    PARTS="schemes form flow memory live attached"
    if ! "$ORDERSEAL" serve shop --help 2> /dev/null | grep -q -- --inbox; then
        echo "browser-test.sh: not run, the program has no servers (feature serve): live pages, forms"
        PARTS="schemes form flow memory"
    fi
fi

lab=$(mktemp -d "${TMPDIR:-/tmp}/orderseal-browser.XXXXXX")
trap 'rm -rf "$lab"' EXIT
cp "$root"/scripts/browser/* "$root"/scripts/interop/{jobs,jwcrypto_jwe}.py "$lab"
program=$root/src/protocol/page/program
cat "$program"/*.js > "$lab/page.js"
cat "$program"/{texts,trouble,bytes,ciphers,keys,seal,memory,post,dates,form,steps}.js "$program"/live/*.js > "$lab/live.js"
cat "$program"/{bytes,post}.js "$program"/link/get.js > "$lab/link.js"
cat "$program"/{trouble,bytes,ciphers,keys,seal,memory,post,dates}.js "$program"/live/{answers,program,deliver}.js \
    "$program"/attached/*.js > "$lab/attached.js"
cd "$lab"
npm install --silent --no-audit --no-fund --prefix . "$PLAYWRIGHT" "$ESLINT" > /dev/null ||
    fail "npm could not install $PLAYWRIGHT and $ESLINT"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "$JWCRYPTO" || fail "pip could not install $JWCRYPTO"

npx eslint --max-warnings 0 page.js live.js attached.js link.js ./*.mjs
echo "page.js, live.js, attached.js, link.js: no complaints from $ESLINT"
CHROMIUM=$browser ORDERSEAL=$ORDERSEAL PICTURES=$pictures PARTS=$PARTS node pages.mjs
