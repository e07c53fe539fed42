"""Writes requests that scripts/http/requests.lua sends: one file for each thread of wrk.

    prepare.py KIND COUNT THREADS

KIND is `programs`, `orders` (a line in each request) or `batches` (a ticket and its 100 lines). A request is its length
in bytes, a line feed, and the bytes that go over the wire. Files are KIND-1, KIND-2 and so on.
"""

import contextlib
import sys
import urllib.parse
from pathlib import Path

import client


def written(url, path, headers, body):
    lines = [f"POST {path} HTTP/1.1", f"Host: {urllib.parse.urlsplit(url).netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    request = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body
    return b"%d\n" % len(request) + request


def programs(count):
    headers = {"Origin": client.SHOP, "Content-Type": "application/json"}
    request = written(client.SERVICE, "/v1/programs", headers, client.ask_for(1))
    for _ in range(count):
        yield request


def orders(count, each):
    service = client.connect(client.SERVICE)
    asked = client.ask_for(1000)
    done = 0
    while done < count:
        numbers = range(done * each, done * each + 1000)
        texts = [b'{"order":%d,"items":[{"item":"G-02","quantity":3}]}' % number for number in numbers]
        sealed = client.seal(client.program(service, asked), texts)
        for start in range(0, len(sealed), each):
            ticket = sealed[start][0]
            body = b"".join(line + b"\n" for _, line in sealed[start : start + each])
            headers = {"Authorization": f"Bearer {ticket}", "Content-Type": "text/plain"}
            yield written(client.SHOP, "/v1/orders", headers, body)
            done += 1


def main():
    kind, count, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    kinds = {"programs": programs, "orders": lambda n: orders(n, 1), "batches": lambda n: orders(n, 100)}
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(Path(f"{kind}-{thread + 1}").open("wb")) for thread in range(threads)]
        for number, request in enumerate(kinds[kind](count)):
            files[number % threads].write(request)


main()
