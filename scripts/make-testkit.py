#!/usr/bin/env python3
"""Writes the test vectors of testkit/, the same bytes each time: docs in testkit/README.md.

    scripts/make-testkit.py [FOLDER]

Needs nothing but Python: the vectors come from plain implementations in scripts/make-testkit/, not from the program
that they test.
"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "scripts" / "make-testkit"))

import flows  # noqa: E402
import keys  # noqa: E402
import lines  # noqa: E402
import refused  # noqa: E402
import streams  # noqa: E402


def main():
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "testkit" / "vectors"
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for part in (lines, refused, keys, streams, flows):
        for vector in part.vectors():
            if vector.name in found:
                sys.exit(f"make-testkit.py: error: two vectors are called {vector.name}")
            found[vector.name] = vector.write()
    for old in folder.iterdir():
        if old.name not in found:
            old.unlink()
    for name, content in found.items():
        (folder / name).write_bytes(content)
    print(f"{len(found)} vectors, {sum(map(len, found.values()))} bytes")


if __name__ == "__main__":
    main()
