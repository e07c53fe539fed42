"""Sealed lines, keys and bundles, put together part by part, so that each part can be wrong."""

import base64
import hashlib
import json

from public import Curve, Knapsack, Stream, concat_kdf
from symmetric import Aes, cbc, cmac, composed_tag, gcm, key_wrap, xor
from weak import des, des_ede3, feal, grain, toy

ORDER = b'{"item":"tea","quantity":2}'

# Of each content encryption: bytes of key and of IV.
CONTENT = {
    "A128GCM": (16, 12),
    "A192GCM": (24, 12),
    "A256GCM": (32, 12),
    "A128CBC-HS256": (32, 16),
    "A192CBC-HS384": (48, 16),
    "A256CBC-HS512": (64, 16),
    "DES-EDE3-CBC-HS256": (40, 8),
    "DES-CBC-HS256": (24, 8),
    "FEAL8-CBC-HS256": (24, 8),
    "TOYDES-ECB-HS256": (24, 0),
    "GRAIN128AEADV2": (16, 12),
}
WEAK = [name for name in CONTENT if not name.startswith("A")] + ["VERNAM-HS256"]
OAEP = {"RSA-OAEP": "sha1", "RSA-OAEP-256": "sha256", "RSA-OAEP-384": "sha384", "RSA-OAEP-512": "sha512"}
DIRECT = ("dir", "ECDH-ES")


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def encrypt(enc, key, iv, text, aad):
    """Ciphertext and tag of a content encryption: docs/FORMATS.md, "Content encryption"."""
    if enc.endswith("GCM"):
        return gcm(key, iv, text, aad)
    if enc == "GRAIN128AEADV2":
        return grain(key, iv, text, aad)
    if enc.startswith("A"):
        half = len(key) // 2
        sealed = cbc(Aes(key[half:]).encrypt, 16, iv, text)
        return sealed, composed_tag(f"sha{enc[-3:]}", key[:half], aad, iv, sealed, half)
    mac, key = key[:16], key[16:]
    if enc.startswith("TOY"):
        sealed = toy(key, text)
    else:
        cipher = {"DES-E": des_ede3, "DES-C": des, "FEAL8": feal}[enc[:5]](key)
        sealed = cbc(cipher, 8, iv, text)
    return sealed, composed_tag("sha256", mac, aad, iv, sealed, 16)


def some_key(enc, source):
    """A key of this length; of the toy DES only 12 bits are not zero."""
    key = source.take(CONTENT[enc][0])
    return key if not enc.startswith("TOY") else key[:16] + bytes(6) + bytes([key[22] & 15, key[23]])


