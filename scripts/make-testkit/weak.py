"""The ciphers that orderseal has for teaching and for old data, in the order of their specifications."""

from symmetric import blocks

# DES, FIPS 46-3. Permutations count bits from 1 at the left, as the standard does.

IP = [first - 8 * column for first in (58, 60, 62, 64, 57, 59, 61, 63) for column in range(8)]
PC1 = (
    "57 49 41 33 25 17 9 1 58 50 42 34 26 18 10 2 59 51 43 35 27 19 11 3 60 52 44 36 "
    "63 55 47 39 31 23 15 7 62 54 46 38 30 22 14 6 61 53 45 37 29 21 13 5 28 20 12 4"
)
PC2 = (
    "14 17 11 24 1 5 3 28 15 6 21 10 23 19 12 4 26 8 16 7 27 20 13 2 "
    "41 52 31 37 47 55 30 40 51 45 33 48 44 49 39 56 34 53 46 42 50 36 29 32"
)
P = "16 7 20 21 29 12 28 17 1 15 23 26 5 18 31 10 2 8 24 14 32 27 3 9 19 13 30 6 22 11 4 25"
EXPAND = [(4 * row + column - 1) % 32 + 1 for row in range(8) for column in range(6)]
SHIFTS = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1]
S_BOXES = [
    "e4d12fb83a6c5907 0f74e2d1a6cb9538 41e8d62bfc973a50 fc8249175b3ea06d",
    "f18e6b34972dc05a 3d47f28ec01a69b5 0e7ba4d158c6932f d8a13f42b67c05e9",
    "a09e63f51dc7b428 d709346a285ecbf1 d6498f30b12c5ae7 1ad069874fe3b52c",
    "7de3069a1285bc4f d8b56f03472c1ae9 a690cb7df13e5284 3f06a1d8945bc72e",
    "2c417ab6853fd0e9 eb2c47d150fa3986 421bad78f9c5630e b8c71e2d6f09a453",
    "c1af92680d34e75b af427c9561de0b38 9ef528c3704a1db6 432c95fabe17608d",
    "4b2ef08d3c975a61 d0b7491ae35c2f86 14bdc37eaf680592 6bd814a7950fe23c",
    "d2846fb1a93e50c7 1fd8a374c56b0e92 7b419ce206adf358 21e74a8dfc90356b",
]


def permuted(bits, table):
    places = [int(place) for place in table.split()] if isinstance(table, str) else table
    return [bits[place - 1] for place in places]


def bits_of(data):
    return [byte >> 7 - bit & 1 for byte in data for bit in range(8)]


def bytes_of(bits):
    return bytes(int("".join(map(str, byte)), 2) for byte in blocks(bits, 8))


def des(key, decrypt=False):
    """A function that encrypts, or decrypts, one block."""
    chosen, keys = permuted(bits_of(key), PC1), []
    left, right = chosen[:28], chosen[28:]
    for shift in SHIFTS:
        left, right = left[shift:] + left[:shift], right[shift:] + right[:shift]
        keys.append(permuted(left + right, PC2))
    if decrypt:
        keys.reverse()
    boxes = [box.split() for box in S_BOXES]

    def round_function(half, key):
        mixed = [a ^ b for a, b in zip(permuted(half, EXPAND), key)]
        out = []
        for box, six in zip(boxes, blocks(mixed, 6)):
            digit = int(box[2 * six[0] + six[5]][int("".join(map(str, six[1:5])), 2)], 16)
            out += [digit >> 3 - bit & 1 for bit in range(4)]
        return permuted(out, P)

    def run(block):
        state = permuted(bits_of(block), IP)
        left, right = state[:32], state[32:]
        for key in keys:
            left, right = right, [a ^ b for a, b in zip(left, round_function(right, key))]
        out = right + left
        back = [0] * 64
        for at, place in enumerate(IP):
            back[place - 1] = out[at]
        return bytes_of(back)

    return run


def des_ede3(key):
    one, two, three = des(key[:8]), des(key[8:16], decrypt=True), des(key[16:])
    return lambda block: three(two(one(block)))


# FEAL-8, Handbook of Applied Cryptography, section 7.5.


def s_box(d, x, y):
    total = (x + y + d) % 256
    return (total << 2 | total >> 6) & 0xFF


def feal_mix(a, b):
    """The function of the key schedule."""
    one, two = a[0] ^ a[1], a[2] ^ a[3]
    u1 = s_box(1, one, two ^ b[0])
    u2 = s_box(0, two, u1 ^ b[1])
    return bytes([s_box(0, a[0], u1 ^ b[2]), u1, u2, s_box(1, a[3], u2 ^ b[3])])


