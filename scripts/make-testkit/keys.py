"""Key files, each with a line that it opens, or that it must not open."""

import base64
import json

from jose import ORDER, P256_ID, RSA_ID, X25519_ID, Key, Line, Tree, b64, compact, der, pem, pkcs1, pkcs8, sec1
from lines import RSA
from vector import Vector

KW = Key("A256KW", "A256GCM")
LINE = Line(KW, label="key files").write()
NAMELESS = Line(KW, label="key files", named=False).write()


def good(name, body, comment, line=LINE, **fields):
    return Vector(name, "key file", "opens", body, comment, ORDER, line=line, **fields)


def bad(name, expect, reason, body, comment, line=LINE, **fields):
    return Vector(name, "key file", expect, body, comment, reason=reason, line=line, **fields)


def vectors():
    yield from jwks()
    yield from encodings()
    yield from wrong_jwks()
    yield from wrong_pairs()
    yield from bundles()


def jwks():
    yield good("jwk", compact(KW.jwk()), "A lone JWK.")
    yield good("jwk_pretty", json.dumps(KW.jwk(), indent=2) + "\r\n", "A JWK over several lines.")
    yield good("jwk_unknown_member", compact(KW.jwk(x5t="AAAA", iat=1700000000)), "Members that are ignored.")
    yield good("jwk_no_alg", compact(KW.jwk(alg=None, use=None)), "A key without alg is used as the line says.")
    yield good("jwk_key_ops", compact(KW.jwk(use=None, key_ops=["wrapKey", "unwrapKey"])), "The key may open.")
    yield good("jwk_nameless", compact(KW.jwk(kid=None)), "The only key, and no name anywhere.", NAMELESS)
    other = Key("A256KW", "A256GCM", label="b", kid="osaka")
    yield good("jwks", compact({"keys": [other.jwk(), KW.jwk()]}), "A JWK Set: the second key has the line's name.")
    signing = {"kty": "OKP", "crv": "Ed25519", "x": b64(bytes(32)), "kid": "signer", "use": "sig"}
    odd = {"kty": "unheard-of", "kid": "odd"}
    yield good(
        "jwks_others_skipped",
        compact({"keys": [signing, odd, KW.jwk()]}),
        "Keys that cannot be used do not affect the others.",
    )
    yield good(
        "jwks_member_beside",
        compact({"keys": [KW.jwk()], "issuer": "https://keys.example/"}),
        "A member of the set that is ignored.",
    )
    both = [KW.jwk(), Key("A128KW", "A256GCM").jwk()]
    yield good("jwks_same_kid", compact({"keys": both}), "Two keys of one name, of which one is for the line's alg.")
    rsa = Key("RSA-OAEP-256", "A256GCM", rsa=RSA)
    line = Line(rsa, label="key files").write()
    yield good("jwk_RSA", compact(rsa.jwk()), "An RSA key with all numbers.", line)
    yield good(
        "jwk_RSA_d_alone", compact(rsa.jwk(p=None, q=None, dp=None, dq=None, qi=None)), "An RSA key with d alone.", line
    )
    yield good(
        "jwk_RSA_leading_zero",
        compact(rsa.jwk(d=b64(b"\0" + rsa.rsa.d.to_bytes(256, "big")))),
        "A leading zero byte in d.",
        line,
    )
    for curve in ("P-256", "X25519"):
        key = Key("ECDH-ES", "A256GCM", curve)
        yield good(f"jwk_{curve}", compact(key.jwk()), f"A key on {curve}.", Line(key, label="key files").write())


