"""joserfc as the other side of scripts/interop.sh; see jobs.py."""

import json

from jobs import header_of, imported_once, main, named, of_kid
from joserfc import jwe
from joserfc.jwk import OctKey, import_key


@imported_once
def key_of(key):
    return OctKey.import_key(key) if isinstance(key, bytes) else import_key(key)


def seal(keys, alg, enc, form, number, text):
    if form == "general":
        token = jwe.GeneralJSONEncryption({"enc": enc}, text)
        for key in keys:
            token.add_recipient(named({"alg": key["alg"]}, key), key_of(key))
        return json.dumps(jwe.encrypt_json(token, None, algorithms=[enc, *(key["alg"] for key in keys)])).encode()
    key = keys[number % len(keys)]
    if form == "flattened":
        token = jwe.FlattenedJSONEncryption({"enc": enc}, text)
        token.add_recipient(named({"alg": alg}, key), key_of(key))
        return json.dumps(jwe.encrypt_json(token, None, algorithms=[alg, enc])).encode()
    return jwe.encrypt_compact(named({"alg": alg, "enc": enc}, key), text, key_of(key), algorithms=[alg, enc]).encode()


def open_(keys, alg, enc, line):
    key = key_of(of_kid(keys, header_of(line).get("kid")))
    return jwe.decrypt_compact(line, key, algorithms=[alg, enc]).plaintext


main(seal, open_)
