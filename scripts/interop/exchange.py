"""Exchanges texts with other libraries in both directions: the work of scripts/interop.sh, in its temporary folder.

    exchange.py [--all] [--write FILE] [LIBRARY VERSION PROGRAM]…

PROGRAM reads jobs (jobs.py); its words are divided by blanks. In the environment, ORDERSEAL is our program and ORDERS a
file with real orders. The file is written only if everything went as limits.py says.
"""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import report
from limits import LIMITS

AES = [f"A{bits}{form}" for form in ("KW", "GCMKW") for bits in (256, 192, 128)]
RSA = ["RSA-OAEP-256", "RSA-OAEP-384", "RSA-OAEP-512", "RSA-OAEP"]
AGREEMENTS = ["ECDH-ES+A256KW", "ECDH-ES+A192KW", "ECDH-ES+A128KW", "ECDH-ES"]
PASSWORDS = ["PBES2-HS512+A256KW", "PBES2-HS384+A192KW", "PBES2-HS256+A128KW"]
ENCS = ["A256GCM", "A192GCM", "A128GCM", "A256CBC-HS512", "A192CBC-HS384", "A128CBC-HS256"]
CURVES = ["P-256", "P-384", "P-521", "X25519"]
ROUNDS = "10000"

# Who writes which JSON serialization; a general one for recipients with these algorithms, enough for each library.
FLATTENED = ["jwcrypto", "joserfc", "jose", "node-jose", "Debian's jose"]
GENERAL = {
    "jwcrypto": ["A256KW", "RSA-OAEP-256", "ECDH-ES+A256KW"],
    "joserfc": ["RSA1_5", "A256KW", "RSA-OAEP-256", "ECDH-ES+A256KW"],
    "authlib": ["A256KW", "A256KW", "A256KW"],
    "jose": ["A256KW", "RSA-OAEP-256", "ECDH-ES+A256KW"],
    "node-jose": ["RSA1_5", "A256KW", "RSA-OAEP-256", "ECDH-ES+A256KW"],
    "Debian's jose": ["RSA1_5", "A256KW", "ECDH-ES+A256KW"],
}


@dataclass
class Combination:
    """An `alg`, an `enc` and a curve, with the files and options that both sides need."""

    alg: str
    enc: str
    curve: str
    seal_with: str  # the other side's file
    open_with: str
    sealing: list  # our options
    opening: list
    about: str = ""  # what is special; then only our lines are exchanged

    @property
    def title(self):
        return " ".join(filter(None, (self.alg, self.enc, self.curve.strip("-") and f"on {self.curve}")))


@dataclass(frozen=True)
class Result:
    """What became of one text."""

    library: str
    step: str
    form: str
    alg: str
    enc: str
    curve: str
    text: str
    failure: str = field(default="", compare=False)


def orderseal(*arguments, text=None):
    """Runs our program; the result is its exit code, what it wrote and what it said."""
    done = subprocess.run([os.environ["ORDERSEAL"], "--quiet", *arguments], input=text, capture_output=True)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace").strip()


def must(*arguments):
    code, output, message = orderseal(*arguments)
    if code != 0:
        sys.exit(f"interop.sh: error: orderseal {' '.join(arguments)}: {message}")
    return output


