"""A trial between its proposal and its end, as the driver sees it, and where it waits."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from automl.execution.base import Executor
from automl.search.history import Record
from automl.search.memory import MemoryAdmission
from automl.trial.contract import Failure, Report, TrialSpec

__all__ = ["Flight", "WaitingRoom"]


@dataclass(eq=False)
class Flight:
    """A trial in flight, or one that waits to be.

    Attributes:
        since: the experiment's clock, in seconds, when it was proposed, or submitted.
        prepared: its directory is there, with its params.json.
        value: its latest intermediate value of the primary metric.
        losses: workers that it has lost.
        pruned: the report at which it was decided to stop it.
        refused: why it must not be started.
    """

    spec: TrialSpec
    record: Record
    since: float
    prepared: bool = False
    value: float | None = None
    losses: int = 0
    pruned: Report | None = None
    refused: Failure | None = None


class WaitingRoom:
    """Trials that are to be run again, and proposals that have no room at present. A large one lets small ones pass.

    Args:
        memory: which trials have room.
        executor: where they will run.
    """

    def __init__(self, memory: MemoryAdmission, executor: Executor) -> None:
        self._memory, self._executor = memory, executor
        self._waiting: list[Flight] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, flight: Flight) -> None:
        self._waiting.append(flight)

    def take(self, beside: Collection[Flight]) -> Flight | None:
        """The first that can go now, since it has room beside these or, marked so, is refused."""
        if not self._waiting:
            return None
        workers = self._executor.local_workers
        running = [flight.spec for flight in beside if flight.refused is None]
        for flight in self._waiting:
            flight.refused = self._memory.refusal(flight.spec, workers)
            if flight.refused is not None or self._memory.fits(flight.spec, running, workers):
                self._waiting.remove(flight)
                return flight
        return None
