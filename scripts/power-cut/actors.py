"""Who works on the disk: each has a folder, makes its files before the recording, runs one command after the other,
and says afterwards what of it must be there after a power cut."""

import json
import os
import re

from program import decoded, header, require, whole

ORDERS = b"".join(b'{"order":%d,"item":"tea"}\n' % number for number in range(5))


def orders(count):
    return b"".join(ORDERS.splitlines(keepends=True)[:count])


class Actor:
    """What all have in common."""

    # Files that may be there: their names after the next command on each has run.
    names: tuple[str, ...] = ()

    def __init__(self):
        self.begin()

    def begin(self):
        """Begins a round, of which nothing is known yet."""
        self.runs = []

    def prepare(self, program, outside):
        """Makes the files that the work begins with. `outside` is a program in a folder that is not on the disk."""

    def step(self, program, random):
        """Runs one command."""

    def check(self, program, cut, image, random):
        """Looks at the disk after a cut: `program` is in the folder on it, `image` is its raw content."""

    def done(self, cut, kind):
        return [run for run in self.runs if run.what[0] == kind and run.done(cut)]

    def begun(self, cut, kind):
        return [run for run in self.runs if run.what[0] == kind and run.begun(cut)]

    def count(self, kind):
        return sum(run.what[0] == kind for run in self.runs)

    def outputs(self, program, cut, read):
        """Each output in a file is whole or absent, and there if its command had said so."""
        for run in self.begun(cut, "file"):
            name = run.what[1]
            if program.exists(name):
                yield from read(program.read(name), run)
            else:
                require(not run.done(cut), f"{name} was written and is lost")

    def nothing_else(self, program):
        """Only the files that are named, and locks, which are empty."""
        for name in sorted(os.listdir(program.folder)):
            known = any(re.fullmatch(known, name) for known in self.names)
            lock = name.endswith(".orderseal-users") and not program.read(name)
            require(known or lock, f"{name} was left behind")


