#!/usr/bin/env bash
# The whole system on this computer: a security service, a shop, and you as the client, in a browser.
#
#     scripts/live.sh                          # until Ctrl-C
#     scripts/live.sh --check                  # send an order, open it, compare, and end
#     scripts/live.sh COMMAND [ARGUMENT…]      # run a command beside the servers alone, and end
#
# Makes throwaway keys (embodiment 4, a derived pool) and items in a temporary folder, starts `serve service` and `serve
# shop` and `decrypt --follow`, and prints orders as they are opened. Everything is removed at the end. Ports are 8701 and 8702, or the next that
# are free. COMMAND has FOLDER, SERVICE and SHOP (addresses), SERVICE_PID and SHOP_PID in its environment.
# ORDERSEAL=path uses a program that is already built; SERVICE_OPTIONS and SHOP_OPTIONS are more words for the servers.
set -euo pipefail

fail() { # WORDS…
    echo "live.sh: error: $*" >&2
    exit 1
}

root=$(cd "$(dirname "$0")/.." && pwd)
if [ -z "${ORDERSEAL:-}" ]; then
    (cd "$root" && cargo build --release --quiet --locked --features serve --bin orderseal)
    ORDERSEAL=${CARGO_TARGET_DIR:-$root/target}/release/orderseal
fi
ORDERSEAL=$(cd "$(dirname "$ORDERSEAL")" && pwd)/$(basename "$ORDERSEAL")
export ORDERSEAL

lab=$(mktemp -d "${TMPDIR:-/tmp}/orderseal-live.XXXXXX")
servers=() opener='' reader=''
end() {
    local pid
    for pid in "${servers[@]}" $opener $reader; do kill "$pid" 2> /dev/null || true; done
    for pid in "${servers[@]}" $opener $reader; do wait "$pid" 2> /dev/null || true; done
    rm -rf "$lab"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
start=$PWD
cd "$lab"

listens() { (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; } # PORT
free() { # PORT: the next port on which nothing listens
    local port=$1
    while listens "$port"; do port=$((port + 1)); done
    echo "$port"
}
service_port=$(free 8701)
shop_port=$(free $((service_port + 1)))
SERVICE=http://127.0.0.1:$service_port SHOP=http://127.0.0.1:$shop_port

drawn() { # COLOUR PATH: a picture as a data URL
    printf "data:image/svg+xml,%%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 72 72'%%3E%%3Cpath fill='%s' d='%s'/%%3E%%3C/svg%%3E" "$@"
}
cat > items.json << END
{"title": "Tokyo Tea & Paper", "currency": "JPY", "items": [
  {"id": "T-01", "name": "Teapot, cast iron", "price": 4150, "specification": "0.8 l, enamelled inside", "performance": "Keeps tea hot for an hour",
   "picture": "$(drawn '%23334' 'M16 34h34v6a17 17 0 0 1-34 0zM50 34l10-6v6l-8 10zM30 26h8v4h-8z')"},
  {"id": "G-02", "name": "Green tea", "price": 1280, "specification": "100 g, first flush", "performance": "About 30 cups",
   "picture": "$(drawn '%23586' 'M36 14c16 10 18 26 0 44-18-18-16-34 0-44z')"},
  {"id": "N-08", "name": "Notebook, squared", "price": 520, "specification": "A5, 96 pages",
   "picture": "$(drawn '%23269' 'M22 14h30v44H22zM26 22v4h22v-4z')"}]}
END
"$ORDERSEAL" keygen --quiet --embodiment 4 --pool derived --orders 1000000000 --shop tokyo -o service.jwks
"$ORDERSEAL" bundle shop --quiet --keyring service.jwks --shop tokyo -o tokyo.jwks
"$ORDERSEAL" keygen --quiet --alg EdDSA -o signing.jwk
"$ORDERSEAL" bundle page --quiet --keyring service.jwks --shop tokyo --service "$SERVICE/" --items items.json \
    --sign-with signing.jwk -o page.json

begin() { # NAME PORT ARGUMENT…: start a server, wait until it listens; its number is in pid
    local name=$1 port=$2 wait=100
    "$ORDERSEAL" serve "$name" --json --listen "127.0.0.1:$port" "${@:3}" > "$name.out" 2> "$name.log" &
    pid=$!
    servers+=("$pid")
    until grep -qs listening "$name.log"; do
        if ! kill -0 "$pid" 2> /dev/null || [ $((wait -= 1)) = 0 ]; then
            cat "$name.log" >&2
            fail "serve $name did not start"
        fi
        sleep 0.1
    done
}
# shellcheck disable=SC2086  # the options are words
begin service "$service_port" --keys service.jwks --origin "$SHOP" ${SERVICE_OPTIONS:-}
SERVICE_PID=$pid
# shellcheck disable=SC2086
begin shop "$shop_port" --page page.json --inbox inbox ${SHOP_OPTIONS:-}
SHOP_PID=$pid
FOLDER=$lab
export FOLDER SERVICE SHOP SERVICE_PID SHOP_PID

open_orders() { # as they come
    "$ORDERSEAL" decrypt --quiet --bundle tokyo.jwks --follow inbox -o opened.ndjson 2> opener.log &
    opener=$!
}
check() {
    local wait=100
    open_orders
    echo '{"items":[{"item":"G-02","quantity":3}],"name":"小鳥遊 健太"}' > order.ndjson
    "$ORDERSEAL" send --quiet --page "$SHOP/page.json" order.ndjson || fail "the order was not sent"
    until [ -s opened.ndjson ]; do
        [ $((wait -= 1)) != 0 ] || { cat ./*.log >&2; fail "the order was not opened"; }
        sleep 0.1
    done
    cmp order.ndjson opened.ndjson || fail "another order was opened"
    "$ORDERSEAL" inspect --quiet --verify-with signing.jwk "$SHOP/page.json" > page.txt || fail "the page is not signed"
    for pid in "${servers[@]}"; do
        kill "$pid"
        wait "$pid" || { cat ./*.log >&2; fail "a server ended with exit code $?"; }
    done
    servers=()
    echo "live.sh: sent, opened, and the same"
}

case ${1:-} in
    --check) check ;;
    "")
        open_orders
        echo "the shop:      $SHOP/    (order there with a browser)"
        echo "the service:   $SERVICE/"
        echo "opened orders: $lab/opened.ndjson, and here; Ctrl-C ends and removes everything"
        tail -n +1 -F opened.ndjson 2> /dev/null &
        reader=$!
        wait -n "${servers[@]}" $opener || true
        cat ./*.log >&2
        fail "a server or the opener ended"
        ;;
    -*) fail "there is no option $1" ;;
    *)
        cd "$start"
        "$@"
        ;;
esac
