"""Sends broken requests to both servers over plain sockets, and watches how they take it.

    mutate.py REQUESTS SEED [NUMBER]

Every answer must be one of the documented statuses that fit the request, or the connection be closed, in time; problems
must be JSON that says the same as the status; nothing outside the folder for static files is served; the memory of the
servers stays within bounds, and their logs have neither panics nor anything of a request. Connections that send slowly, or
nothing, are closed. The same SEED sends the same; NUMBER sends one request alone, and prints what comes back.
"""

import collections
import json
import os
import random
import re
import resource
import select
import socket
import sys
import threading
import time
from pathlib import Path

import client
import mutations

WORKERS = 24
PATIENCE = 0.25  # seconds until a request without an answer counts as incomplete, and its end is sent
LIMIT = 15  # seconds from then until the server must have closed
SLOW_LIMIT = 90  # the same for connections that send slowly
MEMORY = 200 << 20
DOCUMENTED = {
    200, 201, 204, 206, 301, 304, 307, 308, 400, 401, 403, 404, 405, 406, 408, 409, 413, 414, 415, 416, 417, 421, 429, 431, 503,
}  # fmt: skip
SECRET = b"outside the folder for static files"
PIDS = {client.SERVICE: int(os.environ["SERVICE_PID"]), client.SHOP: int(os.environ["SHOP_PID"])}


class Fault(Exception):
    pass


def connect(url):
    return socket.create_connection(client.address(url), timeout=LIMIT)


def exchange(url, parts):
    """Sends the parts, and returns all that came back until the server closed."""
    answer = bytearray()
    connection = connect(url)
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        pending, ended, quiet_since = list(parts), False, time.monotonic()
        start = time.monotonic()
        while True:
            wants = [connection] if pending else []
            readable, writable, _ = select.select([connection], wants, [], 0.05)
            now = time.monotonic()
            try:
                if readable:
                    read = connection.recv(1 << 16)
                    if not read:
                        return bytes(answer)
                    answer += read
                    quiet_since = now
                if writable:
                    sent = connection.send(pending[0])
                    pending[0] = pending[0][sent:]
                    if not pending[0]:
                        pending.pop(0)
                    quiet_since = now
            except (ConnectionError, BrokenPipeError):
                return bytes(answer)
            if not pending and not ended and now - quiet_since > PATIENCE:
                ended = True
                try:
                    connection.shutdown(socket.SHUT_WR)
                except OSError:
                    return bytes(answer)
            if now - start > LIMIT + PATIENCE:
                raise Fault(f"neither answered nor closed in {LIMIT} s; so far {bytes(answer[:200])!r}")
            if len(answer) > 64 << 20:
                raise Fault("an endless answer")


HEAD = re.compile(rb"HTTP/1\.[01] (\d{3})[^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n")


def answers(text, heads):
    """Statuses, headers and bodies of the answers in a text. `heads`: the first answer may have no body, as to HEAD."""
    found = []
    while text:
        match = HEAD.match(text)
        if not match:
            raise Fault(f"not an answer: {text[:200]!r}")
        status, rest = int(match[1]), text[match.end() :]
        headers = {}
        for line in match[2].split(b"\r\n")[:-1]:
            name, _, value = line.partition(b":")
            headers[name.strip().lower().decode()] = value.strip().decode("latin-1")
        if status < 200 or status in (204, 304) or (heads and not rest):
            body = b""
        elif headers.get("transfer-encoding") == "chunked":
            body = b""
            while True:
                size, _, rest = rest.partition(b"\r\n")
                body, rest = body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
                if not int(size, 16):
                    break
        else:
            length = int(headers.get("content-length", len(rest)))
            body, rest = rest[:length], rest[length:]
            if len(body) < length:
                raise Fault(f"an answer of {len(body)} instead of {length} bytes")
        if status >= 200:
            found.append((status, headers, body))
        text = rest
    return found


