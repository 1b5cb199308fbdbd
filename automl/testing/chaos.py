"""Kill an experiment at random, let it continue as often as it takes, and see whether it reached its end unharmed.

Kills are real: SIGKILL, to processes that ``automl run`` and ``automl resume`` have started.
"""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import time
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import psutil

from automl.config.reader import read_config
from automl.engine.workspace.layout import ExperimentDirectory, Workspace
from automl.errors import AutomlError, ConfigError
from automl.testing.invariants import Findings, Ledger, examine
from automl.testing.kill_points import KILL_POINTS, Scene
from automl.testing.targets import MARK, TARGETS, processes_of
from automl.tracking.owed import owed

__all__ = ["ChaosResult", "ChaosRun", "Fault", "Kill", "draw_faults"]

_STEP = 0.005
"""Seconds between two looks: a registration that is warm takes a few tenths."""
_GONE = 30.0
"""Seconds after which what a dead driver has started has to be gone. Ray takes the longest."""
_RESUMES = 3
"""Sessions that may fail in a row without having been killed before the experiment is given up."""
_QUOTED = 1500
"""Characters of what a session said last that are quoted."""
_OWN = {"process": ("worker",), "ray": ("ray head", "ray worker", "raylet")}
_COMMON = ("driver", "mirror", "everything")
_AFTERWARDS = ("half a version", "following")
"""Moments that may come when the last session has ended."""
_FATAL = ("driver", "everything", "ray head", "raylet")
"""Targets whose death may end a session."""


@dataclass(frozen=True)
class Fault:
    """A kill to be made.

    Attributes:
        target: the process to kill, one of `TARGETS`.
        moment: when to kill it, one of `KILL_POINTS`.
    """

    target: str
    moment: str


@dataclass(frozen=True)
class Kill:
    """A kill that was made.

    Attributes:
        session: counted from 0, in which it was made.
        finished: trials that had finished by then.
        survived: the session that it hit, or the next one, continued.
    """

    fault: Fault
    session: int
    finished: int
    survived: bool = True


@dataclass(frozen=True)
class ChaosResult:
    """The faults that an experiment went through, and its state after them.

    Attributes:
        kills: in order.
        completed: it reached its end and delivered its result.
        findings: what is wrong with what it left.
        sessions: how often it was started.
        directory: of the experiment; None if none was ever begun.
    """

    kills: tuple[Kill, ...]
    completed: bool
    findings: Findings
    sessions: int
    directory: ExperimentDirectory | None

    @property
    def survived(self) -> int:
        """Kills after which the experiment continued; those of the last session count only if it reached its end."""
        return sum(kill.survived and (self.completed or kill.session < self.sessions - 1) for kill in self.kills)


