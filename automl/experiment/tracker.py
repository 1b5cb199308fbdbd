"""The experiment's side of tracking: when the mirror starts, what it is told, and what continues when time is over."""

from __future__ import annotations

import logging
import math
from contextlib import suppress

from automl.config.schema import ExperimentConfig
from automl.config.tasks import problem_class
from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import WorkspaceError
from automl.experiment.models.registration import owe_mlflow, tracking_uri
from automl.experiment.results.winner import Winner
from automl.registry.candidate import RegisteredModel
from automl.tracking.client import Mirror
from automl.tracking.follower import start_follower
from automl.tracking.store import redacted

__all__ = ["Tracker"]

log = logging.getLogger("automl")

_PATIENCE = 120.0
"""Seconds for MLflow to catch up where no time budget says otherwise."""
_WORTH = 30.0
"""Seconds that have to be left for the mirror to start beside the trials: importing MLflow takes 6 to 10 s of a core,
on a busy machine 20. With less, it is told afterwards."""
_TRIALS_PER_SECOND = 60.0
"""The rate that MLflow takes on sqlite: 70 to 90 on two quiet cores."""
_MARGIN, _AT_LEAST = 4.0, 2.0
"""A real model, beside trials that reach their end, takes this much longer than the mirror's rehearsal with a tiny
one; and seconds that bringing it to MLflow takes at least."""


class Tracker:
    """Starts the mirror once there is something to mirror. Nothing here fails a search.

    Args:
        config: what was declared; without ``tracking`` and ``registry`` there is no mirror.
        directory: the experiment's.
    """

    def __init__(self, config: ExperimentConfig, directory: ExperimentDirectory) -> None:
        self._config, self._directory = config, directory
        self._tracks, self._registers = config.tracking is not None, config.registry is not None
        self._mirror: Mirror | None = None
        self._started = False
        self._told = 0
        if self._tracks or self._registers:
            try:
                uri = tracking_uri(config, directory)
            except WorkspaceError as error:
                log.warning("%s Runs and models are only in the workspace.", error)
            else:
                self._mirror = Mirror(directory, uri, imports=problem_class(config.task).imports, trials=self._tracks)

    def start(self, left: float) -> None:
        """Start the mirror, once, if it is worth it with `left` seconds to go."""
        if self._mirror is not None and not self._started and left >= _WORTH:
            self._started = True
            self._mirror.start()

    def trial(self, number: int) -> None:
        """Note that a trial has its trial.json."""
        if self._mirror is not None and self._tracks:
            self._mirror.trial(number)
            self._told += 1

    def catch_up_seconds(self) -> float:
        """Estimate what MLflow needs for what it lacks at present, once it has the machine to itself.

        Nothing while the mirror is not up: it would not be done in any case.
        """
        if self._mirror is None or (rehearsal := self._mirror.register_seconds) is None:
            return 0.0
        model = max(_AT_LEAST, _MARGIN * rehearsal) if self._registers else 0.0
        return model + max(0, self._told - self._mirror.mirrored) / _TRIALS_PER_SECOND

    def expect_end(self) -> None:
        """Note that MLflow is owed something from here on: if this process dies, the next command sees to it."""
        if self._mirror is not None:
            with suppress(WorkspaceError):  # a full disk: the next write says so
                owe_mlflow(self._config, self._directory)

    def finish(
        self,
        seconds: float,
        *,
        winner: Winner | None = None,
        stopped_because: str = "",
        registered: RegisteredModel | None = None,
    ) -> None:
        """Let MLflow catch up within `seconds`, and the follower do the rest. Ends the mirror."""
        if self._mirror is None:
            return
        timeout = seconds if math.isfinite(seconds) else _PATIENCE
        named = {} if winner is None else {"automl.winner": winner.title}
        summary = self._mirror.finish(
            max(0.0, timeout) if self._started else 0.0,
            winner=None if winner is None else winner.files,
            files=("experiment.yaml", "result.json"),
            tags={
                "automl.stopped_because": stopped_because,
                **named,
            },
        )
        self.close(seconds)
        if not summary.complete and (self._tracks or registered is not None):
            self._go_on_later(self._mirror, registered)

    def _go_on_later(self, mirror: Mirror, registered: RegisteredModel | None) -> None:
        has = "" if registered is None else f"{registered.name} version {registered.version} is registered; "
        try:
            start_follower(self._directory.workspace, mirror.uri)
        except WorkspaceError as error:
            log.warning("%s%s 'automl runs mirror %s' does it.", has, error, self._directory.path)
            return
        if mirror.problem is None:
            log.info("%sMLflow is told in the background", has)
        else:
            log.warning(
                "%sMLflow at %s could not be reached (%s): it is told in the background, or by a later automl command",
                has,
                redacted(mirror.uri),
                mirror.problem,
            )

    def close(self, seconds: float = math.inf) -> None:
        """End the mirror; no later than in `seconds`, it is killed."""
        if self._mirror is not None:
            self._mirror.close(seconds)