def check(case, text):
    if SECRET in text or b"root:x:0" in text or b'"k":"' in text:
        raise Fault(f"served what is not to be served: {text[-500:]!r}")
    if not text:
        if not case.closed:
            raise Fault("closed without an answer")
        return "closed"
    if case.http2 and not text.startswith(b"HTTP/"):
        return "HTTP/2"
    head = any(part.startswith(b"HEAD ") for part in case.parts)
    found = answers(text, head)
    for number, (status, headers, body) in enumerate(found):
        if status not in DOCUMENTED:
            raise Fault(f"status {status}: {body[:200]!r}")
        if number == 0 and status not in case.statuses:
            raise Fault(f"status {status} {body[:200]!r}, expected {sorted(case.statuses)}")
        if headers.get("content-type") == "application/problem+json":
            if body:
                problem = json.loads(body)
                if problem["status"] != status or not problem["code"] or not problem["title"]:
                    raise Fault(f"status {status} with the problem {body!r}")
        elif status >= 400 and body:
            raise Fault(f"status {status} with a body that is no problem: {headers} {body[:200]!r}")
        for name, value in [("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer")]:
            # What is refused before it was read as a request has no such headers.
            if headers.get(name) != value and "content-type" in headers:
                raise Fault(f"status {status} without {name}: {headers}")
    return str(found[0][0]) if found else "closed"


def resident(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) << 10


class Run:
    def __init__(self, count, seed, material):
        self.count, self.seed, self.material = count, seed, material
        self.lock, self.next, self.found, self.faults = threading.Lock(), 0, collections.Counter(), []
        self.largest = {url: resident(pid) for url, pid in PIDS.items()}

    def case(self, number):
        return self.material.case(random.Random(f"{self.seed}/{number}"))

    def work(self):
        while True:
            with self.lock:
                number = self.next
                if number >= self.count or len(self.faults) >= 20:
                    return
                self.next += 1
            case = self.case(number)
            try:
                found = check(case, exchange(case.url, case.parts))
            except (Fault, OSError, ValueError, KeyError, IndexError) as fault:
                with self.lock:
                    self.faults.append(f"{number} ({case.name}): {fault!r}")
                continue
            with self.lock:
                self.found[found] += 1
                if number % 100 == 0:
                    for url, pid in PIDS.items():
                        self.largest[url] = max(self.largest[url], resident(pid))


class Slow(threading.Thread):
    """A connection that sends a byte now and then, or all at once without a pause, and must be closed all the same."""

    def __init__(self, url, text, pause):
        super().__init__(daemon=True)
        self.url, self.text, self.pause, self.closed = url, text, pause, None

    def run(self):
        start = time.monotonic()
        with connect(self.url) as connection:
            connection.settimeout(0.2)
            place, last = 0, 0
            while time.monotonic() - start < SLOW_LIMIT:
                try:
                    if place < len(self.text) and time.monotonic() - last > self.pause:
                        size = 1 if self.pause else len(self.text)
                        connection.sendall(self.text[place : place + size])
                        place, last = place + size, time.monotonic()
                    if not connection.recv(1 << 16):
                        break
                except TimeoutError:
                    continue
                except OSError:
                    break
            else:
                return
        self.closed = time.monotonic() - start


class Unread(threading.Thread):
    """A connection that asks a thousand times and reads no answer: it must be closed too."""

    pause = SLOW_LIMIT

    def __init__(self, url, text):
        super().__init__(daemon=True)
        self.url, self.text, self.closed = url, text * 1000, None

    def run(self):
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(2)
            connection.connect(client.address(self.url))
            try:
                connection.sendall(self.text)
            except OSError:
                pass  # the server reads no further, or has closed
            time.sleep(SLOW_LIMIT)
            try:
                while connection.recv(1 << 20):
                    pass
            except TimeoutError:
                return
            except OSError:
                pass
        self.closed = 0


def alive():
    for url, pid in PIDS.items():
        text = f"GET /healthz HTTP/1.1\r\nHost: {url.split('/')[2]}\r\nConnection: close\r\n\r\n".encode()
        if answers(exchange(url, [text]), False)[0][0] != 200:
            raise Fault(f"{url} does not answer")
        os.kill(pid, 0)


