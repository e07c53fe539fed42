"""Changes lines: bytes of finished ones, members of headers before they are authenticated, and members of JSON forms.

Each function takes a source of random numbers and returns the changed line with the name of the change.
"""

import base64
import json
import zlib

import compose

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
TEXTS = ["", "x", "\u0000", "é", "A256KW", "dir"]
VALUES = [None, True, False, 0, 1, -1, 1.5, 1e300, 2**70, [], ["x"], {}, {"a": 1}, [[]], *TEXTS]
NAMES = [
    *"alg enc kid zip crit typ cty jku jwk x5c x5t x5u iv tag epk apu apv p2s p2c".split(),
    *"chain typed b64 exp foo ALG é skid iss".split(),
    "",
]
CRITS = [[], [""], [1], ["foo", "foo"], "exp", None, {}, True]
CRITS += [[name] for name in "exp b64 alg kid chain foo zip crit".split()]
ALGS = [
    *"dir A256KW A192KW A128KW A256GCMKW A128GCMKW RSA-OAEP RSA-OAEP-256 RSA1_5 ECDH-ES ECDH-ES+A256KW".split(),
    *"ECDH-ES+A128KW PBES2-HS256+A128KW PBES2-HS512+A256KW none a256kw HS256 A256GCM".split(),
    "A256KW ",
    *compose.ENCS,
]
ZIPS = ["DEF", "def", "", None, "GZIP", 1]


def decoded(segment):
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def segment_change(rng, segment):
    """Changes the text of one segment."""
    kind = rng.choice("pad last plus insert drop cut bit bit bit short long empty double newlines reverse".split())
    if kind == "pad":
        return kind, segment + "=" * rng.choice([1, 2, 3, -len(segment) % 4 or 4])
    if kind == "last" and segment:  # another last character: not canonical, or another value
        value = ALPHABET.find(segment[-1])
        return kind, segment[:-1] + (ALPHABET[value ^ rng.choice([1, 2, 3, 4, 8])] if value >= 0 else "")
    if kind == "plus":
        return kind, segment.replace("-", "+").replace("_", "/")
    if kind == "insert":
        at = rng.randrange(len(segment) + 1)
        return (
            kind,
            segment[:at]
            + rng.choice([" ", "\t", "\r", "=", "+", "/", "é", "\u00a0", "\u0000", "~", ":", "\ufeff", "A", "-"])
            + segment[at:],
        )
    if kind == "drop" and segment:
        at = rng.randrange(len(segment))
        return kind, segment[:at] + segment[at + 1 :]
    if kind == "cut":
        return kind, segment[: rng.randrange(len(segment) + 1)]
    data = bytearray(decoded(segment)) if all(c in ALPHABET for c in segment) and len(segment) % 4 != 1 else bytearray()
    if kind == "bit" and data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind == "short":
        data = data[: -rng.choice([1, 2, 4, 8, 16])] if rng.random() < 0.5 else data[rng.choice([1, 8]) :]
    elif kind == "long":
        more = bytes(rng.choice([1, 4, 8, 16])) if rng.random() < 0.5 else rng.randbytes(rng.choice([1, 8, 16]))
        data = data + more if rng.random() < 0.5 else more + data
    elif kind == "empty":
        data = b""
    elif kind == "double":
        data = data + data
    elif kind == "newlines":
        return kind, "\r".join(segment[i : i + 64] for i in range(0, len(segment), 64))
    elif kind == "reverse":
        data = data[::-1]
    return kind, compose.b64(bytes(data))


def compact(rng, segments):
    """Changes a finished compact line."""
    segments = list(segments)
    kind = rng.choice(["segment"] * 8 + ["swap", "missing", "more", "dots", "around", "case", "twice"])
    name = kind
    if kind == "segment":
        at = rng.randrange(5)
        what, segments[at] = segment_change(rng, segments[at])
        name = f"{('header', 'key', 'iv', 'ciphertext', 'tag')[at]} {what}"
    elif kind == "swap":
        a, b = rng.sample(range(5), 2)
        segments[a], segments[b] = segments[b], segments[a]
    elif kind == "missing":
        del segments[rng.randrange(5)]
    elif kind == "more":
        segments.insert(rng.randrange(6), rng.choice(["", "AAAA", segments[rng.randrange(5)]]))
    elif kind == "dots":
        return kind, ".".join(segments).replace(".", rng.choice(["..", ". ", " .", ",", ""]), rng.choice([1, 4]))
    elif kind == "around":
        before, after = rng.choice(["", " ", "\t", "\ufeff", "\u00a0", '"', "Bearer "]), rng.choice(
            ["", " ", "\r", "=", '"', ".", "\u0000", "\u3000"]
        )
        return kind, before + ".".join(segments) + after
    elif kind == "case":
        at = rng.randrange(5)
        segments[at] = segments[at].swapcase()
    elif kind == "twice":
        return kind, ".".join(segments) + " " + ".".join(segments)
    return name, ".".join(segments)


