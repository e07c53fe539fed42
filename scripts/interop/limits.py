"""What other libraries do not have or do not do, as measured by scripts/interop.sh.

An exchange that fails must be listed here, and what is listed here must fail: otherwise the run fails. Each limit says
for which library, steps (`open`: it opens our lines; `seal`: we open its lines), `alg`, `enc`, curves and texts it
holds, as shell patterns. docs/INTEROP.md prints the sentences.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase

LONG = "65536* 70000* 100000*"


@dataclass(frozen=True)
class Limit:
    library: str
    sentence: str
    alg: str = "*"
    enc: str = "*"
    curve: str = "*"
    text: str = "*"
    steps: tuple = ("open", "seal")
    form: str = "compact flattened"
    reason: str = ""  # a part of the failure's message
    sometimes: bool = False  # whether it depends on random numbers

    def about(self, result):
        """Whether this limit is about this result."""
        return (
            self.library == result.library
            and result.step in self.steps
            and result.form in self.form.split()
            and any(fnmatchcase(result.alg, pattern) for pattern in self.alg.split())
            and any(fnmatchcase(result.enc, pattern) for pattern in self.enc.split())
            and fnmatchcase(result.curve, self.curve)
            and any(fnmatchcase(result.text, pattern) for pattern in self.text.split())
        )


LIMITS = [
    Limit("jwcrypto", "has no `RSA-OAEP-384` and `RSA-OAEP-512`", alg="RSA-OAEP-384 RSA-OAEP-512", reason="JWA"),
    Limit(
        "jwcrypto",
        "reports an error for an empty text that it has opened",
        text="0*",
        steps=("open",),
        reason="Success",
    ),
    Limit("joserfc", "has no `RSA-OAEP-384` and `RSA-OAEP-512`", alg="RSA-OAEP-384 RSA-OAEP-512"),
    Limit(
        "joserfc",
        "opens texts of at most 49,152 bytes (a ciphertext of 65,536 characters), unless its registry has other limits",
        text=LONG,
        steps=("open",),
        reason="ExceededSizeError",
    ),
    Limit(
        "authlib",
        "has no `RSA-OAEP-384` and `RSA-OAEP-512`, and no `PBES2`",
        alg="RSA-OAEP-384 RSA-OAEP-512 PBES2*",
        reason="unsupported_algorithm",
    ),
    Limit(
        "joserfc",
        "opens lines of passwords with at most 300,000 rounds; ours have 600,000 unless `--password-rounds` is given",
        alg="PBES2*",
        text="*rounds",
        steps=("open",),
        reason="p2c",
    ),
    Limit(
        "Debian's jose",
        "opens lines of passwords with at most 32,768 rounds; ours have 600,000 unless `--password-rounds` is given",
        alg="PBES2*",
        text="*rounds",
        steps=("open",),
        reason="rapping failed",
    ),
    Limit("node-jose", "has no `RSA-OAEP-384` and `RSA-OAEP-512`", alg="RSA-OAEP-384 RSA-OAEP-512"),
    Limit("node-jose", "has no X25519", alg="ECDH-ES*", curve="X25519", reason="unsupported key type"),
    Limit(
        "node-jose",
        "has no `ECDH-ES` with `A192CBC-HS384` and `A256CBC-HS512`",
        alg="ECDH-ES",
        enc="A192CBC-HS384 A256CBC-HS512",
        curve="P-*",
        reason="unsupported algorithm",
    ),
    Limit(
        "Debian's jose",
        "has no RSA-OAEP in any form, only `RSA1_5`, which is refused here",
        alg="RSA-*",
        reason="rapping failed",
    ),
    Limit("Debian's jose", "has no X25519", alg="ECDH-ES*", curve="X25519", reason="rapping failed"),
]
