"""The driver's side of the mirror. Nothing here imports MLflow, and nothing here waits unless it is given a time."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from automl.engine.workspace.layout import ExperimentDirectory
from automl.tracking.ending import Ending, write_ending
from automl.tracking.environment import mirror_environment
from automl.tracking.lines import decode, encode
from automl.tracking.store import is_local, redacted, resolve_uri

__all__ = ["Mirror", "MirrorSummary"]

log = logging.getLogger("automl")

_MOST_WAITING = 10_000
"""Trial numbers kept for a mirror that does not read; it finds forgotten ones on the disk in the end."""
_STARTS = 3
"""The number of starts of the process before it is given up: one that dies without making progress would die again."""
_SILENCE = 8.0
"""Seconds that a server has for a call, or for a registered model: the follower has more patience."""
_LOOK = 0.2
_POLITE = 0.2
"""Seconds that the process has to end by itself."""


@dataclass(frozen=True)
class MirrorSummary:
    """The progress of MLflow: trials that are complete there, and whether it has everything, the models too."""

    mirrored: int
    complete: bool


class Mirror:
    """Copies an experiment and its registered models into MLflow, in its own process.

    All it needs is on disk: it may lag, hang, die or never start. That is logged once, and the search continues. Not
    for use from several threads.

    Args:
        experiment: the experiment's directory, with experiment.yaml in it.
        uri: the tracking URI, as `resolve_uri` gives it; None for sqlite in the workspace.
        imports: modules that the models need (``sklearn``, ``lightgbm``): the process imports them while it is idle.
        trials: trials are mirrored, and not only registered models.
    """

    def __init__(
        self,
        experiment: ExperimentDirectory,
        uri: str | None = None,
        *,
        imports: Sequence[str] = (),
        trials: bool = True,
    ) -> None:
        self.uri = resolve_uri(uri, experiment.workspace)
        self.problem: str | None = None
        """The trouble with MLflow, as a clause; None if none is known."""
        self._experiment, self._imports, self._trials_too = experiment, tuple(imports), trials
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0
        self._closed = self._told = False
        self._changed, self._spawning = threading.Condition(), threading.Lock()
        self._trials: deque[int] = deque(maxlen=_MOST_WAITING)
        self._urgent: deque[dict[str, Any]] = deque()
        self._seconds: dict[str, float] = {}
        self._mirrored = 0
        self._answer: dict[str, Any] = {}
        self._asked = 0
        self._heard: float | None = None  # when the process last said something, once it has turned to the store

    @property
    def ready(self) -> bool:
        """True once the process is up, has opened the store, and a registration would take no warming up."""
        return self.register_seconds is not None

    @property
    def mirrored(self) -> int:
        """Trials that are complete in MLflow, as far as the process has reported."""
        return self._mirrored

    @property
    def open_seconds(self) -> float | None:
        """The seconds that importing MLflow and opening the store took; None before."""
        return self._seconds.get("open")

    @property
    def register_seconds(self) -> float | None:
        """The seconds that registering a tiny model takes when all is warm, from a rehearsal; None before `ready`.

        A real one adds reading and writing the model's files, five times in all, and a few calls to the store.
        """
        return self._seconds.get("register")

    def start(self) -> None:
        """Start the process; returns at once. What goes wrong is logged."""
        if not self._closed and self._process is None:
            self._spawn()

    def trial(self, number: int) -> None:
        """Tell that a trial has its trial.json. Never waits."""
        with self._changed:
            self._trials.append(number)
            self._changed.notify_all()

    def finish(
        self,
        timeout: float,
        *,
        winner: str | None = None,
        files: Sequence[str] = (),
        tags: Mapping[str, str] | None = None,
    ) -> MirrorSummary:
        """Bring MLflow up to date, within `timeout` seconds, and close the experiment's run there.

        A server that does not answer is not waited for.

        Args:
            timeout: seconds; 0 only records the rest.
            winner: the folder of what won, from the experiment's directory: its small outputs are kept as artifacts.
            files: more small files to keep, relative to the experiment's directory (a leaderboard, result.json).
            tags: more tags for the experiment's run (why the search stopped).
        """
        try:
            write_ending(self._experiment, Ending(winner=winner, files=tuple(files), tags=dict(tags or {})))
        except Exception as error:  # a full disk must not take the result away
            self._report(str(error))
        answer = self._ask({"finish": max(0.0, timeout - 0.05)}, timeout) if timeout > 0 else None
        if answer is not None:
            return MirrorSummary(**answer["finished"])
        return MirrorSummary(self._mirrored, complete=False)

    def close(self, polite: float = _POLITE) -> None:
        """End the process. What it has not written yet stays on the disk. May be called twice.

        Args:
            polite: seconds that it has to end by itself.
        """
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        process, self._process = self._process, None
        if process is None:
            return
        deadline = time.monotonic() + min(polite, _POLITE)
        # The writing thread may be inside a write to a mirror that hangs: closing the pipe would wait for it.
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        if process.poll() is None:
            process.kill()
        process.wait()

    # The process

    def _spawn(self) -> None:
        with self._spawning:  # the driver and the thread that sees a mirror die may both want a new one
            if self._process is None and not self._closed:
                self._starts += 1
                self._launch()

    def _launch(self) -> None:
        try:
            with (self._experiment.path / "mirror.log").open("ab") as errors:
                process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "automl.tracking.mirror"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    cwd=self._experiment.workspace.root,
                    env=mirror_environment(),
                    start_new_session=True,  # a Ctrl-C in the terminal is meant for the driver alone
                    bufsize=0,
                )
        except OSError as error:
            self._report(f"the MLflow mirror cannot start: {error}")
            return
        self._process, self._seconds, self._heard = process, {}, None
        for target in (self._write, self._read):
            threading.Thread(target=target, args=(process,), name="automl-mirror", daemon=True).start()

    def _write(self, process: subprocess.Popen[bytes]) -> None:
        """Thread: hand over what waits. Only this thread ever waits for the pipe."""
        assert process.stdin is not None
        message: dict[str, Any] | None = {
            "directory": str(self._experiment.path),
            "uri": self.uri,
            "imports": self._imports,
            "trials": self._trials_too,
        }
        with contextlib.suppress(OSError):
            while message is not None:
                process.stdin.write(encode(message))
                message = self._next(process)
        with contextlib.suppress(OSError):
            process.stdin.close()

    def _next(self, process: subprocess.Popen[bytes]) -> dict[str, Any] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._trials or self._urgent or self._closed or self._process is not process)
            if self._closed or self._process is not process:
                return None
            if self._urgent:
                return self._urgent.popleft()
            numbers = list(self._trials)
            self._trials.clear()
            return {"trials": numbers}

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        """Thread: take the answers, until the process ends."""
        assert process.stdout is not None
        with process.stdout as answers:
            for line in iter(answers.readline, b""):
                self._take(decode(line))
        process.wait()
        with self._changed:
            lost = self._process is process and not self._closed
            if lost:
                self._process, self._seconds = None, {}
            self._changed.notify_all()
        if lost:
            self._report(f"the MLflow mirror has died (exit status {process.returncode})")
            if self._starts < _STARTS:
                self._spawn()

    def _take(self, answer: dict[str, Any]) -> None:
        if "trouble" in answer:
            self._report(str(answer["trouble"]))
        if "recovered" in answer:
            log.info("MLflow at %s can be written to again", redacted(self.uri))
            self._told, self.problem = False, None
        with self._changed:
            if self._heard is not None or "calling" in answer:
                self._heard = time.monotonic()
            if "id" in answer or int(answer.get("mirrored", 0)) > self._mirrored:
                self._starts = 1  # it makes progress: whatever has ended the earlier ones, it was not this experiment
            self._seconds |= answer.get("seconds", {})
            if "mirrored" in answer:
                self._mirrored = int(answer["mirrored"])
            if "id" in answer:
                self._answer = answer
            self._changed.notify_all()

    def _ask(self, request: dict[str, Any], timeout: float) -> dict[str, Any] | None:
        """Send a request and wait for its answer. A mirror that has died is started again while there is time."""
        began = time.monotonic()
        ends = began + timeout
        self._asked += 1
        request = {**request, "id": self._asked}
        while not self._closed and time.monotonic() < ends:
            if self._process is None:
                if self._starts > _STARTS:
                    self._fail("its mirror is not running")
                    return None
                self._spawn()
            process = self._process
            with self._changed:
                self._urgent.append(request)
                self._changed.notify_all()
                over = partial(self._is_over, process)
                while not over() and not self._is_silent(began) and (left := ends - time.monotonic()) > 0:
                    self._changed.wait_for(over, min(_LOOK, left))
                with contextlib.suppress(ValueError):
                    self._urgent.remove(request)
                if self._answer.get("id") == self._asked:
                    return self._answer
                if self._is_silent(began):
                    self._fail("the server does not answer")
                    return None
        return None

    def _is_silent(self, asked: float) -> bool:
        """Tell whether a server owes an answer for too long. A database on this machine is as slow as the machine."""
        if self._heard is None or is_local(self.uri):
            return False
        return time.monotonic() - max(self._heard, asked) > _SILENCE

    def _is_over(self, process: object) -> bool:
        return self._answer.get("id") == self._asked or self._process is not process or self._closed

    def _fail(self, clause: str) -> None:
        if self.problem is None:
            self.problem = clause

    def _report(self, sentence: str) -> None:
        """Say that MLflow cannot be written to: once, until it recovers."""
        self.problem = sentence
        if not self._told:
            self._told = True
            log.warning(
                "MLflow at %s lags behind: %s. The search goes on; what is missing is added later.",
                redacted(self.uri),
                sentence.rstrip("."),
            )
