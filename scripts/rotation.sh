#!/usr/bin/env bash
# Plays a year of a shop's keys: a rotation each month with orders under way, an archive that is rewrapped, a
# key that others may have, users who come and go, and bundles that expire. No order is lost, and what should
# fail fails.
#
#     scripts/rotation.sh [ORDERS]
#
# ORDERS (default 2000) is the length of the archive. ORDERSEAL names the program; it is built otherwise.
set -euo pipefail
cd "$(dirname "$0")/.."
archive=${1:-2000}

if [ -z "${ORDERSEAL:-}" ]; then
    cargo build --quiet --locked
    ORDERSEAL=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)/debug/orderseal
fi
fixture=$PWD/fixtures/orders.ndjson
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

fail() { # WORDS…
    echo "rotation.sh: error: $*" >&2
    exit 1
}
orderseal() { "$ORDERSEAL" "$@" --quiet; }
refused() { # CODE WORDS ARGUMENT…
    local code=0 wanted=$1 words=$2
    shift 2
    "$ORDERSEAL" "$@" --quiet > refused.log 2>&1 || code=$?
    [ $code = "$wanted" ] || fail "exit code $code instead of $wanted: orderseal $*: $(cat refused.log)"
    grep -q -e "$words" refused.log || fail "no \"$words\" in: $(cat refused.log)"
}

# The shop has one key for all orders, and a pool of derived ones for users and visitors under another name.
orderseal keygen --embodiment 2 --shop tokyo -o service.jwks
orderseal keygen --embodiment 4 --pool derived --shop kyoto --into service.jwks
for shop in tokyo kyoto; do
    orderseal bundle shop --keyring service.jwks --shop $shop -o $shop.jwks
done
orderseal keys admit alice bob --shop kyoto --shop-out half.jwks service.jwks
orderseal keys merge half.jwks --into kyoto.jwks
awk -v orders="$archive" 'NR == 1 { for (n = 1; n <= orders; n++) print $0 " " n }' "$fixture" > archive.ndjson
orderseal bundle client --keyring service.jwks --shop tokyo -o archivist.jwks
orderseal encrypt --bundle archivist.jwks archive.ndjson -o archive.jwe

: > sent.jwe
: > expected.ndjson
for month in 01 02 03 04 05 06 07 08 09 10 11 12; do
    # Clients of this month, who order now and once more after the rotation.
    orderseal bundle client --keyring service.jwks --shop tokyo -o "month-$month.jwks"
    orderseal bundle client --keyring service.jwks --shop kyoto --orders 2 -o "visitor-$month.jwks"
    orderseal bundle client --keyring service.jwks --shop kyoto --user alice -o alice.jwks --force
    for client in month-$month visitor-$month alice; do
        echo "{\"order\":\"$client of $month, before\"}" > order
        orderseal encrypt --bundle $client.jwks order >> sent.jwe
        cat order >> expected.ndjson
    done
    for shop in tokyo kyoto; do
        orderseal keys rotate --shop $shop --keep-last 3 --shop-out half.jwks --force service.jwks
        orderseal keys merge half.jwks --into $shop.jwks
    done
    for client in month-$month visitor-$month; do
        echo "{\"order\":\"$client of $month, after\"}" > order
        orderseal encrypt --bundle $client.jwks order >> sent.jwe
        cat order >> expected.ndjson
    done
    if [ $month = 06 ]; then
        # Half a year later, the archive goes to the current key, and the first key is erased.
        orderseal rewrap --from-key tokyo.jwks --to-key tokyo.jwks archive.jwe -o archive-2.jwe
        orderseal rewrap --check --from-key tokyo.jwks --to-key tokyo.jwks archive.jwe archive-2.jwe > /dev/null
        # Bob leaves.
        orderseal bundle client --keyring service.jwks --shop kyoto --user bob -o bob.jwks
        orderseal keys revoke bob --shop kyoto service.jwks > /dev/null
        orderseal keys revoke bob kyoto.jwks > /dev/null
        refused 4 "user bob of shop kyoto" decrypt --bundle kyoto.jwks <("$ORDERSEAL" encrypt --bundle bob.jwks order --quiet)
    fi
done

# Everything opens, in its order.
orderseal decrypt --bundle tokyo.jwks --bundle kyoto.jwks sent.jwe -o opened.ndjson
cmp opened.ndjson expected.ndjson || fail "orders were lost"
orderseal decrypt --bundle tokyo.jwks archive-2.jwe -o archive-2.ndjson
cmp archive-2.ndjson archive.ndjson || fail "the archive is another"
[ "$("$ORDERSEAL" inspect --json tokyo.jwks | grep -o '"stage":"[a-z]*"' | sort | uniq -c | tr -s ' \n' ' ')" \
    = ' 1 "stage":"current" 10 "stage":"retired" 2 "stage":"retiring" ' ] || fail "stages: $("$ORDERSEAL" inspect tokyo.jwks)"

