"""Lines that open: every algorithm, and every form."""

import json

from jose import CONTENT, ORDER, WEAK, Key, Line, Tree, b64, compact, password_line
from public import Rsa
from vector import opens

RSA = Rsa("rsa")
STANDARD = [name for name in CONTENT if name not in WEAK]
PASSWORD = "correct horse battery staple"


def simple(name, key, comment, text=ORDER, **changes):
    weak = "yes" if key.enc in WEAK or key.alg[:-2] in WEAK or key.alg == "MH-KNAPSACK" else None
    return opens(name, Line(key, text, **changes).write(), key.bundle(), text, comment, weak=weak)


def vectors():
    yield from contents()
    yield from algorithms()
    yield from private()
    yield from headers()
    yield from serializations()


def contents():
    for enc in [*CONTENT, "VERNAM-HS256"]:
        key = Key("dir", enc)
        yield simple(f"enc_{enc}", key, f"The order is encrypted with the distributed key, by {enc}.")
    gcm = Key("dir", "A256GCM")
    for name, text in [
        ("empty", b""),
        ("block", bytes(range(32, 48))),
        ("binary", b"\xff\xfe\0\r"),
        ("utf8", "緑茶 ☕".encode()),
    ]:
        yield simple(f"text_{name}", gcm, f"The content is {len(text)} bytes.", text, label=name)
    for enc in ("A128CBC-HS256", "A256CBC-HS512"):
        for size in (0, 15, 16, 17):
            if enc == "A128CBC-HS256" or size == 16:
                text = bytes(range(65, 65 + size))
                yield simple(
                    f"text_cbc_{enc[1:4]}_{size}",
                    Key("dir", enc),
                    f"The content is {size} bytes, the padding {16 - size % 16}.",
                    text,
                )
    document = b"two\nlines\n"
    yield opens(
        "text_line_feeds",
        Line(gcm, document).write(),
        gcm.bundle(),
        document,
        "Content with line feeds, which is no order but a document.",
        options="--document",
    )


def algorithms():
    for at, alg in enumerate(["A128KW", "A192KW", "A256KW", "A128GCMKW", "A192GCMKW", "A256GCMKW"]):
        enc = STANDARD[at]
        yield simple(f"alg_{alg}", Key(alg, enc), f"A fresh key wrapped by {alg}; {enc}.")
    for at, alg in enumerate(["RSA-OAEP", "RSA-OAEP-256", "RSA-OAEP-384", "RSA-OAEP-512"]):
        yield simple(f"alg_{alg}", Key(alg, STANDARD[-1 - at], rsa=RSA), "RSA of 2,048 bits.")
    for at, curve in enumerate(["P-256", "P-384", "P-521", "X25519"]):
        yield simple(
            f"alg_ECDH-ES_{curve}",
            Key("ECDH-ES", STANDARD[5 - at], curve),
            f"A key agreed on by {curve} encrypts the order.",
        )
        for bits in ("128", "192", "256"):
            if bits == "256" or curve == "P-256":
                key = Key(f"ECDH-ES+A{bits}KW", STANDARD[at], curve)
                yield simple(f"alg_ECDH-ES+A{bits}KW_{curve}", key, f"A key agreed on by {curve} wraps a fresh one.")
    for direct in ("ECDH-ES", "ECDH-ES+A128KW"):
        key = Key(direct, "A128GCM")
        name = f"apu_apv_{direct}"
        yield simple(
            name, key, "What the header says of the parties is part of the derivation.", apu=b"Alice", apv=b"Bob"
        )
    for alg in ("PBES2-HS256+A128KW", "PBES2-HS384+A192KW", "PBES2-HS512+A256KW"):
        line = password_line(alg, PASSWORD.encode())
        yield opens(f"alg_{alg}", line.write(), None, ORDER, "1,000 rounds.", password=PASSWORD)
    text = "pässword with spaces "
    line = password_line("PBES2-HS256+A128KW", text.encode(), salt=b"8 bytes!", label="utf8")
    yield opens(
        "password_utf8",
        line.write(),
        None,
        ORDER,
        "A password that is not ASCII and ends in a space; a salt of 8 bytes.",
        password=text,
    )


