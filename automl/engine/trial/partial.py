"""The folds that a trial has completed so far, on disk: where it is ended, they are a model of fewer folds.

A worker notes each fold once its model and its predictions are there; ``completed.json`` is replaced at once and names
the files that belong to it, so that a kill at any moment leaves the folds before or the folds after, and never a score
of other models than those that are there. The driver makes the trial's result of it, or deletes it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from automl.engine.trial.contract import Outcome, Partial, Status, TrialResult
from automl.engine.trial.outputs import total_size
from automl.engine.workspace.atomic import FORMAT_VERSION, read_json, write_text
from automl.engine.workspace.layout import TrialDirectory
from automl.errors import WorkspaceError

__all__ = ["Completed", "discard", "keep", "mean_of", "note", "read_note", "trim"]

_ENDED = (Status.CANCELLED, Status.INTERRUPTED)
"""Statuses of a trial that did nothing wrong: the clock, its user or the loss of its workers ended it. One that
failed, or was over a limit of its own, has no model."""
_TAKEN = (
    "partial", "value", "metrics", "fold_scores", "fit_seconds", "predict_seconds", "predict_latency", "cut_short",
)  # fmt: skip
"""Fields that a result takes over from the note."""


class Completed(BaseModel):
    """The content of ``completed.json``.

    Attributes:
        models: names of the files in ``models/`` that count.
        predictions: name of the file with the sums and counts of the out-of-fold predictions.
        scores: every metric of each fold.
        cut_short: see `TrialResult`; so are the others.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    format_version: int = FORMAT_VERSION
    partial: Partial
    models: tuple[str, ...]
    predictions: str
    scores: tuple[dict[str, float], ...]
    value: float
    metrics: dict[str, float]
    fold_scores: tuple[float, ...]
    fit_seconds: float
    predict_seconds: float
    predict_latency: float | None
    cut_short: bool


def note(
    place: TrialDirectory,
    partial: Partial,
    outcome: Outcome,
    *,
    models: Sequence[str],
    scores: Sequence[Mapping[str, float]],
    sums: np.ndarray,
    counts: np.ndarray,
) -> None:
    """Replace what was noted before. Called by the worker, when the models are in place.

    Args:
        outcome: the score and everything else of the completed folds.
        models: names of their files.
        scores: every metric of each fold.
        sums: of the out-of-fold predictions of each row, (n, k) or (n,).
        counts: how many they are of, (n,).
    """
    assert outcome.value is not None
    name = f"completed-{len(models):03d}{'-first' if partial.rows < 1 else ''}.npz"
    np.savez(place.path / name, sums=sums, counts=counts)
    now = Completed(
        partial=partial,
        models=tuple(models),
        predictions=name,
        scores=tuple(dict(of) for of in scores),
        value=outcome.value,
        metrics=dict(outcome.metrics),
        fold_scores=outcome.fold_scores,
        fit_seconds=outcome.fit_seconds,
        predict_seconds=outcome.predict_seconds,
        predict_latency=outcome.predict_latency,
        cut_short=outcome.cut_short,
    )
    write_text(place.completed, now.model_dump_json(indent=1))
    for file in _predictions(place):
        if file.name != name:
            file.unlink(missing_ok=True)


def read_note(place: TrialDirectory) -> Completed | None:
    """Return what a trial has completed so far; None if that is nothing that could be delivered."""
    if not place.completed.exists():
        return None
    try:
        found = Completed.model_validate(read_json(place.completed))
    except Exception:  # damaged: what it says of the files cannot be trusted
        return None
    there = all((place.models / name).exists() for name in found.models)
    return found if there and (place.path / found.predictions).exists() else None


def keep(place: TrialDirectory, result: TrialResult) -> TrialResult:
    """The result of a trial that has ended, with the score of what it had completed where that is its model now.

    May be repeated until the result is written; `discard` follows then.
    """
    found = read_note(place) if result.status in _ENDED else None
    if found is None:
        return result
    try:
        trim(place, found)
        with np.load(place.path / found.predictions) as arrays:
            np.save(place.oof, mean_of(arrays["sums"], arrays["counts"]))
    except OSError as error:
        raise WorkspaceError(f"Cannot write {place.path}: {error.strerror or error}.") from error
    changes: dict[str, Any] = {name: getattr(found, name) for name in _TAKEN}
    return result.model_copy(update={**changes, "model_size": total_size(place.models)})


def trim(place: TrialDirectory, found: Completed) -> None:
    """Delete the models that do not count: a fold that was completed but not noted."""
    for file in place.models.iterdir():
        if file.name not in found.models:
            file.unlink()


def discard(place: TrialDirectory) -> None:
    """Delete the notes of a trial that has its result; its models are another matter."""
    with suppress(OSError):
        place.completed.unlink(missing_ok=True)
        for file in _predictions(place):
            file.unlink(missing_ok=True)


def mean_of(sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """float32, like `sums`: the mean over `counts` predictions of each row; NaN for rows without one."""
    with np.errstate(invalid="ignore"):
        mean: np.ndarray = sums / counts.reshape(-1, *[1] * (sums.ndim - 1))
    return mean.astype(np.float32)


def _predictions(place: TrialDirectory) -> list[Path]:
    return [Path(entry) for entry in os.scandir(place.path) if entry.name.startswith("completed-")]
