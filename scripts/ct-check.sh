#!/bin/sh
# Checks that RSA private operations in the kernels of each backend, X25519 in the kernel of eight
# lanes, OAEP unpadding, and the verdict on the blocks of direct RSA choose no branch and no address
# by a secret: MemorySanitizer watches them with the secrets marked as uninitialized. Then shows that
# it would notice, with two variants that leak on purpose.
#
# Needs a nightly toolchain. Checks the backends avx2 and avx512 if the processor has them; fails if
# it has neither. Takes a few minutes.
set -eu
cd "$(dirname "$0")/.."

if ! rustc +nightly --version >/dev/null 2>&1; then
    echo "ct-check: needs a nightly toolchain: rustup toolchain install nightly --profile minimal" >&2
    exit 1
fi

target=x86_64-unknown-linux-gnu
directory=${CARGO_TARGET_DIR:-target}/ct-check
cp Cargo.lock scripts/ct-check/Cargo.lock
RUSTFLAGS="--cfg ct_check -Zsanitizer=memory -Cunsafe-allow-abi-mismatch=sanitizer -Cllvm-args=-msan-eager-checks=0" \
    cargo +nightly build --release --quiet --target "$target" --target-dir "$directory" \
    --manifest-path scripts/ct-check/Cargo.toml
program=$directory/$target/release/ct-check

echo "compiler:  $(rustc +nightly --version)"
echo "processor: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"

checked=0
for backend in avx2 avx512; do
    status=0
    "$program" kernel "$backend" || status=$?
    if [ "$status" -eq 3 ]; then
        continue
    elif [ "$status" -ne 0 ]; then
        echo "ct-check: FAILED: the report above names the branch or address that depends on a secret" >&2
        exit 1
    fi
    echo "$backend: no branch and no address depends on a secret (2048, 3072, 4096 bits)"
    for variant in leaky-branch leaky-address; do
        if report=$("$program" "$variant" "$backend" 2>&1); then
            echo "ct-check: FAILED: the $variant variant went unnoticed" >&2
            exit 1
        fi
        case $report in
        *use-of-uninitialized-value*) echo "$backend: $variant noticed, as it must be" ;;
        *)
            echo "ct-check: FAILED: the $variant variant ended without a report: $report" >&2
            exit 1
            ;;
        esac
    done
    checked=$((checked + 1))
done
if [ "$checked" -eq 0 ]; then
    echo "ct-check: FAILED: the processor has none of the backends with kernels" >&2
    exit 1
fi

# At the level avx2, X25519 runs on assembly, which the sanitizer does not see.
status=0
"$program" x25519 avx512 || status=$?
case $status in
0) echo "avx512: no branch and no address depends on a secret (X25519)" ;;
3) ;;
*)
    echo "ct-check: FAILED: the report above names the branch or address that depends on a secret" >&2
    exit 1
    ;;
esac
