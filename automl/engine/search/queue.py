"""A trial between its proposal and its end, as the driver sees it, and where it waits."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from automl.engine.admission.memory import MemoryAdmission
from automl.engine.execution.base import Executor
from automl.engine.study.history import Record
from automl.engine.trial.contract import Device, Failure, Report, TrialSpec

__all__ = ["PendingQueue", "PendingTrial"]


@dataclass(eq=False)
class PendingTrial:
    """A trial that was submitted, or waits to be.

    Attributes:
        since: the experiment's clock, in seconds, when it was proposed, or submitted.
        prepared: its directory is there, with its params.json.
        value: its latest intermediate value of the primary metric.
        losses: workers that were lost while it ran.
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

    @property
    def is_final(self) -> bool:
        """True for the final training."""
        stage = self.record.stage
        return stage is not None and stage.final


class PendingQueue:
    """Trials that are to be run again, and proposals that have no room at present. A large one lets small ones pass.

    Args:
        memory: which trials have room.
        executor: where they will run.
    """

    def __init__(self, memory: MemoryAdmission, executor: Executor) -> None:
        self._memory, self._executor = memory, executor
        self._waiting: list[PendingTrial] = []
        self._ahead = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, pending: PendingTrial) -> None:
        self._waiting.append(pending)

    def slots(self, *, learns: bool) -> int:
        """Return how many trials may be in flight until this is asked again.

        Args:
            learns: what is proposed depends on results, so nothing is to wait for its worker.
        """
        self._ahead = 0 if learns else self._executor.ahead
        return self._executor.slots + self._ahead

    def clear(self) -> list[PendingTrial]:
        """Remove and return all that wait."""
        waiting, self._waiting = self._waiting, []
        return waiting

    def take(self, beside: Collection[PendingTrial]) -> PendingTrial | None:
        """Remove and return the first that can start now: it has room beside these or, marked so, is refused."""
        if not self._waiting:
            return None
        workers, gpu, full = self._executor.local_workers, self._executor.gpu_memory, self.full(beside)
        running = [pending.spec for pending in beside if pending.refused is None]
        for pending in self._waiting:
            if pending.spec.resources.device in full:
                continue
            pending.refused = self._memory.refusal(pending.spec, workers, gpu)
            if pending.refused is not None or self._memory.fits(pending.spec, running, workers, gpu):
                self._waiting.remove(pending)
                return pending
        return None

    def full(self, beside: Collection[PendingTrial]) -> frozenset[Device]:
        """Return the devices that no further trial can compute on beside these."""
        return frozenset(device for device in Device if self._is_full(device, beside))

    def _is_full(self, device: Device, beside: Collection[PendingTrial]) -> bool:
        slots = self._slots_on(device)
        if not 0 < slots <= len(beside):  # asked for each proposal: seldom anything to count
            return slots <= 0
        return sum(other.refused is None and other.spec.resources.device is device for other in beside) >= slots

    def _slots_on(self, device: Device) -> int:
        slots = self._executor.slots_on(device)
        return slots + self._ahead if slots else 0
