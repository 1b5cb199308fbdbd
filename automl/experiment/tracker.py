"""The experiment's side of tracking: when the mirror starts, what it is told, and how long registration will take."""

from __future__ import annotations

import logging
import math

from automl.config.schema import ExperimentConfig
from automl.errors import RegistryError
from automl.experiment.registration import tracking_uri
from automl.experiment.reserve import COLD_REGISTRATION
from automl.registry.candidate import Candidate, RegisteredModel
from automl.tracking.client import Mirror
from automl.workspace.layout import ExperimentDirectory

__all__ = ["Tracker"]

log = logging.getLogger("automl")

_PATIENCE = 120.0
"""Seconds for MLflow to catch up, or to register a model, where no time budget says otherwise."""
_TRIALS_PER_SECOND = 60.0
"""What MLflow takes on sqlite: 70 to 90 on two quiet cores."""
_MARGIN, _AT_LEAST = 4.0, 2.0
"""A real registration, beside trials that come to their end, takes this much longer than the mirror's rehearsal with a
tiny model; and seconds that are kept for it at least."""
_OF_OPENING, _AT_LEAST_COLD = 0.9, 3.0
"""The same while the mirror still imports what models need. That and the registration take 1.4 s of one core, which is
0.6 of what importing MLflow and opening the store took on the same machine under the same load."""


class Tracker:
    """Starts the mirror once there is something to mirror. Nothing here fails a search.

    Args:
        config: what was declared; without ``tracking`` and ``registry`` there is no mirror.
        directory: the experiment's.
    """

    def __init__(self, config: ExperimentConfig, directory: ExperimentDirectory) -> None:
        self._tracks = config.tracking is not None
        wanted = self._tracks or config.registry is not None
        self._mirror: Mirror | None = None
        if wanted:
            self._mirror = Mirror(directory, tracking_uri(config, directory), imports=("automl.ensemble.bag",))
        self._started = False
        self._told = 0
        self._directory = directory
        self._resumes = any(directory.trial(number).result.exists() for number in directory.trial_numbers())

    def start(self) -> None:
        """Start the mirror, once."""
        if self._mirror is not None and not self._started:
            self._started = True
            self._mirror.start()

    def trial(self, number: int) -> None:
        """A trial has its trial.json."""
        if self._mirror is not None and self._tracks:
            self._mirror.trial(number)
            self._told += 1

    def catch_up_seconds(self) -> float:
        """What MLflow would need for the trials that it lacks at present, once it has the machine to itself."""
        if self._mirror is None or not self._tracks:
            return 0.0
        return max(0, self._told - self._mirror.mirrored) / _TRIALS_PER_SECOND

    def registration_seconds(self) -> float | None:
        """What registering is likely to take, None before the mirror has opened the store."""
        if self._mirror is None or (opening := self._mirror.open_seconds) is None:
            return None
        rehearsal = self._mirror.register_seconds
        if rehearsal is None:
            return min(COLD_REGISTRATION, max(_AT_LEAST_COLD, _OF_OPENING * opening))
        return max(_AT_LEAST, _MARGIN * rehearsal)

    def register(self, candidate: Candidate, seconds: float) -> RegisteredModel | None:
        """Register a model within `seconds`; None if that was not enough.

        Raises:
            RegistryError: it cannot be registered. Says why.
        """
        if self._mirror is None or seconds <= 0:
            return None
        registered = self._mirror.register(candidate, seconds if math.isfinite(seconds) else _PATIENCE)
        if registered is None and self._mirror.problem is not None:
            raise RegistryError(self._mirror.problem)
        return registered

    def finish(self, seconds: float, *, winner: int | None = None, stopped_because: str = "") -> None:
        """Let MLflow catch up within `seconds`."""
        if self._mirror is None or not self._tracks:
            return
        timeout = seconds if math.isfinite(seconds) else _PATIENCE
        summary = self._mirror.finish(
            max(0.0, timeout),
            winner=winner,
            files=("experiment.yaml", "result.json"),
            tags={"automl.stopped_because": stopped_because},
        )
        if summary.pending and self._resumes and not summary.mirrored:
            # What earlier sessions have brought there, only MLflow knows, and it has not said.
            log.warning(
                "MLflow was not heard from in time, so it may lack trials; 'automl runs mirror %s' adds them.",
                self._directory.path,
            )
        elif summary.pending:
            log.warning(
                "MLflow lacks %d of %d trials; 'automl runs mirror %s' adds them.",
                summary.pending,
                summary.pending + summary.mirrored,
                self._directory.path,
            )

    def close(self, seconds: float = math.inf) -> None:
        """End the mirror; no later than in `seconds`, it is killed."""
        if self._mirror is not None:
            self._mirror.close(seconds)
