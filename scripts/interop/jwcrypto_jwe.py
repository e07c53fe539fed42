"""Seals or opens JWE lines with jwcrypto: the other side of scripts/interop.sh.

    jwcrypto_jwe.py seal KEYS ALG ENC < orders > lines
    jwcrypto_jwe.py open KEYS ALG ENC < lines > orders

KEYS is a JWK Set; sealing uses its keys in turn, opening the one that `kid` names.
"""

import json
import sys

from jwcrypto import jwe, jwk


def seal(keys, alg, enc, number, order):
    key = keys[number % len(keys)]
    header = {"alg": alg, "enc": enc, "kid": key["kid"]}
    token = jwe.JWE(order, protected=json.dumps(header), algs=[alg, enc])
    token.add_recipient(key)
    return token.serialize(compact=True).encode()


def open_(keys, alg, enc, _, line):
    token = jwe.JWE(algs=[alg, enc])
    token.deserialize(line.decode())
    header = token.jose_header
    assert (header["alg"], header["enc"]) == (alg, enc), header
    try:
        token.decrypt(next(key for key in keys if key["kid"] == header["kid"]))
    except jwe.InvalidJWEData:
        if token.plaintext != b"":  # jwcrypto takes an empty plaintext, authenticated, for none
            raise
    return token.plaintext


def main():
    step, path, alg, enc = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        keys = sorted(jwk.JWKSet.from_json(file.read())["keys"], key=lambda key: key["kid"])
    work = {"seal": seal, "open": open_}[step]
    lines = sys.stdin.buffer.read().split(b"\n")[:-1]
    sys.stdout.buffer.write(b"".join(work(keys, alg, enc, number, line) + b"\n" for number, line in enumerate(lines)))


main()