class ChaosRun:
    """One experiment, and all that happens to it.

    Args:
        file: the experiment. It needs a name and a limit.
        workspace: where it runs; nothing else should be using it.
        seed: of the random moments.
        patience: seconds without any progress after which a session counts as hung.

    Raises:
        ConfigError: the file cannot be used.

    Example:
        >>> chaos = ChaosRun(Path("iris.yaml"), Path("runs"), seed=7)
        >>> endured = chaos.run([Fault("driver", "trials")])   # doctest: +SKIP
        >>> endured.survived, endured.findings.sound           # doctest: +SKIP
        (1, True)
    """

    def __init__(self, file: Path, workspace: Path, *, seed: int, patience: float = 180.0) -> None:
        config, _ = read_config(file)
        if config.experiment is None:
            raise ConfigError("the experiment needs a name, by which it is found again", file=file, key="experiment")
        self._file, self._patience = file, patience
        self._scene = Scene(Workspace(workspace.absolute()), config.experiment)
        self._draw = random.Random(seed)
        self._mark = uuid.uuid4().hex
        self._ledger = Ledger()
        self._kills: list[Kill] = []
        self._problems: list[str] = []
        self._sessions = 0

    def run(self, faults: Sequence[Fault]) -> ChaosResult:
        """Run the experiment to its end. Faults whose moment does not come are left out."""
        waiting, failures = deque(faults), 0
        completed = False
        while not completed and failures < _RESUMES:
            process, before = self._start(), len(self._kills)
            code = self._watch(process, waiting)
            self._see_them_gone()
            completed = code == 0
            said, killed = self._said(), len(self._kills) > before
            if not completed and not killed:
                self._blame(f"session {self._sessions} ended with {code}: {said[-_QUOTED:]}")
            elif "Traceback (most recent call last)" in said:
                self._problems.append(f"session {self._sessions} ended without a sentence: {said[-_QUOTED:]}")
            failures = 0 if killed else failures + 1
            self._sessions += 1
        self._follow(waiting)
        return ChaosResult(tuple(self._kills), completed, self._findings(), self._sessions, self._scene.directory)

    # One session

    @property
    def _log(self) -> Path:
        return self._scene.workspace.root / f"session_{self._sessions:03d}.txt"

    def _start(self) -> subprocess.Popen[bytes]:
        directory = self._scene.directory
        return self._automl(*(["run", str(self._file)] if directory is None else ["resume", str(directory.path)]))

    def _automl(self, *arguments: str) -> subprocess.Popen[bytes]:
        root = self._scene.workspace.root
        root.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "automl", *arguments, "--workspace", str(root)],
                env={**os.environ, MARK: self._mark},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _watch(self, process: subprocess.Popen[bytes], waiting: deque[Fault]) -> int | None:
        """Make the kills that are due until the session ends; its exit status, None if it hung."""
        finished, moved = len(self._scene.finished), time.monotonic()
        condition = None
        while process.poll() is None:
            if waiting and condition is None:
                condition = KILL_POINTS[waiting[0].moment](self._scene, self._draw)
            if condition is not None and condition() and (self._kill(waiting[0], process.pid) or self._scene.ending):
                waiting.popleft()  # made, or too late: no process of that kind will come any longer
                condition, moved = None, time.monotonic()
            now = len(self._scene.finished)
            if now != finished:
                finished, moved = now, time.monotonic()
            if time.monotonic() - moved > self._patience:
                self._blame(f"session {self._sessions} hung: {self._said()[-_QUOTED:]}")
                _end(processes_of(self._mark))
                process.wait()
                return None
            time.sleep(_STEP)
        return process.returncode

    def _kill(self, fault: Fault, driver: int = 0) -> bool:
        """Make a kill. Return False if no process of that kind is there at present."""
        victims = TARGETS[fault.target](driver, processes_of(self._mark))
        if not victims:
            return False
        if fault.target != "everything":
            victims = [self._draw.choice(list(victims))]
        directory = self._scene.directory
        if directory is not None:
            self._ledger.note(directory)
        _end(victims)
        self._kills.append(Kill(fault, self._sessions, len(self._scene.finished)))
        return True

    def _follow(self, waiting: deque[Fault]) -> None:
        """Wait for the follower to bring what MLflow lacks; one that is killed is started by the next command."""
        moved, condition = time.monotonic(), None
        while owed(self._scene.workspace) and time.monotonic() - moved < self._patience:
            while waiting and waiting[0].moment not in _AFTERWARDS:
                waiting.popleft()  # too late
            if not TARGETS["follower"](0, processes_of(self._mark)):
                self._automl("runs", "list").wait()
            if waiting and condition is None:
                condition = KILL_POINTS[waiting[0].moment](self._scene, self._draw)
            if condition is not None and condition() and self._kill(Fault("follower", waiting[0].moment)):
                waiting.popleft()
                moved, condition = time.monotonic(), None
            time.sleep(_STEP)

    def _see_them_gone(self) -> None:
        psutil.wait_procs(self._unexpected(), timeout=_GONE)
        if alive := self._unexpected():
            names = ", ".join(" ".join(_command(process))[:100] for process in alive)
            self._problems.append(f"session {self._sessions} is outlived by {names}")
            _end(alive)

    def _unexpected(self) -> list[psutil.Process]:
        """Processes that a session which has ended must not leave behind: all but the follower."""
        processes = processes_of(self._mark)
        follower = TARGETS["follower"](0, processes)
        return [process for process in processes if process not in follower]

    # Afterwards

    def _findings(self) -> Findings:
        found = Findings(problems=("the experiment never began",))
        if self._scene.directory is not None:
            try:
                found = examine(self._scene.directory, self._ledger)
            except AutomlError as error:
                found = Findings(problems=(f"it cannot be read: {error}",))
        return replace(found, problems=(*self._problems, *found.problems))

    def _blame(self, sentence: str) -> None:
        """Note that the latest kill was not survived."""
        self._problems.append(sentence)
        if self._kills:
            self._kills[-1] = replace(self._kills[-1], survived=False)

    def _said(self) -> str:
        """Return what the session has printed."""
        return self._log.read_text(encoding="utf-8", errors="replace").strip()


def draw_faults(executor: str, count: int, seed: int) -> tuple[Fault, ...]:
    """Random faults for one experiment, in the order in which their moments come: before the first trial, during the
    search, and, the last third, while the best model is registered and MLflow follows.

    Args:
        executor: ``process`` or ``ray``: what there is to kill.
        count: how many, at least 3.
        seed: the same one gives the same faults.
    """
    draw = random.Random(seed)
    late = count // 3
    faults = [Fault(draw.choice(("driver", "everything")), "preparation")]
    for target in islice(_deck(draw, _OWN[executor], _COMMON), count - late - 1):
        moments = ("trials", "trials", "delay", "preparation")
        faults.append(Fault(target, draw.choice(moments if faults[-1].target in _FATAL else moments[:3])))
    ends = ("registration", "delivery", "half a version", "following")
    last = sorted(islice(_deck(draw, ends[:1], ends[1:]), late), key=ends.index)
    return (*faults, *(Fault(draw.choice(_COMMON), moment) for moment in last))


def _deck(draw: random.Random, first: Sequence[str], then: Sequence[str]) -> Iterator[str]:
    """Yield each of them once, shuffled, those of `first` before those of `then`; and again."""
    while True:
        yield from draw.sample(first, len(first))
        yield from draw.sample(then, len(then))


def _end(victims: Sequence[psutil.Process]) -> None:
    for victim in victims:
        with contextlib.suppress(psutil.Error):
            victim.kill()


def _command(process: psutil.Process) -> list[str]:
    with contextlib.suppress(psutil.Error):
        return process.cmdline()
    return []