class Service(Actor):
    """A keyring that gets shops and users, and hands out ids of a listed and of a derived pool."""

    names = (r"service\.jwks", r"(bundle|half)-\d+\.jwks", r"check-\w+\.jwks")
    POOLS = {"tokyo": 600, "osaka": 100_000}

    def prepare(self, program, outside):
        program.ok(f"keygen --embodiment 4 --shop tokyo --orders {self.POOLS['tokyo']} -o service.jwks")
        derived = f"--shop osaka --pool derived --orders {self.POOLS['osaka']}"
        program.ok(f"keygen --embodiment 4 {derived} --into service.jwks")

    def step(self, program, random):
        number, shop = len(self.runs), random.choice(list(self.POOLS))
        kind = random.choice(["shop", "admit", "revoke", "skip", "bundle", "bundle", "file", "file", "return"])
        gone = {run.what[1] for run in self.runs if run.what[0] in ("revoke", "return")}
        users = [run.what[1] for run in self.runs if run.what[0] == "admit" and run.what[1] not in gone]
        files = [run.what[1] for run in self.runs if run.what[0] == "file" and run.what[1] not in gone]
        hand_out = f"bundle client --keyring service.jwks --shop {shop} --orders 2"
        if kind == "revoke" and users:
            user = random.choice(users)
            (key,) = (key["k"] for key in program.json("service.jwks")["keys"] if key["kid"] == f"tokyo/{user}")
            what, line = (kind, user, key.encode()), f"keys revoke {user} --shop tokyo service.jwks"
        elif kind == "return" and files:
            name = random.choice(files)
            what, line = (kind, name), f"erase --return-to service.jwks {name}"
        elif kind == "shop":
            name = f"shop-{number}"
            what, line = (kind, name), f"keygen --embodiment 4 --shop {name} --orders 2 --into service.jwks"
        elif kind == "skip":
            what, line = (kind, shop), f"keys skip --orders 2 --shop {shop} service.jwks"
        elif kind == "bundle":
            what, line = (kind, shop), hand_out
        elif kind == "file":
            name, half = f"bundle-{number}.jwks", f"half-{number}.jwks"
            what, line = (kind, name, half), f"{hand_out} --shop-out {half} -o {name}"
        else:
            what, line = ("admit", f"user-{number}"), f"keys admit user-{number} --shop tokyo service.jwks"
        self.runs.append(program.record(what, line))

    def check(self, program, cut, image, random):
        program.inspect("service.jwks")
        keyring = program.json("service.jwks")
        self.check_shops_and_users(keyring, cut, image)
        given = list(self.given(program, cut))
        for shop, count in self.POOLS.items():
            used = sum(kid.startswith(shop + "/") for kid in given)
            used += 2 * sum(run.what[1] == shop for run in self.done(cut, "skip"))
            unused = program.inspect("service.jwks")["shops"][shop]["unused"]
            require(unused <= count - used, f"{unused} ids of {shop} are unused, although {used} of {count} are gone")
            program.ok(f"bundle client --keyring service.jwks --shop {shop} --orders 3 -o check-{shop}.jwks")
            given += ids_of(program.json(f"check-{shop}.jwks"))
        all_differ(given, "handed out twice")
        program.ok("keygen --embodiment 4 --shop last --orders 1 --into service.jwks")
        self.nothing_else(program)

    def check_shops_and_users(self, keyring, cut, image):
        kids = [key["kid"] for key in keyring["keys"]]
        tokyo = keyring["orderseal"]["shops"]["tokyo"]
        for run in self.done(cut, "shop"):
            name = run.what[1]
            require(sum(kid.startswith(name + "/") for kid in kids) == 2, f"the keys of {name} are lost")
        perhaps_revoked = {run.what[1] for run in self.begun(cut, "revoke")}
        for run in self.done(cut, "admit"):
            name = run.what[1]
            if name not in perhaps_revoked:
                require(name in tokyo.get("users", []) and f"tokyo/{name}" in kids, f"{name} was admitted and is lost")
        for run in self.done(cut, "revoke"):
            _, name, key = run.what
            require(name in tokyo["revoked"] and f"tokyo/{name}" not in kids, f"{name} was revoked and is back")
        for run in self.done(cut, "revoke")[-4:]:
            require(run.what[2] not in image, f"{run.what[1]} was revoked, and the key is on the disk")

    def given(self, program, cut):
        """Ids that were handed out: into pipes before the cut, and in files that are there."""
        for run in self.begun(cut, "bundle"):
            text = b"".join(run.left_before(cut))
            if text.endswith(b"}}\n"):
                yield from ids_of(json.loads(text))
        perhaps_returned = {run.what[1] for run in self.begun(cut, "return")}
        returned = {run.what[1] for run in self.done(cut, "return")}
        for run in self.begun(cut, "file"):
            _, name, half = run.what
            if program.exists(name):
                require(name not in returned, f"{name} was returned and is back")
                ids = list(ids_of(program.json(name)))
                require(ids == list(ids_of(program.json(half))), f"{half} does not belong to {name}")
                yield from ids
            else:
                require(name in perhaps_returned or not run.done(cut), f"{name} was written and is lost")
                program.code(f"erase {name}")


def ids_of(bundle):
    """The ids of a client's bundle, listed and derived."""
    for key in bundle["keys"]:
        yield key["kid"]
    for shop, members in bundle["orderseal"]["shops"].items():
        for tree, state in members.get("trees", {}).items():
            for first, end in state["ids"]:
                yield from (f"{shop}/{tree}.{leaf:08x}" for leaf in range(first, end))


def kids(sealed, lines, name):
    """The ids in a complete sealed output."""
    return [header(line)["kid"] for line in whole(sealed, lines, name)]


def all_differ(ids, message):
    seen = set()
    for one in ids:
        require(one not in seen, f"{one} was {message}")
        seen.add(one)


