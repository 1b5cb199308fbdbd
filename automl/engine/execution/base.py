"""The five verbs of an executor."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import ClassVar

from automl.engine.trial.contract import Device, Report, StopReason, TrialContext, TrialResult, TrialSpec

__all__ = ["Event", "Executor"]

Event = Report | TrialResult


class Executor(ABC):
    """Runs trials and says how they ended.

    The driver calls `start` once, then any of `submit`, `wait` and `stop`, and `close` at the end, all from one
    thread. A number that was submitted leads to exactly one TrialResult, whatever happens to its worker:

    - A worker that dies without a result gives ``INTERRUPTED``; whether to try again is the driver's decision. Without
      ``started_at`` the trial may not have begun. What certainly has not is run by another worker.
    - A trial over its `limits` is killed with its children and ends ``TIMED_OUT`` or ``OUT_OF_MEMORY``.
    - `stop` is polite first; after `grace` seconds the worker is killed, and the trial ends as the reason says.

    Example:
        >>> from pathlib import Path
        >>> from automl.engine.execution.inline import InlineExecutor
        >>> from automl.engine.trial.contract import Outcome
        >>> class Square:
        ...     metric = "square"
        ...
        ...     def __call__(self, spec, run):
        ...         return Outcome(spec.params["x"] ** 2)
        >>> executor = InlineExecutor()
        >>> executor.start(TrialContext(Square()))
        >>> executor.submit(TrialSpec(0, "square", {"x": 3.0}, Path("trial"), seed=0))
        >>> [(event.status.value, event.value) for event in executor.wait(10.0)]
        [('COMPLETED', 9.0)]
        >>> executor.close()
    """

    name: ClassVar[str]
    hard_kill: ClassVar[bool] = True
    """False if a trial that never returns to Python cannot be ended."""

    @property
    def closing_seconds(self) -> float:
        """The seconds that `close` is likely to take: a time budget keeps as much in reserve."""
        return 0.3

    @property
    def local_workers(self) -> Collection[int] | None:
        """Process ids of the workers if all of them are on this machine, whose memory they share; else None."""
        return None

    @property
    def gpus_per_trial(self) -> float:
        """GPUs of each trial that can use one, known from `start` on: specs of such trials are to ask for as many."""
        return 0.0

    @property
    def gpu_memory(self) -> int | None:
        """Bytes that trials may hold of the GPU with the least; None as long as that is not known."""
        return None

    def prestart(self, imports: Sequence[str] = ()) -> None:  # noqa: B027 - optional
        """Begin to start workers before the context is known: they import while the caller reads data."""

    @abstractmethod
    def start(self, context: TrialContext) -> None:
        """Hand over what all trials share.

        Raises:
            ExecutorError: trials cannot run here (an unreachable address, say, or no GPU where one was asked for).
        """

    @property
    @abstractmethod
    def slots(self) -> int:
        """The number of trials that may be in flight at present."""

    def slots_on(self, device: Device) -> int:
        """Return how many of them may compute on `device`; by default any trial takes any slot."""
        return self.slots

    @property
    def ahead(self) -> int:
        """The number of further trials that may be in flight: workers take several where they last milliseconds."""
        return 0

    @abstractmethod
    def submit(self, spec: TrialSpec) -> None:
        """Run a trial. At most `slots` may be in flight, of those on a device at most `slots_on` it; and `ahead` more.

        It may begin when `wait` is called next.
        """

    @abstractmethod
    def wait(self, timeout: float) -> list[Event]:
        """Return what has happened, in order, waiting up to `timeout` seconds for the first event. May be empty."""

    @abstractmethod
    def stop(self, number: int, reason: StopReason, *, grace: float = 1.0) -> None:
        """Ask a trial to stop, and kill it if it has not by `grace` seconds. Unknown numbers are ignored.

        One that has not begun never does.
        """

    @abstractmethod
    def close(self) -> None:
        """End all workers, running trials included. May be called twice."""
