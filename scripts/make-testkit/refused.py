"""Lines that do not open, each for one reason."""

from jose import ORDER, Key, Line, Tree, b64, compact, flip, password_line
from lines import PASSWORD, RSA
from symmetric import Aes, composed_tag, key_wrap, xor
from vector import fails

KW = Key("A256KW", "A256GCM")
KEYS = KW.bundle()
HEADER = '{"alg":"A256KW","enc":"A256GCM","kid":"tokyo"%s}'


def vectors():
    yield from forms()
    yield from base64url()
    yield from headers()
    yield from sizes()
    yield from agreement()
    yield from passwords()
    yield from json_forms()
    yield from not_authentic()
    yield from chains()
    yield from rsa_blocks()
    yield from key_refused()
    yield from batches()


def malformed(name, reason, line, comment, keys=KEYS, **fields):
    return fails(name, "malformed", reason, line, keys, comment, **fields)


def forms():
    line = Line(KW, label="forms")
    for name, pattern, reason, comment in [
        ("four_parts", "{h}.{k}.{i}.{c}", "segments", "The tag is missing."),
        ("six_parts", "{h}.{k}.{i}.{c}.{t}.", "segments", "A sixth, empty segment."),
        ("three_parts", "{h}.{c}.{t}", "segments", "As many segments as a signed token has."),
        ("only_dots", "....", "segments", "Five empty segments."),
        ("cut_off", "{h}.{k}.{i}", "segments", "The line is cut off."),
        ("quoted", '"{h}.{k}.{i}.{c}.{t}"', "segments", "The line is in quotation marks."),
        ("space_inside", "{h}.{k}. {i}.{c}.{t}", "base64url", "A space within the line."),
        ("two_lines", "{h}.{k}.{i}\n.{c}.{t}", "segments", "The line is wrapped."),
        ("empty_object", "{{}}", "json", "JSON without any member of a sealed order."),
    ]:
        yield malformed(f"form_{name}", reason, line.write(pattern), comment)


