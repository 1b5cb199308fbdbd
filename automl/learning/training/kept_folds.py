"""The folds that a built-in trial has completed, noted as they come: if it is ended, there is a model."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress

import numpy as np

from automl.engine.trial.contract import Outcome, Partial, TrialSpec
from automl.engine.trial.partial import Completed, discard, note, read_note, trim
from automl.engine.workspace.layout import TrialDirectory
from automl.errors import WorkspaceError
from automl.learning.training.oof import OutOfFold, model_name

__all__ = ["FIRST_MODEL", "KeptFolds"]

logger = logging.getLogger("automl")

FIRST_MODEL = "fold_00-first.joblib"
"""A model of a part of the rows, which the first fold's takes the place of."""


class KeptFolds:
    """Notes a trial's completed folds if its spec asks for that; else nothing.

    Args:
        spec: the trial's.
        of: folds that it has.
    """

    def __init__(self, spec: TrialSpec, of: int) -> None:
        self._place, self._of = TrialDirectory(spec.directory), of
        self._wanted, self._again = spec.keep_folds, spec.attempt > 1

    def restore(self, oof: OutOfFold) -> Completed | None:
        """Return what an earlier attempt has completed, add its predictions to `oof`, and delete what else it left."""
        found = read_note(self._place) if self._wanted and self._again else None
        if found is not None:
            try:
                with np.load(self._place.path / found.predictions) as arrays:
                    sums, counts = arrays["sums"], arrays["counts"]
                trim(self._place, found)
            except (OSError, ValueError, KeyError):  # torn by a power cut
                found = None
        if found is None:
            if self._again:
                shutil.rmtree(self._place.models, ignore_errors=True)
                discard(self._place)
        elif found.partial.rows == 1:
            oof.sums += sums
            oof.counts += counts
        return found

    def first(self, outcome: Outcome, scores: Mapping[str, float], oof: OutOfFold, share: float) -> None:
        """Note a model that was fitted on `share` of the first fold's training rows, and is in `FIRST_MODEL`."""
        partial = Partial(folds=1, of=self._of, rows=share, validated=int(oof.counts.sum()))
        self._note(partial, outcome, [FIRST_MODEL], [scores], oof)

    def add(self, outcome: Outcome, scores: Sequence[Mapping[str, float]], oof: OutOfFold) -> None:
        """Note all folds up to now. After the last one there is nothing to note: the trial is whole."""
        folds = len(scores)
        if not self._wanted or folds == self._of:
            return
        partial = Partial(folds=folds, of=self._of, validated=int(oof.counts.sum()))
        self._note(partial, outcome, list(map(model_name, range(folds))), scores, oof)
        self._forget_first()

    def whole(self) -> None:
        """The trial has reached its end."""
        if self._wanted:
            discard(self._place)
            self._forget_first()

    def _note(
        self,
        partial: Partial,
        outcome: Outcome,
        models: Sequence[str],
        scores: Sequence[Mapping[str, float]],
        oof: OutOfFold,
    ) -> None:
        try:
            note(self._place, partial, outcome, models=models, scores=scores, sums=oof.sums, counts=oof.counts)
        except (OSError, WorkspaceError) as error:  # it only matters if the trial is ended: no reason to end it now
            logger.warning("what the trial has completed cannot be noted: %s", error)

    def _forget_first(self) -> None:
        with suppress(OSError):
            (self._place.models / FIRST_MODEL).unlink(missing_ok=True)
