"""What scripts/interop.sh prints, and docs/INTEROP.md."""

from limits import LIMITS

TITLE = """# Exchange with other software

Sealed orders open in these libraries, and theirs open here. `scripts/interop.sh --all --write` measured this and wrote
this file; do not edit it. An exchange is a text that comes back byte for byte. The texts are real orders, a carriage
return, bytes that are no text, and {sizes} characters.

Every combination of `alg`, `enc` and curve that both sides have was exchanged: `dir`, AES key wrap, AES-GCM key wrap,
`RSA-OAEP` in four forms, `ECDH-ES` in four forms on four curves, `PBES2` in three forms, each with six `enc`. One key
per shop and one per transaction.
"""


def named(values):
    """A list of names for people."""
    return ", ".join(f"`{value}`" for value in values)


def most(values, everything):
    """Which of all these are there, in as few words as it takes."""
    missing = [value for value in everything if value not in values]
    if not missing:
        return "all"
    return (
        f"all but {named(missing)}"
        if len(missing) <= len(values)
        else named(value for value in everything if value in values)
    )


def pairs(results, step):
    """How many combinations had a text that came back."""
    good = (r for r in results if r.step == step and r.form != "general" and not r.failure)
    return len({(r.alg, r.enc, r.curve) for r in good})


def summary(library, version, results):
    """A line for a library."""
    good = sum(not result.failure for result in results)
    return (
        f"{library} {version}: it opens ours in {pairs(results, 'open')} combinations of alg, enc and curve, we open its "
        f"in {pairs(results, 'seal')}; {good} texts came back, {len(results) - good} met a known limit"
    )


def unique(values):
    """Each value once, in order."""
    return list(dict.fromkeys(values))


def document(versions, results):
    """The text of docs/INTEROP.md."""
    everything = {member: unique(getattr(result, member) for result in results) for member in ("alg", "enc", "curve")}
    everything["curve"].remove("-")
    sizes = unique(r.text.removesuffix(" characters") for r in results if r.text.endswith(" characters"))
    sizes = [f"{size:,}" for size in sorted(map(int, sizes))]
    parts = [TITLE.format(sizes=", ".join(sizes[:-1]) + " and " + sizes[-1])]
    parts.append(
        "| library | version | direction | `alg` | `enc` | curves | combinations | texts |\n|---|---|---|---|---|---|---|---|"
    )
    for library, version in versions.items():
        for step, direction in (("open", "opens ours"), ("seal", "ours opens its")):
            good = [r for r in results if r.library == library and r.step == step and not r.failure]
            cells = [most({getattr(r, member) for r in good}, everything[member]) for member in ("alg", "enc", "curve")]
            cells += [str(pairs(good, step)), f"{len(good):,}"]
            parts.append(f"| {library} | {version} | {direction} | " + " | ".join(cells) + " |")
    parts.append("\nJSON serializations, sealed by the library and opened here:\n")
    parts.append("| library | flattened | general, for several recipients |\n|---|---|---|")
    for library in versions:
        good = [r for r in results if r.library == library and not r.failure]
        flattened = unique(r.alg for r in good if r.form == "flattened")
        general = unique(r.alg for r in good if r.form == "general")
        tried = [r.alg for r in results if r.library == library and r.form == "flattened"]
        cell = f"{most(flattened, everything['alg'])}, with `A256GCM`" if tried else "does not write it"
        parts.append(f"| {library} | {cell} | opened as {named(general)} |")
    parts.append(
        "\n## Limits of the libraries\n\nEach was measured. The script fails if one of them does not hold any more, or if there is another one.\n"
    )
    for library in versions:
        for limit in LIMITS:
            if limit.library == library:
                parts.append(f"- {library} {limit.sentence}.")
    parts.append("\n" + NOTES.rstrip())
    return "\n".join(parts) + "\n"


NOTES = """## Options that the exchange uses

- Passwords: the exchange has 10,000 rounds, and 600,000 once in each form. To open these, set
  `jwcrypto.jwa.default_max_pbkdf2_iterations` (16,384 otherwise), and `maxPBES2Count` in jose (10,000 otherwise).
- joserfc and authlib take the allowed algorithms as an argument; joserfc allows only a few of them without it.
- jose (npm) seals with a public key only: leave out the private members.
- node-jose, joserfc and Debian's jose take a password as a key with `kty` `oct`.

`RSA1_5` and compressed content (`zip`) are refused here, whoever wrote them. Libraries that have both leave them out
unless they are asked for, except Debian's jose with RSA keys.
"""