def encodings():
    for name, body, comment in [
        ("hex", KW.secret.hex(), "A secret key in hexadecimal."),
        ("hex_colons", KW.secret.hex(":").upper() + "\n", "In hexadecimal with colons."),
        ("base64", base64.b64encode(KW.secret), "In base64, with padding."),
        ("base64url", b64(KW.secret) + "\n", "In base64url."),
        ("raw", KW.secret, "32 bytes, raw."),
    ]:
        yield good(f"secret_{name}", body, comment, NAMELESS)
    rsa = Key("RSA-OAEP-256", "A256GCM", rsa=RSA)
    line = Line(rsa, label="key files", named=False).write()
    yield good("pem_pkcs8_RSA", pem("PRIVATE KEY", pkcs8(RSA_ID, pkcs1(RSA))), "PKCS #8 in PEM.", line)
    yield good("pem_pkcs1_RSA", pem("RSA PRIVATE KEY", pkcs1(RSA)), "PKCS #1 in PEM.", line)
    yield good("der_pkcs8_RSA", pkcs8(RSA_ID, pkcs1(RSA)), "PKCS #8 in DER.", line)
    yield good(
        "pem_text_before", "A key:\n\n" + pem("PRIVATE KEY", pkcs8(RSA_ID, pkcs1(RSA))), "Text before the PEM.", line
    )
    curve = Key("ECDH-ES", "A256GCM", "P-256")
    line = Line(curve, label="key files", named=False).write()
    yield good("pem_sec1_P-256", pem("EC PRIVATE KEY", sec1(curve.pair)), "SEC 1 in PEM.", line)
    ec_id = bytes.fromhex("06072a8648ce3d0201")
    yield good(
        "pem_pkcs8_P-256",
        pem("PRIVATE KEY", pkcs8((ec_id, P256_ID), sec1(curve.pair))),
        "A key on P-256 as PKCS #8.",
        line,
    )
    curve = Key("ECDH-ES", "A256GCM", "X25519")
    line = Line(curve, label="key files", named=False).write()
    body = pem("PRIVATE KEY", pkcs8(X25519_ID, der(4, curve.pair.secret)))
    yield good("pem_pkcs8_X25519", body, "A key on X25519 as PKCS #8.", line)
    yield bad("pem_cut_off", "malformed", "pem", body[: len(body) // 2], "PEM that is cut off.", line)
    spki = pem("PUBLIC KEY", der(0x30, der(0x30, *X25519_ID), der(3, b"\0" + curve.pair.x)))
    yield bad("pem_public", "key refused", "wrong key", spki, "A public key opens nothing.", line)
    yield bad("der_cut_off", "malformed", "der", pkcs8(RSA_ID, pkcs1(RSA))[:-10], "DER that is cut off.", line)


def wrong_jwks():
    text = compact(KW.jwk())
    for name, expect, reason, body, comment in [
        ("empty", "malformed", "json", "", "An empty file."),
        ("array", "malformed", "json", f"[{text}]", "An array of keys."),
        ("byte_order_mark", "malformed", "json", "\ufeff" + text, "A byte-order mark before the JSON."),
        ("trailing", "malformed", "json", text + "}", "Text after the JSON."),
        ("comma", "malformed", "json", text[:-1] + ",}", "A comma before the brace."),
        ("duplicate", "malformed", "duplicate member", text[:-1] + ',"kid":"tokyo"}', "kid twice."),
        (
            "duplicate_escaped",
            "malformed",
            "duplicate member",
            text[:-1] + ',"\\u006b":"AAAA"}',
            "k twice, once with an escape.",
        ),
        ("no_kty", "malformed", "missing member", compact(KW.jwk(kty=None)), "No kty."),
        ("no_k", "malformed", "missing member", compact(KW.jwk(k=None)), "No k."),
        ("k_padding", "malformed", "base64url", compact(KW.jwk(k=b64(KW.secret) + "=")), "Padding in k."),
        ("k_alphabet", "malformed", "base64url", compact(KW.jwk(k="+" * 43)), "Base64, not base64url."),
        ("k_number", "malformed", "type of a member", compact(KW.jwk(k=7)), "k is a number."),
        (
            "k_short",
            "malformed",
            "length of a key",
            compact(KW.jwk(k=b64(KW.secret[:16]))),
            "16 bytes under the name A256KW.",
        ),
        ("k_empty", "malformed", "base64url", compact(KW.jwk(k="")), "No bytes."),
        (
            "kty_unknown",
            "key refused",
            "unknown key type",
            compact(KW.jwk(kty="unheard-of")),
            "A type that nobody has.",
        ),
        ("alg_unknown", "key refused", "unknown alg", compact(KW.jwk(alg="A512KW")), "An alg that nobody has."),
        ("alg_signature", "key refused", "unknown alg", compact(KW.jwk(alg="HS256")), "A key for signatures."),
        (
            "key_ops_twice",
            "malformed",
            "key_ops",
            compact(KW.jwk(use=None, key_ops=["unwrapKey", "unwrapKey"])),
            "An operation twice.",
        ),
        (
            "key_ops_verify",
            "key refused",
            "key_ops",
            compact(KW.jwk(use=None, key_ops=["verify"])),
            "A key for signatures.",
        ),
        ("kid_long", "malformed", "length of a member", compact(KW.jwk(kid="k" * 1025)), "kid has 1,025 bytes."),
    ]:
        yield bad(f"jwk_{name}", expect, reason, body, comment)
    yield bad("jwks_empty", "key refused", "wrong key", '{"keys":[]}', "A set without keys.")
    yield bad("jwks_keys_object", "malformed", "type of a member", compact({"keys": KW.jwk()}), "keys is an object.")
    twice = [KW.jwk(), Key("A256KW", "A256GCM", label="b").jwk()]
    yield bad(
        "jwks_same_kid_and_alg",
        "malformed",
        "duplicate kid",
        compact({"keys": twice}),
        "Two keys of one name for one alg.",
    )
    yield bad("jwks_sealed_line", "malformed", "json", LINE + "\n", "A sealed line instead of a key file.")


def wrong_pairs():
    rsa = Key("RSA-OAEP-256", "A256GCM", rsa=RSA)
    line = Line(rsa, label="key files").write()
    n, d, p = RSA.n, RSA.d, RSA.p

    def number(value):
        return b64(value.to_bytes(-(-value.bit_length() // 8), "big"))

    for name, expect, reason, changes, comment in [
        ("n_even", "key refused", "contradiction", {"n": number(n - 1)}, "n is even."),
        ("d_other", "key refused", "contradiction", {"d": number(d ^ 2)}, "d is not the inverse of e."),
        ("p_other", "key refused", "contradiction", {"p": number(p + 2)}, "p times q is not n."),
        (
            "dp_other",
            "key refused",
            "contradiction",
            {"dp": number(d % (p - 1) ^ 2)},
            "dp does not belong to d: a result would reveal the primes.",
        ),
        ("qi_other", "key refused", "contradiction", {"qi": number(3)}, "qi is not the inverse of q."),
        ("e_even", "key refused", "contradiction", {"e": "AAAC"}, "e is even."),
        ("q_missing", "malformed", "missing member", {"q": None}, "p without q."),
        ("qi_missing", "malformed", "missing member", {"qi": None}, "dp and dq without qi."),
        (
            "oth",
            "malformed",
            "unsupported member",
            {"oth": [{"r": "Aw", "d": "Aw", "t": "Aw"}]},
            "More than two primes.",
        ),
    ]:
        yield bad(f"jwk_RSA_{name}", expect, reason, compact(rsa.jwk(**changes)), comment, line)
    curve = Key("ECDH-ES", "A256GCM", "P-256")
    line = Line(curve, label="key files").write()
    y = bytearray(curve.pair.y)
    y[-1] ^= 1
    other = Key("ECDH-ES", "A256GCM", "P-256", label="other")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    for name, expect, reason, changes, comment in [
        ("off_curve", "key refused", "contradiction", {"y": b64(bytes(y))}, "The point is not on the curve."),
        ("d_other", "key refused", "contradiction", {"d": b64(other.pair.secret)}, "d belongs to another point."),
        ("d_zero", "key refused", "contradiction", {"d": b64(bytes(32))}, "d is zero."),
        (
            "d_order",
            "key refused",
            "contradiction",
            {"d": b64(order.to_bytes(32, "big"))},
            "d is the order of the curve.",
        ),
        ("no_y", "malformed", "missing member", {"y": None}, "No y."),
        ("curve_unknown", "key refused", "unknown curve", {"crv": "secp256k1"}, "A curve that is not supported."),
    ]:
        yield bad(f"jwk_P-256_{name}", expect, reason, compact(curve.jwk(**changes)), comment, line)
    curve = Key("ECDH-ES", "A256GCM", "X25519")
    line = Line(curve, label="key files").write()
    yield bad(
        "jwk_X25519_zero",
        "key refused",
        "contradiction",
        compact(curve.jwk(x=b64(bytes(32)))),
        "A point that makes every shared secret zero.",
        line,
    )
    yield good(
        "jwk_X25519_y", compact(curve.jwk(y=b64(bytes(32)))), "A member of other curves, which is ignored.", line
    )


def bundles():
    text = json.loads(KW.bundle())

    def changed(*path, value):
        bundle = json.loads(KW.bundle())
        place = bundle
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = value
        return compact(bundle)

    yield good("bundle", compact(text), "A shop's bundle.")
    program = {"steps": ["unwrap", "open"]}
    yield good("bundle_program", changed("orderseal", "program", value=program), "A bundle with a program.")
    yield good("bundle_unknown_member", changed("orderseal", "colour", value="green"), "A member that is ignored.")
    tree = Tree(KW)
    leaf = Line(tree.leaf(42), label="key files").write()
    yield good("bundle_tree", tree.bundle(31, 21), "A bundle with a node of a key tree.", leaf)
    for name, expect, reason, body, comment in [
        ("version", "malformed", "version", changed("orderseal", "version", value=99), "A version of the future."),
        ("client", "key refused", "role", KW.bundle(role="client"), "A client's file opens nothing."),
        ("role", "malformed", "role", KW.bundle(role="bank"), "A role that nobody has."),
        (
            "two_shops",
            "malformed",
            "contradiction",
            changed("orderseal", "shops", "osaka", value=text["orderseal"]["shops"]["tokyo"]),
            "A shop's file with two shops.",
        ),
        ("other_shop", "malformed", "contradiction", KW.bundle(shop="osaka"), "The key belongs to another shop."),
        (
            "alg_of_key",
            "malformed",
            "contradiction",
            changed("keys", 0, "alg", value="A256GCMKW"),
            "The key is for another alg than the shop.",
        ),
        (
            "no_kid",
            "malformed",
            "missing member",
            compact({"keys": [KW.jwk(kid=None)], "orderseal": text["orderseal"]}),
            "A key without a name.",
        ),
        ("kid_twice", "malformed", "duplicate kid", KW.bundle(KW), "A key twice."),
        (
            "kid_form",
            "malformed",
            "name",
            compact({"keys": [KW.jwk(kid="../tokyo")], "orderseal": text["orderseal"]}),
            "A name that could be a path.",
        ),
        (
            "scheme",
            "malformed",
            "contradiction",
            changed("orderseal", "shops", "tokyo", "scheme", "content", value="direct"),
            "A direct scheme with an alg that wraps.",
        ),
        (
            "alg_unknown",
            "key refused",
            "unknown alg",
            changed("orderseal", "shops", "tokyo", "alg", value="A512KW"),
            "An alg that nobody has.",
        ),
        (
            "program_steps",
            "malformed",
            "program",
            changed("orderseal", "program", value={"steps": ["open", "unwrap"]}),
            "Steps that no program has.",
        ),
        (
            "public",
            "malformed",
            "contradiction",
            Key("RSA-OAEP-256", "A256GCM", rsa=RSA).bundle(private=False),
            "A shop's file with a public key.",
        ),
        (
            "tree_version",
            "malformed",
            "version",
            tree.bundle(31, 21).replace('"version":2', '"version":1'),
            "A tree in version 1.",
        ),
        (
            "tree_overlap",
            "malformed",
            "tree",
            tree.bundle(31, 21).replace('"nodes":[', '"nodes":[{"depth":0,"index":0,"k":"%s"},' % b64(bytes(32))),
            "Nodes that overlap.",
        ),
        (
            "tree_index",
            "malformed",
            "tree",
            tree.bundle(31, 21).replace('"depth":31', '"depth":4'),
            "A node that does not exist.",
        ),
    ]:
        yield bad(f"bundle_{name}", expect, reason, body, comment, leaf if name.startswith("tree") else LINE)