# Others may have the third key: it is erased at the shop and the service, and only what it sealed is gone.
for file in tokyo.jwks service.jwks; do
    orderseal erase --generation tokyo@3 $file
    orderseal erase --generation tokyo $file
done
refused 4 "key tokyo was erased" decrypt --bundle tokyo.jwks archive.jwe
refused 6 "" decrypt --bundle tokyo.jwks --bundle kyoto.jwks sent.jwe --on-error skip --report skipped.ndjson -o rest.ndjson
[ "$(wc -l < skipped.ndjson)" = 4 ] || fail "skipped: $(cat skipped.ndjson)"
orderseal bundle shop --keyring service.jwks --shop tokyo -o new.jwks
refused 4 "" decrypt --bundle new.jwks archive.jwe

# A shop with pairs of its own: the service hands out public halves, through a rotation, and opens nothing.
own='--content hybrid --scope shop --kind public --wrap ECDH-ES+A256KW --curve X25519 --shop nara'
orderseal keygen $own -o own.jwks --public-out public.jwks
orderseal keys import public.jwks --into service.jwks > /dev/null
orderseal bundle client --keyring service.jwks --shop nara -o before.jwks
orderseal keys rotate own.jwks > /dev/null
orderseal bundle service --keyring own.jwks -o public.jwks --force
orderseal keys import public.jwks --into service.jwks > /dev/null
orderseal bundle client --keyring service.jwks --shop nara -o after.jwks
orderseal bundle shop --keyring own.jwks -o nara.jwks
for client in before after; do
    orderseal encrypt --bundle $client.jwks archive.ndjson > $client.jwe
    orderseal decrypt --bundle nara.jwks $client.jwe | cmp - archive.ndjson || fail "orders at nara were lost"
    refused 4 "" decrypt --key service.jwks $client.jwe
done
refused 4 "made its pairs itself" bundle shop --keyring service.jwks --shop nara -o stolen.jwks

# Signed batches: whole ones open, and one that was cut does not; the signature outlives a rotation.
for sender in carol dave; do
    orderseal bundle client --keyring service.jwks --shop tokyo --signing-key $sender.jwk -o $sender.jwks
done
orderseal encrypt --bundle carol.jwks archive.ndjson > carol.jwe
orderseal keys rotate --shop tokyo --shop-out half.jwks --force service.jwks > /dev/null
orderseal keys merge half.jwks --into tokyo.jwks > /dev/null
orderseal encrypt --bundle carol.jwks order >> carol.jwe
orderseal encrypt --bundle dave.jwks order > dave.jwe
orderseal decrypt --bundle tokyo.jwks --verify-with carol.jwk carol.jwe | cmp - <(cat archive.ndjson order) || fail "a signed order was lost"
refused 5 "none of the keys given" decrypt --bundle tokyo.jwks --verify-with carol.jwk dave.jwe
head -n "$archive" carol.jwe > cut.jwe
refused 5 "it was cut off" decrypt --bundle tokyo.jwks --verify-with carol.jwk cut.jwe
cat carol.jwe carol.jwe > twice.jwe
refused 7 "was given before" decrypt --bundle tokyo.jwks --verify-with carol.jwk twice.jwe

# A bundle that has expired seals nothing, and its shop may refuse what it sealed before.
orderseal bundle client --keyring service.jwks --shop tokyo --expires 2001-01-01 -o expired.jwks
refused 4 "expired on 2001-01-01" encrypt --bundle expired.jwks order

# The keyring goes under a passphrase, and the next year begins: it rotates, and is never in the clear.
(umask 077; echo "plum blossom" > passphrase; echo "cherry blossom" > wrong)
cp service.jwks clear.jwks
orderseal keys protect service.jwks --new-passphrase-file passphrase --new-passphrase-rounds 1000
refused 4 "does not open with this passphrase" keys rotate --shop tokyo service.jwks --passphrase-file wrong
orderseal keys rotate --shop tokyo --shop-out half.jwks --force service.jwks --passphrase-file passphrase
orderseal keys merge half.jwks --into tokyo.jwks > /dev/null
orderseal bundle client --keyring service.jwks --shop tokyo -o next.jwks --passphrase-file passphrase
orderseal encrypt --bundle next.jwks order > next.jwe
orderseal decrypt --bundle tokyo.jwks next.jwe | cmp - order || fail "an order under a protected keyring was lost"
[ "$(head -c 3 service.jwks)" = eyJ ] || fail "the keyring is in the clear"
orderseal keys unprotect service.jwks --passphrase-file passphrase > /dev/null
[ "$(grep -c '"kty"' service.jwks)" = $(($(grep -c '"kty"' clear.jwks) + 1)) ] || fail "keys were lost under the passphrase"
echo "rotation.sh: 13 generations, $(wc -l < expected.ndjson) orders under way, $archive orders rewrapped: none lost"
