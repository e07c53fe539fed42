#!/usr/bin/env bash
# Seals and opens a batch with many workers, and checks that the same orders come back.
#
#     scripts/scale-out.sh [ORDERS [WORKERS]]     # default: fixtures/orders.ndjson, repeated; all cores
#
# GNU parallel cuts the batch and runs a process for each piece: at shop scope with one bundle for
# all, at transaction scope with a bundle for each job slot. Where Spark is installed (spark-submit,
# or pyspark for python3), the batch goes through a local Spark as well. docs/SCALING.md explains.
# ORDERSEAL=path uses a program that is already built.
#
# shellcheck disable=SC2016  # parallel has the quoted commands expanded in a shell of its own
set -euo pipefail
export LC_ALL=C

fail() { echo "scale-out.sh: error: $*" >&2; exit 1; }

if ! command -v parallel > /dev/null; then
    echo "scale-out.sh: error: GNU parallel is not installed" >&2
    echo "scale-out.sh: hint: apt-get install parallel, brew install parallel, or the like" >&2
    exit 1
fi
# Another program of this name comes with moreutils.
parallel --version 2> /dev/null < /dev/null | grep -q 'GNU parallel' \
    || fail "the command parallel is not GNU parallel"

root=$(cd "$(dirname "$0")/.." && pwd)
orders=${1:-}
workers=${2:-$(getconf _NPROCESSORS_ONLN)}
[ -z "$orders" ] || [ -r "$orders" ] || fail "cannot read the orders in $orders"
[ -z "$orders" ] || orders=$(cd "$(dirname "$orders")" && pwd)/$(basename "$orders")

if [ -z "${ORDERSEAL:-}" ]; then
    (cd "$root" && cargo build --release --quiet --bin orderseal)
    ORDERSEAL=${CARGO_TARGET_DIR:-$root/target}/release/orderseal
fi
export ORDERSEAL

lab=$(mktemp -d "${TMPDIR:-/tmp}/orderseal-scale-out.XXXXXX")
trap 'rm -rf "$lab"' EXIT
cd "$lab"

# The fixture is small: twenty times makes enough pieces. A batch ends with a line feed.
if [ -n "$orders" ]; then cat "$orders"; else for _ in {1..20}; do cat "$root/fixtures/orders.ndjson"; done; fi > all.ndjson
[ -z "$(tail -c 1 all.ndjson)" ] || echo >> all.ndjson
count=$(wc -l < all.ndjson | tr -d ' ')
bytes=$(wc -c < all.ndjson | tr -d ' ')
block=$((bytes / (4 * workers) + 1))

keys() { # SERVICE-OPTIONS…: a keyring and the shop's file
    rm -f ./*.jwks sealed.jwe opened.ndjson
    "$ORDERSEAL" keygen "$@" --shop tokyo -o service.jwks
    "$ORDERSEAL" bundle shop --keyring service.jwks --shop tokyo -o tokyo.jwks
}
client() { "$ORDERSEAL" bundle client --keyring service.jwks --shop tokyo "$@"; }
spread() { parallel --will-cite -j "$workers" -k --halt now,fail=1 --block "$block" "$@"; }

failed=0
verdict() { # TITLE
    local result=identical
    cmp -s opened.ndjson all.ndjson || { result=DIFFERENT; failed=1; }
    printf '%-66s %8s orders  %s\n' "$1" "$count" "$result"
}

open_and_compare() { # TITLE
    spread --pipepart -a sealed.jwe '"$ORDERSEAL" decrypt -q --threads 1 --bundle tokyo.jwks' > opened.ndjson
    verdict "$1"
}

keys --embodiment 2
client -o client.jwks
spread --pipe '"$ORDERSEAL" encrypt -q --threads 1 --bundle client.jwks' < all.ndjson > sealed.jwe
open_and_compare "parallel --pipe, shop scope, one bundle for all"
spread --pipepart -a all.ndjson '"$ORDERSEAL" encrypt -q --threads 1 --bundle client.jwks' > sealed.jwe
open_and_compare "parallel --pipepart, shop scope, one bundle for all"

# A direct key counts its orders in the one bundle, which the workers lock in turn.
keys --embodiment 1
client -o client.jwks
spread --pipe '"$ORDERSEAL" encrypt -q --threads 1 --bundle client.jwks' < all.ndjson > sealed.jwe
open_and_compare "parallel --pipe, shop scope, a key with a budget"

# Which slot gets how much is not known beforehand, so each has ids for all of the orders.
head -n 10000 all.ndjson > few.ndjson && mv few.ndjson all.ndjson
count=$(wc -l < all.ndjson | tr -d ' ')
keys --embodiment 4 --orders $((workers * count))
for slot in $(seq "$workers"); do client --orders "$count" -o "client-$slot.jwks"; done
spread --pipe '"$ORDERSEAL" encrypt -q --threads 1 --bundle client-{%}.jwks' < all.ndjson > sealed.jwe
repeated=$("$ORDERSEAL" decrypt -q --once --check --bundle tokyo.jwks sealed.jwe | awk '$1 > 1' | wc -l)
[ "$repeated" = 0 ] || fail "$repeated transaction ids were used twice"
open_and_compare "parallel --pipe, transaction scope, a bundle for each job slot"

# A worker that fails fails the whole: no piece is silently missing.
if spread --pipe '"$ORDERSEAL" decrypt -q --bundle tokyo.jwks' < all.ndjson > opened.ndjson 2> messages; then
    fail "a batch of unsealed orders was accepted"
fi

spark_job() {
    cat > job.py << 'PY'
import glob, os, sys
from pyspark.sql import SparkSession

source, target, command = sys.argv[1:]
spark = SparkSession.builder.master("local[%s]" % os.environ["WORKERS"]).appName("orderseal").getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
# A local folder is listed in any order: its pieces are named one by one.
pieces = sorted(glob.glob(source + "/part-*")) or [source]
paths = ",".join("file://" + os.path.abspath(piece) for piece in pieces)
lines = spark.sparkContext.textFile(paths, 8)
lines.pipe(command, checkCode=True).saveAsTextFile("file://" + os.path.abspath(target))
spark.stop()
PY
    WORKERS=$workers "${spark[@]}" job.py "$@" > spark.log 2>&1 || { cat spark.log >&2; fail "the Spark job failed"; }
}

if command -v spark-submit > /dev/null; then
    spark=(spark-submit)
elif command -v python3 > /dev/null && python3 -c 'import pyspark' 2> /dev/null; then
    spark=(python3)
else
    spark=()
fi
if [ ${#spark[@]} = 0 ]; then
    echo "not run: Spark (neither spark-submit nor pyspark is installed)"
else
    keys --embodiment 2
    client -o client.jwks
    spark_job all.ndjson sealed-parts "$ORDERSEAL encrypt -q --threads 1 --bundle $lab/client.jwks"
    spark_job sealed-parts opened-parts "$ORDERSEAL decrypt -q --threads 1 --bundle $lab/tokyo.jwks"
    cat opened-parts/part-* > opened.ndjson
    verdict "Spark, rdd.pipe, shop scope, one bundle for all"
fi

[ "$failed" = 0 ] || fail "not everything came back as it was sent"
echo "everything came back byte for byte"
