"""Seals or opens JWE lines with jwcrypto: the other side of scripts/interop.sh.

    jwcrypto_jwe.py seal KEYS ALG ENC < orders > lines
    jwcrypto_jwe.py open KEYS ALG ENC < lines > orders

KEYS is a JWK Set; sealing uses its keys in turn, opening the one that `kid` names. For PBES2 it is a file with a password.
"""

import json
import sys

from jwcrypto import jwa, jwe, jwk

jwa.default_max_pbkdf2_iterations = 600_000  # instead of 16,384


def seal(keys, alg, enc, number, order):
    key = keys[number % len(keys)]
    header = {"alg": alg, "enc": enc}
    if "kid" in key:
        header["kid"] = key["kid"]
    token = jwe.JWE(order, protected=json.dumps(header), algs=[alg, enc])
    token.add_recipient(key)
    return token.serialize(compact=True).encode()


def open_(keys, alg, enc, _, line):
    token = jwe.JWE(algs=[alg, enc])
    token.deserialize(line.decode())
    header = token.jose_header
    assert (header["alg"], header["enc"]) == (alg, enc), header
    try:
        token.decrypt(next(key for key in keys if key.get("kid") == header.get("kid")))
    except jwe.InvalidJWEData:
        if token.plaintext != b"":  # jwcrypto takes an empty plaintext, authenticated, for none
            raise
    return token.plaintext


def main():
    step, path, alg, enc = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if alg.startswith("PBES2"):
        keys = [jwk.JWK.from_password(text.removesuffix("\n"))]
    else:
        keys = sorted(jwk.JWKSet.from_json(text)["keys"], key=lambda key: key["kid"])
    work = {"seal": seal, "open": open_}[step]
    lines = sys.stdin.buffer.read().split(b"\n")[:-1]
    sys.stdout.buffer.write(b"".join(work(keys, alg, enc, number, line) + b"\n" for number, line in enumerate(lines)))


main()
