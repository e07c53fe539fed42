"""Runs schemathesis against both servers: what docs/openapi.yaml says, with the names and tokens of this run.

api.py OPENAPI
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import client
import yaml

# A problem is an answer like others; `408` and the like are the subject of mutate.py.
REFUSED = [400, 401, 403, 404, 405, 406, 409, 413, 415, 421, 431]
HERE = Path(__file__).resolve().parent
OPENAPI = HERE.parents[1] / "docs/openapi.yaml"
SECONDS = 8  # for each server


def config(ticket, shop_token):
    """Valid requests are accepted or refused by what the file cannot say: used ids, unknown shops, tokens."""
    checks = {
        "positive_data_acceptance": [200, 201, 204, 304, 401, 403, 404, 406, 409],
        "negative_data_rejection": REFUSED,
        "missing_required_header": REFUSED,
        "not_a_server_error": [*range(200, 500)],
    }
    text = [f'hooks = "{HERE / "hooks.py"}"', f'[auth.openapi.ticket]\nbearer = "{ticket}"']
    text += [f'[auth.openapi.shopToken]\nbearer = "{shop_token}"']
    text += [f"[checks.{name}]\nexpected-statuses = {statuses}" for name, statuses in checks.items()]
    return "\n".join(text) + "\n"


def narrowed():
    """The description, with the one origin and the one shop that are valid here."""
    described = yaml.safe_load(OPENAPI.read_text())
    for name in ("Origin", "RequiredOrigin"):
        described["components"]["parameters"][name]["schema"] = {"enum": [client.SHOP]}
    ours = described["components"]["schemas"]["Request"]["properties"]["orderseal"]["properties"]
    ours["shop"] = {"enum": ["tokyo"]}
    ours["service"] = {"enum": [client.SERVICE + "/"]}
    described["paths"]["/static/{path}"]["get"]["parameters"][0]["schema"] = {"enum": ["hello.txt", "none"]}
    return described


def main():
    program = client.program(client.connect(client.SERVICE), client.ask_for(100))
    sealed = client.seal(program, [b'{"order":%d}' % number for number in range(100)])
    Path("lines").write_bytes(b"".join(line + b"\n" for _, line in sealed))
    Path("schemathesis.toml").write_text(config(sealed[0][0], client.shop_token()))
    Path("openapi.json").write_text(json.dumps(narrowed()))
    failed = False
    for tag, url in [("service", client.SERVICE), ("shop", client.SHOP)]:
        command = [
            Path(sys.executable).with_name("schemathesis"),
            "run",
            "openapi.json",
            "--url",
            url,
            "--include-tag",
            tag,
        ]
        command += ["--max-time", str(SECONDS), "--seed", "1", "--generation-database", "none", "--workers", "2"]
        command += ["--max-failures", "20", "--continue-on-failure", "--request-timeout", "10"]
        failed |= (
            subprocess.run(command, check=False, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}).returncode != 0
        )
    sys.exit(1 if failed else 0)


main()
