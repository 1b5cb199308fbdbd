"""The output of a training on its way: reports to the driver, a line per epoch, a checkpoint."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sized
from typing import TYPE_CHECKING

import numpy as np

from automl.errors import WorkspaceError

if TYPE_CHECKING:
    from automl.learning.algorithms.nets.checkpoint import CheckpointFile
    from automl.learning.algorithms.nets.training import Epoch, Training
    from automl.learning.algorithms.progress import Progress

__all__ = ["Log", "TrainingCallbacks"]

logger = logging.getLogger("automl")

Log = Callable[[str, float, int], None]
"""Called with a name, a value and the number of the epoch, from 1."""

_REPORTS = 10
_SHARE = 0.1
_FORWARD = 1 / 3
"""A fit reports at tenths of its way, where the predictions cost it at most a tenth of its time. Predicting a picture
takes a third of training on one. Rows, not a clock: runs repeat."""


class TrainingCallbacks:
    """An `automl.learning.algorithms.nets.training.Observer`.

    Args:
        progress: told how far the fit is; None if nothing is.
        log: takes loss and accuracy on the training pictures; None for nowhere.
        file: where the state is kept; None for nowhere.
        predict: probabilities of the validation rows by the training so far; None if there are no such rows.
        waiting: these rows.
    """

    def __init__(
        self,
        progress: Progress | None,
        log: Log | None,
        file: CheckpointFile | None,
        predict: Callable[[Training], np.ndarray] | None,
        waiting: Sized | None,
    ) -> None:
        self._progress, self._log, self._file, self._predict = progress, log, file, predict
        self._wanted = progress is not None and progress.wanted and predict is not None
        self._cost = (0 if waiting is None else len(waiting)) * _FORWARD
        self._reports, self._tenth = 0, 0
        self._epoch_began: float | None = None
        self._pieces = 1
        self._has_warned = False

    def should_stop(self) -> bool:
        return self._progress is not None and self._progress.should_stop()

    def after_step(self, training: Training, *, ends_epoch: bool) -> None:
        if not self._wanted or training.is_complete:
            return
        now = training.progress
        if self._epoch_began is None:
            self._epoch_began = training.course.start
            self._tenth = int(_REPORTS * training.course.start)
        tenth = int(_REPORTS * now)
        is_place = ends_epoch or now - self._epoch_began >= 1 / _REPORTS
        if ends_epoch:
            self._epoch_began = now
        if is_place and tenth > self._tenth and self._pays(training):
            self._tenth = tenth
            self._report(training, tenth / _REPORTS)

    def _pays(self, training: Training) -> bool:
        trained = (training.step - training.course.first_step) * training.batch_size
        return (self._reports + 1) * self._cost <= _SHARE * trained

    def _report(self, training: Training, fraction: float) -> None:
        predict, progress = self._predict, self._progress
        assert predict is not None and progress is not None
        training.check()
        self._reports += 1
        progress.report(fraction, lambda: predict(training))
        training.net.train()

    def after_epoch(self, training: Training, epoch: Epoch) -> None:
        if self._log is not None:
            self._log("train_loss", epoch.loss, epoch.number + 1)
            self._log("train_accuracy", epoch.accuracy, epoch.number + 1)
            if training.pieces > self._pieces:
                self._log("batch_size", training.batch_size // training.pieces, epoch.number + 1)
                self._pieces = training.pieces
        if self._file is not None:
            self._write(self._file, training)

    def _write(self, file: CheckpointFile, training: Training) -> None:
        """Keep the state. Where it is for this training alone, a full disk does not end that."""
        try:
            file.write(training, always=training.is_complete)
        except WorkspaceError as error:
            if training.course.end < 1:
                raise
            if not self._has_warned:
                logger.warning("The training continues without a checkpoint: %s", error)
            self._has_warned = True
