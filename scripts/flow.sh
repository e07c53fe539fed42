#!/usr/bin/env bash
# Builds orderseal and sends a file of orders to three shops in every embodiment.
#
#     scripts/flow.sh [ORDERS]        # default: fixtures/orders.ndjson
#
# One service makes the keys of tokyo, osaka and kyoto; a client of each shop seals the orders, and the
# shop opens them. Every opened file is compared with the one that was sealed, byte for byte, and no
# shop may open what was sealed for another; the exit code is 0 only if all this holds. RSA runs at
# 2,048 bits and, with a key pair for each transaction, on 20 orders.
# ORDERSEAL=path uses a program that is already built.
set -euo pipefail
export LC_ALL=C

root=$(cd "$(dirname "$0")/.." && pwd)
orders=${1:-$root/fixtures/orders.ndjson}
[ -r "$orders" ] || { echo "flow.sh: error: cannot read the orders in $orders" >&2; exit 1; }
orders=$(cd "$(dirname "$orders")" && pwd)/$(basename "$orders")

if [ -z "${ORDERSEAL:-}" ]; then
    (cd "$root" && cargo build --release --quiet --bin orderseal)
    ORDERSEAL=${CARGO_TARGET_DIR:-$root/target}/release/orderseal
fi
allow=() # options for the weak ciphers
orderseal() { "$ORDERSEAL" "$@" ${allow[@]+"${allow[@]}"}; }

lab=$(mktemp -d "${TMPDIR:-/tmp}/orderseal-flow.XXXXXX")
trap 'rm -rf "$lab"' EXIT
cd "$lab"

# A batch ends with a line feed, so the comparison starts from one that does.
cp "$orders" all.ndjson
chmod u+w all.ndjson
[ -z "$(tail -c 1 all.ndjson)" ] || echo >> all.ndjson
head -n 20 all.ndjson > few.ndjson

failed=0
TIMEFORMAT=%3R
timed() { # NAME COMMAND…: run quietly, leave the seconds in the variable NAME
    local seconds
    { seconds=$( { time "${@:2}" >&3 2>&4; } 2>&1 ); } 3>&1 4>&2
    printf -v "$1" %s "$seconds"
}
lines() { wc -l < "$1" | tr -d ' '; }
size() { wc -c < "$1" | tr -d ' '; }
row() { printf '%-42s %7s %10s %11s %7s %7s %7s  %s\n' "$@"; }
verdict() { # OPENED ORIGINAL
    if cmp -s "$1" "$2"; then echo identical; else echo DIFFERENT; return 1; fi
}

shops=(tokyo osaka kyoto)
add() { awk "BEGIN { printf \"%.3f\", $1 + $2 }"; }