class Client(Actor):
    """A client that seals under ids of its bundle, into pipes and files."""

    def __init__(self, pool, ids):
        super().__init__()
        self.pool, self.ids = pool, ids
        self.names = (r"client\.jwks", r"client\.jwks\.spent", r"sealed-\d+\.jwe", r"check-\d\.jwe", "in.ndjson")

    def prepare(self, program, outside):
        outside.ok(f"keygen --embodiment 4 --shop tokyo --pool {self.pool} --orders {self.ids} -o service.jwks -f")
        outside.ok(f"bundle client --keyring service.jwks --orders {self.ids} -o client.jwks -f")
        program.put("client.jwks", outside.read("client.jwks"))
        program.put("in.ndjson", ORDERS)

    def step(self, program, random):
        count = random.randrange(1, 6)
        self.seal(program, len(self.runs), count, random.choice(["pipe", "file", "input"]))

    def seal(self, program, number, count, kind):
        line = "encrypt --bundle client.jwks"
        if kind == "pipe":
            self.runs.append(program.record(("pipe", count), line, orders(count)))
        else:
            name = f"sealed-{number}.jwe"
            line += f" -o {name}"
            given = b"" if kind == "input" else orders(count)
            count = 5 if kind == "input" else count
            line += " in.ndjson" if kind == "input" else ""
            self.runs.append(program.record(("file", name, count), line, given))

    def check(self, program, cut, image, random):
        program.inspect("client.jwks")
        used = [header(line)["kid"] for run in self.begun(cut, "pipe") for line in run.left_before(cut)]
        used += self.outputs(program, cut, lambda text, run: kids(text, run.what[2], run.what[1]))
        for number in range(2):
            program.ok(f"encrypt --bundle client.jwks -o check-{number}.jwe", ORDERS)
            used += kids(program.read(f"check-{number}.jwe"), 5, "the output")
        all_differ(used, "used twice")
        self.nothing_else(program)


class Journaled(Client):
    """A client with so many ids that what is spent goes into a journal, which is about to be renewed."""

    NEARLY = 128 + 1000 * 64  # Bytes of a header and so many records: after 1,024 a journal is renewed.

    def __init__(self):
        super().__init__("listed", 6000)

    def prepare(self, program, outside):
        super().prepare(program, outside)
        program.ok("encrypt --bundle client.jwks -o sealed.jwe", orders(1))
        while os.path.getsize(program.path("client.jwks.spent")) < self.NEARLY:
            program.ok("encrypt --bundle client.jwks -o sealed.jwe -f", orders(1))
        os.remove(program.path("sealed.jwe"))

    def check(self, program, cut, image, random):
        require(program.exists("client.jwks.spent"), "the journal is lost")
        super().check(program, cut, image, random)


class Counted(Actor):
    """Keys whose random IVs and bytes of pad are counted."""

    names = (r"lone\.jwk", r"pad\.jwks", r"\d\.ndjson")

    def prepare(self, program, outside):
        program.ok("keygen --alg A256GCM -o lone.jwk")
        pad = "keygen --embodiment 1 --enc VERNAM-HS256 --pad-bytes 65536 --shop kyoto --allow-weak"
        outside.ok(f"{pad} -o pads.jwks -f")
        program.put("pad.jwks", outside.ok("bundle client --keyring pads.jwks --pad-bytes 60000 --allow-weak"))
        for count in range(1, 6):
            program.put(f"{count}.ndjson", orders(count))

    def step(self, program, random):
        count = random.randrange(1, 4)
        if random.random() < 0.5:
            self.runs.append(program.record(("lone", count), "encrypt --key lone.jwk", orders(count)))
        else:
            # Of a file it is known how many bytes are needed: no more are reserved, and lost in a crash.
            line = f"encrypt --bundle pad.jwks --allow-weak {count}.ndjson"
            self.runs.append(program.record(("pad", count), line))

    def check(self, program, cut, image, random):
        left = sum(len(run.left_before(cut)) for run in self.begun(cut, "lone"))
        counted = program.json("lone.jwk").get("orderseal", {}).get("sealed", 0)
        require(counted >= left, f"{left} orders left under the key, and {counted} are counted")
        program.ok("encrypt --key lone.jwk", orders(5))
        lines = [line for run in self.begun(cut, "pad") for line in run.left_before(cut)]
        lines += program.ok("encrypt --bundle pad.jwks --allow-weak 5.ndjson").splitlines()
        used = set()
        for line in lines:
            _, _, iv, text, _ = line.split(b".")
            first = int.from_bytes(decoded(iv), "big")
            for byte in range(first, first + len(decoded(text))):
                require(byte not in used, f"byte {byte} of the pad was used twice")
                used.add(byte)
        self.nothing_else(program)


