#!/usr/bin/env bash
# Checks that our sealed orders open in other people's software and theirs in ours.
#
#     scripts/interop.sh [--all]
#
# Installs jwcrypto (PyPI) and jose (npm) into a temporary folder, and exchanges orders in both
# directions: under each key management algorithm, on each curve and under a password with A256GCM, and
# with each content encryption algorithm under A256KW; with --all, under every combination. Needs python3
# and node (20 or later) with npm. ORDERSEAL=path uses a program that is already built.
set -euo pipefail
export LC_ALL=C

JWCRYPTO=jwcrypto==1.6.1
JOSE=jose@6.2.17
ALGS="A256KW A192KW A128KW A256GCMKW A192GCMKW A128GCMKW dir RSA-OAEP-256 RSA-OAEP-384 RSA-OAEP-512 RSA-OAEP"
ENCS="A256GCM A192GCM A128GCM A256CBC-HS512 A192CBC-HS384 A128CBC-HS256"
AGREEMENTS="ECDH-ES ECDH-ES+A128KW ECDH-ES+A192KW ECDH-ES+A256KW"
PASSWORDS="PBES2-HS512+A256KW PBES2-HS384+A192KW PBES2-HS256+A128KW"
CURVES="P-256 P-384 P-521 X25519"
ORDERS=24

all=false
for option; do
    case $option in
        --all) all=true ;;
        *) echo "interop.sh: error: there is no option $option" >&2; exit 2 ;;
    esac
done

root=$(cd "$(dirname "$0")/.." && pwd)
for tool in python3 node npm; do
    command -v "$tool" > /dev/null || { echo "interop.sh: error: $tool is not installed" >&2; exit 1; }
done
if [ -z "${ORDERSEAL:-}" ]; then
    (cd "$root" && cargo build --release --quiet --bin orderseal)
    ORDERSEAL=${CARGO_TARGET_DIR:-$root/target}/release/orderseal
fi

lab=$(mktemp -d "${TMPDIR:-/tmp}/orderseal-interop.XXXXXX")
trap 'rm -rf "$lab"' EXIT
cp "$root"/scripts/interop/* "$lab"
cd "$lab"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check "$JWCRYPTO"
npm install --silent --no-audit --no-fund --prefix . "$JOSE" > /dev/null

jwcrypto() { venv/bin/python jwcrypto_jwe.py "$@"; }
jose() { node jose_jwe.mjs "$@"; }

# Real orders and the edges: an empty one, a carriage return, bytes that are no text, one block more or less.
{
    head -n $((ORDERS - 6)) "$root/fixtures/orders.ndjson"
    printf '\ncarriage return\r\n\377\376 \000 no text\n0123456789abcde\n0123456789abcdef\n0123456789abcdef0\n'
} > orders.ndjson

pairs=0 exchanged=0 failed=0
check() { # WHAT COMMAND…: the command's output has to be the orders
    local what=$1
    shift
    if "$@" > opened.ndjson && cmp -s opened.ndjson orders.ndjson; then
        exchanged=$((exchanged + ORDERS))
    else
        echo "interop.sh: error: $what: the orders did not come back" >&2
        failed=$((failed + 1))
    fi
}

exchange() { # TITLE ALG ENC KEYGEN-OPTIONS…
    local title=$1 alg=$2 enc=$3 other others public
    shift 3
    rm -f ./*.jwks
    "$ORDERSEAL" keygen "$@" --enc "$enc" --shop tokyo --orders "$ORDERS" -o service.jwks
    "$ORDERSEAL" bundle shop --keyring service.jwks --shop tokyo -o shop.jwks
    "$ORDERSEAL" bundle client --keyring service.jwks --shop tokyo --orders "$ORDERS" -o client.jwks
    public=client.jwks
    case $alg in
        RSA-* | ECDH-*)
            "$ORDERSEAL" inspect --public service.jwks > public.jwks
            public=public.jwks ;;
    esac
    "$ORDERSEAL" encrypt --bundle client.jwks orders.ndjson > ours.jwe
    others="jwcrypto jose"
    # jwcrypto does not have these two.
    case $alg in RSA-OAEP-384 | RSA-OAEP-512) others=jose ;; esac
    for other in $others; do
        check "$title: ours in $other" "$other" open shop.jwks "$alg" "$enc" < ours.jwe
        "$other" seal "$public" "$alg" "$enc" < orders.ndjson > theirs.jwe || { failed=$((failed + 1)); continue; }
        check "$title: $other's in ours" "$ORDERSEAL" decrypt --bundle shop.jwks theirs.jwe
    done
    pairs=$((pairs + 1))
    echo "$title: done"
}

exchange_password() { # TITLE ALG ENC SEALING-OPTIONS…
    local title=$1 alg=$2 enc=$3 other
    shift 3
    "$ORDERSEAL" encrypt --password-file password --alg "$alg" --enc "$enc" "$@" orders.ndjson > ours.jwe
    for other in jwcrypto jose; do
        check "$title: ours in $other" "$other" open password "$alg" "$enc" < ours.jwe
        "$other" seal password "$alg" "$enc" < orders.ndjson > theirs.jwe || { failed=$((failed + 1)); continue; }
        check "$title: $other's in ours" "$ORDERSEAL" decrypt --password-file password theirs.jwe
    done
    pairs=$((pairs + 1))
    echo "$title: done"
}

asked() { # ALG ENC: whether this combination is exchanged
    [ "$all" = true ] || [ "$2" = A256GCM ] || [ "$1" = A256KW ]
}

for alg in $ALGS; do
    for enc in $ENCS; do
        asked "$alg" "$enc" || continue
        case $alg in
            dir) options="--content direct --scope shop --kind secret" ;;
            RSA-*) options="--content hybrid --scope shop --kind public --wrap $alg --rsa-bits 2048" ;;
            *) options="--content hybrid --scope shop --kind secret --wrap $alg" ;;
        esac
        # shellcheck disable=SC2086  # the options are words
        exchange "$alg $enc" "$alg" "$enc" $options
    done
done
for alg in $AGREEMENTS; do
    for curve in $CURVES; do
        for enc in $ENCS; do
            asked "$alg" "$enc" || continue
            content=$([ "$alg" = ECDH-ES ] && echo direct || echo hybrid)
            exchange "$alg $enc on $curve" "$alg" "$enc" \
                --content "$content" --scope shop --kind public --wrap "$alg" --curve "$curve"
        done
    done
done
(umask 077 && printf 'pflaumenblüte und tee\n' > password)
for alg in $PASSWORDS; do
    for enc in $ENCS; do
        asked "$alg" "$enc" || continue
        exchange_password "$alg $enc" "$alg" "$enc" --password-rounds 10000
    done
done
exchange_password "PBES2-HS512+A256KW A256GCM, 600,000 rounds" PBES2-HS512+A256KW A256GCM
# A key for each transaction: the reader has to choose by kid.
exchange "A256KW A256GCM, transaction scope" A256KW A256GCM --embodiment 4
exchange "RSA-OAEP-256 A256GCM, transaction scope" RSA-OAEP-256 A256GCM --embodiment 6 --rsa-bits 2048
exchange "ECDH-ES+A256KW A256GCM, transaction scope" ECDH-ES+A256KW A256GCM --embodiment 6 --wrap ECDH-ES+A256KW

if [ "$failed" != 0 ]; then
    echo "interop.sh: error: $failed checks failed" >&2
    exit 1
fi
echo "$pairs combinations of alg, enc and scope; ours opened in $JWCRYPTO and $JOSE, theirs in ours: $exchanged orders, each equal"
