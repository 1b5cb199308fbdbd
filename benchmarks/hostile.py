"""Hostile files, folders, servers and experiment files, against the real command line with a budget of a few seconds.

Each is tried by ``automl plan`` or ``automl run`` in its own process, whose memory and whose children are watched.
It fails if it takes longer than its budget and what start-up takes, holds more memory than it may, ends with a stack
trace or another exit status, does not name what it was reading, prints what a terminal would obey or what is secret,
or leaves a process behind.

    python benchmarks/hostile.py [--quick] [--only NAME] [--json FILE]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import psutil
from form import Figure, arguments, machine, publish
from hostile_cases import Case, cases
from hostile_server import HostileServer, serving

BUDGET = 6.0
MEMORY = 1600 << 20
"""Bytes on top of what an honest table takes: a file may become 1 GB, and what is read is held twice for a moment."""
SLACK = 5.0
"""Seconds on top of the budget and twice the time of an honest table: the machine may have other work."""
QUICK = 1
"""Cases of each kind in a quick run."""
PATIENCE = 120.0
MARK = "AUTOML_HOSTILE"
COMMANDS = "\x1b\x07\x9b\u202e"
SECRET = "geheim"


@dataclass(frozen=True)
class Tried:
    """The outcome of a case: seconds, peak of memory in bytes, bytes that the server sent, and what was wrong."""

    case: Case
    seconds: float
    memory: int
    served: int
    output: str
    exits: int | None
    left: int

    def wrong(self, honest: Tried) -> list[str]:
        """Return what was wrong, beside `honest`, an honest table."""
        found = {
            f"{self.seconds:.1f} s": self.seconds > BUDGET + 2 * honest.seconds + SLACK,
            f"{self.memory >> 20} MB": self.memory > honest.memory + MEMORY,
            f"exit status {self.exits}": self.exits != self.case.exits,
            "a stack trace": "Traceback" in self.output,
            f"nothing about {self.case.says}": self.case.says not in self.output,
            "commands for the terminal": any(character in self.output for character in COMMANDS),
            "a secret": SECRET in self.output,
            f"{self.left} processes left": self.left > 0,
        }
        return [what for what, is_so in found.items() if is_so]


def attempt(case: Case, folder: Path, server: HostileServer) -> Tried:
    """The command, watched until it has ended."""
    file = folder / "experiment.yaml"
    file.write_text(case.text())
    mark = uuid.uuid4().hex
    environment = {**os.environ, MARK: mark, "AUTOML_HOME": str(folder / "workspace")}
    environment["AUTOML_CACHE_DIR"] = str(folder / "cache")
    server.sent, began, peak = 0, time.monotonic(), 0
    with tempfile.TemporaryFile() as output:
        command = [sys.executable, "-m", "automl", case.command, str(file)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment)
        watched = psutil.Process(process.pid)
        while process.poll() is None and time.monotonic() - began < PATIENCE:
            peak = max(peak, _held(watched))
            time.sleep(0.02)
        seconds, exits, served = time.monotonic() - began, process.poll(), server.sent
        process.kill()
        process.wait()
        time.sleep(0.5)  # a child notices within a moment that its parent has gone
        left = _marked(mark)
        for child in left:
            child.kill()
        output.seek(0)
        text = output.read().decode(errors="replace")
    return Tried(case, seconds, peak, served, text, exits, len(left))


def _held(watched: psutil.Process) -> int:
    total = 0
    try:
        for process in (watched, *watched.children(recursive=True)):
            total += process.memory_info().rss
    except psutil.Error:
        pass
    return total


def _marked(mark: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def campaign(folder: Path, *, quick: bool, only: str | None) -> list[Tried]:
    """Every case, the honest table first; of a quick run the first of each kind."""
    done, of_kind = list[Tried](), Counter[str]()
    with serving() as server:
        for case in cases(folder, server.url, BUDGET):
            of_kind[case.kind] += 1
            left_out = (quick and of_kind[case.kind] > QUICK) or (only is not None and only not in case.name)
            if done and left_out:
                continue
            tried = attempt(case, folder, server)
            done.append(tried)
            wrong = tried.wrong(done[0])
            print(f"{case.kind}, {case.name}: {tried.seconds:.1f} s, {tried.memory >> 20} MB", file=sys.stderr)
            if wrong:
                print(f"  {'; '.join(wrong)}\n  {tried.output.strip()[-600:]!r}", file=sys.stderr)
    return done


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--only", help="cases with this in their names")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        done = campaign(Path(place), quick=given.quick, only=given.only)
    honest, hostile = done[0], done[1:]
    failed = [tried for tried in done if tried.wrong(honest)]
    figures = [
        Figure("tried", len(done)),
        Figure("failures", len(failed), "0", not failed),
        Figure("seconds_at_most", max((tried.seconds for tried in hostile), default=0.0)),
        Figure("seconds_honest", honest.seconds),
        Figure("peak_mb_at_most", max((tried.memory for tried in hostile), default=0) / 2**20),
        Figure("peak_mb_honest", honest.memory / 2**20),
        Figure("served_mb_at_most", max((tried.served for tried in hostile), default=0) / 2**20),
        Figure("processes_left", left := sum(tried.left for tried in done), "0", left == 0),
    ]
    kinds = Counter(tried.case.kind for tried in done)
    about = {
        "what": f"automl plan and automl run, a budget of {BUDGET:g} s; "
        + ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())),
        "failed": "; ".join(f"{tried.case.name}: {', '.join(tried.wrong(honest))}" for tried in failed) or "none",
        "machine": machine(["pandas", "pyarrow", "pillow", "requests"]),
    }
    publish("Hostile files and servers", figures, about=about, file=given.json)


if __name__ == "__main__":
    main()