def texts(whole):
    """Real orders and the edges, each with a name for its limits: bytes that are no text, and sizes."""
    orders = Path(os.environ["ORDERS"]).read_bytes().split(b"\n")
    found = [("order", order) for order in orders[: 6 if whole else 2]]
    found += [("carriage return", b"carriage return\r"), ("binary", b"\xff\xfe \x00 no text")]
    sizes = [0, 1, 16, 70_000]
    if whole:
        sizes += [15, 17, 31, 32, 33, 4_095, 4_096, 49_000, 65_536, 100_000]
    return found + [(f"{size} characters", (b"0123456789abcdef" * (size // 16 + 1))[:size]) for size in sizes]


class Keys:
    """Makes each key once, and writes it for both sides."""

    def __init__(self):
        self.made = {}

    def key(self, alg, curve):
        """A key as a file for us, and as a set for the other side. RSA keys differ in their `alg` only."""
        name = f"{alg}{curve}"
        if name not in self.made:
            if alg.startswith("RSA") and "RSA" in self.made:
                key = self.made["RSA"] | {"alg": alg, "kid": name}
            else:
                options = ["--rsa-bits", "2048"] if alg.startswith("RSA") else []
                options += ["--curve", curve] if curve != "-" else []
                key = json.loads(must("keygen", "--alg", alg, "--kid", name, *options))
                self.made.setdefault("RSA" if alg.startswith("RSA") else name, key)
            self.made[name] = key
            write(f"{name}.jwk", json.dumps(key))
            write(f"{name}.jwks", json.dumps({"keys": [key]}))
        return f"{name}.jwk", f"{name}.jwks"


def write(name, content):
    with open(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(content)


def combinations(whole):
    """All of them, or each `alg` on each curve with A256GCM and one more `enc`, and each `enc` with A256KW."""
    keys = Keys()
    write("password", "pflaumenblüte und tee\n")
    names = [(alg, "-") for alg in ["A256KW", *AES[1:], "dir", *RSA, *PASSWORDS]]
    names += [(alg, curve) for alg in AGREEMENTS for curve in CURVES]
    for number, (alg, curve) in enumerate(names):
        for enc in ENCS:
            if not (whole or alg in ("A256KW", "dir") or enc in ("A256GCM", ENCS[number % len(ENCS)])):
                continue
            if alg.startswith("PBES2"):
                password = ["--password-file", "password"]
                sealing = [*password, "--alg", alg, "--enc", enc, "--password-rounds", ROUNDS]
                yield Combination(alg, enc, curve, "password", "password", sealing, password)
                if whole and enc == "A256GCM":  # the rounds that orders have unless users say otherwise
                    yield Combination(alg, enc, curve, "", "password", sealing[:-2], password, " at 600,000 rounds")
                continue
            own, others = keys.key(enc if alg == "dir" else alg, curve)
            sealing = ["--key", own] + ([] if alg == "dir" else ["--enc", enc])
            yield Combination(alg, enc, curve, others, others, sealing, ["--key", own])
    # A key for each transaction: the reader has to choose by kid.
    for alg, options in [
        ("A256KW", ["4"]),
        ("RSA-OAEP-256", ["6", "--rsa-bits", "2048"]),
        ("ECDH-ES+A256KW", ["6", "--wrap", "ECDH-ES+A256KW"]),
    ]:
        service, shop, client, public = (f"{alg}-{role}.jwks" for role in ("service", "shop", "client", "public"))
        count = str(len(texts(whole)))
        must("keygen", "--embodiment", *options, "--shop", "tokyo", "--orders", count, "-o", service)
        must("bundle", "shop", "--keyring", service, "--shop", "tokyo", "-o", shop)
        must("bundle", "client", "--keyring", service, "--shop", "tokyo", "--orders", count, "-o", client)
        seal_with = client
        if alg != "A256KW":
            write(public, must("inspect", "--public", service).decode())
            seal_with = public
        curve = "P-256" if alg.startswith("ECDH") else "-"
        yield Combination(alg, "A256GCM", curve, seal_with, shop, ["--bundle", client], ["--bundle", shop])


def lines(name):
    """What a library made of each line: a pair of a result and a failure."""
    found = [
        (line[1:], None) if line[:1] == b"+" else (None, line[1:].decode())
        for line in name.read_bytes().split(b"\n")[:-1]
    ]
    return found


def opened_here(combination, sealed, expected):
    """Why these lines do not open here as the texts they were made from, for each line; None if they do."""
    code, output, message = orderseal("decrypt", *combination.opening, text=b"".join(line + b"\n" for line in sealed))
    if code == 0 and output == b"".join(text + b"\n" for text in expected):
        return [None] * len(sealed)
    failures = []
    for line, text in zip(sealed, expected, strict=True):
        code, output, message = orderseal("decrypt", *combination.opening, text=line + b"\n")
        failures.append(None if code == 0 and output == text + b"\n" else f"orderseal: {message or 'another text'}")
    return failures


def general(libraries, programs, keys, content):
    """A general serialization of each library for several recipients, opened here with each recipient's key."""
    results = []
    names = [text[0] for text in content]
    for library in libraries:
        recipients = []
        for number, alg in enumerate(GENERAL[library]):
            curve = "P-256" if alg.startswith("ECDH") else "-"
            own, _ = keys.key("RSA-OAEP-256" if alg == "RSA1_5" else alg, curve)
            key = json.loads(Path(own).read_text()) | {"alg": alg, "kid": f"recipient {number}"}
            if alg == "A256KW" and number:
                key = json.loads(must("keygen", "--alg", alg, "--kid", key["kid"]))
            recipients.append(key)
        write("general.jwks", json.dumps({"keys": recipients}))
        job = "\t".join(["seal", "general.jwks", "-", "A256GCM", "general", "texts", "general.out"]) + "\n"
        subprocess.run(programs[library], input=job.encode(), check=True)
        made = lines(Path("general.out"))
        for key in recipients:
            if key["alg"] == "RSA1_5":
                continue
            write("recipient.jwk", json.dumps(key))
            combination = Combination(key["alg"], "A256GCM", "-", "", "", [], ["--key", "recipient.jwk"])
            results += sealed_results(library, "general", combination, made, names, [text[1] for text in content])
    return results


def sealed_results(library, form, combination, made, names, contents):
    """Results of lines that a library sealed, and of opening them here."""
    good = [(line, text) for (line, failure), text in zip(made, contents, strict=True) if failure is None]
    ours = iter(opened_here(combination, [line for line, _ in good], [text for _, text in good]))
    for (_, failure), name in zip(made, names, strict=True):
        failure = next(ours) if failure is None else failure
        yield Result(library, "seal", form, combination.alg, combination.enc, combination.curve, name, failure or "")


def exchange(libraries, programs, whole):
    """All results."""
    content = texts(whole)
    names, contents = zip(*content, strict=True)
    Path("texts").write_bytes(b"".join(text + b"\n" for text in contents))
    jobs = {library: [] for library in libraries}
    everything = list(combinations(whole))
    for number, combination in enumerate(everything):
        ours = f"{number}.ours"
        Path(ours).write_bytes(must("encrypt", *combination.sealing, "texts"))
        for library in libraries:
            forms = [] if combination.about else ["compact"]
            flat = combination.enc == "A256GCM" and (whole or combination.curve in ("-", "P-256"))
            if forms and library in FLATTENED and flat and "--bundle" not in combination.opening:
                forms.append("flattened")
            common = [combination.alg, combination.enc]
            jobs[library].append(["open", combination.open_with, *common, "compact", ours, f"{number}.{library}.open"])
            jobs[library] += [
                ["seal", combination.seal_with, *common, form, "texts", f"{number}.{library}.{form}"] for form in forms
            ]

    def work(library):
        text = "".join("\t".join(job) + "\n" for job in jobs[library])
        subprocess.run(programs[library], input=text.encode(), check=True)

    def read(task):
        number, library = task
        combination = everything[number]
        results = []
        for text, (output, failure) in zip(content, lines(Path(f"{number}.{library}.open")), strict=True):
            if failure is None and output != text[1]:
                failure = "another text"
            key = (combination.alg, combination.enc, combination.curve)
            results.append(Result(library, "open", "compact", *key, text[0] + combination.about, failure or ""))
        for form in ("compact", "flattened"):
            made = Path(f"{number}.{library}.{form}")
            if made.exists():
                results += sealed_results(library, form, combination, lines(made), names, contents)
        return results

    with ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2)) as pool:
        list(pool.map(work, libraries))
        results = [
            result
            for found in pool.map(read, [(n, o) for n in range(len(everything)) for o in libraries])
            for result in found
        ]
    return results + general(libraries, programs, Keys(), content)


def judge(results):
    """Failures that are no known limit, and limits that do not hold any more, with an example of each kind."""
    wrong = {}
    for result in results:
        limits = [limit for limit in LIMITS if limit.about(result)]
        failure = result.failure
        if failure and not any(limit.reason in failure for limit in limits):
            kind = failure
        elif not failure and any(not limit.sometimes for limit in limits):
            kind = f"works, but limits.py says: {next(limit for limit in limits if not limit.sometimes).sentence}"
        else:
            continue
        about = f"{result.step} {result.form}, {result.alg} {result.enc} {result.curve}, {result.text}"
        wrong.setdefault((result.library, result.step, result.alg, kind), []).append(about)
    return [
        f"{library}: {abouts[0]}: {kind}" + (f" ({len(abouts)} such)" if len(abouts) > 1 else "")
        for (library, _, _, kind), abouts in wrong.items()
    ]


def main():
    arguments = sys.argv[1:]
    whole = "--all" in arguments
    target = arguments[arguments.index("--write") + 1] if "--write" in arguments else None
    words = [word for word in arguments if word not in ("--all", "--write", target)]
    libraries = words[0::3]
    versions = dict(zip(libraries, words[1::3], strict=True))
    programs = {library: program.split() for library, program in zip(libraries, words[2::3], strict=True)}
    results = exchange(libraries, programs, whole)
    wrong = judge(results)
    for library in libraries:
        print(report.summary(library, versions[library], [result for result in results if result.library == library]))
    for line in wrong:
        print(f"interop.sh: error: {line}", file=sys.stderr)
    if wrong:
        sys.exit(f"interop.sh: error: {len(wrong)} kinds of exchanges went another way than expected")
    if target:
        Path(target).write_text(report.document(versions, results), encoding="utf-8")


main()
