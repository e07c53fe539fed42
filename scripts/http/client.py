"""A client over HTTP, with Python's own library: asks for programs, has orders sealed, sends lines.

The servers are those of scripts/live.sh, which puts their addresses and its folder into the environment. Everything runs
in that folder.
"""

import base64
import http.client
import json
import os
import subprocess
import threading
import urllib.parse

ORDERSEAL, SERVICE, SHOP = (os.environ[name] for name in ("ORDERSEAL", "SERVICE", "SHOP"))
os.chdir(os.environ["FOLDER"])


def address(url):
    """Host and port of an address."""
    parts = urllib.parse.urlsplit(url)
    return parts.hostname, parts.port


def connect(url, timeout=10):
    return http.client.HTTPConnection(*address(url), timeout=timeout)


def ask_for(orders):
    """The body of a request for a program."""
    command = [ORDERSEAL, "request", "--quiet", "--page", "page.json", "--orders", str(orders)]
    return subprocess.run(command, check=True, capture_output=True).stdout


def program(connection, request):
    """The payload of a program. Its signature is the subject of other tests."""
    headers = {"Origin": SHOP, "Content-Type": "application/json"}
    connection.request("POST", "/v1/programs", request, headers)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{answer.status} {body.decode()}")
    payload = body.split(b".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))


def shop_token():
    """A token with which the shop fetches its keys."""
    command = [ORDERSEAL, "keys", "token", "--quiet", "--fetch", "service.jwks"]
    return subprocess.run(command, check=True, capture_output=True).stdout.decode().strip()


def seal(program, orders):
    """Pairs of a ticket and a sealed line, for as many orders as the program has keys or fewer."""
    bundle = f"client-{threading.get_ident()}.jwks"
    with open(os.open(bundle, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(program["bundle"], file)
    text = b"".join(order + b"\n" for order in orders)
    command = [ORDERSEAL, "encrypt", "--quiet", "--bundle", bundle]
    sealed = subprocess.run(command, check=True, capture_output=True, input=text).stdout
    for name in (bundle, f"{bundle}.spent"):
        if os.path.exists(name):
            os.remove(name)
    tickets = {}
    for number, key in enumerate(program["bundle"]["keys"]):
        tickets[key["kid"]] = program["tickets"][number // 100]
    lines = sealed.splitlines()
    return [(tickets[kid(line)], line) for line in lines]


def kid(line):
    """The name of the key that opens a line."""
    header = line.split(b".", 1)[0]
    return json.loads(base64.urlsafe_b64decode(header + b"=" * (-len(header) % 4)))["kid"]