class Shop(Actor):
    """A shop that opens each order once, and whose bundle gets and loses users."""

    names = (r"tokyo\.(jwks|ledger)", r"(opened-\d+|again|new)\.ndjson", r"half-\d+\.jwks")
    BATCHES, USERS = 150, 60

    def prepare(self, program, outside):
        outside.ok(f"keygen --embodiment 4 --shop tokyo --orders {3 * self.BATCHES} -o service.jwks -f")
        outside.ok(f"bundle client --keyring service.jwks --orders {3 * self.BATCHES} -o client.jwks -f")
        outside.ok("bundle shop --keyring service.jwks -o shop.jwks -f")
        program.put("tokyo.jwks", outside.read("shop.jwks"))
        sealed = outside.ok("encrypt --bundle client.jwks", b"".join(orders(3) for _ in range(self.BATCHES)))
        lines = sealed.splitlines(keepends=True)
        self.batches = [b"".join(lines[3 * at : 3 * at + 3]) for at in range(self.BATCHES)]
        for user in range(self.USERS):
            outside.ok(f"keys admit user-{user} service.jwks --shop-out half.jwks -f")
            program.put(f"half-{user}.jwks", outside.read("half.jwks"))
        # The first use makes the ledger.
        program.ok("decrypt --bundle tokyo.jwks --ledger tokyo.ledger -o opened-0.ndjson", self.batches[0])

    def step(self, program, random):
        kind = random.choice(["pipe", "file", "pipe", "file", "erase", "merge", "revoke"])
        opened = self.count("pipe") + self.count("file") + 1
        merged = self.count("merge")
        revoked = {run.what[1] for run in self.runs if run.what[0] == "revoke"}
        here = [user for user in range(merged) if user not in revoked]
        line = "decrypt --bundle tokyo.jwks --ledger tokyo.ledger"
        if kind == "revoke" and here:
            user = random.choice(here)
            self.runs.append(program.record(("revoke", user), f"keys revoke user-{user} tokyo.jwks"))
        elif kind in ("merge", "revoke"):
            if merged < self.USERS:
                self.runs.append(program.record(("merge", merged), f"keys merge half-{merged}.jwks --into tokyo.jwks"))
        elif opened < self.BATCHES - 1:
            # The last batch is never opened.
            if kind == "pipe":
                self.runs.append(program.record(("pipe", opened), line, self.batches[opened]))
            else:
                name = f"opened-{opened}.ndjson"
                line += f" -o {name}" + (" --erase" if kind == "erase" else "")
                self.runs.append(program.record(("file", name, opened), line, self.batches[opened]))

    def check(self, program, cut, image, random):
        program.inspect("tokyo.ledger")
        bundle = program.json("tokyo.jwks")
        kids = {key["kid"] for key in bundle["keys"]}
        shop = bundle["orderseal"]["shops"]["tokyo"]
        maybe = {run.what[1] for run in self.begun(cut, "revoke")}
        for run in self.done(cut, "merge"):
            user = run.what[1]
            if user not in maybe:
                require(f"tokyo/user-{user}" in kids, f"user-{user} was merged and is lost")
        for run in self.done(cut, "revoke")[-3:]:
            name = f"user-{run.what[1]}"
            require(name in shop["revoked"] and f"tokyo/{name}" not in kids, f"{name} was revoked and is back")
            program.ok(f"keys merge half-{run.what[1]}.jwks --into tokyo.jwks")
            kids = {key["kid"] for key in program.json("tokyo.jwks")["keys"]}
            require(f"tokyo/{name}" not in kids, f"{name} was revoked, and a merge brought the key back")

        def opened_whole(text, run):
            require(text == orders(3), f"{run.what[1]} is part of an output")
            return ()

        list(self.outputs(program, cut, opened_whole))
        line = "decrypt --bundle tokyo.jwks --ledger tokyo.ledger -o again.ndjson"
        gone = [run.what[1] for run in self.begun(cut, "pipe") if run.left_before(cut)]
        gone += [0, *(run.what[2] for run in self.done(cut, "file"))]
        for number in {*sorted(gone)[-3:], *random.sample(gone, min(3, len(gone)))}:
            code, _, message = program.code(line, self.batches[number])
            require(code in (4, 7), f"batch {number} was opened, and opens again [{code}]: {message}")
        running = [run for kind in ("pipe", "file") for run in self.begun(cut, kind) if not run.done(cut)]
        for run in running:
            code, _, message = program.code(line + " -f --reopen", self.batches[run.what[-1]])
            require(
                code in (0, 4, 7), f"batch {run.what[-1]} was interrupted, and cannot be opened [{code}]: {message}"
            )
        program.ok("decrypt --bundle tokyo.jwks --ledger tokyo.ledger -o new.ndjson", self.batches[-1])
        require(program.read("new.ndjson") == orders(3), "the orders are not those that were sealed")
        self.nothing_else(program)