def private():
    for alg in ["A128CBC-HS256KW", *(f"{enc}KW" for enc in WEAK[:-1]), "MH-KNAPSACK"]:
        yield simple(f"alg_{alg}", Key(alg, "A256GCM"), f"A private algorithm of orderseal: {alg}.")
    for count in (2, 3, 16):
        yield simple(
            f"chain_{count}", Key("A256KW", "A256GCM"), f"A chain of {count} content-encryption keys.", chain=count
        )
    yield simple("chain_dir", Key("dir", "A256GCM"), "The distributed key wraps a content-encryption key.", chain=2)
    blocks = Key("dir", "RSA-OAEP-256-BOUND-BLOCKS", rsa=RSA)
    for name, size in [("empty", 0), ("one", 174), ("two", 175)]:
        text = b"x" * size
        yield simple(f"rsa_blocks_{name}", blocks, f"An order of {size} bytes in RSA blocks.", text)
    typed = {"typed": {"i": 0, "rounds": 600000, "salt": b64(bytes(16))}}
    yield simple(
        "typed",
        Key("A256KW", "A256GCM"),
        "The header tells how the key was made; opening does not need it.",
        header=typed,
    )
    wrapping, wrapped = Key("A256KW", "A256GCM"), compact(Key("dir", "A256GCM").jwk()).encode()
    line = Line(wrapping, wrapped, header={"cty": "jwk+json"}).write()
    comment = "The content is a key: RFC 7517 section 7."
    yield opens("wrapped_key", line, wrapping.bundle(), wrapped, comment, kind="wrapped key")
    tree = Tree(Key("A256KW", "A256GCM"))
    for number, depth in [(0, 0), (42, 31), (0xFFFFFFFF, 20)]:
        line = Line(tree.leaf(number)).write()
        keys = tree.bundle(depth, number >> 32 - depth)
        yield opens(
            f"tree_leaf_{number:08x}",
            line,
            keys,
            ORDER,
            f"The key is derived from a node at depth {depth} of a key tree.",
        )


def headers():
    key = Key("A256KW", "A256GCM")
    keys = key.bundle()
    line = Line(key, label="header")
    for name, header, comment in [
        ("order", '{"kid":"tokyo","enc":"A256GCM","alg":"A256KW"}', "Members in another order."),
        (
            "white_space",
            '{ "alg" :\t"A256KW",\n"enc":"A256GCM", "kid":"tokyo" }\r\n',
            "White space within the header's JSON.",
        ),
        ("escape", '{"alg":"A256KW","enc":"A256GCM","kid":"\\u0074okyo"}', "A name written with an escape."),
        (
            "unknown_member",
            '{"alg":"A256KW","enc":"A256GCM","kid":"tokyo","colour":{"a":[1,2.5e3,null]}}',
            "A member that is not critical is ignored.",
        ),
        (
            "jku",
            '{"alg":"A256KW","enc":"A256GCM","kid":"tokyo","jku":"https://keys.example/","x5u":"https://keys.example/"}',
            "Addresses of keys are ignored.",
        ),
        (
            "cty_typ",
            '{"alg":"A256KW","enc":"A256GCM","kid":"tokyo","typ":"JOSE","cty":"text/plain"}',
            "Types that say nothing here.",
        ),
        ("typ_null", '{"alg":"A256KW","enc":"A256GCM","kid":"tokyo","typ":null,"cty":null}', "null counts as absent."),
        (
            "chain_not_critical",
            '{"alg":"A256KW","enc":"A256GCM","kid":"tokyo","chain":["AAAA"]}',
            "A chain that is not critical is another program's.",
        ),
        (
            "epk_unused",
            '{"alg":"A256KW","enc":"A256GCM","kid":"tokyo","epk":7,"p2c":"x","iv":"AA"}',
            "Members of other algorithms are ignored.",
        ),
    ]:
        yield opens(f"header_{name}", line.under(header), keys, ORDER, comment)
    plain = Line(key, label="plain")
    for name, before, after, comment in [
        ("space_around", " ", " \r", "White space around a line does no harm."),
        ("byte_order_mark", "\ufeff", "", "A byte-order mark before a line does no harm."),
        ("empty_line_before", "\n\n", "", "Empty lines are passed over."),
    ]:
        yield opens(f"form_{name}", before + plain.write() + after, keys, ORDER, comment)
    lone = compact(key.jwk(kid=None))
    line = Line(key, label="nameless", named=False).write()
    yield opens("kid_none", line, lone, ORDER, "Neither the line nor the only key has a name.")
    yield opens(
        "kid_other",
        Line(key, header={"kid": "elsewhere"}).write(),
        lone,
        ORDER,
        "The only key has no name, the line names another.",
    )


