"""Compares what orderseal opens with what jwcrypto opens, on changed lines: the work of scripts/mutate-lines.sh.

    mutate.py SECONDS SEED FOLDER

Lines of every `alg`, `enc` and curve, of both programs and composed, are changed; both sides get each. A line that only
orderseal opens, or that the two open differently, is a finding: it is written to FOLDER with its key, and the exit code
is 1. Lines that only jwcrypto opens are counted by the reason that orderseal gives.
"""

import collections
import json
import os
import random
import re
import subprocess
import sys
import time
from pathlib import Path

import compose
import mutations
from jwcrypto import jwa, jwe, jwk

jwa.default_max_pbkdf2_iterations = 20_000
sys.set_int_max_str_digits(0)  # the limit on long numbers is Python's, not jwcrypto's
ALGS = [f"A{bits}{form}" for form in ("KW", "GCMKW") for bits in (256, 192, 128)] + ["dir", "RSA-OAEP", "RSA-OAEP-256"]
CURVES = ["P-256", "P-384", "P-521", "X25519"]
AGREEMENTS = ["ECDH-ES", "ECDH-ES+A256KW", "ECDH-ES+A192KW", "ECDH-ES+A128KW"]
PASSWORDS = ["PBES2-HS256+A128KW", "PBES2-HS384+A192KW", "PBES2-HS512+A256KW"]
TEXTS = [b"", b"x", b'{"item":"G-02","quantity":2}', b"0123456789abcdef", bytes(range(10)) + b"\xff\x80 no text"]
NUMBERS = re.compile(r"\d+")
SPACE = " \t\r\n"
BATCH = 400


def orderseal(*arguments, text=None):
    return subprocess.run([os.environ["ORDERSEAL"], *arguments], input=text, capture_output=True)


def write(path, text):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


class Side:
    """A key in the forms that both sides take."""

    def __init__(self, alg, enc, curve, named, folder):
        self.alg, self.enc, self.curve = alg, enc, curve
        self.title = f"{alg} {enc}" + (f" on {curve}" if curve else "")
        self.password = alg.startswith("PBES2")
        self.file = folder / f"{alg}-{enc if alg == 'dir' else curve or 'key'}"
        if self.password:
            write(self.file, "pflaume\n")
            self.key = jwk.JWK(kty="oct", k=compose.b64(b"pflaume"))
            self.opening = ["--password-file", str(self.file), "--password-rounds", "1000000000"]
        else:
            options = ["--curve", curve] if curve else []
            options += ["--rsa-bits", "2048"] if alg.startswith("RSA") else []
            if not self.file.exists():
                made = orderseal("keygen", "--alg", enc if alg == "dir" else alg, "--kid", "k", *options)
                write(self.file, made.stdout.decode())
            members = json.loads(self.file.read_text())
            members.pop("orderseal", None)
            self.key = jwk.JWK(**members)
            opening = self.file
            if not named:  # a key that every alg of its type and size can use
                opening = self.file.with_name(f"{self.file.name}-any")
                write(opening, json.dumps({name: value for name, value in members.items() if name != "alg"}))
            self.opening = ["--key", str(opening)]

    def ours(self, text):
        """A line that orderseal sealed."""
        options = ["--key", str(self.file)]
        if self.password:
            options = ["--password-file", str(self.file), "--alg", self.alg, "--password-rounds", "1000"]
        if self.alg != "dir":
            options += ["--enc", self.enc]
        done = orderseal("encrypt", "--quiet", *options, text=text + b"\n")
        return done.stdout.decode().rstrip("\n")


def opens_here(side, lines, folder):
    """For each line, what orderseal opened or None, and the reason."""
    report = folder / "report"
    report.unlink(missing_ok=True)
    text = b"".join(line + b"\n" for line in lines)
    done = orderseal("decrypt", "--quiet", *side.opening, "--on-error", "skip", "--report", str(report), text=text)
    if done.returncode not in (0, 6):
        raise RuntimeError(f"{side.title}: exit code {done.returncode}: {done.stderr.decode()}")
    skipped = {}
    for record in report.read_text().splitlines() if report.exists() else []:
        record = json.loads(record)
        skipped[record["line"]] = f"{record['kind']}: {record['message'].split(': ', 2)[-1]}"
    opened = iter(done.stdout.split(b"\n")[:-1])
    found = [
        (None, skipped[number]) if number in skipped else (next(opened), "") for number in range(1, len(lines) + 1)
    ]
    if next(opened, None) is not None:
        raise RuntimeError(f"{side.title}: more orders than lines that opened")
    return found


