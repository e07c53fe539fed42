"""jwcrypto as the other side of scripts/interop.sh; see jobs.py."""

import json

from jobs import header_of, imported_once, main, named, of_kid
from jwcrypto import jwa, jwe, jwk

jwa.default_max_pbkdf2_iterations = 600_000  # instead of 16,384


@imported_once
def key_of(key):
    return jwk.JWK(kty="oct", k=jwe.base64url_encode(key)) if isinstance(key, bytes) else jwk.JWK(**key)


def seal(keys, alg, enc, form, number, text):
    if form == "general":
        token = jwe.JWE(text, protected=json.dumps({"enc": enc}), algs=[enc, *(key["alg"] for key in keys)])
        for key in keys:
            token.add_recipient(key_of(key), header=json.dumps(named({"alg": key["alg"]}, key)))
        return token.serialize().encode()
    key = keys[number % len(keys)]
    header = json.dumps(named({"alg": alg, "enc": enc}, key))
    token = jwe.JWE(text, protected=header, algs=[alg, enc])
    token.add_recipient(key_of(key))
    return token.serialize(compact=form == "compact").encode()


def open_(keys, alg, enc, line):
    header = header_of(line)
    assert (header["alg"], header["enc"]) == (alg, enc), header
    token = jwe.JWE(algs=[alg, enc])
    token.deserialize(line.decode(), key_of(of_kid(keys, header.get("kid"))))
    return token.plaintext


main(seal, open_)
