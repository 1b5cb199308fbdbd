"""`Run`: the only thing that code inside a trial has to know.

Standard library only: it works inside any script's environment. Logging never fails a training: a full
disk is reported once and survived.

Example:
    >>> run = Run.get_context()         # outside a trial: a stand-alone run that prints
    >>> run.log("loss", 0.25, step=1)
    loss = 0.25 (step 1)
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

__all__ = ["Run", "TrialPruned"]

Sink = Callable[[str, float, int], None]
"""A receiver of logged values besides the file: (name, value, step)."""

_current: Run | None = None


class TrialPruned(Exception):  # noqa: N818 - the field's own name for it
    """The driver asked this trial to stop. Let it pass: the trial is recorded with what it has reported.

    Example:
        >>> run = Run(stop_requested=lambda: True)   # as in a trial that the driver has asked to stop
        >>> run.raise_pruned = True
        >>> run.log("loss", 0.9)
        Traceback (most recent call last):
        automl.client.TrialPruned
    """


class Run:
    """The record that a trial writes to: parameters, metrics, outputs.

    Attributes:
        number: the trial's number, None outside a trial.
        params: the trial's hyperparameters, by name.
        directory: the trial's directory; the working directory outside a trial.
        outputs: everything written below it is kept, also after a failure or a kill.
        parent_checkpoint: the checkpoint of the trial that this one continues from, to be read and not written to;
            None if it continues from none, or that one has left none.

    Example:
        >>> run = Run.get_context()
        >>> run.number is None, run.params, run.should_stop   # outside a trial
        (True, {}, False)
    """

    def __init__(
        self,
        directory: Path | str = ".",
        *,
        number: int | None = None,
        params: Mapping[str, Any] | None = None,
        sink: Sink | None = None,
        stop_requested: Callable[[], bool] = lambda: False,
        seconds: float | None = None,
        allotted: float | None = None,
        parent_checkpoint: Path | None = None,
    ) -> None:
        self.directory = Path(directory)
        self.number = number
        self.params = dict(params or {})
        self.parent_checkpoint = parent_checkpoint
        self.raise_pruned = False
        self.metrics: dict[str, float] = {}
        self._steps: dict[str, int] = {}
        self._sink = sink
        self._stop_requested = stop_requested
        self._ends = math.inf if seconds is None else time.monotonic() + seconds
        self._full = math.inf if allotted is None else time.monotonic() + allotted
        self._file: TextIO | None = None
        self._broken = False

    @classmethod
    def get_context(cls, *, raise_pruned: bool = False) -> Run:
        """The run of the trial that this code is part of; a stand-alone run that prints when there is none.

        Args:
            raise_pruned: let `log` raise `TrialPruned` once the driver has asked this trial to stop.
        """
        global _current
        if _current is None:
            _current = cls()
        _current.raise_pruned = _current.raise_pruned or raise_pruned
        return _current

    @property
    def outputs(self) -> Path:
        """The folder whose content is kept with the trial; it is made when it is first asked for."""
        folder = self.directory / "outputs"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def checkpoint(self) -> Path:
        """This trial's own folder for the state that it can continue from; it is made when it is first asked for.

        A trial whose worker was lost is run again and finds here what its first attempt has left; so does a trial that
        a later one continues, whose `parent_checkpoint` this folder is then. Both read whatever a kill has left: write
        a file under another name and move it into its place with `os.replace`, and write last what says that the rest
        is complete. The folder goes when no trial needs it any longer: what is to be kept belongs in `outputs`.
        """
        folder = self.directory / "checkpoint"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def should_stop(self) -> bool:
        """True once the driver has asked this trial to end early."""
        return self._stop_requested()

    @property
    def seconds_left(self) -> float:
        """Seconds until this trial is stopped; `math.inf` without a limit."""
        return max(0.0, self._ends - time.monotonic())

    @property
    def allotted_seconds_left(self) -> float:
        """Seconds that a training which can choose its length should still take; `math.inf` if nothing limits it.

        The search gives trials less than what is left of its time, for several to be compared before one of them
        gets the rest. No trial is stopped for using more.
        """
        return min(self.seconds_left, max(0.0, self._full - time.monotonic()))

    def log(self, name: str, value: float, *, step: int | None = None) -> None:
        """Log one value. A repeated name makes a series.

        Args:
            name: what was measured.
            value: anything `float()` takes.
            step: fold, round or epoch; by default the number of earlier values of this name.

        Raises:
            TrialPruned: the driver asked this trial to stop, and ``get_context(raise_pruned=True)`` was called.
        """
        number = float(value)
        at = self._steps.get(name, -1) + 1 if step is None else int(step)
        self._steps[name] = at
        self.metrics[name] = number
        self._keep({"name": name, "value": number, "step": at, "time": time.time()})
        if self._sink is not None:
            self._sink(name, number, at)
        if self.raise_pruned and self.should_stop:
            raise TrialPruned

    def close(self) -> None:
        """Close the file that metrics are written to. Logging again opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _keep(self, entry: dict[str, Any]) -> None:
        if self.number is None:
            print(f"{entry['name']} = {entry['value']:g} (step {entry['step']})")
            return
        if self._broken:
            return
        try:
            if self._file is None:
                self._file = (self.directory / "metrics.jsonl").open("a", encoding="utf-8")
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()
        except OSError as error:
            self._broken = True
            print(f"automl: metrics are no longer written to {self.directory}: {error}", file=sys.stderr)


class current_run:  # noqa: N801 - a context manager, used like a function
    """Make `run` the one that `Run.get_context()` answers with, for the length of a `with` block."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._outer: Run | None = None

    def __enter__(self) -> Run:
        global _current
        self._outer, _current = _current, self._run
        return self._run

    def __exit__(self, *_: object) -> None:
        global _current
        _current = self._outer
        self._run.close()