def feal_round(a, y):
    one, two = a[0] ^ a[1] ^ y[0], a[2] ^ a[3] ^ y[1]
    u1 = s_box(1, one, two)
    u2 = s_box(0, two, u1)
    return bytes([s_box(0, a[0], u1), u1, u2, s_box(1, a[3], u2)])


def feal(key):
    words, u = [], [bytes(4), key[:4], key[4:]]
    for _ in range(8):
        mixed = feal_mix(u[-2], bytes(a ^ b for a, b in zip(u[-1], u[-3])))
        u.append(mixed)
        words += [mixed[:2], mixed[2:]]

    def run(block):
        left = bytes(a ^ b for a, b in zip(block[:4], words[8] + words[9]))
        right = bytes(a ^ b for a, b in zip(block[4:], words[10] + words[11]))
        right = bytes(a ^ b for a, b in zip(right, left))
        for number in range(8):
            left, right = right, bytes(a ^ b for a, b in zip(left, feal_round(right, words[number])))
        left = bytes(a ^ b for a, b in zip(left, right))
        return bytes(a ^ b for a, b in zip(right + left, b"".join(words[12:16])))

    return run


# The toy DES of docs/FORMATS.md, "Content encryption".

TOY_S = [10, 14, 7, 13, 6, 4, 9, 8, 15, 3, 0, 11, 1, 2, 12, 5]


def toy(key, text):
    number = int.from_bytes(key, "big") & 0xFFF
    thirds = [number >> 9 - 3 * at & 7 for at in range(4)]
    keys = [thirds[at] | (8 if at % 2 == 0 else 0) for at in range(4)]

    def run(byte):
        left, right = byte >> 4, byte & 15
        for key in keys:
            left, right = right, left ^ TOY_S[right ^ key]
        return right << 4 | left

    return bytes(run(byte) for byte in text)


# Grain-128AEADv2. Bits of a byte are counted from the lowest.


def low_bits(data):
    return [byte >> bit & 1 for byte in data for bit in range(8)]


def low_bytes(bits):
    return bytes(sum(bit << at for at, bit in enumerate(byte)) for byte in blocks(bits, 8))


class Grain:
    def __init__(self, key, nonce):
        self.b, self.s, key_bits = low_bits(key), low_bits(nonce) + [1] * 31 + [0], low_bits(key)
        for _ in range(320):
            y = self.output()
            self.clock(y, y)
        for at in range(64):
            y = self.output()
            self.clock(y ^ key_bits[at + 64], y ^ key_bits[at])
        self.a, self.r = self.take(64), self.take(64)

    def take(self, count):
        out = []
        for _ in range(count):
            out.append(self.output())
            self.clock(0, 0)
        return out

    def output(self):
        b, s = self.b, self.s
        h = b[12] & s[8] ^ s[13] & s[20] ^ b[95] & s[42] ^ s[60] & s[79] ^ b[12] & b[95] & s[94]
        return h ^ s[93] ^ b[2] ^ b[15] ^ b[36] ^ b[45] ^ b[64] ^ b[73] ^ b[89]

    def clock(self, to_s, to_b):
        b, s = self.b, self.s
        f = s[0] ^ s[7] ^ s[38] ^ s[70] ^ s[81] ^ s[96]
        g = s[0] ^ b[0] ^ b[26] ^ b[56] ^ b[91] ^ b[96] ^ b[3] & b[67] ^ b[11] & b[13] ^ b[17] & b[18] ^ b[27] & b[59]
        g ^= b[40] & b[48] ^ b[61] & b[65] ^ b[68] & b[84] ^ b[22] & b[24] & b[25] ^ b[70] & b[78] & b[82]
        g ^= b[88] & b[92] & b[93] & b[95]
        self.s, self.b = s[1:] + [f ^ to_s], b[1:] + [g ^ to_b]

    def absorb(self, bit):
        """Takes one bit of text into the tag."""
        mac = self.take(1)[0]
        if bit:
            self.a = [x ^ y for x, y in zip(self.a, self.r)]
        self.r = self.r[1:] + [mac]


def grain(key, nonce, text, aad=b""):
    """Ciphertext and tag."""
    state, sealed = Grain(key, nonce), []
    length = len(aad)
    size = (length.bit_length() + 7) // 8
    head = bytes([length]) if length < 128 else bytes([0x80 | size]) + length.to_bytes(size, "big")
    for bit in low_bits(head + aad):
        state.take(1)
        state.absorb(bit)
    for bit in low_bits(text):
        sealed.append(bit ^ state.take(1)[0])
        state.absorb(bit)
    state.take(1)
    state.absorb(1)
    return low_bytes(sealed), low_bytes(state.a)
