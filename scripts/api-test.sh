#!/usr/bin/env bash
# Tries both servers with other people's eyes: what docs/openapi.yaml says, and requests that are broken.
#
#     scripts/api-test.sh [REQUESTS [SEED]]
#
# schemathesis (PyPI) makes requests from the OpenAPI file, valid and invalid, and compares the answers with it: statuses,
# types, headers, contents. Then REQUESTS (10,000) broken requests go over plain sockets: request lines, headers, lengths,
# chunks, bodies, paths, methods, hosts, other protocols, connections that are slow or many. Needs python3 and the network;
# takes about two minutes. ORDERSEAL=path uses a program that is already built.
set -euo pipefail
export LC_ALL=C.UTF-8

root=$(cd "$(dirname "$0")/.." && pwd)
lab=$(mktemp -d "${TMPDIR:-/tmp}/orderseal-api.XXXXXX")
trap 'rm -rf "$lab"' EXIT
mkdir "$lab/static"
echo hello > "$lab/static/hello.txt"
echo "outside the folder for static files" > "$lab/secret.txt"
chmod 755 "$lab" "$lab/static"
chmod 644 "$lab/static/hello.txt" "$lab/secret.txt"
python3 -m venv "$lab/venv"
"$lab/venv/bin/pip" install --quiet --disable-pip-version-check schemathesis==4.32.5

limits="--limit-address 1000000000 --limit-shop 1000000000"
export SERVICE_OPTIONS=$limits SHOP_OPTIONS="$limits --static $lab/static"
"$root/scripts/live.sh" "$lab/venv/bin/python" -B "$root/scripts/http/api.py"
"$root/scripts/live.sh" python3 -B "$root/scripts/http/mutate.py" "${1:-10000}" "${2:-$RANDOM}"
