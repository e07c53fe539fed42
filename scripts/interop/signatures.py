"""Has jwcrypto read what carries more than an order: lines of a signed batch, its manifest, a rewrapped line, the
signature of a file, and a protected key file."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile

from jwcrypto import jwa, jwe, jwk, jws

ORDERSEAL = os.environ["ORDERSEAL"]
TEXTS = [b"tea", b"rice", b"sake"]


def orderseal(line):
    subprocess.run([ORDERSEAL, "--quiet", *line.split()], check=True)


def read(name):
    with open(name, "rb") as file:
        return file.read()


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def key(name):
    return jwk.JWK(**json.loads(read(name)))


def expect(what, found, expected):
    if found != expected:
        sys.exit(f"signatures.py: error: {what}: found {found!r}, expected {expected!r}")


def signed_batch():
    orderseal("keygen -e 4 --shop tokyo --orders 4 -o service.jwks")
    orderseal("bundle client --keyring service.jwks --orders 3 --signing-key sender.jwk -o client.jwks")
    orderseal("encrypt --bundle client.jwks orders -o signed.jwe")
    keys = {one["kid"]: jwk.JWK(**one) for one in json.loads(read("service.jwks"))["keys"]}
    *lines, manifest = read("signed.jwe").split()
    sender = key("sender.jwk")
    for number, (line, text) in enumerate(zip(lines, TEXTS, strict=True), 1):
        token = jwe.JWE()
        token.deserialize(line.decode())
        header = token.jose_header
        token.decrypt(keys[header["kid"]])
        expect("a line of a signed batch", token.payload, text)
        expect("its sender", header["batch"]["by"], sender.thumbprint())
        expect("its number", header["batch"]["line"], number)
    token = jws.JWS()
    token.deserialize(manifest.decode())
    token.verify(sender)
    hashes = b"".join(hashlib.sha256(line).digest() for line in lines)
    expect("the hash in the manifest", json.loads(token.payload)["lines"], encoded(hashlib.sha256(hashes).digest()))


def rewrapped():
    orderseal("keygen --alg RSA-OAEP-256 --rsa-bits 2048 -o old.jwk")
    orderseal("keygen --alg A256KW -o new.jwk")
    orderseal("encrypt --key old.jwk orders -o old.jwe")
    orderseal("rewrap --from-key old.jwk --to-key new.jwk old.jwe -o rewrapped.jwe")
    for line, text in zip(read("rewrapped.jwe").split(), TEXTS, strict=True):
        token = jwe.JWE()
        token.deserialize(line.decode(), key("new.jwk"))
        expect("a rewrapped line", token.payload, text)
        expect("its provenance", token.jose_header["was"], "RSA-OAEP-256+A256GCM")


def signed_file():
    orderseal("keygen --alg EdDSA -o sign.jwk --public-out service.jwk")
    orderseal("bundle shop --keyring service.jwks --sign-with sign.jwk -o tokyo.jwks")
    header, signature = read("tokyo.jwks.jws").decode().strip().split("..")
    token = jws.JWS()
    token.deserialize(f"{header}.{encoded(read('tokyo.jwks'))}.{signature}")
    token.verify(key("service.jwk"))
    expect("the kind of a signed file", token.jose_header["kind"], "shop's bundle")


def protected_file():
    with open("passphrase", "w", encoding="ascii") as file:
        file.write("plum blossom\n")
    clear = read("tokyo.jwks")
    orderseal("keys protect tokyo.jwks --new-passphrase-file passphrase")
    jwa.default_max_pbkdf2_iterations = 600_000
    token = jwe.JWE()
    token.deserialize(read("tokyo.jwks").decode().strip(), jwk.JWK.from_password("plum blossom"))
    expect("a protected key file", token.payload, clear)


def main():
    os.umask(0o077)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with open("orders", "wb") as file:
            file.write(b"\n".join(TEXTS) + b"\n")
        for step in (signed_batch, rewrapped, signed_file, protected_file):
            step()
    print("jwcrypto reads signed batches, rewrapped lines, signed files and protected key files")


main()
