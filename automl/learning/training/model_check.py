"""Load the models of a promising trial back, in the worker that has trained them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np

from automl.engine.trial.contract import TrialSpec
from automl.engine.trial.objective import Objective
from automl.engine.trial.outputs import total_size
from automl.engine.workspace.layout import TrialDirectory
from automl.errors import WorkspaceError
from automl.learning.ensemble.check import check_models, write_check

if TYPE_CHECKING:
    from automl.learning.algorithms.pipeline import FittedPipeline
    from automl.learning.data.table import Features

__all__ = ["ModelCheck", "Promising"]

log = logging.getLogger("automl")

_LARGEST = 2**28
"""Bytes of models that are loaded a second time in a trial, whose memory may be limited."""


class Promising:
    """Tells which trials of this process are better than all before them: the winner is one of them, wherever it ran.

    Of n trials in random order only about ln n are, so checking them costs next to nothing.
    """

    def __init__(self) -> None:
        self._best: float | None = None

    def is_better(self, value: float, objective: Objective) -> bool:
        if self._best is not None and not objective.better(value, self._best):
            return False
        self._best = value
        return True


class ModelCheck:
    """The check of one trial.

    Args:
        spec: the trial.
        example: the first raw rows of the data.
    """

    def __init__(self, spec: TrialSpec, example: Features) -> None:
        self._spec, self._example = spec, example
        self._told: np.ndarray | None = None

    def note(self, pipeline: FittedPipeline) -> None:
        """Record what the first fold's model predicts while it is in memory."""
        try:
            self._told = pipeline.predict(self._example)
        except Exception as error:  # it has a score; what it cannot do with these rows, the check says
            log.debug("Trial %d does not predict the example: %s", self._spec.number, error)

    def make(self, value: float, promising: Promising, objective: Objective) -> None:
        """Check the trial's models, if it may win."""
        directory = TrialDirectory(self._spec.directory)
        if self._spec.fidelity != 1.0 or not promising.is_better(value, objective):
            return
        if total_size(directory.models) > _LARGEST:
            return
        try:
            write_check(directory.check, check_models(directory.models, self._example, self._told))
        except WorkspaceError as error:  # a full disk: the registration checks again
            log.debug("Trial %d: %s", self._spec.number, error)
