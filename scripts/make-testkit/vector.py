"""A vector: a header that says what is expected, an empty line, and the bytes."""

import hashlib

# What is expected, and the exit code of orderseal.
EXITS = {"opens": 0, "malformed": 3, "key refused": 4, "not authentic": 5, "used": 7}


class Vector:
    def __init__(self, name, kind, expect, body, comment, payload=None, reason=None, **fields):
        self.name, self.body = name, body.encode() if isinstance(body, str) else body
        self.fields = [("kind", kind), ("expect", expect)]
        if expect == "opens":
            self.fields.append(("payload", hashlib.sha256(payload).hexdigest()))
        else:
            self.fields.append(("reason", reason))
        self.fields.append(("exit", str(EXITS[expect])))
        for field, value in fields.items():
            values = value if isinstance(value, list) else [value]
            self.fields += [(field, str(one)) for one in values if one]
        self.fields.append(("comment", comment))

    def write(self):
        for field, value in self.fields:
            assert value and "\n" not in value, (self.name, field, value)
        head = "".join(f"{field}: {value}\n" for field, value in self.fields)
        return head.encode() + b"\n" + self.body


def opens(name, line, keys, payload, comment, **fields):
    return Vector(name, fields.pop("kind", "line"), "opens", line + "\n", comment, payload, keys=keys, **fields)


def fails(name, expect, reason, line, keys, comment, **fields):
    return Vector(name, fields.pop("kind", "line"), expect, line + "\n", comment, reason=reason, keys=keys, **fields)