def crowd(count):
    """Opens more connections than a server may want, says nothing, and looks who else is answered."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 500), hard))
    for url in PIDS:
        connections = []
        try:
            for _ in range(min(count, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 400)):
                connections.append(socket.create_connection(client.address(url), timeout=2))
        except OSError:
            pass  # refused: as good as kept waiting
        for connection in connections:
            connection.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    deadline = time.monotonic() + LIMIT
    while True:
        try:
            return alive()
        except (Fault, OSError, IndexError):
            if time.monotonic() > deadline:
                raise


def logs():
    """What the servers wrote to stderr: lines of JSON that have nothing of a request."""
    for name in ("service.log", "shop.log"):
        text = Path(name).read_text(errors="replace")
        for line in text.splitlines():
            try:
                json.loads(line)
            except ValueError:
                raise Fault(f"{name}: {line[:300]}") from None
        for words in ("panicked", "eyJ", "evil.example", "secret.txt", "Bearer"):
            if words in text:
                place = text.index(words)
                raise Fault(f'{name} has "{words}": {text[max(0, place - 200) : place + 100]}')


def valid_requests():
    request = client.ask_for(1)
    program = {"Origin": client.SHOP, "Content-Type": "application/json"}
    payload = client.program(client.connect(client.SERVICE), client.ask_for(3))
    sealed = client.seal(payload, [b'{"order":1}', b'{"order":2}', b'{"order":3}'])
    lines = b"".join(line + b"\n" for _, line in sealed)
    orders = {"Authorization": f"Bearer {sealed[0][0]}", "Content-Type": "text/plain"}
    shop = {"Authorization": f"Bearer {client.shop_token()}", "Content-Type": "application/json"}
    valid = mutations.Valid
    return [
        valid(client.SERVICE, "POST", "/v1/programs", list(program.items()), request, 200),
        valid(client.SERVICE, "POST", "/v1/shop-keys", list(shop.items()), b'{"kids": ["tokyo/1"]}', 200),
        valid(client.SERVICE, "GET", "/v1/key", [], b"", 200),
        valid(client.SERVICE, "GET", "/healthz", [], b"", 200),
        valid(client.SHOP, "POST", "/v1/orders", list(orders.items()), lines, 201),
        valid(client.SHOP, "GET", "/page.json", [], b"", 200),
        valid(client.SHOP, "GET", "/page.json.jws", [], b"", 200),
        valid(client.SHOP, "GET", "/", [], b"", 200),
        valid(client.SHOP, "GET", "/static/hello.txt", [], b"", 200),
    ]


def main():
    count, seed = int(sys.argv[1]), sys.argv[2]
    material = mutations.Mutations(valid_requests())
    run = Run(count, seed, material)
    if len(sys.argv) > 3:
        case = run.case(int(sys.argv[3]))
        text = exchange(case.url, case.parts)
        print(case, text[:2000], check(case, text), sep="\n")
        return
    for one in material.valid:
        case = mutations.Case("valid", one.url, [one.bytes()], {one.status}, closed=False)
        check(case, exchange(case.url, case.parts))
    before = {url: resident(pid) for url, pid in PIDS.items()}

    slow = []
    for one in material.valid[:1] + material.valid[4:6]:
        text = one.bytes()
        end = text.index(b"\r\n\r\n") + 4
        slow += [
            Slow(one.url, b"", 1),
            Slow(one.url, text[:20], 60),
            Slow(one.url, text, 1),
            Slow(one.url, text[:end], 0),
        ]
        slow += [Slow(one.url, text[: end + 10], 0), Slow(one.url, text + text[:5], 0)]
    slow.append(Unread(client.SHOP, next(one for one in material.valid if one.path == "/").bytes()))
    workers = [threading.Thread(target=run.work, daemon=True) for _ in range(WORKERS)]
    for thread in [*slow, *workers]:
        thread.start()
    for thread in workers:
        thread.join()
    faults = run.faults
    try:
        alive()
        for thread in slow:
            thread.join()
            if thread.closed is None:
                sent = thread.text if len(thread.text) < 40 else thread.text[:40] + b"..."
                faults.append(
                    f"a {type(thread).__name__} connection to {thread.url} was not closed: {sent!r}, {thread.pause}"
                )
        crowd(3000)
        logs()
        for url in PIDS:
            if run.largest[url] > before[url] + MEMORY:
                raise Fault(f"{url} had {run.largest[url] >> 20} MB in memory")
    except (Fault, OSError, ValueError) as fault:
        faults.append(repr(fault))
    for fault in faults:
        print(f"mutate.py: error: {fault}", file=sys.stderr)
    told = ", ".join(f"{number} {name}" for name, number in sorted(run.found.items()))
    slowest = max((thread.closed or 0 for thread in slow), default=0)
    memory = " and ".join(f"{size >> 20} MB" for size in run.largest.values())
    print(f"mutate.py: {count} requests, seed {seed}: {told}; slow ones closed in {slowest:.0f} s; at most {memory}")
    sys.exit(1 if faults else 0)


main()
