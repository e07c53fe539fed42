"""Requests that are broken in one way or another: the material of scripts/http/mutate.py."""

import dataclasses
import json
import urllib.parse

# Statuses of what is not HTTP, or is too long for the server.
BROKEN = {400, 404, 405, 408, 411, 413, 414, 415, 417, 421, 431, 501, 505}
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "X" * 300]
HOSTS = [
    "evil.example", "service.example", "127.0.0.1.evil.example", "localhost.evil.example", "192.0.2.1", "[2001:db8::1]",
    "evil.example:8701", "0x7f000001", "2130706433", "localhost@evil.example", "*", "a" * 300,
]  # fmt: skip
PATHS = [
    "/static/../secret.txt", "/static/%2e%2e/secret.txt", "/static/..%2fsecret.txt", "/static/%2e%2e%2fsecret.txt",
    "/static/..%5csecret.txt", "/static/..\\secret.txt", "/static/%252e%252e/secret.txt", "/static/%c0%ae%c0%ae/secret.txt",
    "/static/./../secret.txt", "/static//../secret.txt", "/static/a/../../secret.txt", "/static/hello.txt/../../secret.txt",
    "/static//etc/passwd", "/static/%2fetc%2fpasswd", "/static/../../../../../../../etc/passwd", "/static/hello.txt%00",
    "/static/%00", "/static/hello.txt/", "/static/", "/static", "/static/..", "/static/.", "/static/%", "/static/%zz",
    "/static/" + "a/" * 4000, "/static/" + "%2e%2e%2f" * 2000 + "etc/passwd", "/static/con", "/static/~root", "/static/\xff",
    "/../secret.txt", "//secret.txt", "/page.json/", "//page.json", "/./page.json", "/page.json%20", "/PAGE.JSON", "/page.json;x",
    "/v1/orders/", "/v1//orders", "/V1/orders", "/v1%2forders", "/v1/./orders", "/v1", "/inbox/", "/inbox.index",
    "/shops/", "/shops/..", "/shops/%2e%2e%2fservice.jwks", "/shops/tokyo/", "/shops/tokyo%00", "/shops/-", "/shops/kyoto",
    "/shops/" + "x" * 65, "/shops/%ff", "/shops/<script>", "/service.jwks", "/.git/config", "/" + "x" * 70000, "*", "",
]  # fmt: skip
LENGTHS = [
    "-1",
    "+5",
    "5 5",
    "0x5",
    "1e3",
    "99999999999999999999999",
    "18446744073709551616",
    "",
    "five",
    "5, 6",
    "4194305",
]
CODINGS = ["gzip", "xchunked", "chunked, chunked", "chunked, identity", "identity", "\x0bchunked", "CHUNKED", ""]


@dataclasses.dataclass
class Case:
    """What is sent, and which statuses may be answered."""

    name: str
    url: str
    parts: list  # bytes; a pause between them
    statuses: set  # of the first answer
    closed: bool = True  # the connection may also be closed without an answer
    http2: bool = False  # the answer may be one of HTTP/2


@dataclasses.dataclass
class Valid:
    """A request that is answered as it should be, to be broken."""

    url: str
    method: str
    path: str
    headers: list
    body: bytes
    status: int

    def bytes(self, method=None, path=None, headers=None, body=None, length=True, version="HTTP/1.1", host=None):
        body = self.body if body is None else body
        lines = [f"{method or self.method} {self.path if path is None else path} {version}"]
        lines += [f"Host: {urllib.parse.urlsplit(self.url).netloc if host is None else host}"]
        lines += [f"{name}: {value}" for name, value in (self.headers if headers is None else headers)]
        lines += [f"Content-Length: {len(body)}"] if length and (body or self.method == "POST") else []
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body

    def without(self, name):
        return [header for header in self.headers if header[0] != name]


