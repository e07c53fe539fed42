#!/usr/bin/env bash
# Kills the program at each of its system calls, runs the next command, and looks at what lies on the disk:
# no file with a secret but those that are named, no id and no byte of pad used twice, nothing lost that was
# there before.
#
#     scripts/fault-sweep.sh [--seconds N] [SCENARIO…]
#
# Needs strace. With --seconds, so many system calls of each scenario are tried, evenly spread, that all
# scenarios take about N seconds; without it, every one is. ORDERSEAL names the program; it is built otherwise.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=0 scenarios=()
while [ $# -gt 0 ]; do
    case $1 in
        --seconds) seconds=${2:?"--seconds needs a number"}; shift ;;
        -*) echo "fault-sweep.sh: error: there is no option $1" >&2; exit 2 ;;
        *) scenarios+=("$1") ;;
    esac
    shift
done
[ ${#scenarios[@]} -gt 0 ] || scenarios=(keygen protect protected bundle admit revoke rotate rewrap ids sign verify journal journal-on journal-off pads erasing erasing-protected erase erase-keys decrypt ledger ledger-erase follow)

if ! command -v strace > /dev/null; then
    echo "fault-sweep.sh: error: strace was not found" >&2
    echo "fault-sweep.sh: hint: install it, as with: apt-get install strace" >&2
    exit 1
fi
if [ -z "${ORDERSEAL:-}" ]; then
    cargo build --quiet --locked
    ORDERSEAL=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)/debug/orderseal
fi
fixture=$PWD/fixtures/orders.ndjson
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/ready" "$folder/run"
cd "$folder/ready"

seal() { "$ORDERSEAL" "$@" --quiet --allow-weak; }

# What all scenarios begin with.
seal keygen --embodiment 4 --shop tokyo --orders 75 -o service.jwks
seal keys admit bob service.jwks
seal bundle shop --keyring service.jwks -o tokyo.jwks
seal bundle client --keyring service.jwks --orders 30 -o client.jwks
seal bundle client --keyring service.jwks --orders 20 --erase -o erasing.jwks
seal keygen --embodiment 1 --enc VERNAM-HS256 --pad-bytes 20000 --shop kyoto -o pads.jwks
seal bundle client --keyring pads.jwks --pad-bytes 16000 -o pad.jwks
head -n 10 "$fixture" > orders.ndjson
head -n 3 "$fixture" > more.ndjson
cp client.jwks copy.jwks
seal encrypt --bundle copy.jwks orders.ndjson -o sealed.jwe
rm copy.jwks
(umask 077; echo "plum blossom" > passphrase)
seal bundle client --keyring service.jwks --orders 15 --signing-key sender.jwk -o signing.jwks
cp signing.jwks copy.jwks
seal encrypt --bundle copy.jwks orders.ndjson -o signed.jwe
rm copy.jwks
# Bundles of so many ids that what is spent goes into a journal: a new one and a used one.
seal keygen --embodiment 4 --shop tokyo --orders 2200 -o many.jwks
seal bundle client --keyring many.jwks --orders 1100 -o used.jwks
seal bundle client --keyring many.jwks --orders 1100 -o client-of-many.jwks
mv client-of-many.jwks many.jwks
seal encrypt --bundle used.jwks orders.ndjson -o used.jwe
cd "$folder/run"

fail() { # WHAT
    echo "fault-sweep.sh: error: $scenario, killed at system call $number: $1" >&2
    ls -la >&2
    exit 1
}

# Fails if a file other than those named holds one of the texts in `secrets`.
only_in() { # NAME…
    local found name allowed
    while read -r found; do
        found=${found#./} allowed=no
        for name; do
            [ "$found" != "$name" ] || allowed=yes
        done
        [ $allowed = yes ] || fail "$found holds a secret"
    done < <(grep -rlF -f ../secrets . || true)
}

keys_of() { grep -o '"k":"[^"]*"' "$@" | grep -o '[^"]*"$' | tr -d '"' > ../secrets; }

# The names of keys in lines or key files, one a line.
kids_of() {
    local file
    for file; do
        [ ! -s "$file" ] || case $file in
            *.jwks) grep -o '"kid":"[^"]*"' "$file" ;;
            *) "$ORDERSEAL" inspect --json "$file" | grep -o '"tokyo/[^"]*"' ;;
        esac
    done
}