class Key:
    """A distributed key for one `alg`, or with `dir` for one `enc`."""

    def __init__(self, alg, enc, curve="P-256", label="key", kid="tokyo", rsa=None):
        self.alg, self.enc, self.kid = alg, enc, kid
        source = Stream(f"{label} {alg} {enc} {curve}")
        self.secret = self.pair = self.rsa = self.knapsack = None
        if alg in OAEP or enc == "RSA-OAEP-256-BOUND-BLOCKS":
            self.rsa = rsa
        elif alg.startswith("ECDH"):
            size = {"P-384": 48, "P-521": 66}.get(curve, 32)
            secret = source.take(size)
            self.pair = Curve(curve, b"\0" + secret[1:] if curve != "X25519" else secret)
        elif alg == "MH-KNAPSACK":
            self.knapsack = Knapsack(label)
        elif alg == "dir":
            self.secret = some_key(enc, source) if enc in CONTENT else source.take(16 + 200)
        elif alg.endswith("GCMKW") or alg.endswith("KW") and alg[:-2] in CONTENT:
            self.secret = some_key(alg[:-2], source)
        else:
            self.secret = source.take(int(alg[1:4]) // 8)

    def jwk(self, private=True, **changes):
        if self.rsa:
            members = {"kty": "RSA"} | self.rsa.numbers(private)
        elif self.pair:
            members = self.pair.members() | ({"d": self.pair.secret} if private else {})
        elif self.knapsack:
            members = self.knapsack.members()
        else:
            members = {"kty": "oct", "k": self.secret}
        members = {name: b64(value) if isinstance(value, bytes) else value for name, value in members.items()}
        members |= {"alg": self.enc if self.alg == "dir" else self.alg, "kid": self.kid, "use": "enc"} | changes
        return {name: value for name, value in members.items() if value is not None}

    def scheme(self, scope="shop"):
        direct = "direct" if self.alg in DIRECT else "hybrid"
        return {"content": direct, "scope": scope, "kind": "secret" if self.secret else "public"}

    def bundle(self, *others, role="shop", scope="shop", private=True, version=1, shop="tokyo", **members):
        """A key file of one shop."""
        shops = {shop: {"alg": self.alg, "enc": self.enc, "scheme": self.scheme(scope)} | members}
        keys = [key if isinstance(key, dict) else key.jwk(private) for key in (self, *others)]
        return compact({"keys": keys, "orderseal": {"role": role, "shops": shops, "version": version}})


class Line:
    """A sealed line before it is written down: its parts can be changed, and it can be sealed again."""

    def __init__(self, key, text=ORDER, label="line", header=None, enc=None, chain=0, apu=None, apv=None, named=True):
        source = self.source = Stream(f"{label} {key.alg} {key.enc}")
        self.key, self.text, self.enc = key, text, enc or key.enc
        self.head = {"alg": key.alg, "enc": self.enc} | ({"kid": key.kid} if named else {})
        self.cek, self.encrypted_key = None, b""
        if self.enc in CONTENT:
            self.iv = source.take(CONTENT[self.enc][1])
            self.cek = key.secret if key.alg == "dir" else some_key(self.enc, source)
        if chain:
            self.make_chain(chain)
        outer = self.links[0] if chain else self.cek
        if key.alg != "dir":
            self.wrap(outer, apu, apv)
        if chain:
            self.head |= {"chain": [b64(link) for link in self.wrapped], "crit": ["chain"]}
        self.head |= header or {}
        self.head = {name: value for name, value in self.head.items() if value is not None}
        self.protected = b64(compact(self.head).encode())
        self.seal()

    def make_chain(self, count):
        """CEKs, outermost first, and each but the first wrapped under the one before."""
        self.cek = some_key(self.enc, self.source)
        outer = self.key.secret if self.key.alg == "dir" else self.source.take(32)
        self.links = [outer, *(self.source.take(32) for _ in range(count - 2)), self.cek]
        self.wrapped = [key_wrap(outer, inner) for outer, inner in zip(self.links, self.links[1:])]

    def wrap(self, cek, apu, apv):
        alg, key, source = self.key.alg, self.key, self.source
        if alg in OAEP:
            hashed = OAEP[alg]
            self.encrypted_key = key.rsa.oaep(hashed, cek, source.take(hashlib.new(hashed).digest_size))
        elif alg.startswith("ECDH"):
            size = key.pair.size
            secret = source.take(size)
            self.ephemeral = Curve(key.pair.name, b"\0" + secret[1:] if key.pair.y else secret)
            members = self.ephemeral.members()
            self.head["epk"] = {
                name: b64(value) if isinstance(value, bytes) else value for name, value in members.items()
            }
            parties = [("apu", apu or b""), ("apv", apv or b"")]
            self.head |= {name: b64(value) for name, value in parties if value}
            name, bits = (self.enc, 8 * CONTENT[self.enc][0]) if alg == "ECDH-ES" else (alg, int(alg[9:12]))
            agreed = concat_kdf(self.ephemeral.agree(key.pair), name, bits, apu or b"", apv or b"")
            if alg == "ECDH-ES":
                self.cek = agreed
            else:
                self.encrypted_key = key_wrap(agreed, cek)
        elif alg == "MH-KNAPSACK":
            self.encrypted_key = key.knapsack.encrypt(cek)
        elif alg[:-2] in CONTENT:
            cipher = alg[:-2]
            iv = source.take(CONTENT[cipher][1])
            self.encrypted_key, tag = encrypt(cipher, key.secret, iv, cek, b"")
            self.head |= ({"iv": b64(iv)} if iv else {}) | {"tag": b64(tag)}
        else:
            self.encrypted_key = key_wrap(key.secret, cek)

    def seal(self, aad=None):
        """Encrypts under the header that `protected` is now."""
        aad = (aad or self.protected).encode()
        if self.enc == "VERNAM-HS256":
            offset = self.source.take(1)[0] % 100
            self.iv = offset.to_bytes(8, "big")
            self.sealed = xor(self.text, self.key.secret[16 + offset :])
            self.tag = composed_tag("sha256", self.key.secret[:16], aad, self.iv, self.sealed, 16)
        elif self.enc == "RSA-OAEP-256-BOUND-BLOCKS":
            self.iv, secret, size = self.source.take(16), self.source.take(16), self.key.rsa.size - 82
            pieces = [self.text[at : at + size] for at in range(0, len(self.text), size)] or [b""]
            self.blocks = [self.block(secret + piece, at, len(pieces)) for at, piece in enumerate(pieces)]
            self.sealed, self.tag = b"".join(self.blocks), b""
        else:
            self.sealed, self.tag = encrypt(self.enc, self.cek, self.iv, self.text, aad)

    def block(self, content, number, count):
        label = self.protected.encode() + self.iv + number.to_bytes(4, "big") + count.to_bytes(4, "big")
        return self.key.rsa.oaep("sha256", content, self.source.take(32), hashlib.sha256(label).digest())

    def parts(self, **changes):
        found = {"h": self.protected, "k": b64(self.encrypted_key), "i": b64(self.iv), "c": b64(self.sealed)}
        return found | {"t": b64(self.tag)} | changes

    def write(self, pattern="{h}.{k}.{i}.{c}.{t}", **changes):
        parts = self.parts(**{name: b64(part) if isinstance(part, bytes) else part for name, part in changes.items()})
        return pattern.format(**parts)

    def under(self, header):
        """The same line with another header text, under which it authenticates."""
        self.protected = b64(header.encode() if isinstance(header, str) else header)
        self.seal()
        return self.write()


def flip(data, at=0):
    """The same bytes with one bit changed."""
    data = bytearray(data)
    data[at] ^= 1
    return bytes(data)


def password_line(alg, password, rounds=1000, salt=b"sixteen bytes !!", enc="A256GCM", label="password", **header):
    """A line under a password: RFC 7518 section 4.8."""
    hashed, size = {"S256": ("sha256", 16), "S384": ("sha384", 24), "S512": ("sha512", 32)}[alg[7:11]]
    key = Key(f"A{8 * size}KW", enc, label=label)
    key.secret = hashlib.pbkdf2_hmac(hashed, password, alg.encode() + b"\0" + salt, rounds, size)
    head = {"alg": alg, "p2s": b64(salt), "p2c": rounds} | header
    return Line(key, label=f"{label} {alg}", header=head, named=False)


# Key trees: docs/FORMATS.md, "Key trees".


class Tree:
    def __init__(self, key, label="tree"):
        source = Stream(label)
        self.name, self.root, self.key = source.take(8).hex(), source.take(32), key
        length = 8 * (int(key.alg[1:4]) // 8)
        texts = b"".join(bytes([len(text)]) + text.encode() for text in ("tokyo", key.alg, key.enc, ""))
        data = b"orderseal key tree 1" + bytes.fromhex(self.name) + length.to_bytes(4, "big") + texts
        self.binding, self.bits = hashlib.sha256(data).digest()[:16], length

    def derive(self, key, label, depth, index, bits):
        context = self.binding + bytes([depth]) + index.to_bytes(4, "big")
        parts = [
            cmac(key, at.to_bytes(4, "big") + label + b"\0" + context + bits.to_bytes(4, "big"))
            for at in range(1, -(-bits // 128) + 1)
        ]
        return b"".join(parts)[: bits // 8]

    def node(self, depth, index):
        key = self.root
        for level in range(1, depth + 1):
            key = self.derive(key, b"tn", level, index >> depth - level, 256)
        return key

    def leaf(self, number):
        """The transaction key of a leaf."""
        found = Key(self.key.alg, self.key.enc, kid=f"tokyo/{self.name}.{number:08x}")
        found.secret = self.derive(self.node(32, number), b"tk", 32, number, self.bits)
        return found

    def bundle(self, depth, index):
        """A shop's bundle with one node."""
        width = 1 << 32 - depth
        node = {"depth": depth, "index": index, "k": b64(self.node(depth, index))}
        state = {"ids": [[index * width, (index + 1) * width]], "nodes": [node]}
        shop = {
            "alg": self.key.alg,
            "enc": self.key.enc,
            "scheme": self.key.scheme("transaction"),
            "trees": {self.name: state},
        }
        return compact({"keys": [], "orderseal": {"role": "shop", "shops": {"tokyo": shop}, "version": 2}})


# Streams: docs/STREAM.md.

CHUNK = 16384


class SealedStream:
    def __init__(self, key, content, label="stream", **header):
        source = Stream(f"{label} {len(content)}")
        stream_key, self.salt = source.take(32), source.take(24)
        header = {"typ": "orderseal-stream"} | header
        self.line = Line(key, stream_key, f"{label} {len(content)}", header=header)
        self.first = self.line.write().encode()
        derived = expand(stream_key, b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0" + self.salt + self.first, 76)
        secret, self.nonce, self.commitment = derived[:32], derived[32:44], derived[44:]
        pieces = [content[at : at + CHUNK] for at in range(0, len(content) + 1, CHUNK)]
        self.chunks = [self.chunk(secret, at, piece) for at, piece in enumerate(pieces)]
        self.secret = secret

    def chunk(self, secret, number, piece):
        nonce = xor(self.nonce, number.to_bytes(12, "big"))
        return b"".join(gcm(secret, nonce, piece))

    def write(self, first=None, salt=None, commitment=None, chunks=None):
        parts = [first or self.first, b"\n", salt or self.salt, commitment or self.commitment]
        return b"".join(parts + (self.chunks if chunks is None else chunks))


def expand(key, info, length):
    """HKDF-Expand with SHA-512, RFC 5869 section 2.3."""
    import hmac

    out, last = b"", b""
    while len(out) < length:
        last = hmac.new(key, last + info + bytes([len(out) // 64 + 1]), "sha512").digest()
        out += last
    return out[:length]


# DER and PEM: RFC 8017 appendix A, RFC 5915, RFC 5958.


def der(tag, *parts):
    content = b"".join(parts)
    if len(content) < 128:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes(-(-len(content).bit_length() // 8), "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def integer(number):
    return der(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def pkcs1(rsa):
    numbers = [0, rsa.n, rsa.e, rsa.d, rsa.p, rsa.q, rsa.d % (rsa.p - 1), rsa.d % (rsa.q - 1), pow(rsa.q, -1, rsa.p)]
    return der(0x30, *map(integer, numbers))


def pkcs8(algorithm, key):
    return der(0x30, integer(0), der(0x30, *algorithm), der(4, key))


RSA_ID = (bytes.fromhex("06092a864886f70d010101"), der(5))
P256_ID = bytes.fromhex("06082a8648ce3d030107")
X25519_ID = (bytes.fromhex("06032b656e"),)


def sec1(pair):
    point = der(3, b"\0\4" + pair.x + pair.y)
    return der(0x30, integer(1), der(4, pair.secret), der(0xA0, P256_ID), der(0xA1, point))


def pem(label, data):
    text = base64.b64encode(data).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])
