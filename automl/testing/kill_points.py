"""The moments to kill at: conditions that an experiment reaches, seen from outside."""

from __future__ import annotations

import math
import random
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing

from automl.engine.workspace.layout import ExperimentDirectory, Workspace
from automl.engine.workspace.lock import is_locked
from automl.tracking import tags
from automl.tracking.owed import owed

__all__ = ["KILL_POINTS", "Scene", "finished"]

Condition = Callable[[], bool]


class Scene:
    """An experiment as others see it: one name in one workspace.

    Args:
        workspace: where it runs.
        name: the experiment's.
    """

    def __init__(self, workspace: Workspace, name: str) -> None:
        self.workspace, self.name = workspace, name

    @property
    def directory(self) -> ExperimentDirectory | None:
        """The experiment's, once it can be resumed."""
        found = sorted((self.workspace.root / self.name).glob("*/experiment.yaml"))
        return ExperimentDirectory(found[-1].parent) if found else None

    @property
    def begun(self) -> bool:
        """True if a driver holds the experiment at present."""
        return self.directory is not None and is_locked(self.directory)

    @property
    def finished(self) -> set[int]:
        return finished(self.directory) if self.directory is not None else set()

    @property
    def registering(self) -> bool:
        """Tell whether a model is about to be registered, or was: MLflow is owed it from just before on."""
        return bool(owed(self.workspace))

    @property
    def ending(self) -> bool:
        """True if the search is over: its model is being registered, or the result is there."""
        return self.registering or (self.directory is not None and self.directory.result.exists())

    @property
    def half_registered(self) -> bool:
        """Tell whether MLflow holds a version that was not checked yet."""
        database = self.workspace.mlflow_database
        if not database.exists():
            return False
        verified = "SELECT 1 FROM model_version_tags t WHERE t.name = v.name AND t.version = v.version AND t.key = ?"
        query = f"SELECT count(*) FROM model_versions v WHERE NOT EXISTS ({verified})"
        try:
            with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=1.0)) as connection:
                return bool(connection.execute(query, [tags.VERIFIED]).fetchone()[0])
        except sqlite3.Error:
            return False  # being made


def finished(directory: ExperimentDirectory) -> set[int]:
    """Numbers that have a trial.json."""
    return {number for number in directory.trial_numbers() if directory.trial(number).result.exists()}


def _after(sign: Condition, delay: float) -> Condition:
    """`delay` seconds after `sign` was first seen."""
    since = math.inf

    def reached() -> bool:
        nonlocal since
        if math.isinf(since) and sign():
            since = time.monotonic()
        return time.monotonic() - since >= delay

    return reached


def _preparing(scene: Scene, draw: random.Random) -> Condition:
    return _after(lambda: scene.begun, draw.uniform(0.0, 0.7))


def _later(scene: Scene, draw: random.Random) -> Condition:
    return _after(lambda: True, draw.uniform(0.2, 6.0))


def _trials(scene: Scene, draw: random.Random) -> Condition:
    goal = len(scene.finished) + draw.randint(1, 3)
    return lambda: len(scene.finished) >= goal


def _registering(scene: Scene, draw: random.Random) -> Condition:
    return _after(lambda: scene.registering, draw.uniform(0.0, 0.05))


def _half_registered(scene: Scene, draw: random.Random) -> Condition:
    return _after(lambda: scene.half_registered, draw.uniform(0.0, 0.05))


def _delivering(scene: Scene, draw: random.Random) -> Condition:
    return _after(
        lambda: scene.directory is not None and scene.directory.result.exists(),
        draw.uniform(0.0, 0.1),
    )


def _following(scene: Scene, draw: random.Random) -> Condition:
    return _after(
        lambda: scene.registering and scene.directory is not None and not scene.begun, draw.uniform(0.0, 12.0)
    )


KILL_POINTS: Mapping[str, Callable[[Scene, random.Random], Condition]] = {
    "preparation": _preparing,
    "delay": _later,
    "trials": _trials,
    "registration": _registering,
    "half a version": _half_registered,
    "delivery": _delivering,
    "following": _following,
}
"""By name: takes the scene at the time when the waiting begins, and gives what to wait for.

``preparation``: before the first trial of a session. ``delay``: a random time. ``trials``: a few more have finished.
``registration``: a model is being registered. ``delivery``: result.json is there, and MLflow has not caught up yet.
``half a version``: MLflow has a version not checked yet. ``following``: the experiment is not running, and MLflow
has not caught up yet.
"""