class Mutations:
    """Makes the case of a number; the same one for the same random numbers."""

    def __init__(self, valid):
        self.valid = valid
        self.posts = [one for one in valid if one.method == "POST"]
        self.kinds = [
            self.bytes_changed, self.bytes_changed, self.bytes_changed, self.line, self.header, self.header, self.many_headers,
            self.length, self.chunks, self.chunks, self.body, self.body, self.large, self.path, self.path, self.method, self.host,
            self.origin, self.media_type, self.ticket, self.pipelined, self.other_protocol, self.cut, self.expect,
        ]  # fmt: skip

    def case(self, rng):
        case = rng.choice(self.kinds)(rng)
        if len(case.parts) == 1 and rng.random() < 0.1:
            text = case.parts[0]
            place = rng.randrange(len(text) + 1)
            case.parts = [text[:place], text[place:]]
        return case

    def bytes_changed(self, rng):
        one = rng.choice(self.valid)
        text = bytearray(one.bytes())
        for _ in range(rng.choice([1, 1, 2, 5])):
            place, size = rng.randrange(len(text)), rng.choice([1, 1, 2, 8, 64])
            change = rng.choice(["flip", "set", "delete", "insert", "repeat"])
            if change == "flip":
                text[place] ^= 1 << rng.randrange(8)
            elif change == "set":
                text[place] = rng.choice([0, 9, 10, 13, 32, 37, 44, 58, 127, 128, 255])
            elif change == "delete" and len(text) > size:
                del text[place : place + size]
            elif change == "insert":
                text[place:place] = rng.randbytes(size)
            else:
                text[place:place] = text[place : place + size] * rng.choice([1, 10])
        return Case(
            f"bytes changed of {one.path}", one.url, [bytes(text)], BROKEN | {200, 201, 204, 401, 403, 406, 409}
        )

    def line(self, rng):
        one = rng.choice(self.valid)
        rest = one.bytes().split(b"\r\n", 1)[1]
        path = one.path.encode()
        first = rng.choice([
            b"GET", b"GET ", b"GET " + path, b"GET " + path + b" ", b"GET  " + path + b" HTTP/1.1", b"GET\t" + path + b"\tHTTP/1.1",
            b" GET " + path + b" HTTP/1.1", path + b" HTTP/1.1", b"HTTP/1.1 200 OK", b"GET " + path + b" HTTP/1.2",
            b"GET " + path + b" HTTP/2.0", b"GET " + path + b" HTTP/9.9", b"GET " + path + b" HTTP/11", b"GET " + path + b" http/1.1",
            b"GET " + path + b" HTTP/1.1 x", b"GET " + path + b"\x00 HTTP/1.1", b"GET " + path + b" HTTP/1.1\r", b"\r\n" * 500,
            b"GE\x00T " + path + b" HTTP/1.1", b"\xff\xfe\xfd " + path + b" HTTP/1.1", b"GET " + b"/" * 100_000 + b" HTTP/1.1",
            b"GET /?" + b"x" * 100_000 + b" HTTP/1.1", rng.randbytes(rng.randrange(1, 200)), b"GET http:// HTTP/1.1",
            b"GET :80 HTTP/1.1", b"GET http://[::1 HTTP/1.1", b"OPTIONS * HTTP/1.1", b"CONNECT 127.0.0.1:22 HTTP/1.1",
        ])  # fmt: skip
        return Case("request line", one.url, [first + b"\r\n" + rest], BROKEN | {200, 201, 204, 401, 403})

    def header(self, rng):
        one = rng.choice(self.valid)
        line = rng.choice([
            "Bad Header: x", "Bad\x00: x", ": x", "NoColon", " Folded: x", "X: a\r\n b", "X: \x00", "X: \xff\xfe", "X\xff: x", "X : x",
            "X: " + "a" * 20_000, "X: " + "a" * 1_000_000, "X" * 70_000 + ": a", "Host: evil.example", "Host: ", "Host: a, b",
            "Content-Length: 3", "Content-Length: 0", "Transfer-Encoding: chunked", "Origin: null", "Origin: http://evil.example",
            "Content-Type: text/html", "Authorization: Bearer x", "Connection: close, x", "Connection: upgrade", "Upgrade: h2c",
            "Upgrade: websocket", "X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1", "X-Forwarded-Host: evil.example",
            "X-HTTP-Method-Override: DELETE", "X-Original-URL: /secret.txt", "Range: bytes=0-1,5-9,-4", "Range: bytes=9-1",
            "Range: bytes=" + "0-," * 2000, "If-Modified-Since: never", "If-None-Match: *", "Accept: ;;;q=9", "Accept: " + "a/b," * 999,
            "Accept-Encoding: gzip;q=-1", "Content-Encoding: gzip", "Cookie: " + "a=b; " * 999, "TE: trailers", "Trailer: Host",
            "Keep-Alive: timeout=999999", "HTTP2-Settings: AAMAAABkAAQAAP__", "Content-Length: 18446744073709551615",
        ])  # fmt: skip
        headers = [line, *[f"{name}: {value}" for name, value in one.headers]]
        rng.shuffle(headers)
        text = one.bytes(headers=[]).split(b"\r\n\r\n", 1)
        text = text[0] + b"\r\n" + "\r\n".join(headers).encode("latin-1") + b"\r\n\r\n" + text[1]
        return Case(f"header {line[:30]}", one.url, [text], BROKEN | {200, 201, 204, 206, 304, 401, 403, 406, 416})

    def many_headers(self, rng):
        one = rng.choice(self.valid)
        count = rng.choice([50, 101, 1000, 10_000])
        headers = [*one.headers, *[(f"X-{number}", "a" * rng.choice([0, 1, 100])) for number in range(count)]]
        statuses = {431, 400} if count > 1000 else {431, 400, one.status, 403, 409, 429}
        return Case(f"{count} headers", one.url, [one.bytes(headers=headers)], statuses)

    def length(self, rng):
        one = rng.choice(self.posts)
        lines = [("Content-Length", rng.choice(LENGTHS))]
        if rng.random() < 0.5:
            lines += [rng.choice([("Content-Length", str(len(one.body))), ("Transfer-Encoding", rng.choice(CODINGS))])]
        rng.shuffle(lines)
        text = one.bytes(headers=[*one.headers, *lines], length=False)
        return Case(f"length {lines}", one.url, [text], BROKEN | {200, 201, 401, 403, 409})

    def chunks(self, rng):
        one = rng.choice(self.posts)
        body, sized = one.body, lambda text: b"%x\r\n" % len(text) + text + b"\r\n"
        valid = rng.random() < 0.3
        if valid:
            size = rng.choice([1, 7, 64, 4096])
            chunked = b"".join(sized(body[place : place + size]) for place in range(0, len(body), size))
            chunked += rng.choice([b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"000;x=y\r\n\r\n"])
        else:
            chunked = rng.choice([
                b"", b"0", b"0\r\n", b"\r\n", sized(body), sized(body)[:-1] + b"0\r\n\r\n", b"-1\r\nx\r\n0\r\n\r\n", b"xyz\r\n" + body,
                b"ffffffffffffffff\r\n" + body, b"fffffffffffffffff\r\n" + body, b"%x\r\n" % (len(body) + 9) + body + b"\r\n0\r\n\r\n",
                b"1;" + b"x" * 100_000 + b"\r\na\r\n0\r\n\r\n", b"0\r\n" + b"X: y\r\n" * 20_000 + b"\r\n", b"5\nabcde\n0\n\n",
                b"0x5\r\nabcde\r\n0\r\n\r\n", b" 5\r\nabcde\r\n0\r\n\r\n", b"5 \r\nabcde\r\n0\r\n\r\n", b"1\r\na\r\n" * 3000, rng.randbytes(50),
            ])  # fmt: skip
        text = one.bytes(headers=[*one.headers, ("Transfer-Encoding", "chunked")], body=b"", length=False) + chunked
        statuses = {one.status, 409, 429} if valid else BROKEN | {200, 201, 409, 429}
        return Case("chunks" if valid else "broken chunks", one.url, [text], statuses, closed=not valid)

    def body(self, rng):
        one = rng.choice(self.posts)
        text = bytearray(one.body)
        change = rng.randrange(4)
        if change == 0:
            for _ in range(rng.choice([1, 3, 20])):
                text[rng.randrange(len(text))] = rng.randrange(256)
        elif change == 1:
            place = rng.randrange(len(text))
            text[place:] = text[place + rng.randrange(40) :]
        else:
            text = rng.choice([
                b"", b"\n", b"\r\n\r\n", b"null", b"[]", b"{}", b"{" * 15_000, b"[" * 15_000, b'{"a":' * 3000, b"\xef\xbb\xbf" + one.body,
                one.body + one.body, one.body.replace(b"1", b"1e999"), one.body.replace(b"1", b"-1"), b"....\n", b"a.b.c.d.e\n" * 900,
                b"eyJ9.a.b.c.d\n", b"\n" * 4000, b"\x00" * 500, b"\xff" * 500, one.body * 1001, b"x" * 16_000,
                json.dumps({"orderseal": {"role": "request", "orders": 2**70}}).encode(), one.body.replace(b"\n", b"\r\n"),
                one.body.replace(b"tokyo", b"../tokyo"), one.body.replace(b"tokyo", b"kyoto"),
            ])  # fmt: skip
        statuses = {400, 401, 403, 404, 409, 413, 429, one.status}
        return Case("body", one.url, [one.bytes(body=bytes(text))], statuses)

    def large(self, rng):
        one = rng.choice(self.posts)
        size = rng.choice([16_385, 100_000, 4_194_305, 6_000_000])
        body = (one.body * (size // len(one.body) + 1))[:size]
        if rng.random() < 0.3:  # more than is sent
            size = rng.choice([10**7, 10**10, 2**63 - 1])
            body = body[:2000]
        text = one.bytes(headers=[*one.headers, ("Content-Length", str(size))], body=body, length=False)
        return Case(f"body of {size}", one.url, [text], {400, 403, 408, 409, 413})

    def path(self, rng):
        one = rng.choice(self.valid)
        path = rng.choice(PATHS) + rng.choice(["", "", "?", "?x=y", "#x"])
        if rng.random() < 0.2:
            path = (
                rng.choice(["http://", "HTTP://", "//", "https://evil.example@"])
                + urllib.parse.urlsplit(one.url).netloc
                + path
            )
        get = Valid(one.url, "GET", path, [], b"", 0)
        return Case(
            f"path {path[:60]}", one.url, [get.bytes()], {200, 301, 307, 308, 400, 403, 404, 405, 414, 421, 431}
        )

    def method(self, rng):
        one, method = rng.choice(self.valid), rng.choice(METHODS)
        statuses = {400, 405} if method != one.method else {one.status, 409, 429}
        if method == "HEAD" and one.method == "GET":
            statuses = {one.status}
        if method == "OPTIONS" and one.method == "POST":
            statuses = {204} if any(name == "Origin" for name, _ in one.headers) else {403}
            if one.path == "/v1/shop-keys":
                statuses = {405}
        return Case(f"method {method[:9]} of {one.path}", one.url, [one.bytes(method=method)], statuses)

    def host(self, rng):
        one, host = rng.choice(self.valid), rng.choice(HOSTS)
        if rng.random() < 0.1:
            text = one.bytes(headers=[("X", "no host"), *one.headers]).replace(b"Host:", b"X-Host:")
            return Case("no host", one.url, [text], {400, 421})
        return Case(f"host {host[:30]}", one.url, [one.bytes(host=host)], {400, 421})

    def origin(self, rng):
        one = rng.choice(self.posts)
        origin = rng.choice(
            ["null", "", "http://evil.example", "https://127.0.0.1", "file://", "http://127.0.0.1:1", "x", "a" * 3000]
        )
        text = one.bytes(headers=[*one.without("Origin"), ("Origin", origin)])
        return Case(f"origin {origin[:30]}", one.url, [text], {403})

    def media_type(self, rng):
        one = rng.choice(self.posts)
        types = [
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "",
            "x",
            "application/jwt",
            "text/html",
            "*/*",
        ]
        text = one.bytes(headers=[*one.without("Content-Type"), ("Content-Type", rng.choice(types))])
        return Case("media type", one.url, [text], {415})

    def ticket(self, rng):
        one = next(one for one in self.posts if one.path == "/v1/orders")
        value = bytearray(dict(one.headers)["Authorization"].encode())
        change = rng.randrange(3)
        if change == 0:
            place = rng.randrange(7, len(value))
            value[place] = rng.choice([byte for byte in b"Ab0-_.=" if byte != value[place]])
        elif change == 1:
            del value[rng.randrange(7, len(value)) :]
        else:
            value = rng.choice([
                b"Bearer", b"Bearer ", b"Basic dTpw", b"bearer x", b"Bearer a b", b"Bearer ..", b"Bearer " + b"a" * 17_000,
                b"Bearer " + b"." * 9000, b"Bearer eyJhbGciOiJub25lIn0.e30.", b"Bearer \xff",
            ])  # fmt: skip
        text = one.bytes(headers=[*one.without("Authorization"), ("Authorization", value.decode("latin-1"))])
        # The last character of a signature may have unused bits, which are refused too.
        return Case("ticket", one.url, [text], {401, 400, 431})

    def pipelined(self, rng):
        url = rng.choice(self.valid).url
        same = [one for one in self.valid if one.url == url]
        count = rng.choice([2, 5, 50, 500])
        text = b"".join(rng.choice(same).bytes() for _ in range(count))
        if rng.random() < 0.3:
            text += rng.randbytes(20)
        return Case(f"{count} requests at once", url, [text], {one.status for one in same} | {409, 429, 503})

    def other_protocol(self, rng):
        one = rng.choice(self.valid)
        text, http2 = rng.choice([
            (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + rng.randbytes(500), False),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00", True),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + rng.randbytes(200), True),
            (b"SSH-2.0-OpenSSH_9.2\r\n", False), (b"GET /\r\n", False), (b"GET /\n\n", False), (b"\n\n\n\n", False), (b"", False),
            (b"EHLO x\r\nQUIT\r\n", False), (b"\x00" * 5000, False), (rng.randbytes(5000), False), (b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n", False),
        ])  # fmt: skip
        return Case("another protocol", one.url, [text], BROKEN, http2=http2)

    def cut(self, rng):
        one = rng.choice(self.valid)
        text = one.bytes()
        return Case("cut", one.url, [text[: rng.randrange(len(text))]], {400, 408})

    def expect(self, rng):
        one = rng.choice(self.posts)
        value = rng.choice(["100-continue", "100-Continue", "200-ok", "x"])
        text = one.bytes(headers=[*one.headers, ("Expect", value)])
        place = text.index(b"\r\n\r\n") + 4
        return Case("expect", one.url, [text[:place], text[place:]], {one.status, 409, 417, 429})
