"""Messages from a worker to the driver, besides the reports of its trials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from automl.engine.trial.contract import Report, Status, TrialResult

__all__ = ["Broken", "Died", "Ended", "Loaded", "Message"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """The context has arrived: trials can be run.

    Attributes:
        address: ``host:pid``.
        gpus: bytes that were free on each GPU that the worker was given, by the GPU's UUID, as far as it says.
    """

    address: str
    gpus: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Broken:
    """The context cannot be used there: no trial will ever run."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ended:
    """A trial has ended.

    Attributes:
        worn: a new worker should take the place of this one: it holds too much memory, or its GPU has failed it. It
            begins no further trial.
        files: of the trial, which are in `compute.storage` and not in its directory.
    """

    result: TrialResult
    worn: bool
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Died:
    """The worker is gone (this one the transport says, on its behalf)."""

    reason: str
    status: Status = Status.INTERRUPTED


Message = Loaded | Broken | Report | Ended | Died
