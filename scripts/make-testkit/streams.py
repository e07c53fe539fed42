"""Sealed streams: docs/STREAM.md."""

from jose import CHUNK, Key, SealedStream, flip
from vector import Vector

KW = Key("A256KW", "A256GCM")
KEYS = KW.bundle()


def content(size):
    return bytes(at % 251 for at in range(size))


def vectors():
    for name, size in [
        ("empty", 0),
        ("short", 10),
        ("almost_a_chunk", CHUNK - 1),
        ("chunk", CHUNK),
        ("two_chunks", CHUNK + 10),
    ]:
        sealed = SealedStream(KW, content(size)).write()
        yield Vector(f"stream_{name}", "stream", "opens", sealed, f"{size} bytes.", content(size), keys=KEYS)
    direct = Key("dir", "A128CBC-HS256")
    sealed = SealedStream(direct, content(10)).write()
    yield Vector(
        "stream_direct",
        "stream",
        "opens",
        sealed,
        "The stream's key is sealed by dir.",
        content(10),
        keys=direct.bundle(),
    )

    def bad(name, reason, body, comment, expect="not authentic", keys=KEYS):
        return Vector(f"stream_{name}", "stream", expect, body, comment, reason=reason, keys=keys)

    short = SealedStream(KW, content(10))
    whole = short.write()
    yield bad("cut", "truncated", whole[:-1], "The last byte is missing.")
    yield bad("no_chunk", "truncated", short.write(chunks=[]), "No chunk.")
    yield bad("no_commitment", "truncated", short.first + b"\n" + short.salt, "Nothing after the salt.")
    yield bad("only_first_line", "truncated", short.first + b"\n", "Nothing after the first line.")
    yield bad("tag", "tag", flip(whole, -1), "One bit of the last tag.")
    yield bad("salt", "commitment", short.write(salt=flip(short.salt)), "One bit of the salt.")
    yield bad("commitment", "commitment", short.write(commitment=flip(short.commitment)), "One bit of the commitment.")
    yield bad("extended", "truncated", whole + b"\0", "A byte after the end.")
    other = short.line.under('{"alg":"A256KW","enc":"A256GCM","kid":"tokyo","typ":"orderseal-stream","x":1}').encode()
    yield bad(
        "first_line", "commitment", short.write(first=other), "A first line with the same key and another header."
    )
    padded = short.write(first=b" " + short.first)
    yield bad("first_line_space", "commitment", padded, "A space before the first line.")
    stranger = Key("A256KW", "A256GCM", label="stranger").bundle()
    yield bad(
        "key_wrong",
        "wrong key",
        SealedStream(KW, content(10)).write(),
        "Another key with the same name.",
        keys=stranger,
    )
    full = SealedStream(KW, content(CHUNK))
    yield bad(
        "no_last_chunk", "truncated", full.write(chunks=full.chunks[:1]), "The last chunk, which is empty, is missing."
    )
    two = SealedStream(KW, content(CHUNK + 10))
    yield bad("chunk_missing", "truncated", two.write(chunks=two.chunks[1:]), "The first chunk is missing.")
    last = two.chunk(two.secret, 0, content(10))
    yield bad(
        "chunk_moved", "tag", two.write(chunks=[two.chunks[0], last]), "The last chunk has the number of the first."
    )
    typ = SealedStream(KW, content(10), typ=1)
    yield bad("typ_number", "type of a member", typ.write(), "typ is a number.", expect="malformed")
    length = SealedStream(KW, content(10))
    length.line.text = bytes(16)
    length.line.seal()
    sealed = length.write(first=length.line.write().encode())
    yield bad("key_short", "length of a key", sealed, "The stream's key has 16 bytes.", expect="malformed")
    zipped = SealedStream(KW, content(10), zip="DEF").write()
    yield bad("zip", "zip", zipped, "A first line that announces compression.", expect="malformed")