def opens_there(side, line):
    """What jwcrypto opened or None, and its reason."""
    try:
        text = line.decode().removeprefix("\ufeff").strip(SPACE)  # as FORMATS says, around a line
        token = jwe.JWE()
        token.deserialize(text)
    except Exception as error:  # any failure is a refusal
        return None, repr(error)
    try:
        token.decrypt(side.key)
    except Exception as error:
        # An empty text that was authentic counts as opened.
        return token.plaintext if token.plaintext == b"" and "Success" in token.decryptlog else None, repr(error)
    return token.plaintext, ""


def changed(rng, side, valid):
    """A changed line and the names of its changes."""
    if rng.random() < 0.3:
        names, line = [], rng.choice(valid)
        for _ in range(rng.choice([1, 1, 1, 2])):
            if line.count(".") != 4:
                break
            name, line = mutations.compact(rng, line.split("."))
            names.append(name)
        return " + ".join(names), line
    cek, names = None, []
    if side.alg not in ("dir", "ECDH-ES") and rng.random() < 0.05:
        cek = rng.randbytes(rng.choice([16, 24, 32, 48, 64]))
        names.append("content key of another size")
    extra = {"kid": "k"} if rng.random() < 0.5 and not side.password else {}
    if side.alg.startswith("ECDH") and rng.random() < 0.3:
        extra |= {
            name: compose.b64(rng.randbytes(rng.choice([0, 1, 5])))
            for name in rng.choice([["apu"], ["apv"], ["apu", "apv"]])
        }
    enc = side.enc
    parts = compose.Parts(
        side.key, side.alg, enc, rng.choice([*TEXTS, b"a\nb"] if rng.random() < 0.1 else TEXTS), None, extra
    )
    if cek is not None:
        try:
            parts = compose.Parts(side.key, side.alg, enc, parts.text, cek, extra)
            parts.sealed_with = next(name for name, size in compose.ENCS.items() if size == len(cek))
        except Exception:
            return "", rng.choice(valid)
    if enc.endswith("GCM") and parts.sealed_with == enc and rng.random() < 0.05:
        parts.iv_bytes = rng.choice([8, 11, 13, 16, 32])
        names.append("IV of another size")
    form = rng.choice(["compact", "compact", "flattened", "moved"])
    if rng.random() < 0.05:
        parts.encrypted_key += rng.randbytes(rng.choice([1, 8]))
        names.append("longer encrypted key")
    for _ in range(rng.choice([0, 1, 1, 1, 2])):
        names.append(mutations.member_change(rng, parts.members, parts))
    if form == "moved":  # members that nothing authenticates
        outside = {name: parts.members.pop(name) for name in list(parts.members) if rng.random() < 0.4}
        if rng.random() < 0.3:
            parts.aad = compose.b64(rng.randbytes(rng.choice([0, 1, 4])))
        segments = parts.seal(rng, None if parts.members else "")
        token = compose.flattened(segments, parts.aad)
        for name, value in outside.items():
            token.setdefault(rng.choice(["header", "unprotected"]), {})[name] = value
        names.append("members outside")
    else:
        if rng.random() < 0.4:
            name, parts.header = mutations.header_text(rng, parts.members)
            names.append(f"header {name}")
        segments = parts.seal(rng)
        if form == "compact":
            if rng.random() < 0.3:
                name, line = mutations.compact(rng, segments)
                return " + ".join([*names, name]), line
            return " + ".join(names), ".".join(segments)
        token = compose.flattened(segments)
    for _ in range(rng.choice([0, 1, 1, 2])):
        names.append(mutations.object_change(rng, token))
    if rng.random() < 0.1:
        name, line = mutations.header_text(rng, token)
        return " + ".join([*names, f"object {name}"]), line
    return " + ".join(names), json.dumps(token)


def as_line(line):
    """The bytes of a line, without line feeds."""
    data = line if isinstance(line, bytes) else line.encode("utf-8", "surrogatepass")
    return data.replace(b"\n", b"\r")


