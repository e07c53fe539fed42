"""Kills both servers under load again and again, and looks at what is left.

    kill.py ROUNDS

Eight clients ask for programs, have two orders sealed under each id, and send the first, then the second, and again
what had no answer. What was answered by 201 is in the inbox once, in the order of each client;
no id is in the inbox twice, nor in two programs; every line of the inbox opens.
"""

import collections
import http.client
import json
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import client

CLIENTS = 8
ORDERS = 40  # in a program


class Server:
    """A server of its own beside those of scripts/live.sh, on the same files or on others."""

    def __init__(self, name, port, *arguments):
        self.port, self.log = port, Path(f"kill-{name}.log")
        self.command = [client.ORDERSEAL, "serve", name, "--listen", f"127.0.0.1:{port}", *arguments]

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stderr=log)
        for _ in range(200):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
                connection.request("GET", "/healthz")
                connection.getresponse()
                return
            except OSError:
                if self.process.poll() is not None:
                    raise SystemExit(f"kill.py: error: {self.command} ended: {self.log.read_text()}")
                time.sleep(0.05)
        raise SystemExit(f"kill.py: error: {self.command} does not answer")

    def end(self, number):
        self.process.send_signal(number)
        return self.process.wait(30)


class Client(threading.Thread):
    """Sends lines, and remembers what the servers answered."""

    def __init__(self, number, stop):
        super().__init__(daemon=True)
        self.random, self.stop, self.request = random.Random(number), stop, client.ask_for(ORDERS)
        self.kids, self.sent, self.kept, self.refused, self.order = [], [], [], [], 0
        self.fault = None

    def run(self):
        try:
            while not self.stop.is_set():
                self.round()
        except Exception as fault:  # told by the main thread
            self.fault = fault

    def round(self):
        try:
            program = client.program(client.connect(client.SERVICE), self.request)
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
            return
        self.kids += [key["kid"] for key in program["bundle"]["keys"]]
        texts = [b'{"client":"%s","order":%d}' % (self.name.encode(), self.order + n) for n in range(ORDERS)]
        self.order += ORDERS
        others = [text.replace(b"order", b"other") for text in texts]
        pairs = zip(client.seal(program, texts), client.seal(program, others))
        work = [one for pair in pairs for one in pair]
        self.sent += [line for _, line in work]
        connection = None
        while work and not self.stop.is_set():
            ticket, line = work[0]
            try:
                connection = connection or client.connect(client.SHOP)
                headers = {"Authorization": f"Bearer {ticket}", "Content-Type": "text/plain"}
                connection.request("POST", "/v1/orders", line, headers)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                connection = None
                time.sleep(0.02)
                if self.random.random() < 0.1:  # gives up
                    work.pop(0)
                continue
            if answer.status == 201:
                self.kept.append(work.pop(0)[1])
            elif answer.status == 409:
                self.refused.append(work.pop(0)[1])
            else:
                raise RuntimeError(f"status {answer.status}")


def in_order(lines, places):
    found = [places[line] for line in lines if line in places]
    return found == sorted(found)


def fail(words):
    raise SystemExit(f"kill.py: error: {words}")


def main():
    rounds = int(sys.argv[1])
    ports = [client.address(url)[1] + 100 for url in (client.SERVICE, client.SHOP)]
    client.SERVICE, client.SHOP = (f"http://127.0.0.1:{port}" for port in ports)
    page = json.loads(Path("page.json").read_text())
    page["orderseal"]["service"] = client.SERVICE + "/"
    Path("kill.json").write_text(json.dumps(page))
    many = ["--limit-address", "1000000000", "--limit-shop", "1000000000"]
    service = Server("service", ports[0], "--keys", "service.jwks", "--origin", client.SHOP, *many)
    shop = Server("shop", ports[1], "--page", "kill.json", "--inbox", "kill-inbox", *many)
    stop = threading.Event()
    for server in (service, shop):
        server.start()
    clients = [Client(number, stop) for number in range(CLIENTS)]
    for one in clients:
        one.start()
    chance = random.Random(rounds)
    for number in range(rounds):
        time.sleep(chance.uniform(0.1, 1.5))
        server = service if number % 4 == 3 else shop
        server.end(signal.SIGKILL)
        server.start()
    time.sleep(1)
    stop.set()
    for one in clients:
        one.join(60)
        if one.fault:
            fail(f"a client: {one.fault!r}")
    for server in (service, shop):
        if server.end(signal.SIGTERM) != 0:
            fail(f"{server.command} ended with {server.process.returncode}")

    inbox = b"".join(file.read_bytes() for file in sorted(Path("kill-inbox").glob("*.jwe")))
    sent = {line for one in clients for line in one.sent}
    found = collections.Counter(inbox.splitlines())
    lines = {line: count for line, count in found.items() if line in sent}
    # A line that was being written when the server was killed may be there in part.
    torn = [line for line in found if line not in sent]
    kept = [line for one in clients for line in one.kept]
    refused = [line for one in clients for line in one.refused]
    places = {line: place for place, line in enumerate(lines)}
    ids = collections.Counter(client.kid(line) for line in lines)
    issued = collections.Counter(kid for one in clients for kid in one.kids)
    for found, words in [
        ([line for line in kept if lines.get(line) != 1], "lines that were answered by 201 are not in the inbox once"),
        ([line for line in refused if line in lines], "lines that were answered by 409 are in the inbox"),
        ([line for line in lines if lines[line] > 1], "lines are in the inbox twice"),
        ([line for line in torn if not any(whole.startswith(line) for whole in sent)], "lines were sent by nobody"),
        ([kid for kid in ids if ids[kid] > 1], "ids were used twice"),
        ([kid for kid in issued if issued[kid] > 1], "ids were handed out twice"),
        ([one.name for one in clients if not in_order(one.kept, places)], "clients have orders in another order"),
    ]:
        if found:
            fail(f"{len(found)} {words}, as {found[0]}")
    # The shop's bundle of scripts/live.sh opens what its keyring handed out.
    Path("kill.jwe").write_bytes(b"".join(line + b"\n" for line in lines))
    command = [client.ORDERSEAL, "decrypt", "--quiet", "--bundle", "tokyo.jwks", "kill.jwe"]
    opened = subprocess.run(command, check=False, capture_output=True)
    if opened.returncode or opened.stdout.count(b"\n") != len(lines):
        fail(f"the inbox does not open: {opened.stderr.decode()}")
    print(
        f"kill:     {rounds} kills, {len(kept)} orders answered by 201 and {len(refused)} by 409, "
        f"{len(issued)} ids handed out: none lost, none twice"
    )


main()
