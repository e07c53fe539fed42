"""What schemathesis does not know by itself: sealed lines of this run as bodies, and how tokens are read."""

from pathlib import Path

import schemathesis
from hypothesis import strategies

LINES = Path("lines").read_bytes().splitlines()
bodies = strategies.lists(strategies.sampled_from(LINES), min_size=1, max_size=5).map(b"\n".join)


@schemathesis.hook
def map_body(context, body):
    """JSON Schema takes 3.0 for an integer; a request does not."""
    return whole(body)


def whole(value):
    if isinstance(value, dict):
        return {name: whole(member) for name, member in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


@schemathesis.deserializer("application/jose")
def token(context, response):
    return response.content.decode()


for kind in ("text/plain", "application/jose"):
    schemathesis.openapi.media_type(kind, bodies)
