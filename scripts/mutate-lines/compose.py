"""Composes JWEs whose parts can be anything, authentic under the key: what no sender's library would write."""

import json

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from jwcrypto import jwa
from jwcrypto.common import base64url_encode as b64

ENCS = {"A256GCM": 32, "A192GCM": 24, "A128GCM": 16, "A256CBC-HS512": 64, "A192CBC-HS384": 48, "A128CBC-HS256": 32}


class Parts:
    """The parts of a JWE before base64url; the header as members and, once it is fixed, as text."""

    def __init__(self, key, alg, enc, text, cek=None, extra=None):
        self.enc, self.text = enc, text
        members = {"alg": alg, "enc": enc, **(extra or {})}
        if alg.startswith("PBES2"):
            members["p2c"] = 1000
        wrapped = jwa.JWA.keymgmt_alg(alg).wrap(key, ENCS[enc] * 8, cek, members)
        members.update(wrapped.get("header", {}))
        members = json.loads(json.dumps(members))
        self.members, self.cek, self.encrypted_key = members, wrapped["cek"], wrapped.get("ek", b"")
        self.header = None  # text instead of the members
        self.aad = None  # of a JSON serialization
        self.iv_bytes = None
        self.sealed_with = enc  # another enc than the header says

    def header_text(self):
        return json.dumps(self.members, separators=(",", ":")) if self.header is None else self.header

    def seal(self, rng, protected=None):
        """The segments as text: protected header, encrypted key, IV, ciphertext, tag."""
        if protected is None:
            text = self.header_text()
            protected = b64(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
        aad = protected + ("" if self.aad is None else "." + self.aad)
        if self.iv_bytes is None:
            iv, ciphertext, tag = jwa.JWA.encryption_alg(self.sealed_with).encrypt(self.cek, aad.encode(), self.text)
        else:  # GCM with an IV of another size
            iv = rng.randbytes(self.iv_bytes)
            encryptor = Cipher(algorithms.AES(self.cek), modes.GCM(iv)).encryptor()
            encryptor.authenticate_additional_data(aad.encode())
            ciphertext = encryptor.update(self.text) + encryptor.finalize()
            tag = encryptor.tag
        return [protected, b64(self.encrypted_key), b64(iv), b64(ciphertext), b64(tag)]


def flattened(segments, aad=None):
    """The same JWE as an object."""
    names = ("protected", "encrypted_key", "iv", "ciphertext", "tag")
    token = {
        name: segment
        for name, segment in zip(names, segments, strict=True)
        if segment or name in ("iv", "ciphertext", "tag")
    }
    if aad is not None:
        token["aad"] = aad
    return token