no_kid_twice() { [ -z "$(kids_of "$@" | tr -d ' ' | sed 's/^"kid"://' | sort | uniq -d)" ] || fail "an id was used twice"; }

ok() { "$ORDERSEAL" "$@" --quiet > out.log 2>&1 || fail "the next command failed: $(cat out.log)"; rm -f out.log; }

# Each scenario: the command, and what has to hold after it was killed.
command_of() {
    case $1 in
        keygen) echo "keygen --embodiment 4 --shop osaka --orders 5 --into service.jwks" ;;
        protect) echo "keys protect service.jwks --new-passphrase-file passphrase --new-passphrase-rounds 1000" ;;
        protected) echo "keygen --embodiment 4 --shop osaka --orders 5 --into service.jwks --passphrase-file passphrase" ;;
        bundle) echo "bundle client --keyring service.jwks --shop tokyo --orders 2 -o new.jwks" ;;
        admit) echo "keys admit alice service.jwks --shop-out half.jwks" ;;
        revoke) echo "keys revoke bob tokyo.jwks" ;;
        rotate) echo "keys rotate service.jwks --keep-last 1 --shop-out half.jwks" ;;
        rewrap) echo "rewrap --from-key tokyo.jwks --to-key client.jwks --ledger tokyo.ledger sealed.jwe -o new.jwe" ;;
        ids) echo "encrypt --bundle client.jwks orders.ndjson -o new.jwe" ;;
        sign) echo "encrypt --bundle signing.jwks orders.ndjson -o new.jwe" ;;
        verify) echo "decrypt --bundle tokyo.jwks --verify-with sender.jwk signed.jwe -o opened.ndjson" ;;
        journal) echo "encrypt --bundle many.jwks orders.ndjson -o new.jwe" ;;
        journal-on) echo "encrypt --bundle used.jwks orders.ndjson -o new.jwe" ;;
        journal-off) echo "erase used.jwks --kid $(grep -o 'tokyo/[0-9a-f]*' used.jwks | tail -n 1)" ;;
        pads) echo "encrypt --bundle pad.jwks orders.ndjson -o new.jwe --allow-weak" ;;
        erasing) echo "encrypt --bundle erasing.jwks orders.ndjson -o new.jwe" ;;
        erasing-protected) echo "encrypt --bundle erasing.jwks orders.ndjson -o new.jwe --passphrase-file passphrase" ;;
        erase) echo "erase client.jwks" ;;
        erase-keys) echo "erase --keys client.jwks" ;;
        decrypt) echo "decrypt --bundle tokyo.jwks sealed.jwe -o opened.ndjson" ;;
        ledger) echo "decrypt --bundle tokyo.jwks --ledger tokyo.ledger sealed.jwe -o opened.ndjson" ;;
        ledger-erase) echo "decrypt --bundle tokyo.jwks --ledger tokyo.ledger --erase sealed.jwe -o opened.ndjson" ;;
        follow) echo "decrypt --bundle tokyo.jwks --follow inbox -o opened.ndjson" ;;
        *) echo "fault-sweep.sh: error: there is no scenario $1" >&2; exit 2 ;;
    esac
}

