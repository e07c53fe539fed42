"""RSA-OAEP and elliptic curves in the order of their specifications, for making vectors only."""

import hashlib

from symmetric import blocks, xor


class Stream:
    """Bytes that look random and are the same each time: SHA-256 over a label and a counter."""

    def __init__(self, label):
        self.label, self.number = label, 0

    def take(self, count):
        out = b""
        while len(out) < count:
            out += hashlib.sha256(f"orderseal testkit {self.label} {self.number}".encode()).digest()
            self.number += 1
        return out[:count]


# RSA, RFC 8017.


def is_prime(number):
    """Miller and Rabin, with the first primes as bases."""
    bases = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
    if any(number % base == 0 for base in bases):
        return False
    odd = number - 1
    twos = (odd & -odd).bit_length() - 1
    odd >>= twos
    for base in bases:
        value = pow(base, odd, number)
        if value in (1, number - 1):
            continue
        if not any((value := value * value % number) == number - 1 for _ in range(twos - 1)):
            return False
    return True


class Rsa:
    def __init__(self, label, bits=2048, exponent=65537):
        source, primes = Stream(label), []
        while len(primes) < 2:
            number = int.from_bytes(source.take(bits // 16), "big") | 3 << bits // 2 - 2 | 1
            if number % exponent != 1 and is_prime(number):
                primes.append(number)
        self.p, self.q = max(primes), min(primes)
        self.e, self.n, self.size = exponent, self.p * self.q, bits // 8
        self.d = pow(exponent, -1, (self.p - 1) * (self.q - 1))

    def oaep(self, hash_name, message, seed, label=b""):
        size = hashlib.new(hash_name).digest_size
        data = hashlib.new(hash_name, label).digest() + bytes(self.size - len(message) - 2 * size - 2) + b"\1" + message
        data = xor(data, mgf1(hash_name, seed, len(data)))
        seed = xor(seed, mgf1(hash_name, data, size))
        return pow(int.from_bytes(b"\0" + seed + data, "big"), self.e, self.n).to_bytes(self.size, "big")

    def numbers(self, private=True):
        """The members of a JWK."""
        found = {"n": self.n, "e": self.e}
        if private:
            found |= {"d": self.d, "p": self.p, "q": self.q, "dp": self.d % (self.p - 1)}
            found |= {"dq": self.d % (self.q - 1), "qi": pow(self.q, -1, self.p)}
        return {name: number.to_bytes(-(-number.bit_length() // 8), "big") for name, number in found.items()}


def mgf1(hash_name, seed, length):
    size = hashlib.new(hash_name).digest_size
    return b"".join(hashlib.new(hash_name, seed + at.to_bytes(4, "big")).digest() for at in range(-(-length // size)))[
        :length
    ]


# The curves of NIST, FIPS 186-4 appendix D.1.2: prime, b, and base point.

CURVES = {
    "P-256": (
        2**256 - 2**224 + 2**192 + 2**96 - 1,
        0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
        0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
        0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    ),
    "P-384": (
        2**384 - 2**128 - 2**96 + 2**32 - 1,
        0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
        0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
        0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F,
    ),
    "P-521": (
        2**521 - 1,
        0x0051953EB9618E1C9A1F929A21A0B68540EEA2DA725B99B315F3B8B489918EF109E156193951EC7E937B1652C0BD3BB1BF073573DF883D2C34F1EF451FD46B503F00,
        0x00C6858E06B70404E9CD9E3ECB662395B4429C648139053FB521F828AF606B4D3DBAA14B5E77EFE75928FE1DC127A2FFA8DE3348B3C1856A429BF97E7E31C2E5BD66,
        0x011839296A789A3BC0045C8A5FB42C7D1BD998F54449579B446817AFBD17273E662C97EE72995EF42640C550B9013FAD0761353C7086A272C24088BE94769FD16650,
    ),
}


class Curve:
    """A key on a curve; `secret` is its number d, big-endian (little-endian for X25519)."""

    def __init__(self, name, secret):
        self.name, self.size = name, {"P-256": 32, "P-384": 48, "P-521": 66, "X25519": 32}[name]
        self.secret = secret
        if name == "X25519":
            self.x, self.y = x25519(secret, (9).to_bytes(32, "little")), None
        else:
            prime, _, *base = CURVES[name]
            point = times(int.from_bytes(secret, "big"), tuple(base), prime)
            self.x, self.y = (number.to_bytes(self.size, "big") for number in point)
            self.point, self.prime = point, prime

    def agree(self, other):
        if self.name == "X25519":
            return x25519(self.secret, other.x)
        return times(int.from_bytes(self.secret, "big"), other.point, self.prime)[0].to_bytes(self.size, "big")

    def members(self):
        """The public members of a JWK."""
        found = {"kty": "OKP" if self.y is None else "EC", "crv": self.name, "x": self.x}
        return found if self.y is None else found | {"y": self.y}


def add(left, right, prime):
    if left is None or right is None:
        return left or right
    if left[0] == right[0]:
        if (left[1] + right[1]) % prime == 0:
            return None
        slope = (3 * left[0] ** 2 - 3) * pow(2 * left[1], -1, prime)
    else:
        slope = (right[1] - left[1]) * pow(right[0] - left[0], -1, prime)
    x = (slope * slope - left[0] - right[0]) % prime
    return x, (slope * (left[0] - x) - left[1]) % prime


def times(number, point, prime):
    result = None
    for bit in bin(number)[2:]:
        result = add(result, result, prime)
        if bit == "1":
            result = add(result, point, prime)
    return result


def x25519(secret, u):
    """RFC 7748 section 5."""
    prime = 2**255 - 19
    number = int.from_bytes(secret, "little") & ~7 & (1 << 255) - 1 | 1 << 254
    x1 = (int.from_bytes(u, "little") & (1 << 255) - 1) % prime
    x2, z2, x3, z3, swap = 1, 0, x1, 1, 0
    for at in range(254, -1, -1):
        bit = number >> at & 1
        if swap != bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        da, cb, aa, bb = d * a, c * b, a * a, b * b
        x3, z3 = (da + cb) ** 2 % prime, x1 * (da - cb) ** 2 % prime
        x2, z2 = aa * bb % prime, (aa - bb) * (aa + 121665 * (aa - bb)) % prime
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, -1, prime) % prime).to_bytes(32, "little")


def concat_kdf(shared, name, bits, apu=b"", apv=b""):
    """RFC 7518 section 4.6.2."""
    other = b"".join(len(part).to_bytes(4, "big") + part for part in (name.encode(), apu, apv)) + bits.to_bytes(
        4, "big"
    )
    rounds = range(1, -(-bits // 256) + 1)
    return b"".join(hashlib.sha256(at.to_bytes(4, "big") + shared + other).digest() for at in rounds)[: bits // 8]


# The knapsack of docs/FORMATS.md.


class Knapsack:
    def __init__(self, label):
        source, self.w, total = Stream(label), [], 0
        for _ in range(256):
            self.w.append(total + 1 + int.from_bytes(source.take(32), "big") % (1 << 256))
            total += self.w[-1]
        self.q = total + 1 + int.from_bytes(source.take(8), "big")
        self.r = int.from_bytes(source.take(60), "big") | 1
        while gcd(self.r, self.q) != 1:
            self.r += 2
        order = sorted(range(256), key=lambda at: hashlib.sha256(f"{label} {at}".encode()).digest())
        self.places = bytes(order)
        self.a = [self.r * self.w[place] % self.q for place in order]

    def encrypt(self, key):
        sums = []
        for piece in blocks(key, 32):
            bits = [byte >> 7 - bit & 1 for byte in piece for bit in range(8)]
            sums.append(sum(a for a, bit in zip(self.a, bits) if bit).to_bytes(66, "big"))
        return b"".join(sums)

    def members(self):
        numbers = [self.q, self.r, *self.w]
        priv = b"".join(number.to_bytes(65, "big") for number in numbers) + self.places
        return {"kty": "MH-KNAPSACK", "pub": b"".join(a.to_bytes(65, "big") for a in self.a), "priv": priv}


def gcd(a, b):
    while b:
        a, b = b, a % b
    return a
