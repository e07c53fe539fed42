"""Symmetric ciphers in the order of their specifications, without any regard for time: for making vectors only."""

import hmac


def xor(left, right):
    return bytes(a ^ b for a, b in zip(left, right))


def blocks(data, size):
    return [data[at : at + size] for at in range(0, len(data), size)]


# AES, FIPS 197: encryption only, as nothing here decrypts.


def multiply(a, b):
    """In GF(2^8)."""
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a = a << 1 ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return product


def make_sbox():
    sbox = [0x63] * 256
    for value in range(1, 256):
        inverse = next(other for other in range(256) if multiply(value, other) == 1)
        for turn in (0, 1, 2, 3, 4):
            sbox[value] ^= (inverse << turn | inverse >> (8 - turn)) & 0xFF
    return bytes(sbox)


SBOX = make_sbox()
TWO = [multiply(value, 2) for value in range(256)]
THREE = [multiply(value, 3) for value in range(256)]


class Aes:
    def __init__(self, key):
        words, count = [list(word) for word in blocks(key, 4)], len(key) // 4
        self.rounds, constant = count + 6, 1
        for at in range(count, 4 * (self.rounds + 1)):
            word = list(words[-1])
            if at % count == 0:
                word = [SBOX[byte] for byte in word[1:] + word[:1]]
                word[0] ^= constant
                constant = multiply(constant, 2)
            elif count > 6 and at % count == 4:
                word = [SBOX[byte] for byte in word]
            words.append([a ^ b for a, b in zip(word, words[-count])])
        self.keys = [sum(words[4 * at : 4 * at + 4], []) for at in range(self.rounds + 1)]

    def encrypt(self, block):
        state = xor(block, self.keys[0])
        for number in range(1, self.rounds + 1):
            state = [SBOX[state[(at + 4 * (at % 4)) % 16]] for at in range(16)]
            if number < self.rounds:
                state = [
                    TWO[state[at]]
                    ^ THREE[state[at // 4 * 4 + (at + 1) % 4]]
                    ^ state[at // 4 * 4 + (at + 2) % 4]
                    ^ state[at // 4 * 4 + (at + 3) % 4]
                    for at in range(16)
                ]
            state = xor(state, self.keys[number])
        return bytes(state)


# GCM, NIST SP 800-38D.


def ghash(key, data):
    h, y = int.from_bytes(key, "big"), 0
    for block in blocks(data, 16):
        x, y, v = y ^ int.from_bytes(block, "big"), 0, h
        for bit in range(127, -1, -1):
            y ^= v if x >> bit & 1 else 0
            v = v >> 1 ^ (0xE1 << 120 if v & 1 else 0)
    return y.to_bytes(16, "big")


def gcm(key, iv, text, aad=b""):
    """Ciphertext and tag."""
    cipher = Aes(key)
    stream = b"".join(cipher.encrypt(iv + (at + 2).to_bytes(4, "big")) for at in range(-(-len(text) // 16)))
    sealed = xor(text, stream)
    padded = b"".join(part + bytes(-len(part) % 16) for part in (aad, sealed))
    lengths = (8 * len(aad)).to_bytes(8, "big") + (8 * len(sealed)).to_bytes(8, "big")
    tag = xor(ghash(cipher.encrypt(bytes(16)), padded + lengths), cipher.encrypt(iv + b"\0\0\0\1"))
    return sealed, tag


# AES key wrap, RFC 3394 section 2.2.1; CMAC, NIST SP 800-38B.


def key_wrap(kek, key):
    cipher, a, r = Aes(kek), bytes([0xA6] * 8), blocks(key, 8)
    for turn in range(6):
        for at in range(len(r)):
            b = cipher.encrypt(a + r[at])
            a = xor(b[:8], (len(r) * turn + at + 1).to_bytes(8, "big"))
            r[at] = b[8:]
    return a + b"".join(r)


def cmac(key, message):
    cipher = Aes(key)

    def double(block):
        value = int.from_bytes(block, "big") << 1
        return ((value & (1 << 128) - 1) ^ (0x87 if value >> 128 else 0)).to_bytes(16, "big")

    one = double(cipher.encrypt(bytes(16)))
    parts = blocks(message, 16) or [b""]
    last = parts.pop()
    last = xor(last, one) if len(last) == 16 else xor(last + b"\x80" + bytes(15 - len(last)), double(one))
    state = bytes(16)
    for part in [*parts, last]:
        state = cipher.encrypt(xor(state, part))
    return state


# CBC with the padding of PKCS #7, and the composition of RFC 7518 section 5.2.


def cbc(encrypt, size, iv, text):
    text += bytes([size - len(text) % size]) * (size - len(text) % size)
    sealed, last = [], iv
    for block in blocks(text, size):
        last = encrypt(xor(block, last))
        sealed.append(last)
    return b"".join(sealed)


def composed_tag(hash_name, mac_key, aad, iv, sealed, size):
    data = aad + iv + sealed + (8 * len(aad)).to_bytes(8, "big")
    return hmac.new(mac_key, data, hash_name).digest()[:size]