check() {
    case $1 in
        keygen)
            ok inspect service.jwks
            held=$(grep -c '"kty"' service.jwks)
            [ "$held" = 76 ] || [ "$held" = 81 ] || fail "$held keys"
            keys_of service.jwks
            only_in service.jwks tokyo.jwks client.jwks erasing.jwks signing.jwks
            ;;
        protect | protected)
            ok inspect service.jwks --passphrase-file passphrase
            [ -z "$(ls -A | grep '^\.')" ] || fail "something was left beside it"
            cp service.jwks ../clear.jwks
            clear=(service.jwks)
            if [ "$(head -c 3 service.jwks)" = eyJ ]; then
                ok keys unprotect ../clear.jwks --passphrase-file passphrase
                clear=()
            elif [ $1 = protected ]; then
                fail "it is in the clear"
            fi
            held=$(grep -c '"kty"' ../clear.jwks)
            [ "$held" = 76 ] || [ "$1 $held" = "protected 81" ] || fail "$held keys"
            keys_of ../clear.jwks
            rm ../clear.jwks
            only_in "${clear[@]}" tokyo.jwks client.jwks erasing.jwks signing.jwks
            ;;
        bundle)
            ok bundle client --keyring service.jwks --shop tokyo --orders 2 -o next.jwks
            keys_of service.jwks
            only_in service.jwks tokyo.jwks client.jwks erasing.jwks signing.jwks new.jwks next.jwks
            no_kid_twice client.jwks erasing.jwks new.jwks next.jwks
            ;;
        admit)
            [ ! -e half.jwks ] || grep -q '"tokyo/alice"' service.jwks || fail "a half of a user whom nobody admitted"
            ok keys admit alice service.jwks --shop-out half.jwks --force
            [ "$(grep -c '"kty"' service.jwks)" = 77 ] || fail "a user without a key, or with two"
            ok keys merge half.jwks --into tokyo.jwks
            keys_of service.jwks
            only_in service.jwks tokyo.jwks client.jwks erasing.jwks signing.jwks half.jwks
            ;;
        revoke)
            ok keys revoke bob tokyo.jwks
            grep -h '"tokyo/bob"' service.jwks | grep -o '"k":"[^"]*"' | cut -d'"' -f4 > ../secrets
            only_in service.jwks
            ;;
        rotate)
            [ ! -e half.jwks ] || grep -q '"tokyo@2"' service.jwks || fail "a half of a generation that is not there"
            held=$(grep -c '"kty"' service.jwks)
            [ "$held" = 76 ] || [ "$held" = 152 ] || fail "$held keys"
            ok keys rotate service.jwks --shop-out half.jwks --force
            ok keys merge half.jwks --into tokyo.jwks
            ok bundle client --keyring service.jwks --shop tokyo --orders 3 -o next.jwks
            ok encrypt --bundle next.jwks more.ndjson -o next.jwe
            ok decrypt --bundle tokyo.jwks next.jwe -o opened.ndjson
            keys_of service.jwks
            only_in service.jwks tokyo.jwks client.jwks erasing.jwks signing.jwks half.jwks next.jwks
            ;;
        rewrap)
            [ ! -e new.jwe ] || [ "$(wc -l < new.jwe)" = 10 ] || fail "part of the output"
            cmp -s sealed.jwe ../old.jwe || fail "the old file is not as it was"
            head -n 1 orders.ndjson > ../secrets
            only_in orders.ndjson more.ndjson
            ok encrypt --bundle client.jwks more.ndjson -o next.jwe
            no_kid_twice new.jwe next.jwe
            for file in sealed.jwe new.jwe; do
                [ ! -e $file ] || "$ORDERSEAL" decrypt --bundle tokyo.jwks --ledger tokyo.ledger $file \
                    --on-error skip --quiet >> found.ndjson 2> /dev/null || true
            done
            sort -u found.ndjson | cmp -s - <(sort -u orders.ndjson) || fail "orders were lost"
            ;;
        ids)
            ok encrypt --bundle client.jwks more.ndjson -o next.jwe
            no_kid_twice new.jwe next.jwe
            keys_of client.jwks
            only_in service.jwks tokyo.jwks client.jwks
            ;;
        sign)
            ok encrypt --bundle signing.jwks more.ndjson -o next.jwe
            no_kid_twice new.jwe next.jwe
            batches=(next.jwe)
            [ ! -e new.jwe ] || batches=(new.jwe next.jwe)
            "$ORDERSEAL" decrypt --bundle tokyo.jwks --verify-with sender.jwk "${batches[@]}" -o opened.ndjson --json \
                > ../batches 2> /dev/null || fail "a batch does not verify"
            [ "$(grep -o '"sequence":[0-9]*' ../batches | sort -u | wc -l)" = ${#batches[@]} ] || fail "a number was used twice"
            [ ! -e new.jwe ] || [ "$(wc -l < opened.ndjson)" = 13 ] || fail "orders were lost"
            grep -o '"d":"[^"]*"' signing.jwks | cut -d'"' -f4 > ../secrets
            only_in signing.jwks
            ;;
        verify)
            [ ! -e opened.ndjson ] || cmp -s opened.ndjson orders.ndjson || fail "part of the output"
            head -n 1 orders.ndjson > ../secrets
            only_in orders.ndjson more.ndjson opened.ndjson
            [ -z "$(ls "${TMPDIR:-/tmp}" | grep '^orderseal-[0-9a-f]\{16\}$')" ] || fail "a copy of the orders was left"
            ;;
        journal | journal-on | journal-off)
            name=used.jwks
            [ $1 != journal ] || name=many.jwks
            ok encrypt --bundle $name more.ndjson -o next.jwe
            no_kid_twice used.jwe new.jwe next.jwe
            [ -e $name.spent ] || fail "it has no journal"
            [ -z "$(ls -A | grep '^\.')" ] || fail "something was left beside it"
            keys_of $name
            only_in $name
            ;;
        pads)
            ok encrypt --bundle pad.jwks more.ndjson -o next.jwe --allow-weak
            twice=$(cat new.jwe next.jwe 2> /dev/null | "$ORDERSEAL" inspect --json pads-shop.jwks --sealed - --allow-weak |
                grep -c pad_bytes_used_twice || true)
            [ "$twice" = 0 ] || fail "a byte of pad was used twice"
            ;;
        erasing*)
            clear=erasing.jwks
            [ $1 = erasing ] || clear=tokyo.jwks
            "$ORDERSEAL" inspect erasing.jwks --passphrase-file passphrase > /dev/null 2>&1 || true
            if [ -e new.jwe ]; then
                [ ! -e erasing.jwks ] || fail "it was sent, and not erased"
                [ "$(wc -l < new.jwe)" = 10 ] || fail "part of the output"
            else
                "$ORDERSEAL" inspect --json erasing.jwks --passphrase-file passphrase | grep -q '"keys":20' ||
                    fail "it was not sent, and is erased"
            fi
            keys_of ../ready/erasing.jwks
            only_in service.jwks tokyo.jwks $clear
            ;;
        erase)
            "$ORDERSEAL" erase client.jwks > /dev/null 2>&1 || true
            keys_of ../ready/client.jwks
            only_in service.jwks tokyo.jwks
            ;;
        erase-keys)
            "$ORDERSEAL" erase --keys client.jwks > /dev/null 2>&1 || true
            "$ORDERSEAL" inspect client.jwks > /dev/null 2>&1 || fail "the file cannot be read"
            keys_of ../ready/client.jwks
            only_in service.jwks tokyo.jwks
            ;;
        decrypt)
            [ ! -e opened.ndjson ] || cmp -s opened.ndjson orders.ndjson || fail "part of the output"
            head -n 1 orders.ndjson > ../secrets
            only_in orders.ndjson more.ndjson opened.ndjson
            ok decrypt --bundle tokyo.jwks sealed.jwe -o opened.ndjson --force
            cmp -s opened.ndjson orders.ndjson || fail "the orders are not those that were sealed"
            ;;
        follow)
            head -n 1 orders.ndjson > ../secrets
            only_in orders.ndjson more.ndjson opened.ndjson
            # shellcheck disable=SC2046
            "$ORDERSEAL" $(command_of follow) --quiet > out.log 2>&1 &
            end_following $!
            cmp -s opened.ndjson orders.ndjson || fail "not each order once: $(cat out.log)"
            [ "$(cat out.log)" = "orderseal: error: stopped by a signal" ] || fail "it said: $(cat out.log)"
            [[ $("$ORDERSEAL" inspect --json opened.ndjson.ledger) == *'"done":10,'* ]] || fail "not recorded"
            ;;
        ledger*)
            [ ! -e opened.ndjson ] || cmp -s opened.ndjson orders.ndjson || fail "part of the output"
            head -n 1 orders.ndjson > ../secrets
            only_in orders.ndjson more.ndjson opened.ndjson
            states=none
            [ ! -e tokyo.ledger ] || states=$("$ORDERSEAL" inspect --json tokyo.ledger) || fail "the ledger cannot be read"
            [ ! -e opened.ndjson ] || [[ $states == *'"done":10,'* || $states == *'"opening":10,'* ]] || fail "not recorded: $states"
            [ -e opened.ndjson ] || [[ $states != *'"done":10,'* ]] || fail "done, and not there: $states"
            code=0
            $(command_of ledger | sed "s|^|$ORDERSEAL |; s|opened|again|") > /dev/null 2>&1 || code=$?
            case "$code $states" in
                "0 "*'"done":10,'*) fail "opened twice" ;;
                "0 "*) cmp -s again.ndjson orders.ndjson || fail "the orders are not those that were sealed" ;;
                "7 "*'"done":10,'* | "4 "*'"done":10,'*) ;;
                *) fail "exit code $code, $states" ;;
            esac
            ;;
    esac
}