def valid_lines(side, rng):
    """Lines of both programs that both open."""
    lines = [side.ours(text) for text in TEXTS]
    for text in TEXTS:
        token = jwe.JWE(
            text, json.dumps({"alg": side.alg, "enc": side.enc, **({"p2c": 1000} if side.password else {})})
        )
        token.add_recipient(side.key)
        lines.append(token.serialize(compact=True))
        lines.append(".".join(compose.Parts(side.key, side.alg, side.enc, text).seal(rng)))
    return lines


def general_reason(reason):
    """A reason without the names and numbers of a line."""
    return NUMBERS.sub("N", re.sub(r'"[^"]*"', '"…"', reason))[:200]


class Tally:
    """Counts what became of the lines, and keeps findings."""

    def __init__(self, folder):
        self.folder = folder
        self.counts, self.only_there, self.findings = (collections.Counter() for _ in range(3))
        self.examples = {}

    def add(self, side, name, line, ours, reason, theirs, refusal):
        if ours is None and theirs is None:
            kind = "opened by neither"
        elif ours == theirs:
            kind = "opened by both"
        elif ours is None:
            kind = "only by jwcrypto"
            self.only_there[general_reason(reason)] += 1
            self.examples.setdefault(
                general_reason(reason), f"{side.title}, {name}: {line[:160].decode(errors='replace')}"
            )
        else:
            kind = "findings"
            refused = f"jwcrypto refuses it, {NUMBERS.sub('N', refusal)[:300]}"
            self.find(side, name, line, refused if theirs is None else "another text")
        self.counts[kind] += 1

    def find(self, side, name, line, what):
        self.findings[what] += 1
        if self.findings[what] == 1:
            place = self.folder / f"finding-{len(self.findings)}.jwe"
            place.write_bytes(line + b"\n")
            print(f"FINDING, {side.title}: {what} ({name})\n  orderseal decrypt {' '.join(side.opening)} {place}")
            print(f"  {line[:2000].decode(errors='replace')}", flush=True)

    def show(self):
        print(", ".join(f"{kind} {count}" for kind, count in sorted(self.counts.items())))
        print("opened by jwcrypto only, by the reason that orderseal gives:")
        for reason, count in self.only_there.most_common():
            print(f"{count:8} {reason}\n         e.g. {self.examples[reason]}")
        for what, count in self.findings.most_common():
            print(f"finding, {count} lines: {what}")


def compare(side, rng, tally):
    """Changes lines of one key, and compares."""
    valid = valid_lines(side, rng)
    slow = side.alg.startswith(("RSA", "PBES2")) or side.curve == "P-521"
    changes = [changed(rng, side, valid) for _ in range(BATCH // 4 if slow else BATCH)]
    lines = [("", as_line(line)) for line in valid] + [(name, as_line(line)) for name, line in changes]
    lines = [
        (name, line) for name, line in lines if line.removeprefix(b"\xef\xbb\xbf").strip()
    ]  # blank ones are passed over
    here = opens_here(side, [line for _, line in lines], tally.folder)
    for number, ((name, line), (ours, reason)) in enumerate(zip(lines, here, strict=True)):
        theirs, refusal = opens_there(side, line)
        if number < len(valid) and (ours is None or theirs is None):
            raise RuntimeError(f"{side.title}: a valid line was refused: {reason or refusal}: {line.decode()}")
        tally.add(side, name, line, ours, reason, theirs, refusal)


def main():
    seconds, seed, folder = float(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    end = time.monotonic() + seconds
    rng, tally = random.Random(seed), Tally(folder)
    sides = [(alg, "") for alg in ALGS + PASSWORDS] + [(alg, curve) for alg in AGREEMENTS for curve in CURVES]
    sides = [(alg, enc, curve) for alg, curve in sides for enc in compose.ENCS]
    rng.shuffle(sides)
    done = 0
    while time.monotonic() < end:
        alg, enc, curve = sides[done % len(sides)]
        compare(Side(alg, enc, curve, rng.random() < 0.7, folder), rng, tally)
        done += 1
    print(f"seed {seed}: {done} batches of {len(sides)} combinations of alg, enc and curve")
    tally.show()
    if tally.findings:
        sys.exit("mutate-lines.sh: error: orderseal opens lines that jwcrypto refuses, or opens another text")


main()