def member_change(rng, members, parts):
    """Changes one member of a header, or a member of its `epk`."""
    kind = rng.choice("set set remove known crit zip alg enc cty nested text number".split())
    if kind == "set":
        name = rng.choice(NAMES)
        members[name] = rng.choice(VALUES)
        return f"set {name}"
    if kind in ("remove", "known") and members:
        name = rng.choice(list(members))
        if kind == "remove":
            del members[name]
        else:
            members[name] = rng.choice(VALUES)
        return f"{kind} {name}"
    if kind == "crit":
        members["crit"] = rng.choice(CRITS)
    elif kind == "zip":
        members["zip"] = rng.choice(ZIPS)
        if rng.random() < 0.7:
            parts.text = zlib.compress(parts.text)[2:-4]
    elif kind == "alg":
        members["alg"] = rng.choice(ALGS)
    elif kind == "enc":
        members["enc"] = rng.choice(ALGS)
    elif kind == "cty":
        members["cty"] = rng.choice(["JWT", "jwk+json", "application/jwk+json", "JWK+JSON", 5, None, ["jwk+json"], ""])
    elif kind == "nested" and isinstance(members.get("epk"), dict):
        epk = members["epk"]
        name = rng.choice("kty crv x y d alg use key_ops kid ext".split())
        how = rng.choice("remove value value zero strip pad flip crv".split())
        text = next((epk[found] for found in (name, "x") if isinstance(epk.get(found), str)), "")
        if how == "remove":
            epk.pop(name, None)
        elif how == "value":
            epk[name] = rng.choice(
                [*VALUES, "EC", "OKP", "P-256", "P-384", "X25519", "sig", "enc", ["sign"], "ES256", "AA"]
            )
        elif how == "zero":
            epk[name] = (
                compose.b64(bytes(len(decoded(text)))) if set(text) <= set(ALPHABET) and len(text) % 4 != 1 else ""
            )
        elif how == "strip" and set(text) <= set(ALPHABET) and len(text) % 4 != 1:
            epk[name] = (
                compose.b64(decoded(text).lstrip(b"\0")) if rng.random() < 0.5 else compose.b64(b"\0" + decoded(text))
            )
        elif how == "pad":
            epk[name] = text + "="
        elif how == "flip":
            _, epk[name] = segment_change(rng, text)
        else:
            epk["crv"] = rng.choice(["P-256", "P-384", "P-521", "X25519", "secp256k1", "X448", "Ed25519"])
        return f"epk {how} {name}"
    elif kind == "text":
        found = [
            name
            for name, value in members.items()
            if isinstance(value, str) and name in ("iv", "tag", "apu", "apv", "p2s")
        ]
        if found:
            name = rng.choice(found)
            what, members[name] = segment_change(rng, members[name])
            return f"{name} {what}"
    elif kind == "number" and "p2c" in members:
        members["p2c"] = rng.choice([0, -1, 1, 999, 1000.0, 1e3, "1000", 2**31, 2**63, 2**64, True, [1000], 1000.5])
        return "p2c"
    return kind


