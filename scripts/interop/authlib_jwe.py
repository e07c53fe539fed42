"""authlib as the other side of scripts/interop.sh; see jobs.py."""

import json

from jobs import header_of, imported_once, main, named, of_kid  # first: it silences warnings

from authlib.jose import JsonWebEncryption, JsonWebKey


@imported_once
def key_of(key):
    return JsonWebKey.import_key(key, {"kty": "oct"} if isinstance(key, bytes) else None)


def seal(keys, alg, enc, form, number, text):
    if form == "general":  # of keys for one algorithm, which authlib protects
        alg = keys[0]["alg"]
        header = {
            "protected": {"alg": alg, "enc": enc},
            "recipients": [{"header": {"kid": key["kid"]}} for key in keys],
        }
        token = JsonWebEncryption([alg, enc]).serialize_json(header, text, [key_of(key) for key in keys])
        return json.dumps(token).encode()
    key = keys[number % len(keys)]
    return JsonWebEncryption([alg, enc]).serialize_compact(named({"alg": alg, "enc": enc}, key), text, key_of(key))


def open_(keys, alg, enc, line):
    key = key_of(of_kid(keys, header_of(line).get("kid")))
    return JsonWebEncryption([alg, enc]).deserialize_compact(line, key)["payload"]


main(seal, open_)