def loose(text):
    """The same text with the unused bits of its last character set."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) | 1]


def base64url():
    line = Line(KW, ORDER, label="base64url")
    parts = line.parts()
    for letter, what in [("k", "encrypted_key"), ("c", "ciphertext"), ("t", "tag")]:
        if len(parts[letter]) % 4:
            yield malformed(
                f"base64_bits_{what}",
                "base64url",
                line.write(**{letter: loose(parts[letter])}),
                "Unused bits of the last character are set: the encoding is not canonical.",
            )
    odd = Line(KW, label="odd").under(HEADER % "" + " ")
    head, rest = odd.split(".", 1)
    while len(head) % 4 == 0:
        odd = Line(KW, label="odd").under(HEADER % "" + "  ")
        head, rest = odd.split(".", 1)
    yield malformed(
        "base64_bits_header",
        "base64url",
        f"{loose(head)}.{rest}",
        "Unused bits of the header's last character are set.",
    )
    yield malformed("base64_padding", "base64url", line.write(t=parts["t"] + "=="), "Padding after the tag.")
    yield malformed("base64_alphabet", "base64url", line.write(i="++++++++++++++++"), "Base64, not base64url.")
    yield malformed("base64_one_character", "base64url", line.write(c="A"), "One character encodes nothing.")
    yield malformed("base64_not_ascii", "base64url", line.write(c="ä"), "A letter outside ASCII.")
    yield malformed("base64_percent", "base64url", line.write(c="%41%41"), "Escapes of an address.")


def headers():
    line = Line(KW, label="headers")
    for name, reason, header, comment in [
        ("not_json", "json", "alg=A256KW", "The header is not JSON."),
        ("array", "json", '["A256KW","A256GCM"]', "The header is an array."),
        ("trailing", "json", HEADER % "" + "x", "Text after the JSON object."),
        ("not_utf8", "json", (HEADER % ',"x":"').encode()[:-1] + b'\xff"}', "A byte that is not UTF-8."),
        ("duplicate", "duplicate member", HEADER % ',"alg":"A256KW"', "alg twice."),
        ("duplicate_escaped", "duplicate member", HEADER % ',"al\\u0067":"dir"', "alg twice, once with an escape."),
        (
            "duplicate_nested",
            "duplicate member",
            HEADER % ',"x":{"a":1,"a":2}',
            "A name twice in an object that is ignored.",
        ),
        ("no_alg", "missing member", '{"enc":"A256GCM","kid":"tokyo"}', "No alg."),
        ("no_enc", "missing member", '{"alg":"A256KW","kid":"tokyo"}', "No enc."),
        ("alg_number", "type of a member", '{"alg":3,"enc":"A256GCM","kid":"tokyo"}', "alg is a number."),
        ("kid_number", "type of a member", '{"alg":"A256KW","enc":"A256GCM","kid":1}', "kid is a number."),
        (
            "kid_long",
            "length of a member",
            '{"alg":"A256KW","enc":"A256GCM","kid":"%s"}' % ("k" * 1025),
            "kid has 1,025 bytes.",
        ),
        ("typ_number", "type of a member", HEADER % ',"typ":1', "typ is a number."),
        ("zip", "zip", HEADER % ',"zip":"DEF"', "Compressed content is not supported, and never guessed."),
        ("crit_unknown", "crit", HEADER % ',"crit":["exp"],"exp":1', "A critical member that is not known."),
        ("crit_empty", "crit", HEADER % ',"crit":[]', "An empty list of critical members."),
        ("crit_standard", "crit", HEADER % ',"crit":["alg"]', "A member of the standard cannot be critical."),
        ("crit_absent", "crit", HEADER % ',"crit":["chain"]', "A critical member that the header does not have."),
        ("crit_twice", "crit", HEADER % ',"chain":["AAAA"],"crit":["chain","chain"]', "A critical member named twice."),
        ("crit_string", "crit", HEADER % ',"chain":["AAAA"],"crit":"chain"', "crit is not an array."),
        (
            "stream",
            "length of a key",
            HEADER % ',"typ":"orderseal-stream"',
            "The line of an order under the type of a stream's first line, which would hold a key of 32 bytes.",
        ),
    ]:
        yield malformed(f"header_{name}", reason, line.under(header), comment)
    for name, reason, header, comment in [
        ("alg_unknown", "unknown alg", '{"alg":"A512KW","enc":"A256GCM","kid":"tokyo"}', "An alg that nobody has."),
        (
            "alg_case",
            "unknown alg",
            '{"alg":"a256kw","enc":"A256GCM","kid":"tokyo"}',
            "Names are compared with their case.",
        ),
        ("alg_none", "unknown alg", '{"alg":"none","enc":"A256GCM","kid":"tokyo"}', "No algorithm."),
        ("alg_signature", "unknown alg", '{"alg":"HS256","enc":"A256GCM","kid":"tokyo"}', "The name of a signature."),
        (
            "alg_RSA1_5",
            "unknown alg",
            '{"alg":"RSA1_5","enc":"A256GCM","kid":"tokyo"}',
            "An algorithm of RFC 7518 that is not supported.",
        ),
        (
            "enc_unknown",
            "unknown enc",
            '{"alg":"A256KW","enc":"A256CTR","kid":"tokyo"}',
            "An enc that is not supported.",
        ),
        ("alg_other", "wrong key", '{"alg":"A128KW","enc":"A256GCM","kid":"tokyo"}', "The key is for A256KW."),
        (
            "alg_dir",
            "wrong key",
            '{"alg":"dir","enc":"A256GCM","kid":"tokyo"}',
            "The key wraps, and is not for content itself.",
        ),
        ("enc_other", "wrong key", '{"alg":"A256KW","enc":"A128GCM","kid":"tokyo"}', "The key file is for A256GCM."),
        ("kid_unknown", "wrong key", '{"alg":"A256KW","enc":"A256GCM","kid":"osaka"}', "No key has this name."),
        (
            "kid_case",
            "wrong key",
            '{"alg":"A256KW","enc":"A256GCM","kid":"Tokyo"}',
            "Names of keys are compared with their case.",
        ),
        ("kid_absent", "wrong key", '{"alg":"A256KW","enc":"A256GCM"}', "No name, and the key has one."),
    ]:
        yield fails(f"header_{name}", "key refused", reason, line.under(header), KEYS, comment)


def sizes():
    line = Line(KW, label="sizes")
    for name, reason, change, comment in [
        ("iv_short", "length of a segment", {"i": bytes(11)}, "An IV of 11 bytes."),
        ("iv_long", "length of a segment", {"i": bytes(16)}, "An IV of 16 bytes."),
        ("iv_empty", "length of a segment", {"i": b""}, "No IV."),
        ("tag_short", "length of a segment", {"t": line.tag[:12]}, "A tag of 12 bytes, which GCM as such allows."),
        ("tag_long", "length of a segment", {"t": line.tag + b"\0"}, "A tag of 17 bytes."),
        ("tag_empty", "length of a segment", {"t": b""}, "No tag."),
    ]:
        yield malformed(f"size_{name}", reason, line.write(**change), comment)
    cbc = Key("dir", "A128CBC-HS256")
    line = Line(cbc, label="sizes")
    yield malformed(
        "size_cbc_tag", "length of a segment", line.write(t=line.tag[:8]), "A tag of 8 bytes.", cbc.bundle()
    )
    yield malformed(
        "size_dir_encrypted_key", "encrypted key", line.write(k=bytes(40)), "An encrypted key beside dir.", cbc.bundle()
    )
    wrapping = Key("A256GCMKW", "A256GCM")
    head = Line(wrapping, label="sizes").head
    for name, change, comment in [
        ("iv_absent", {"iv": None}, "No IV of the wrapped key."),
        ("tag_absent", {"tag": None}, "No tag of the wrapped key."),
        ("iv_long", {"iv": b64(bytes(16))}, "The IV of the wrapped key has 16 bytes."),
        ("tag_short", {"tag": b64(bytes(12))}, "The tag of the wrapped key has 12 bytes."),
    ]:
        text = compact({name: value for name, value in (head | change).items() if value is not None})
        yield malformed(
            f"size_gcmkw_{name}", "header member", Line(wrapping, label="sizes").under(text), comment, wrapping.bundle()
        )
    text = compact(head | {"tag": None})
    yield malformed(
        "size_gcmkw_tag_null",
        "header member",
        Line(wrapping, label="sizes").under(text),
        "The tag of the wrapped key is null.",
        wrapping.bundle(),
    )


def agreement():
    key, keys = Key("ECDH-ES", "A256GCM"), Key("ECDH-ES", "A256GCM").bundle()
    line = Line(key, label="agreement")
    epk = line.head["epk"]
    other = Line(Key("ECDH-ES", "A256GCM", "P-384"), label="agreement").head["epk"]
    odd = b64(flip(line.ephemeral.y, 31))
    for name, change, comment in [
        ("null", None, "The ephemeral key is null."),
        ("other_curve", other, "The ephemeral key is on P-384, the distributed one on P-256."),
        ("off_curve", epk | {"y": odd}, "The ephemeral key is not a point of the curve."),
        ("no_y", {name: epk[name] for name in ("kty", "crv", "x")}, "y is missing."),
        ("short_x", epk | {"x": b64(line.ephemeral.x[:-1])}, "x has 31 bytes."),
        ("long_x", epk | {"x": b64(b"\0" + line.ephemeral.x)}, "x has 33 bytes."),
        ("private", epk | {"d": b64(bytes(31) + b"\1")}, "The ephemeral key has its secret part."),
        ("zero", epk | {"x": b64(bytes(32)), "y": b64(bytes(32))}, "Zero is not a point of the curve."),
        ("for_signing", epk | {"use": "sig"}, "The ephemeral key is for signatures."),
    ]:
        text = compact(line.head | {"epk": change})
        yield malformed(f"epk_{name}", "epk", Line(key, label="agreement").under(text), comment, keys)
    text = compact({name: value for name, value in line.head.items() if name != "epk"})
    yield malformed("epk_absent", "epk", Line(key, label="agreement").under(text), "No ephemeral key.", keys)
    key = Key("ECDH-ES", "A256GCM", "X25519")
    line = Line(key, label="agreement")
    for name, x in [
        ("zero", bytes(32)),
        ("one", b"\1" + bytes(31)),
        ("order_8", bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")),
    ]:
        text = compact(line.head | {"epk": line.head["epk"] | {"x": b64(x)}})
        yield malformed(
            f"epk_X25519_{name}",
            "epk",
            Line(key, label="agreement").under(text),
            "A point that makes every shared secret zero.",
            key.bundle(),
        )
    text = compact(line.head | {"apu": None})
    yield malformed("apu_null", "header member", Line(key, label="agreement").under(text), "apu is null.", key.bundle())
    yield malformed(
        "size_ecdh_encrypted_key",
        "encrypted key",
        line.write(k=bytes(40)),
        "An encrypted key beside ECDH-ES.",
        key.bundle(),
    )


def passwords():
    def line(**header):
        return password_line("PBES2-HS256+A128KW", PASSWORD.encode(), label="refused", **header).write()

    for name, header, comment in [
        ("rounds_low", {"p2c": 999}, "Fewer than 1,000 rounds."),
        ("rounds_high", {"p2c": 10_000_001}, "More than 10,000,000 rounds: they cost too much."),
        ("rounds_fraction", {"p2c": 1000.5}, "Rounds that are not a whole number."),
        ("rounds_text", {"p2c": "1000"}, "Rounds that are not a number."),
        ("rounds_absent", {"p2c": None}, "No rounds."),
        ("salt_short", {"p2s": b64(b"7 bytes")}, "A salt of 7 bytes."),
        ("salt_absent", {"p2s": None}, "No salt."),
    ]:
        yield fails(f"password_{name}", "malformed", "header member", line(**header), None, comment, password=PASSWORD)
    yield fails(
        "password_wrong", "not authentic", "wrong key", line(), None, "Another password.", password="Correct horse"
    )
    yield fails(
        "password_none",
        "key refused",
        "wrong key",
        line(),
        compact(KW.jwk(kid=None)),
        "A key is given, not a password.",
    )


def json_forms():
    line = Line(KW, label="json refused")
    flat = '{{"protected":"{h}","encrypted_key":"{k}","iv":"{i}","ciphertext":"{c}","tag":"{t}"%s}}'
    for name, reason, more, comment in [
        ("duplicate", "duplicate member", ',"tag":"{t}"', "tag twice."),
        ("duplicate_headers", "duplicate member", ',"header":{{"alg":"A256KW"}}', "alg is in two headers."),
        ("recipients_too", "json", ',"recipients":[{{"encrypted_key":"{k}"}}]', "Both serializations at once."),
        ("crit_unprotected", "crit", ',"header":{{"crit":["exp"],"exp":1}}', "crit is not protected."),
        ("aad_base64", "base64url", ',"aad":"AB="', "The additional data is not base64url."),
    ]:
        yield malformed(f"json_{name}", reason, line.write(flat % more), comment)
    yield malformed(
        "json_no_recipients",
        "json",
        line.write('{{"protected":"{h}","recipients":[],"iv":"{i}","ciphertext":"{c}","tag":"{t}"}}'),
        "An empty list of recipients.",
    )
    yield malformed(
        "json_tag_absent",
        "length of a segment",
        line.write('{{"protected":"{h}","encrypted_key":"{k}","iv":"{i}","ciphertext":"{c}"}}'),
        "No tag.",
    )
    yield fails(
        "json_aad_changed",
        "not authentic",
        "tag",
        line.write(flat % ',"aad":"cGFwZXI"'),
        KEYS,
        "Additional data that the tag does not cover.",
    )


def not_authentic():
    def bad(name, reason, line, comment, keys=KEYS, **fields):
        return fails(name, "not authentic", reason, line, keys, comment, **fields)

    line = Line(KW, label="bad")
    yield bad("tag_changed", "tag", line.write(t=flip(line.tag)), "One bit of the tag.")
    yield bad("ciphertext_changed", "tag", line.write(c=flip(line.sealed)), "One bit of the ciphertext.")
    yield bad("ciphertext_empty", "tag", line.write(c=b""), "The ciphertext is gone.")
    yield bad("iv_changed", "tag", line.write(i=flip(line.iv)), "One bit of the IV.")
    other = b64((HEADER % " ").encode())
    yield bad(
        "header_changed",
        "tag",
        line.write(h=other),
        "A space in the header, which means the same and is not what was sealed.",
    )
    swapped = Line(KW, label="another")
    yield bad(
        "encrypted_key_swapped",
        "tag",
        line.write(k=swapped.encrypted_key),
        "The encrypted key of another line under the same key.",
    )
    yield bad(
        "encrypted_key_changed", "key wrap", line.write(k=flip(line.encrypted_key)), "One bit of the encrypted key."
    )
    yield bad("encrypted_key_empty", "key wrap", line.write(k=b""), "No encrypted key.")
    yield bad(
        "encrypted_key_short",
        "key wrap",
        line.write(k=key_wrap(KW.secret, line.cek[:16])),
        "The wrapped key has 16 bytes, A256GCM needs 32.",
    )
    yield bad(
        "encrypted_key_odd", "key wrap", line.write(k=line.encrypted_key + b"\0"), "A byte after the encrypted key."
    )
    stranger = Key("A256KW", "A256GCM", label="stranger")
    yield bad("key_wrong", "wrong key", line.write(), "Another key with the same name.", stranger.bundle())
    for alg in ("A128GCMKW", "A128CBC-HS256KW"):
        key = Key(alg, "A256GCM")
        line = Line(key, label="bad")
        yield bad(
            f"{alg}_changed",
            "key wrap",
            line.write(k=flip(line.encrypted_key)),
            "One bit of the encrypted key.",
            key.bundle(),
        )
    yield from padding(bad)
    for enc in ("A256CBC-HS512", "GRAIN128AEADV2", "DES-EDE3-CBC-HS256", "VERNAM-HS256", "TOYDES-ECB-HS256"):
        key, weak = Key("dir", enc), None if enc.startswith("A") else "yes"
        line = Line(key, label="bad")
        yield bad(
            f"tag_{enc}", "tag", line.write(t=flip(line.tag, -1)), "The last bit of the tag.", key.bundle(), weak=weak
        )
    pad = Key("dir", "VERNAM-HS256")
    line = Line(pad, label="bad")
    beyond = (190).to_bytes(8, "big")
    tag = composed_tag("sha256", pad.secret[:16], line.protected.encode(), beyond, line.sealed, 16)
    yield bad(
        "VERNAM_beyond_pad",
        "pad",
        line.write(i=beyond, t=tag),
        "An authentic line whose bytes of pad are not all in the key.",
        pad.bundle(),
        weak="yes",
    )
    for curve in ("P-256", "X25519"):
        key = Key("ECDH-ES+A256KW", "A256GCM", curve)
        line, other = Line(key, label="bad"), Line(key, label="another")
        head = compact(line.head | {"epk": other.head["epk"]})
        yield bad(
            f"epk_swapped_{curve}",
            "key wrap",
            Line(key, label="bad").under(head),
            "The ephemeral key of another line.",
            key.bundle(),
        )
    rsa = Key("RSA-OAEP-256", "A256GCM", rsa=RSA)
    line = Line(rsa, label="bad")
    for name, part, comment in [
        ("changed", flip(line.encrypted_key, -1), "One bit of the encrypted key."),
        ("short", line.encrypted_key[1:], "The encrypted key is a byte too short."),
        ("long", b"\0" + line.encrypted_key, "The encrypted key is a byte too long."),
        ("modulus", RSA.n.to_bytes(256, "big"), "A number that is not below the modulus."),
        ("zero", bytes(256), "Zero."),
        ("wrong_hash", RSA.oaep("sha1", line.cek, bytes(20)), "RSA-OAEP with SHA-1 under the name of SHA-256."),
        ("label", RSA.oaep("sha256", line.cek, bytes(32), b"label"), "OAEP with a label."),
        ("short_key", RSA.oaep("sha256", line.cek[:16], bytes(32)), "The key has 16 bytes, A256GCM needs 32."),
        (
            "pkcs1",
            pow(int.from_bytes(b"\0\2" + b"\7" * 221 + b"\0" + line.cek, "big"), RSA.e, RSA.n).to_bytes(256, "big"),
            "The padding of PKCS #1 v1.5.",
        ),
    ]:
        yield bad(f"rsa_{name}", "key wrap", line.write(k=part), comment, rsa.bundle())


def padding(bad):
    """Lines of CBC whose tag is right and whose padding is not."""
    key = Key("dir", "A128CBC-HS256")
    line = Line(key, label="padding")
    mac, cipher = key.secret[:16], Aes(key.secret[16:])
    for name, block in [("zero", bytes(16)), ("long", bytes([17] * 16)), ("uneven", bytes([1] * 13 + [3, 2, 3]))]:
        sealed = cipher.encrypt(xor(block, line.iv))
        tag = composed_tag("sha256", mac, line.protected.encode(), line.iv, sealed, 16)
        yield bad(
            f"padding_{name}",
            "padding",
            line.write(c=sealed, t=tag),
            "An authentic line whose padding is wrong.",
            key.bundle(),
        )
    sealed = line.sealed[:-1]
    tag = composed_tag("sha256", mac, line.protected.encode(), line.iv, sealed, 16)
    yield bad(
        "padding_part_of_block",
        "padding",
        line.write(c=sealed, t=tag),
        "An authentic ciphertext that is not whole blocks.",
        key.bundle(),
    )


def chains():
    line = Line(KW, label="chain", chain=3)
    links = line.head["chain"]
    for name, expect, reason, chain, comment in [
        ("swapped", "not authentic", "key wrap", links[::-1], "The links are in another order."),
        ("changed", "not authentic", "key wrap", [links[0], "A" + links[1][1:]], "A link was changed."),
        ("cut", "not authentic", "tag", links[:1], "The last link is missing."),
        ("empty", "malformed", "chain", [], "A chain without links."),
        ("long", "malformed", "chain", [links[0]] * 16, "A chain with 16 links."),
        ("string", "malformed", "chain", links[0], "The chain is not an array."),
    ]:
        text = compact(line.head | {"chain": chain})
        yield fails(f"chain_{name}", expect, reason, Line(KW, label="chain", chain=3).under(text), KEYS, comment)
    key = Key("ECDH-ES", "A256GCM")
    line = Line(key, label="chain", header={"chain": [b64(bytes(40))], "crit": ["chain"]})
    yield malformed("chain_ECDH-ES", "chain", line.write(), "A chain beside ECDH-ES.", key.bundle())


def rsa_blocks():
    key = Key("dir", "RSA-OAEP-256-BOUND-BLOCKS", rsa=RSA)

    def bad(name, comment, **changes):
        return fails(f"rsa_blocks_{name}", "not authentic", "rsa block", line.write(**changes), key.bundle(), comment)

    line = Line(key, b"y" * 400, label="blocks")
    one, two, three = line.blocks
    forged = line.block(b"s" * 16 + b"z" * 174, 0, 3)
    yield bad("forged_first", "The first block is an attacker's, made with the public key.", c=forged + two + three)
    yield bad("forged_last", "The last block is an attacker's.", c=one + two + line.block(b"s" * 16 + b"z", 2, 3))
    yield bad("swapped", "Two blocks are swapped.", c=two + one + three)
    yield bad("dropped", "The last block is missing.", c=one + two)
    yield bad("cut", "The last block is cut off.", c=(one + two + three)[:-1])
    yield bad("none", "No block.", c=b"")
    yield bad("iv", "Another IV.", i=flip(line.iv))
    other = Line(key, b"y" * 400, label="other blocks")
    yield bad("mixed", "A block of another line.", c=one + other.blocks[1] + three)
    secret = b"k" * 16
    short = [line.block(secret + b"a" * size, at, 2) for at, size in enumerate((100, 174))]
    yield bad("short_middle", "A block that is not full, and not the last.", c=b"".join(short))
    empty = [line.block(secret + b"a" * size, at, 2) for at, size in enumerate((174, 0))]
    yield bad("empty_last", "An empty block after a full one.", c=b"".join(empty))


def key_refused():
    line = Line(KW, label="keys").write()

    def no(name, reason, keys, comment, line=line, **fields):
        return fails(f"key_{name}", "key refused", reason, line, keys, comment, **fields)

    yield no("use_sig", "use", compact(KW.jwk(use="sig")), "The key is for signatures.")
    yield no("key_ops", "key_ops", compact(KW.jwk(key_ops=["wrapKey"])), "The key may seal and not open.")
    yield no(
        "two_without_kid",
        "wrong key",
        compact({"keys": [KW.jwk(kid=None), Key("A256KW", "A256GCM", label="b").jwk(kid="b")]}),
        "Of two keys, none has the line's name.",
        Line(KW, label="keys", named=False).write(),
    )
    yield no("other_type", "wrong key", compact(Key("RSA-OAEP-256", "A256GCM", rsa=RSA).jwk()), "An RSA key.")
    public = Key("ECDH-ES", "A256GCM")
    yield no(
        "public_only",
        "wrong key",
        compact(public.jwk(private=False)),
        "A public key opens nothing.",
        Line(public, label="keys").write(),
    )
    weak = Line(KW, label="keys", enc="DES-CBC-HS256").write()
    yield no(
        "weak_enc", "weak", compact(KW.jwk()), "A key that wraps does not open a weak enc without being told to.", weak
    )
    yield no(
        "marked",
        "weak",
        KW.bundle().replace('"use":"enc"', '"origin":"register","use":"enc"'),
        "A key from a repeatable source.",
    )
    tree = Tree(KW)
    leaf = Line(tree.leaf(7), label="leaf").write()
    yield no("tree_leaf_erased", "wrong key", tree.bundle(31, 21), "The node does not derive this leaf.", leaf)
    user = Key("A256KW", "A256GCM", kid="tokyo/bob")
    keys = Key("A256KW", "A256GCM", kid="tokyo/alice").bundle(
        scope="transaction", users=["alice"], revoked=["bob"], erased=["bob"]
    )
    yield no("revoked", "revoked", keys, "The user was revoked.", Line(user, label="revoked").write())
    empty = compact(
        {
            "keys": [],
            "orderseal": {
                "role": "shop",
                "shops": {
                    "tokyo": {"alg": "A256KW", "enc": "A256GCM", "scheme": KW.scheme("shop"), "erased_shop_key": True}
                },
                "version": 1,
            },
        }
    )
    yield no("erased", "wrong key", empty, "The key was erased.")


def batches():
    key = Key("A256KW", "A256GCM", kid="tokyo/0123456789abcdef")
    keys = key.bundle(scope="transaction")
    line = Line(key, label="batch").write()
    yield fails(
        "batch_repeat",
        "used",
        "used twice",
        f"{line}\n{line}",
        keys,
        "A transaction id twice in a run.",
        kind="batch",
        options="--once",
    )
    other = Line(key, b"other", label="other").write()
    yield fails(
        "batch_used",
        "used",
        "used twice",
        f"{line}\n{other}",
        keys,
        "Two orders under one transaction id.",
        kind="batch",
        options="--once",
    )
    broken = Line(key, label="broken")
    yield fails(
        "batch_second_line",
        "not authentic",
        "tag",
        f"{line}\n{broken.write(t=flip(broken.tag))}",
        keys,
        "The second line is changed.",
        kind="batch",
    )
    wrapped = Line(
        key, compact(Key("dir", "A256GCM").jwk()).encode(), label="wrapped", header={"cty": "jwk+json"}
    ).write()
    yield fails(
        "batch_wrapped_key",
        "malformed",
        "content type",
        f"{line}\n{wrapped}",
        keys,
        "A wrapped key among orders.",
        kind="batch",
    )
    feed = Line(key, b"two\nlines", label="feed").write()
    yield fails("batch_line_feed", "malformed", "line feed", feed, keys, "An order with a line feed.", kind="batch")
