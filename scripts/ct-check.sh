#!/bin/sh
# Checks that kernels choose no branch and no address by a secret: MemorySanitizer watches them with the
# secrets marked as uninitialized. It runs AES-GCM, AES key wrap, AES in counter mode and CMAC, bitsliced
# DES and triple DES, HMAC, RSA private operations, OAEP unpadding and the verdict on the blocks of direct
# RSA, and X25519, on each backend whose code the sanitizer sees. Results of AES, DES and HMAC must still
# be marked at the end: otherwise something hid the secrets on the way, and a leak there would not be
# noticed. Then shows that leaks are noticed, with two variants that leak on purpose.
#
# Needs a nightly toolchain. Checks the backends that the processor has; fails if it has neither avx2 nor
# avx512. Takes a few minutes.
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

# passes WHAT BACKEND WORDS: runs a check that must pass; returns 1 if the processor lacks the backend.
passes() {
    status=0
    "$program" "$1" "$2" || status=$?
    case $status in
    0) echo "$2: no branch and no address depends on a secret ($3)" ;;
    3) return 1 ;;
    *)
        echo "ct-check: FAILED: $3 on $2: the report above names the branch or address that depends on a" \
            "secret; without a report, the result is wrong, or secrets were hidden from the sanitizer" >&2
        exit 1
        ;;
    esac
}

checked=0
for backend in avx2 avx512; do
    passes rsa "$backend" "RSA, 2048, 3072, 4096 bits" || continue
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

for backend in avx2 vaes avx512; do
    passes aes "$backend" "AES-GCM, key wrap, counter mode and CMAC" || true
done
for backend in portable avx2 avx512; do
    passes des "$backend" "DES and triple DES" || true
done
passes hmac portable "HMAC with SHA-256, SHA-384, SHA-512"
# At the level avx2, X25519 runs on assembly, which the sanitizer does not see.
passes x25519 avx512 "X25519" || true
