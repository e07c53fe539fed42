"""Debian's command `jose` as the other side of scripts/interop.sh; see jobs.py. One process for each line.

A password is given to it as an `oct` key: `jose jwe enc -p` asks at a terminal.
"""

import base64
import json
import os
import subprocess

from jobs import header_of, main, named, of_kid

JOSE = os.environ.get("DEBIAN_JOSE", "jose")


def call(*arguments, text):
    done = subprocess.run([JOSE, "jwe", *arguments], input=text, capture_output=True, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode(errors="replace") or f"exit code {done.returncode}")
    return done.stdout


def key_file(keys):
    """Where the command reads the keys: one, or a set of several."""
    found = []
    for key in keys:
        if isinstance(key, bytes):
            key = {"kty": "oct", "k": base64.urlsafe_b64encode(key).rstrip(b"=").decode()}
        found.append(key)
    with open("debian.key", "w", encoding="utf-8") as file:
        json.dump(found[0] if len(found) == 1 else {"keys": found}, file)
    return "debian.key"


def seal(keys, alg, enc, form, number, text):
    if form == "general":
        template = {"protected": {"enc": enc}}
        return call("enc", "-i", json.dumps(template), "-I", "-", "-k", key_file(keys), "-o", "-", text=text)
    key = keys[number % len(keys)]
    template = json.dumps({"protected": named({"alg": alg, "enc": enc}, key)})
    compact = ["-c"] if form == "compact" else []
    return call("enc", "-i", template, "-I", "-", "-k", key_file([key]), "-o", "-", *compact, text=text).rstrip(b"\n")


def open_(keys, alg, enc, line):
    header = header_of(line)
    assert (header["alg"], header["enc"]) == (alg, enc), header
    return call("dec", "-i", "-", "-k", key_file([of_kid(keys, header.get("kid"))]), "-O", "-", text=line)


main(seal, open_)
