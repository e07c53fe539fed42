#!/usr/bin/env bash
# Measures both servers under load on this computer, with wrk over loopback, and kills the shop's server while it works.
#
#     scripts/load.sh [--seconds N] [--requests N] [--rounds N]
#
#   programs        programs handed out a second, one id each, over 64 connections that stay open
#   orders          orders kept a second, one in a request, over 64 connections that stay open
#   batches         orders kept a second, 100 in a request
#   memory          of both servers, over many requests for programs and the same orders again and again
#   kill            kill -9 under load: no order that was answered by 201 is lost, no id is used twice
#
# --seconds (10) is for each of the first three, --requests (200,000) for memory and each server, --rounds (20) the number
# of kills. PARTS="programs kill" runs some only. wrk and Python share the processors with the servers, so the figures are
# lower than a server's own. Needs wrk (apt-get install wrk) and python3, Linux, and 2 GB in the folder for temporary files.
# ORDERSEAL=path uses a program that is already built.
set -euo pipefail
export LC_ALL=C.UTF-8

fail() { # WORDS…
    echo "load.sh: error: $*" >&2
    exit 1
}

here=$(cd "$(dirname "$0")" && pwd)
if [ "${1:-}" != --inside ]; then
    for tool in wrk python3; do
        command -v $tool > /dev/null || fail "$tool is not installed"
    done
    limits="--limit-address 1000000000 --limit-shop 1000000000"
    SERVICE_OPTIONS=$limits SHOP_OPTIONS=$limits exec "$here/live.sh" "$here/load.sh" --inside "$@"
fi
shift
cd "$FOLDER"

seconds=10 requests=200000 rounds=20
while [ $# -gt 0 ]; do
    case $1 in
        --seconds) seconds=${2:?"--seconds needs a number"} ;;
        --requests) requests=${2:?"--requests needs a number"} ;;
        --rounds) rounds=${2:?"--rounds needs a number"} ;;
        *) fail "there is no option $1" ;;
    esac
    shift 2
done
[[ " ${PARTS:=programs orders batches memory kill} " = *" "* ]]
part() { [[ " $PARTS " = *" $1 "* ]]; }

prepare() { python3 -B "$here/http/prepare.py" "$@"; } # KIND COUNT THREADS
load() { # KIND ADDRESS SECONDS
    KIND=$1 wrk --threads 2 --connections 64 --duration "$3s" --timeout 10s --script "$here/http/requests.lua" "$2" > wrk.log \
        || { cat wrk.log >&2; fail "wrk failed"; }
    grep -q '^result' wrk.log || { cat wrk.log >&2; fail "wrk has no result"; }
    read -r answered rate errors words < <(sed -n 's/^result //p' wrk.log)
    [ "$errors" = 0 ] || { cat wrk.log >&2; fail "$errors requests for $1 were not answered as they should be"; }
}
resident() { awk '/^VmRSS/ { print int($2 / 1024) }' "/proc/$1/status"; } # PID: MB
kept() { find inbox -name '*.jwe' -exec cat {} + | wc -l; }

if part programs; then
    prepare programs 2 2
    AGAIN=1 load programs "$SERVICE" "$seconds"
    echo "programs: $rate/s: $answered $words"
fi
if part orders; then
    prepare orders $((seconds * 25000)) 2
    before=$(kept)
    load orders "$SHOP" "$seconds"
    echo "orders:   $rate/s: $answered $words"
    [ $(($(kept) - before)) -ge "$answered" ] || fail "the inbox has fewer orders than were answered"
fi
if part batches; then
    prepare batches $((seconds * 1500)) 2
    before=$(kept)
    load batches "$SHOP" "$seconds"
    echo "batches:  $((rate * 100))/s: $((answered * 100)) $words"
    [ $(($(kept) - before)) -ge $((answered * 100)) ] || fail "the inbox has fewer orders than were answered"
    rm batches-?
fi
if part memory; then
    prepare programs 2 2
    prepare orders 20000 2
    for kind in programs orders; do
        pid=$SERVICE_PID address=$SERVICE
        [ $kind = programs ] || { pid=$SHOP_PID address=$SHOP; }
        AGAIN=1 load $kind "$address" 5
        first=$(resident "$pid") sent=$answered
        printf 'memory:   %s, MB after each 5 s: %s' "$kind" "$first"
        while [ "$sent" -lt "$requests" ]; do
            AGAIN=1 load $kind "$address" 5
            sent=$((sent + answered))
            printf ' %s' "$(resident "$pid")"
        done
        printf ', %s requests\n' "$sent"
        [ "$(resident "$pid")" -le $((first + first / 4 + 8)) ] || fail "the memory of $kind grows"
    done
fi
! part kill || python3 -B "$here/http/kill.py" "$rounds"