def header_text(rng, members):
    """Writes a header in an unusual way."""
    text = json.dumps(members, separators=(",", ":"))
    kind = rng.choice(
        "spaces indent escape duplicate duplicate_name bom after before nan big deep not_utf-8 surrogate quote top comma comment control exponent ascii nul long case".split()
    )
    if kind == "spaces":
        return kind, json.dumps(members, separators=(" , ", " : "))
    if kind == "indent":
        return kind, json.dumps(members, indent=rng.choice([1, 4, "\t"])).replace(
            "\n", rng.choice(["\n", "\r", "\r\n"])
        )
    if kind == "escape":
        return kind, text.replace('"alg"', '"\\u0061lg"').replace(
            '"enc"', rng.choice(['"\\u0065nc"', '"enc"', '"en\\u0063"'])
        )
    if kind == "duplicate":
        return kind, text[:-1] + "," + text[1:]
    if kind == "duplicate_name":
        name = rng.choice(list(members) or ["alg"])
        value = json.dumps(rng.choice([members.get(name), *VALUES]))
        other = rng.choice([f'"{name}"', f'"\\u{ord(name[0]):04x}{name[1:]}"' if name else '""'])
        return kind, rng.choice([text[:-1] + f",{other}:{value}}}", f"{{{other}:{value}," + text[1:]])
    if kind == "bom":
        return kind, "\ufeff" + text
    if kind == "after":
        return kind, text + rng.choice([" ", "\n", "\t", "\u0000", "x", "}", "{}", ",", "\u00a0", "\x0b"])
    if kind == "before":
        return kind, rng.choice([" ", "\n", "\t", "\r", "\u00a0", "\x0b", "\u0000"]) + text
    if kind == "nan":
        return kind, text[:-1] + rng.choice(
            [
                ',"a":NaN}',
                ',"a":Infinity}',
                ',"a":-Infinity}',
                ',"a":01}',
                ',"a":.5}',
                ',"a":1.}',
                ',"a":+1}',
                ',"a":-0}',
                ',"a":0x1}',
            ]
        )
    if kind == "big":
        return (
            kind,
            text[:-1]
            + ',"a":'
            + rng.choice(["9" * 400, "1e999", "-1e999", "1e-999", "9" * 5000, "0." + "9" * 400])
            + "}",
        )
    if kind == "deep":
        depth = rng.choice([10, 100, 127, 128, 129, 500, 900, 5000])
        return kind, text[:-1] + ',"a":' + "[" * depth + "]" * depth + "}"
    if kind == "not_utf-8":
        return (
            kind,
            text[:-1].encode()
            + b',"a":"'
            + rng.choice([b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82"])
            + b'"}',
        )
    if kind == "surrogate":
        return (
            kind,
            text[:-1]
            + ',"a":"'
            + rng.choice(
                ["\\ud800", "\\udc00", "\\ud83d\\ude00", "\\ud83dx", "\\uD800\\uD800", "\\u0000", "\\x", "\\u12"]
            )
            + '"}',
        )
    if kind == "quote":
        return kind, text.replace('"', "'")
    if kind == "top":
        return kind, rng.choice([f"[{text}]", f'"{len(text)}"', "null", "{}", "", "1", "true", text + text])
    if kind == "comma":
        return kind, rng.choice([text[:-1] + ",}", "{," + text[1:], text.replace(",", ",,", 1), text[:-1]])
    if kind == "comment":
        return kind, rng.choice([text + "//x", "/*x*/" + text, text[:-1] + "/**/}"])
    if kind == "control":
        return kind, text[:-1] + ',"a":"' + rng.choice(["\t", "\n", "\x01", "\x7f", "\x1f"]) + '"}'
    if kind == "exponent":
        return kind, text[:-1] + rng.choice([',"a":1e3}', ',"a":1E+3}', ',"a":1e}', ',"p2c":1e3}'])
    if kind == "nul":
        return kind, text.replace('"alg"', '"alg\\u0000"')
    if kind == "long":
        return kind, text[:-1] + ',"a":"' + "x" * rng.choice([1000, 60_000, 65_536, 70_000]) + '"}'
    if kind == "case":
        return kind, rng.choice([text.replace('"alg"', '"Alg"'), text.replace('"enc"', '"ENC"')])
    return kind, json.dumps(members | {"é": "é"}, ensure_ascii=rng.random() < 0.5)


def object_change(rng, token):
    """Changes a member of a JSON serialization."""
    names = ["protected", "unprotected", "header", "encrypted_key", "iv", "ciphertext", "tag", "aad", "recipients"]
    kind = rng.choice("remove value segment segment both recipients header extra aad".split())
    if kind == "remove" and token:
        name = rng.choice(list(token))
        del token[name]
        return f"object remove {name}"
    if kind == "value":
        name = rng.choice(names)
        token[name] = rng.choice(VALUES)
        return f"object value {name}"
    if kind == "segment":
        name = rng.choice([name for name in token if isinstance(token[name], str)] or ["tag"])
        what, token[name] = segment_change(rng, token.get(name, ""))
        return f"object {name} {what}"
    if kind == "both":
        token[rng.choice(["header", "unprotected"])] = {rng.choice(NAMES): rng.choice([*VALUES, *ALGS])}
    elif kind == "recipients":
        one = {name: token.pop(name) for name in ("header", "encrypted_key") if name in token}
        other = rng.choice(
            [
                {},
                {"encrypted_key": "AAAA"},
                {"header": {"alg": "RSA1_5"}, "encrypted_key": "AAAA"},
                {"header": {"alg": "dir"}},
                None,
                5,
                "x",
                one,
            ]
        )
        token["recipients"] = rng.choice(
            [[one], [other, one], [one, other], [other], [], one, [one] * 65, [other] * 3 + [one]]
        )
        if rng.random() < 0.2:
            token.update(one)
    elif kind == "header":
        name = rng.choice(["header", "unprotected"])
        found = token.get(name)
        token[name] = (found if isinstance(found, dict) else {}) | {"crit": rng.choice(CRITS)}
    elif kind == "extra":
        token[rng.choice(["foo", "payload", "signatures", "cek", "", "Protected", "typ"])] = rng.choice(VALUES)
    elif kind == "aad":
        token["aad"] = rng.choice(["", "AA", "AB", "A", "AA==", "é", None, 1])
    return f"object {kind}"
