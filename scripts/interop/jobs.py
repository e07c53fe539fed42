"""Reads the jobs of scripts/interop.sh and does them with one library: the frame of every PROGRAM.py here.

    PROGRAM.py < jobs

A job is a line of words between tabs: STEP KEYFILE ALG ENC FORM INPUT OUTPUT.

    seal  reads texts, one per line, and writes sealed lines in the serialization FORM
    open  reads sealed lines and writes texts
    KEYFILE is a JWK Set, or for PBES2 a file with a password. Sealing uses its keys in turn, opening the one that `kid`
    names; with the form `general`, each key is a recipient, and ALG is not used.

Each line of OUTPUT begins with `+` and has the result, or with `-` and has the reason why there is none.
"""

import base64
import json
import sys
import warnings

warnings.showwarning = lambda *_, **__: None  # libraries advise against each other and against RSA1_5


def read_keys(path, alg):
    """The keys of a set as objects, or the password as bytes in a list."""
    with open(path, "rb") as file:
        data = file.read()
    return [data.removesuffix(b"\n")] if alg.startswith("PBES2") else json.loads(data)["keys"]


def of_kid(keys, kid):
    """The key that `kid` names; a password has no name."""
    return next(key for key in keys if isinstance(key, bytes) or key.get("kid") == kid)


def named(header, key):
    """The header with the name of the key."""
    return header | ({"kid": key["kid"]} if isinstance(key, dict) else {})


def imported_once(key_of):
    """Keeps what a library makes of a key: reading an RSA key takes longer than using it."""
    known = {}

    def kept(key):
        name = key if isinstance(key, bytes) else json.dumps(key, sort_keys=True)
        if name not in known:
            known[name] = key_of(key)
        return known[name]

    return kept


def header_of(line):
    """The protected header of a compact line."""
    first = line.split(b".")[0]
    return json.loads(base64.urlsafe_b64decode(first + b"=" * (-len(first) % 4)))


def reason(error):
    """An error on one line, short."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


def main(seal, open_):
    """Does all jobs: `seal(keys, alg, enc, form, number, text)` and `open_(keys, alg, enc, line)` return bytes."""
    for job in sys.stdin.read().splitlines():
        step, path, alg, enc, form, source, target = job.split("\t")
        keys = read_keys(path, alg)
        with open(source, "rb") as file:
            lines = file.read().split(b"\n")[:-1]
        with open(target, "wb") as file:
            for number, line in enumerate(lines):
                try:
                    if step == "seal":
                        result = seal(keys, alg, enc, form, number, line)
                    else:
                        result = open_(keys, alg, enc, line)
                    file.write(b"+" + result + b"\n")
                except Exception as error:  # any failure is a result here
                    file.write(b"-" + reason(error).encode() + b"\n")