def serializations():
    key = Key("A256KW", "A256GCM")
    keys = key.bundle()
    line = Line(key, label="json")
    flat = {"protected": "{h}", "encrypted_key": "{k}", "iv": "{i}", "ciphertext": "{c}", "tag": "{t}"}

    def written(line, form, **options):
        parts = line.parts()
        text = json.dumps(form, **(options or {"separators": (",", ":")}))
        for name, part in parts.items():
            text = text.replace("{" + name + "}", part)
        return text

    yield opens("json_flattened", written(line, flat), keys, ORDER, "The flattened JSON serialization.")
    yield opens("json_pretty", written(line, flat, indent=2), keys, ORDER, "JSON over several lines.")
    general = {name: value for name, value in flat.items() if name != "encrypted_key"}
    one = general | {"recipients": [{"encrypted_key": "{k}"}]}
    yield opens("json_general", written(line, one), keys, ORDER, "The general JSON serialization, with one recipient.")
    other = b64(bytes(40))
    split = Line(key, label="recipients", header={"alg": None, "kid": None})
    two = general | {
        "recipients": [
            {"header": {"alg": "A256KW", "kid": "osaka"}, "encrypted_key": other},
            {"header": {"alg": "A256KW", "kid": "tokyo"}, "encrypted_key": "{k}"},
        ]
    }
    yield opens(
        "json_two_recipients", written(split, two), keys, ORDER, "The second recipient is the one with this key."
    )
    first = two | {"recipients": two["recipients"][1:] + two["recipients"][:1]}
    yield opens(
        "json_first_recipient", written(split, first), keys, ORDER, "The first recipient is the one with this key."
    )
    unprotected = flat | {"unprotected": {"alg": "A256KW", "kid": "tokyo"}}
    yield opens(
        "json_unprotected", written(split, unprotected), keys, ORDER, "Members of the header that no tag covers."
    )
    unknown = flat | {"colour": "green"}
    yield opens("json_unknown_member", written(line, unknown), keys, ORDER, "An unknown member of the JSON.")
    line.seal(f"{line.protected}.{b64(b'paper')}")
    yield opens(
        "json_aad", written(line, flat | {"aad": b64(b"paper")}), keys, ORDER, "Additional data that the tag covers."
    )
    bare = Line(key, label="bare", header={"alg": None, "enc": None, "kid": None})
    bare.protected = ""
    bare.seal(f".{b64(b'paper')}")
    head = {"unprotected": {"alg": "A256KW", "enc": "A256GCM", "kid": "tokyo"}, "aad": b64(b"paper")}
    form = {name: value for name, value in flat.items() if name != "protected"} | head
    yield opens("json_no_protected", written(bare, form), keys, ORDER, "No protected header, but additional data.")
