"""Transcripts: what passes between service, client and shop in each embodiment, a message a line."""

import json

from jose import ORDER, Key, Line, Tree, compact
from lines import RSA
from public import Stream
from vector import Vector

ORDERS = [ORDER, b"", "緑茶 100 g".encode()]
EMBODIMENTS = [
    (1, "dir", "A256GCM", "shop"),
    (2, "A256KW", "A256GCM", "shop"),
    (3, "dir", "A128CBC-HS256", "transaction"),
    (4, "A256KW", "A256GCM", "transaction"),
    (5, "dir", "RSA-OAEP-256-BOUND-BLOCKS", "transaction"),
    (6, "ECDH-ES+A256KW", "A256GCM", "transaction"),
]


def message(sender, receiver, what, content):
    return json.dumps({"from": sender, "to": receiver, "what": what, "content": content}, ensure_ascii=False) + "\n"


def transcript(shop, client, sealed):
    return (
        message("service", "shop", "bundle", shop)
        + message("service", "client", "bundle", client)
        + message("client", "shop", "sealed orders", "".join(f"{line}\n" for line in sealed))
    )


def program(role, direct, erase=False):
    steps = {
        "client": ["seal", "send"] if direct else ["generate", "seal", "wrap", "send"],
        "shop": ["open"] if direct else ["unwrap", "open"],
    }
    extra = {"run": "automatic"} if role == "client" else {}
    return extra | {"steps": steps[role] + (["erase"] if erase else [])} | ({"erase": "all"} if erase else {})


def bundle(role, keys, scope, **members):
    private = role == "shop"
    text = json.loads(keys[0].bundle(*keys[1:], role=role, scope=scope, private=private, **members))
    text["orderseal"]["program"] = program(role, keys[0].alg == "dir")
    return compact(text)


def vectors():
    payload = b"".join(order + b"\n" for order in ORDERS)
    for number, alg, enc, scope in EMBODIMENTS:
        source = Stream(f"ids {number}")
        kids = ["tokyo"] if scope == "shop" else [f"tokyo/{source.take(8).hex()}" for _ in range(5)]
        keys = [Key(alg, enc, kid=kid, label=kid, rsa=RSA) for kid in kids]
        sealed = [Line(keys[at % len(keys)], order, f"flow {number} {at}").write() for at, order in enumerate(ORDERS)]
        spent = {"spent": [kid.split("/")[1] for kid in kids[:3]]} if scope == "transaction" else {}
        budget = {"budget": {"tokyo": 1000}} if number == 1 else {}
        body = transcript(bundle("shop", keys, scope), bundle("client", keys, scope, **spent, **budget), sealed)
        yield Vector(
            f"flow_{number}",
            "transcript",
            "opens",
            body,
            f"Embodiment {number}: {alg}, {enc}. The client has sealed three orders, and can seal more.",
            payload,
        )
    tree = Tree(Key("A256KW", "A256GCM"), "flow tree")
    sealed = [Line(tree.leaf(at), order, f"flow tree {at}").write() for at, order in enumerate(ORDERS)]
    shop, client = (json.loads(tree.bundle(depth, index)) for depth, index in [(20, 0), (30, 1)])
    for role, text in [("shop", shop), ("client", client)]:
        text["orderseal"] |= {"role": role, "program": program(role, False)}
    state = client["orderseal"]["shops"]["tokyo"]["trees"][tree.name]
    state["ids"], state["reserved"] = [[0, 8]], [[0, 4]]
    body = transcript(compact(shop), compact(client), sealed)
    yield Vector(
        "flow_tree",
        "transcript",
        "opens",
        body,
        "Embodiment 4 with a derived pool: the client has four ids left of eight.",
        payload,
    )
    key = Key("A256KW", "A256GCM", kid="tokyo/alice")
    sealed = [Line(key, order, f"flow user {at}").write() for at, order in enumerate(ORDERS)]
    body = transcript(
        bundle("shop", [key], "transaction", users=["alice"]),
        bundle("client", [key], "transaction", users=["alice"]),
        sealed,
    )
    yield Vector("flow_user", "transcript", "opens", body, "A user seals all orders under one id.", payload)