class Eraser(Actor):
    """A client whose files are erased: as a whole, only their keys, or by their program after sending."""

    # An output that was ready, and that no file mentions yet, stays: docs/FORMATS.md, "Sending and erasing".
    names = (r"(all|keys|program)-\d+\.jwks", r"program-\d+\.jwe", r"\.program-\d+\.jwe\.\w+\.orderseal-sent")
    KINDS, FILES = ("all", "keys", "program"), 60

    def prepare(self, program, outside):
        ids = 2 * len(self.KINDS) * self.FILES
        outside.ok(f"keygen --embodiment 4 --shop tokyo --orders {ids} -o service.jwks -f")
        self.secrets = {}
        for kind in self.KINDS:
            erase = "--erase" if kind == "program" else ""
            for number in range(self.FILES):
                name = f"{kind}-{number}.jwks"
                bundle = outside.ok(f"bundle client --keyring service.jwks --orders 2 {erase}")
                program.put(name, bundle)
                self.secrets[name] = [key["k"].encode() for key in json.loads(bundle)["keys"]]

    def step(self, program, random):
        kind = random.choice(self.KINDS)
        number = self.count(kind)
        if number == self.FILES:
            return
        name = f"{kind}-{number}.jwks"
        if kind == "all":
            self.runs.append(program.record((kind, name), f"erase {name}"))
        elif kind == "keys":
            self.runs.append(program.record((kind, name), f"erase --keys {name}"))
        else:
            line = f"encrypt --bundle {name} -o program-{number}.jwe"
            self.runs.append(program.record((kind, name), line, orders(2)))

    def check(self, program, cut, image, random):
        for run in [run for run in self.runs if run.begun(cut)][-8:]:
            kind, name = run.what
            for secret in self.secrets[name] if run.done(cut) else ():
                require(secret not in image, f"{name} was erased, and a key of it is on the disk")
            if kind == "all":
                require(not (run.done(cut) and program.exists(name)), f"{name} was erased and is back")
                program.code(f"erase {name}")
            elif kind == "keys":
                left = len(program.json(name)["keys"])
                require(left == 0 if run.done(cut) else left in (0, 2), f"{name} has {left} keys")
                program.code(f"erase --keys {name}")
                require(not program.json(name)["keys"], f"the keys of {name} cannot be erased any more")
            else:
                self.check_sent(program, run, name, cut)
        self.nothing_else(program)

    def check_sent(self, program, run, name, cut):
        """A program that erases: sent and erased, or neither, after the next command on it."""
        output = name.replace("jwks", "jwe")
        code, _, message = program.code(f"inspect {name}")
        if program.exists(output):
            whole(program.read(output), 2, output)
            require(not program.exists(name), f"{output} was sent, and {name} is not erased")
        else:
            require(not run.done(cut), f"{output} was sent and is lost")
            require(code == 0, f"{name} was not sent, and is damaged: {message}")
            require(len(program.json(name)["keys"]) == 2, f"{name} was not sent, and has lost keys")


def cast():
    return {
        "service": Service(),
        "client": Client("listed", 900),
        "journal": Journaled(),
        "tree": Client("derived", 100000),
        "counts": Counted(),
        "shop": Shop(),
        "erasing": Eraser(),
    }
