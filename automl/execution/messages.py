"""What a worker tells the driver, besides the reports of its trials."""

from __future__ import annotations

from dataclasses import dataclass

from automl.trial.contract import Report, Status, TrialResult

__all__ = ["Broken", "Died", "Finished", "Loaded", "Message"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """The context has arrived: trials can be run. `address` is ``host:pid``."""

    address: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The context cannot be used there: no trial will ever run."""

    reason: str


@dataclass(frozen=True, slots=True)
class Finished:
    """A trial has ended. A `worn` worker holds so much memory by now that a new one should take its place.

    Attributes:
        files: of the trial, which lie in `compute.storage` and not in its directory.
    """

    result: TrialResult
    worn: bool
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Died:
    """The worker is gone (this one the transport says, on its behalf)."""

    reason: str
    status: Status = Status.INTERRUPTED


Message = Loaded | Broken | Report | Finished | Died
