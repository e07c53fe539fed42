#!/usr/bin/env bash
# Checks the program for machines other than this one.
#
#     scripts/cross-check.sh [PART…]      # default: all
#
#     arm     for Linux on ARM (aarch64): lints; the tests of the ciphers and of JWE and JWK, and
#             scripts/flow.sh on the backends neon and portable, in the emulator qemu
#     musl    for Linux with musl: a static binary, and scripts/flow.sh with it
#     types   type-checked only, nothing runs: macOS on ARM, FreeBSD; the library alone for Windows
#             and wasm32
#
# Needs Linux on x86-64 and rustup. Downloads compilers for all this into target/cross-check, about
# 1 GB; your own toolchains stay as they are. For ARM it also needs a linker and qemu; on Debian, as
# root, it installs their packages, elsewhere it names them. Takes half an hour on two cores.
#
# Not checked: the speed of anything; tests that start the program, on ARM; linking and running on
# macOS, FreeBSD, Windows and wasm32.
set -euo pipefail
cd "$(dirname "$0")/.."

home=${CARGO_TARGET_DIR:-$PWD/target}/cross-check
parts=("$@")
[ $# != 0 ] || parts=(arm musl types)
for part in "${parts[@]}"; do
    case $part in
        arm | musl | types) ;;
        *) echo "cross-check.sh: error: unknown part $part: expected arm, musl or types" >&2; exit 2 ;;
    esac
done

has() { command -v "$1" > /dev/null; }
step() { # COMMAND…
    printf '\n== %s\n' "$*"
    "$@"
}

version=$(rustc --version | cut -d ' ' -f 2)
export RUSTUP_HOME=$home/rustup RUSTUP_TOOLCHAIN=$version
export CARGO_TARGET_DIR=$home/target CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_TEST_DEBUG=0
targets() { # TARGET…
    step rustup --quiet toolchain install "$version" --no-self-update --profile minimal \
        --component clippy "${@/#/--target=}"
}

flow() { # PROGRAM…: send orders through a program of another machine
    printf '#!/bin/sh\nexec %s "$@"\n' "$*" > "$home/orderseal"
    chmod +x "$home/orderseal"
    ORDERSEAL=$home/orderseal step scripts/flow.sh
}

arm() {
    local target=aarch64-unknown-linux-gnu
    local packages=(gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static)
    if ! has aarch64-linux-gnu-gcc || ! has qemu-aarch64-static; then
        if [ "$(id -u)" != 0 ] || ! has apt-get; then
            echo "cross-check.sh: error: no linker or emulator for ARM" >&2
            echo "cross-check.sh: hint: apt-get install ${packages[*]}" >&2
            return 1
        fi
        step apt-get install --yes "${packages[@]}"
    fi
    targets "$target"
    local qemu="qemu-aarch64-static -L /usr/aarch64-linux-gnu -cpu max"
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER=$qemu
    step cargo clippy --locked --target "$target" --all-targets -- -D warnings
    step cargo test --locked --target "$target" --lib -- ciphers:: protocol::jose::
    step cargo build --locked --target "$target"
    step $qemu "$CARGO_TARGET_DIR/$target/debug/orderseal" --version
    flow "$qemu" "$CARGO_TARGET_DIR/$target/debug/orderseal"
    ORDERSEAL_BACKEND=portable flow "$qemu" "$CARGO_TARGET_DIR/$target/debug/orderseal"
}

musl() {
    local target=x86_64-unknown-linux-musl
    targets "$target"
    step cargo build --locked --target "$target"
    local program=$CARGO_TARGET_DIR/$target/debug/orderseal
    if ldd "$program" 2> /dev/null | grep -q '=>'; then
        echo "cross-check.sh: error: $program needs shared libraries:" >&2
        ldd "$program" >&2
        return 1
    fi
    flow "$program"
}

types() {
    local programs=(aarch64-apple-darwin x86_64-unknown-freebsd) target
    local libraries=(x86_64-pc-windows-gnu wasm32-unknown-unknown)
    targets "${programs[@]}" "${libraries[@]}"
    for target in "${programs[@]}"; do
        step cargo clippy --locked --target "$target" -- -D warnings
    done
    # Random numbers on wasm32 are up to the caller.
    export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS='--cfg getrandom_backend="custom"'
    for target in "${libraries[@]}"; do
        step cargo clippy --locked --lib --no-default-features --target "$target" -- -D warnings
    done
}

mkdir -p "$home"
for part in "${parts[@]}"; do
    "$part"
done
printf '\npassed: %s\n' "${parts[*]}"
