#!/usr/bin/env bash
# Packs the program for a release: binary, manual pages, completions and licences, with a checksum.
#
#     scripts/package.sh [--deb] [--sbom] [TARGET]
#
# TARGET is one of `rustc --print target-list` that runs on this machine, by default the machine's own;
# another, such as x86_64-unknown-linux-musl, has to be installed with `rustup target add`. Writes
# orderseal-VERSION-TARGET.tar.gz and its .sha256 into target/package. --deb also makes a Debian package
# there, and needs `cargo install cargo-deb`; --sbom a list of everything that the program is built from
# (CycloneDX), and needs `cargo install cargo-cyclonedx`. ORDERSEAL=path packs a program that was built
# before. Folders of the machine are not named in the program; scripts/reproducible.sh checks that.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { # WORDS…
    echo "package.sh: error: $*" >&2
    exit 2
}
deb=false sbom=false
while :; do
    case ${1:-} in
    --deb) deb=true ;;
    --sbom) sbom=true ;;
    *) break ;;
    esac
    shift
done
host=$(rustc -vV | sed -n 's/^host: //p')
target=${1:-$host}
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
out=target/package
name=orderseal-$version-$target

if [ -z "${ORDERSEAL:-}" ]; then
    # Messages of panics name source files.
    cargo_home=${CARGO_HOME:-$HOME/.cargo}
    CARGO_ENCODED_RUSTFLAGS=$(printf -- '--remap-path-prefix=%s=cargo\037--remap-path-prefix=%s=orderseal' "$cargo_home" "$PWD")
    export CARGO_ENCODED_RUSTFLAGS
    cargo build --release --locked --features serve --target "$target" --bin orderseal
    ORDERSEAL=${CARGO_TARGET_DIR:-target}/$target/release/orderseal
fi
told=$("$ORDERSEAL" --version | sed -n '1s/^orderseal //p')
[ "$told" = "$version" ] || fail "$ORDERSEAL is version ${told:-unknown}, not $version"

# The Debian package takes its files from target/package/files.
files=$out/files
rm -rf "$files" "${out:?}/$name"
mkdir -p "$files/completions" "$files/man"
install -m 755 "$ORDERSEAL" "$files/orderseal"
"$ORDERSEAL" man --quiet --dir "$files/man"
for shell in bash:orderseal.bash zsh:_orderseal fish:orderseal.fish elvish:orderseal.elv powershell:_orderseal.ps1; do
    "$ORDERSEAL" completions "${shell%%:*}" > "$files/completions/${shell#*:}"
done
cp README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT "$files"
cp -R docs "$files/docs"

# The same files make the same archive, where tar can sort and set times.
cp -R "$files" "$out/$name"
steady=()
if tar --version 2> /dev/null | grep -q 'GNU tar'; then
    date=$(git log -1 --format=%ct 2> /dev/null || echo 0)
    steady=(--sort=name --owner=0 --group=0 --numeric-owner --mode=u+w,go=rX "--mtime=@${SOURCE_DATE_EPOCH:-$date}")
fi
tar -C "$out" ${steady[@]+"${steady[@]}"} -cf - "$name" | gzip -9n > "$out/$name.tar.gz"
rm -rf "${out:?}/$name"
if command -v sha256sum > /dev/null; then
    (cd "$out" && sha256sum "$name.tar.gz" > "$name.tar.gz.sha256")
else
    (cd "$out" && shasum -a 256 "$name.tar.gz" > "$name.tar.gz.sha256")
fi
echo "$out/$name.tar.gz"

if $deb; then
    command -v cargo-deb > /dev/null || fail "cargo-deb was not found: cargo install cargo-deb"
    # Its paths are those of the target's folder.
    cargo deb --no-build --no-strip --locked --output "$out/"
fi

if $sbom; then
    command -v cargo-cyclonedx > /dev/null || fail "cargo-cyclonedx was not found: cargo install cargo-cyclonedx"
    cargo cyclonedx --quiet --format json --spec-version 1.5 --features serve --target "$target" --override-filename "$name"
    sed "s|file://$PWD|file:///orderseal|" "$name.json" > "$out/$name.cdx.json"
    rm "$name.json"
    echo "$out/$name.cdx.json"
fi