run() { # TITLE ORDERS BUNDLE-CLIENT-OPTIONS KEYGEN-OPTIONS…
    local title=$1 input=$2 client=$3 count into shop took bytes=0 keys=0 seal=0 open=0 result=identical
    shift 3
    count=$(lines "$input")
    rm -f ./*.jwks ./*.jwe opened.ndjson
    for shop in "${shops[@]}"; do
        into=$([ -e service.jwks ] && echo --into || echo -o)
        timed took orderseal keygen "$@" --shop "$shop" --orders "$count" "$into" service.jwks
        keys=$(add "$keys" "$took")
    done
    for shop in "${shops[@]}"; do
        orderseal bundle shop --keyring service.jwks --shop "$shop" -o "$shop.jwks"
        # shellcheck disable=SC2086  # the options are words
        orderseal bundle client --keyring service.jwks --shop "$shop" --orders "$count" $client -o "$shop-client.jwks"
        timed took orderseal encrypt --quiet --bundle "$shop-client.jwks" "$input" -o "$shop.jwe"
        seal=$(add "$seal" "$took") bytes=$((bytes + $(size "$shop.jwe")))
        timed took orderseal decrypt --quiet --bundle "$shop.jwks" "$shop.jwe" -o opened.ndjson --force
        open=$(add "$open" "$took")
        verdict opened.ndjson "$input" > /dev/null || result=DIFFERENT
    done
    if orderseal decrypt --quiet --bundle osaka.jwks tokyo.jwe > opened.ndjson 2> /dev/null || [ -s opened.ndjson ]; then
        result="OPENED BY ANOTHER SHOP"
    fi
    [ "$result" = identical ] || failed=1
    row "$title" $((3 * count)) $((3 * $(size "$input"))) "$bytes" "$keys" "$seal" "$open" "$result"
}

row embodiment orders bytes sealed keys/s seal/s open/s result
run "1  direct, shop, secret"        all.ndjson "" --embodiment 1
run "2  hybrid, shop, secret"        all.ndjson "" --embodiment 2
run "3  direct, transaction, secret" all.ndjson "" --embodiment 3
run "4  hybrid, transaction, secret" all.ndjson "" --embodiment 4
run "5  direct, transaction, public" few.ndjson "" --embodiment 5 --rsa-bits 2048
run "6  hybrid, transaction, public" few.ndjson "" --embodiment 6 --rsa-bits 2048
run "7  as 4, then the client erases" all.ndjson --erase --embodiment 4
for shop in "${shops[@]}"; do
    [ ! -e "$shop-client.jwks" ] || { echo "flow.sh: error: the key and program of the client of $shop are still there" >&2; failed=1; }
done
run "   direct, shop, public"        few.ndjson "" --content direct --scope shop --kind public --rsa-bits 2048
run "   hybrid, shop, public"        all.ndjson "" --content hybrid --scope shop --kind public --rsa-bits 2048

# The ciphers that are here to teach and to compare: weak, each by one run.
allow=(--allow-weak)
pad=$(size few.ndjson)
head -c 16 /dev/urandom > seed
for enc in TOYDES-ECB-HS256 DES-CBC-HS256 DES-EDE3-CBC-HS256 FEAL8-CBC-HS256 GRAIN128AEADV2; do
    run "   weak: 4 with $enc" all.ndjson "" --embodiment 4 --enc "$enc"
done
run "   weak: 1 with VERNAM-HS256" few.ndjson "--pad-bytes $pad" --embodiment 1 --enc VERNAM-HS256 --pad-bytes "$pad"
run "   weak: 6 with MH-KNAPSACK" few.ndjson "" --embodiment 6 --wrap MH-KNAPSACK
run "   weak: 4 with keys of a register" few.ndjson "" --quiet --embodiment 4 --rng lfsr --trinomial 127,63 --seed-file seed
allow=()

note() { printf '%-83s  %s\n' "$@"; }

# The same with one key of each step: content key, sealed body, wrapped key, and back.
rm -f ./*.jwk ./*.jwks ./*.jwe opened.ndjson
orderseal keygen --embodiment 4 --shop tokyo --orders 1 -o service.jwks
orderseal bundle shop --keyring service.jwks --shop tokyo -o tokyo.jwks
orderseal bundle client --keyring service.jwks --shop tokyo -o client.jwks
orderseal keygen --alg A256GCM -o cek.jwk
orderseal encrypt --key cek.jwk all.ndjson -o body.jwe
orderseal wrap --with client.jwks cek.jwk -o cek.jwe
orderseal decrypt --bundle tokyo.jwks cek.jwe -o cek2.jwk
orderseal decrypt --key cek2.jwk body.jwe -o opened.ndjson
result=$(verdict opened.ndjson all.ndjson) || failed=1
note "step by step: keygen, encrypt --key, wrap, decrypt, decrypt --key" "$result"

# Through a pipe, and cut into pieces that are sealed, joined, cut elsewhere, opened and joined.
count=$(lines all.ndjson)
rm -f ./*.jwks ./*.jwe
orderseal keygen --embodiment 4 --shop tokyo --orders $((2 * count)) -o service.jwks
orderseal bundle shop --keyring service.jwks --shop tokyo -o tokyo.jwks
orderseal bundle client --keyring service.jwks --shop tokyo --orders $((2 * count)) -o client.jwks
orderseal encrypt --bundle client.jwks < all.ndjson | orderseal decrypt --bundle tokyo.jwks > opened.ndjson
result=$(verdict opened.ndjson all.ndjson) || failed=1
note "through a pipe: encrypt | decrypt" "$result"

split -l $((count / 3 + 1)) all.ndjson order-
for piece in order-??; do orderseal encrypt --bundle client.jwks "$piece" -o "sealed-$piece"; done
cat sealed-order-?? > sealed.jwe
split -l $((count / 5 + 1)) sealed.jwe part-
for piece in part-??; do orderseal decrypt --bundle tokyo.jwks "$piece"; done > opened.ndjson
result=$(verdict opened.ndjson all.ndjson) || failed=1
note "cut into pieces, sealed, joined, cut elsewhere, opened, joined" "$result"

# A user is admitted, orders twice under one id, and is revoked; a user whom nobody admitted gets nothing.
orderseal keys admit alice --shop tokyo service.jwks --shop-out half.jwks > users.txt
orderseal keys merge half.jwks --into tokyo.jwks >> users.txt
orderseal bundle client --keyring service.jwks --user alice -o alice.jwks
for piece in order-??; do orderseal encrypt --bundle alice.jwks "$piece"; done > alice.jwe
orderseal decrypt --bundle tokyo.jwks alice.jwe -o opened.ndjson --force
result=$(verdict opened.ndjson all.ndjson) || failed=1
orderseal keys revoke alice tokyo.jwks >> users.txt
if orderseal decrypt --bundle tokyo.jwks alice.jwe > refused.ndjson 2>> users.txt ||
    orderseal bundle client --keyring service.jwks --user mallory -o mallory.jwks 2>> users.txt; then
    failed=1 result="NOT REFUSED"
fi
note "a user: keys admit, bundle client --user, encrypt, decrypt, keys revoke" "$result"

# Afterwards everything that decrypts or encrypts is erased.
orderseal erase client.jwks tokyo.jwks > erased.txt 2>&1
if [ -e client.jwks ] || [ -e tokyo.jwks ] || orderseal decrypt --bundle tokyo.jwks sealed.jwe > opened.ndjson 2> /dev/null; then
    failed=1
    note "erase: the client's and the shop's files" "STILL THERE"
else
    note "erase: the client's and the shop's files" "gone"
fi

if [ "$failed" != 0 ]; then echo "flow.sh: error: not everything came back as it was sent" >&2; exit 1; fi
echo "everything came back byte for byte"
