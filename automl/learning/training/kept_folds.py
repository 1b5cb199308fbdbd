"""The folds that a built-in trial has completed, noted as they come: a model of fewer folds if it is ended."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from automl.engine.trial.contract import Outcome, Partial, TrialSpec
from automl.engine.trial.partial import PREFIX, Completed, discard, note, read_note, trim
from automl.engine.workspace.layout import TrialDirectory
from automl.errors import WorkspaceError
from automl.learning.training.oof import OOF, OutOfFold, model_name

__all__ = ["FIRST_MODEL", "KeptFolds", "Part", "scores_of"]

logger = logging.getLogger("automl")

FIRST_MODEL = "fold_00-first.joblib"
"""A model of a part of the rows, which the first fold's takes the place of."""


class Part(BaseModel):
    """The part of a cross-validation that a model and its score are of.

    Attributes:
        folds: whose models it is made of.
        of: folds of the whole trial.
        validated: rows that the score covers, repeats counted.
        rows: share of each fold's training rows that were learned from.
    """

    model_config = ConfigDict(frozen=True)

    folds: int = Field(ge=1)
    of: int = Field(ge=1)
    validated: int = Field(ge=0)
    rows: float = Field(default=1.0, gt=0, le=1)

    @classmethod
    def read(cls, partial: Partial) -> Self | None:
        """The part that a record speaks of; None where that is damaged."""
        try:
            return cls.model_validate(partial.detail)
        except ValueError:  # a ValidationError is one
            return None

    def as_partial(self) -> Partial:
        return Partial(share=self.rows * self.folds / self.of, extent=str(self), detail=self.model_dump())

    def __str__(self) -> str:
        if self.rows < 1:
            return f"trained on {100 * self.rows:.2g}% of the training rows, validated on {self.validated:,} rows"
        return f"validated on {self.folds} of {self.of} folds"


class KeptFolds:
    """Notes a trial's completed folds if its spec asks for that; else nothing.

    Args:
        spec: the trial's.
        of: folds that it has.
    """

    def __init__(self, spec: TrialSpec, of: int) -> None:
        self._place, self._of = TrialDirectory(spec.directory), of
        self._wanted, self._again = spec.keep_partial, spec.attempt > 1

    def restore(self, oof: OutOfFold) -> Completed | None:
        """Return what an earlier attempt has completed, add its predictions to `oof`, and delete what else it left."""
        found = read_note(self._place) if self._wanted and self._again else None
        if found is not None:
            try:
                if scores_of(found):
                    oof.restore(np.load(self._place.path / found.files[OOF]))
                trim(self._place, found)
            except (OSError, EOFError, ValueError, KeyError):  # torn by a power cut
                found = None
        if found is None and self._again:
            shutil.rmtree(self._place.models, ignore_errors=True)
            discard(self._place)
        return found

    def first(self, outcome: Outcome, oof: OutOfFold, share: float) -> None:
        """Note a model that was fitted on `share` of the first fold's training rows, and is in `FIRST_MODEL`."""
        part = Part(folds=1, of=self._of, validated=oof.count, rows=share)
        self._note(part, outcome, [FIRST_MODEL], oof, f"{PREFIX}first.npy")

    def add(self, outcome: Outcome, scores: Sequence[Mapping[str, float]], oof: OutOfFold) -> None:
        """Note all folds up to now. After the last one there is nothing to note: the trial is whole."""
        folds = len(scores)
        if not self._wanted or folds == self._of:
            return
        part = Part(folds=folds, of=self._of, validated=oof.count)
        models = list(map(model_name, range(folds)))
        self._note(part, outcome, models, oof, f"{PREFIX}{folds:03d}.npy", scores=[dict(of) for of in scores])
        self._forget_first()

    def whole(self) -> None:
        """The trial has reached its end."""
        if self._wanted:
            discard(self._place)
            self._forget_first()

    def _note(
        self, part: Part, outcome: Outcome, models: Sequence[str], oof: OutOfFold, predictions: str, **memo: Any
    ) -> None:
        try:
            np.save(self._place.path / predictions, oof.values)
            note(self._place, part.as_partial(), outcome, models=models, files={OOF: predictions}, memo=memo)
        except (OSError, WorkspaceError) as error:  # it only matters if the trial is ended: no reason to end it now
            logger.warning("what the trial has completed cannot be noted: %s", error)

    def _forget_first(self) -> None:
        with suppress(OSError):
            (self._place.models / FIRST_MODEL).unlink(missing_ok=True)


def scores_of(found: Completed) -> list[dict[str, float]]:
    """Every metric of each fold that was completed; empty where only a first model is there."""
    return list(found.memo.get("scores", ()))
