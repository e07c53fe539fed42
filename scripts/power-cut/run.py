"""Rounds of work on a recording disk, and a look at the disk after power cuts. See scripts/power-cut.sh."""

import argparse
import collections
import os
import random
import re
import subprocess
import sys
import threading
import time

from actors import cast
from disk import KEPT, LOST, MIXED, Recorder, Recording, content, copy_sparse
from program import Program, Wrong

SIZE = 320 << 20  # mkfs.xfs refuses less than 300 MiB.
MAKE = {"xfs": "mkfs.xfs -q", "ext4": "mkfs.ext4 -q -F", "btrfs": "mkfs.btrfs -q"}
SYNCS = "fsync,fdatasync,sync,syncfs,sync_file_range,msync"
ROUND_SECONDS, ROUND_CUTS, CONTROL_CUTS = 8, 40, 24


class Lab:
    """The folders and images of a run."""

    def __init__(self, folder, system, program):
        self.folder, self.system, self.program, self.actors = folder, system, program, cast()
        self.mount, self.outside = self.path("mount"), self.path("outside")
        for name in (self.mount, self.outside, self.path("recorder")):
            os.mkdir(name)

    def path(self, name):
        return os.path.join(self.folder, name)

    def on_disk(self, name, position=lambda: 0, under=()):
        return Program(self.program, os.path.join(self.mount, name), position, under)

    def prepare(self):
        """Makes the image that every round begins with."""
        with open(self.path("base"), "wb") as file:
            file.truncate(SIZE)
        subprocess.run([*MAKE[self.system].split(), self.path("base")], check=True, stdout=subprocess.DEVNULL)
        with Mounted(self, self.path("base")):
            for name, actor in self.actors.items():
                os.mkdir(os.path.join(self.mount, name))
                actor.prepare(self.on_disk(name), Program(self.program, self.outside))

    def work(self, together, dice, under):
        """Lets the actors work, each in a thread or one after the other. Returns what the disk recorded, and
        positions at which the power may fail."""
        for actor in self.actors.values():
            actor.begin()
        copy_sparse(self.path("base"), self.path("live"))
        recorder = Recorder(self.path("recorder"), self.path("live"), self.path("log"))
        try:
            with Mounted(self, recorder.path):
                began = recorder.position()
                programs = {name: self.on_disk(name, recorder.position, under(self, name)) for name in self.actors}
                self.act(programs, [[name] for name in programs] if together else [list(programs)], dice)
                ended = recorder.position()
        finally:
            recorder.close()
        copy_sparse(self.path("base"), self.path("durable"))
        return Recording(self.path("durable"), self.path("log")), (began, ended)

    def act(self, programs, shares, dice):
        failures, end = [], time.monotonic() + ROUND_SECONDS

        def loop(names, dice):
            try:
                while time.monotonic() < end and not failures:
                    name = dice.choice(names)
                    self.actors[name].step(programs[name], dice)
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=loop, args=(share, random.Random(dice.random()))) for share in shares]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def cuts(self, within, count, dice):
        """Positions at random, and those where a command had just said that it is done, or a line had just left:
        there a missing sync shows."""
        runs = [run for actor in self.actors.values() for run in actor.runs]
        moments = [run.after for run in runs] + [at for run in runs for at, _ in run.left]
        places = [dice.choice(moments) if number % 2 else dice.randint(*within) for number in range(count)]
        kinds = [(LOST, KEPT, MIXED)[number // 2 % 3] for number in range(count)]
        return sorted(zip(places, kinds))

    def check(self, recording, cut, kind, dice):
        """Pairs of an actor's name and what is wrong with its files after a power cut."""
        recording.cut(cut, kind, dice, self.path("cut"))
        # On btrfs, what is overwritten stays: docs/SECURITY.md, "Erasing".
        image = content(self.path("cut")) if self.system != "btrfs" else b""
        copy_sparse(self.path("cut"), self.path("after"))
        with Mounted(self, self.path("after")):
            for name, actor in self.actors.items():
                try:
                    actor.check(self.on_disk(name), cut, image, dice)
                except Wrong as error:
                    yield name, str(error)
                except (OSError, ValueError, LookupError) as error:
                    yield name, f"something is damaged: {type(error).__name__}: {error}"


class Mounted:
    """A mounted image."""

    def __init__(self, lab, image):
        self.lab, self.image = lab, image

    def __enter__(self):
        subprocess.run(["mount", "-t", self.lab.system, "-o", "loop", self.image, self.lab.mount], check=True)

    def __exit__(self, *_):
        subprocess.run(["umount", self.lab.mount], check=True)


def without(calls, lab, *folder):
    """A command under which syncs, or those of a folder itself, do nothing and report success."""
    only = ["-P", os.path.join(lab.mount, *folder)] if folder else []
    return ["strace", "-f", "-qq", "-o", "/dev/null", *only, "-e", f"trace={calls}", "-e", f"inject={calls}:retval=0"]


# Runs that must be found wrong: by every actor's check, or by one.
CONTROLS = [
    ("without any sync", all, lambda lab, name: without(SYNCS, lab)),
    ("without fsync", any, lambda lab, name: without("fsync", lab)),
    ("without fdatasync", any, lambda lab, name: without("fdatasync", lab)),
    ("without syncs of folders", any, lambda lab, name: without(SYNCS, lab, name)),
]


def control(lab, name, quantity, under, dice):
    """Whether a run that must be found wrong is."""
    recording, within = lab.work(False, dice, under)
    found, tried = collections.Counter(), 0
    for cut, kind in lab.cuts(within, CONTROL_CUTS, dice):
        found.update({name for name, _ in lab.check(recording, cut, kind, dice)})
        tried += 1
    ends = quantity(found[name] for name in lab.actors)
    verdict = "found, as it must be" if ends else "error: NOT FOUND by these checks"
    counts = ", ".join(f"{name} {found[name]}" for name in lab.actors)
    print(f"control {name}: {verdict} (cuts with something wrong, of {tried}: {counts})", flush=True)
    return ends


def rounds(lab, seconds, dice, keep):
    """Whether nothing is wrong after any cut of as many rounds as there is time for."""
    end, number, cuts, commands, writes = time.monotonic() + seconds, 0, 0, 0, 0
    kinds = collections.Counter()
    while number == 0 or time.monotonic() < end:
        recording, within = lab.work(number % 2 == 1, dice, lambda *_: ())
        number += 1
        commands += sum(len(actor.runs) for actor in lab.actors.values())
        writes += within[1] - within[0]
        for cut, later in lab.cuts(within, ROUND_CUTS, dice):
            cuts += 1
            for name, message in lab.check(recording, cut, later, dice):
                kind = f"{name}: {re.sub('[0-9]+', 'N', message.partition(' damaged: ')[0])}"
                kinds[kind] += 1
                if kinds[kind] == 1:
                    image = f"{keep}-{len(kinds)}.img"
                    copy_sparse(lab.path("cut"), image)
                    options = "loop,nouuid" if lab.system == "xfs" else "loop"
                    print(f"error: {name}: {message} (round {number}, cut after write {cut}, later writes {later})")
                    print(f"hint: mount -o {options} {image} FOLDER", flush=True)
    result = f"{kinds.total()} errors" if kinds else "nothing lost, nothing used twice, nothing left behind"
    print(f"{cuts} power cuts, {number} rounds, {commands} commands, {writes} writes and flushes: {result}", flush=True)
    for kind, count in kinds.most_common() if kinds.total() > len(kinds) else ():
        print(f"{count} times: {kind}", flush=True)
    return not kinds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("program")
    parser.add_argument("--seconds", type=int, required=True)
    parser.add_argument("--file-system", choices=sorted(MAKE), required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--keep", required=True)
    chosen = parser.parse_args()
    os.umask(0o077)
    dice = random.Random(chosen.seed)
    lab = Lab(chosen.folder, chosen.file_system, chosen.program)
    lab.prepare()
    print(f"{chosen.file_system}, seed {chosen.seed}", flush=True)
    good = rounds(lab, chosen.seconds, dice, chosen.keep)
    found = [control(lab, *each, dice) for each in CONTROLS]
    sys.exit(0 if good and all(found) else 1)


if __name__ == "__main__":
    main()
