"""Running the program, and what is known of each run: when it began, what left it and when, when it was done."""

import base64
import json
import os
import subprocess


class Wrong(Exception):
    """Something that the program promises does not hold."""


class Run:
    """A run whose effects reach the disk between two positions of the recording."""

    def __init__(self, what, before):
        self.what, self.before, self.after, self.left = what, before, None, []

    def begun(self, cut):
        return self.before < cut

    def done(self, cut):
        """Whether it had said so before this cut."""
        return self.after is not None and self.after <= cut

    def left_before(self, cut):
        return [line for at, line in self.left if at <= cut]


class Program:
    """The program in one folder, perhaps under another command that takes its syncs away."""

    def __init__(self, path, folder, position=lambda: 0, under=()):
        self.command, self.folder, self.position = [*under, path], folder, position

    def start(self, arguments, given):
        pipe = subprocess.PIPE
        child = subprocess.Popen(
            [*self.command, *arguments.split(), "--quiet"], cwd=self.folder, stdin=pipe, stdout=pipe, stderr=pipe
        )
        try:
            with child.stdin:
                child.stdin.write(given)
        except BrokenPipeError:
            pass  # It ended before it read: its exit code says why.
        return child

    def record(self, what, arguments, given=b""):
        """Runs a command that must succeed. A line of its output has left when it is read here."""
        run = Run(what, self.position())
        child = self.start(arguments, given)
        for line in child.stdout:
            run.left.append((self.position(), line))
        message = child.stderr.read().decode(errors="replace")
        if child.wait() != 0:
            raise Wrong(f"`{arguments}` failed: {message.strip()}")
        run.after = self.position()
        return run

    def code(self, arguments, given=b""):
        """Exit code, output and message of a command."""
        child = self.start(arguments, given)
        out, message = child.stdout.read(), child.stderr.read()
        return child.wait(), out, message.decode(errors="replace").strip()

    def ok(self, arguments, given=b""):
        code, out, message = self.code(arguments, given)
        if code != 0:
            raise Wrong(f"`{arguments}` failed [{code}]: {message}")
        return out

    def inspect(self, name):
        return json.loads(self.ok(f"inspect --json --allow-weak {name}"))

    def path(self, name):
        return os.path.join(self.folder, name)

    def exists(self, name):
        return os.path.exists(self.path(name))

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def put(self, name, content):
        with open(self.path(name), "wb") as file:
            file.write(content)

    def json(self, name):
        try:
            return json.loads(self.read(name))
        except (OSError, ValueError) as error:
            raise Wrong(f"{name} is damaged: {error}") from error


def require(holds, message):
    if not holds:
        raise Wrong(message)


def header(line):
    return json.loads(decoded(line.split(b".")[0]))


def decoded(text):
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))


def whole(content, lines, name):
    """The lines of a sealed output, which is complete."""
    require(content.endswith(b"\n") and content.count(b"\n") == lines, f"{name} is part of an output")
    found = content.splitlines()
    for line in found:
        require(line.count(b".") == 4, f"{name} has a line that is no sealed line")
    return found