prepare() {
    find . -mindepth 1 -delete
    cp ../ready/* .
    # shellcheck disable=SC2046
    case $scenario in
        protected) "$ORDERSEAL" $(command_of protect) --quiet ;;
        erasing-protected) "$ORDERSEAL" $(command_of protect | sed s/service/erasing/) --quiet ;;
    esac
    if [ "$scenario" = rewrap ]; then
        # Under other ids than those of the new bundle.
        "$ORDERSEAL" encrypt --bundle erasing.jwks orders.ndjson -o sealed.jwe --force --quiet
        cp sealed.jwe ../old.jwe
    fi
    if [ "$scenario" = follow ]; then
        mkdir inbox
        head -n 6 sealed.jwe > inbox/00000001-20261128.jwe
        tail -n 4 sealed.jwe > inbox/00000002-20261129.jwe
    fi
    [ "$scenario" != pads ] || "$ORDERSEAL" bundle shop --keyring pads.jwks -o pads-shop.jwks --quiet --allow-weak
}

is_running() { jobs -pr | grep -qx "$1"; }

# Ends a process that follows an inbox, or is the parent of one, when everything was opened, or it is gone.
end_following() { # PROCESS
    local tries=0 child
    while is_running "$1" && [ $tries -lt 500 ]; do
        [ ! -e opened.ndjson ] || [ "$(wc -l < opened.ndjson)" != 10 ] || break
        sleep 0.02
        tries=$((tries + 1))
    done
    sleep 0.1
    child=$(ps -o pid= --ppid "$1" || true)
    # shellcheck disable=SC2086
    kill -TERM ${child:-$1} 2> /dev/null || true
    { wait "$1" || true; } 2> /dev/null
}

traced() { # [OPTION…]
    if [ "$scenario" = follow ]; then
        # shellcheck disable=SC2046
        strace -f -qq -o ../log "$@" "$ORDERSEAL" $(command_of follow) --threads 1 --quiet > /dev/null 2>&1 &
        # Without the shell's message that strace was killed.
        end_following $! 2> /dev/null
        return 0
    fi
    # In a shell of its own, whose message that strace was killed goes nowhere.
    # shellcheck disable=SC2046
    (strace -f -qq -o ../log "$@" "$ORDERSEAL" $(command_of "$scenario") --threads 1 --quiet; exit $?) > /dev/null 2>&1
}

total=0 started=$SECONDS
for scenario in "${scenarios[@]}"; do
    number=none
    prepare
    command_of "$scenario" > /dev/null
    traced || fail "it fails without being killed"
    # Each call by its name and number: strace counts every kind of call by itself, in each thread.
    mapfile -t calls < <(awk '$2 ~ /^[a-z]/ { sub(/\(.*/, "", $2); call = $2 " " ++nth[$1, $2]; if (!seen[call]++) print call }' ../log)
    count=${#calls[@]} step=1 tries=0 kills=0
    before=$(date +%s%N)
    for ((index = 0; index < count; index += step)); do
        read -r call nth <<< "${calls[index]}"
        number="$nth of $call"
        prepare
        traced -e inject="$call:signal=KILL:when=$nth" || true
        ! grep -q 'killed by SIGKILL' ../log || kills=$((kills + 1))
        check "$scenario"
        tries=$((tries + 1))
        if [ "$seconds" -gt 0 ] && [ $tries -eq 5 ]; then
            # What one try takes has been measured now.
            each=$((($(date +%s%N) - before) / 5000000 + 1))
            step=$((count * each * ${#scenarios[@]} / (seconds * 1000) + 1))
        fi
    done
    # A thread may make a few calls less the next time, to wait or to get memory.
    [ $((kills * 5)) -ge $((tries * 4)) ] || fail "it was killed $kills times only, in $tries tries"
    total=$((total + kills))
    echo "$scenario: killed $kills times, at $tries of $count system calls: nothing lost, nothing left, nothing used twice"
done
echo "fault-sweep.sh: $total kills in $((SECONDS - started)) s"
