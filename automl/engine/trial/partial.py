"""The part of a trial's work that could be delivered already: where the trial is ended, it is its result.

A trial that is asked to (`TrialSpec.keep_partial`) notes, as it goes, a score and the files behind it. It writes the
files first; ``completed.json`` is then replaced at once and names them, so that a kill at any moment leaves what was
noted before or what is noted now, and never a score of other files than those that are there. The driver makes the
trial's result of it, or deletes it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

from automl.engine.trial.contract import Outcome, Partial, Status, TrialResult
from automl.engine.trial.outputs import total_size
from automl.engine.workspace.atomic import FORMAT_VERSION, read_json, write_text
from automl.engine.workspace.layout import TrialDirectory
from automl.errors import WorkspaceError

__all__ = ["PREFIX", "Completed", "discard", "keep", "note", "read_note", "trim"]

PREFIX = "completed-"
"""The names of a note's files begin with it: all of them are deleted with the note, also what a kill left unnoted."""
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
        partial: how far the work has come.
        models: names of the files in ``models/`` that count.
        files: names of files in the trial's directory, by those that they get there where the note is kept.
        memo: what the work wants to find again in a later attempt, as JSON values.
        cut_short: see `TrialResult`; so are the others.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    format_version: int = FORMAT_VERSION
    partial: Partial
    models: tuple[str, ...]
    files: dict[str, str] = {}
    memo: dict[str, Any] = {}
    value: float
    metrics: dict[str, float]
    fold_scores: tuple[float, ...]
    fit_seconds: float
    predict_seconds: float
    predict_latency: float | None
    cut_short: bool

    @field_validator("files")
    @classmethod
    def _check_files(cls, files: dict[str, str]) -> dict[str, str]:
        """Whoever wrote the note: nothing is copied from or to another directory."""
        if not all(name and Path(name).name == name for name in (*files, *files.values())):
            raise ValueError("names of files in the trial's directory are needed")
        return files


def note(
    place: TrialDirectory,
    partial: Partial,
    outcome: Outcome,
    *,
    models: Sequence[str] = (),
    files: Mapping[str, str] = {},
    memo: Mapping[str, Any] = {},
) -> None:
    """Replace what was noted before. Called by the worker, when the models and the files are in place.

    Args:
        partial: how far the work has come.
        outcome: the score and everything else of the work so far.
        models: names of the files in ``models/`` that count.
        files: names of files in the trial's directory, by those that they get there where the note is kept. Theirs
            begin with `PREFIX`, and are not those of the note before: its files are deleted now.
        memo: what the work wants to find again in a later attempt.
    """
    assert outcome.value is not None
    now = Completed(
        partial=partial,
        models=tuple(models),
        files=dict(files),
        memo=dict(memo),
        value=outcome.value,
        metrics=dict(outcome.metrics),
        fold_scores=outcome.fold_scores,
        fit_seconds=outcome.fit_seconds,
        predict_seconds=outcome.predict_seconds,
        predict_latency=outcome.predict_latency,
        cut_short=outcome.cut_short,
    )
    write_text(place.completed, now.model_dump_json(indent=1))
    for file in _files(place):
        if file.name not in files.values():
            file.unlink(missing_ok=True)


def read_note(place: TrialDirectory) -> Completed | None:
    """Return what a trial has completed so far; None if that is nothing that could be delivered."""
    if not place.completed.exists():
        return None
    try:
        found = Completed.model_validate(read_json(place.completed))
    except Exception:  # damaged: what it says of the files cannot be trusted
        return None
    needed = [*(place.models / name for name in found.models), *(place.path / name for name in found.files.values())]
    return found if all(file.exists() for file in needed) else None


def keep(place: TrialDirectory, result: TrialResult) -> TrialResult:
    """The result of a trial that has ended, with the score of what it had completed where that is its model now.

    May be repeated until the result is written; `discard` follows then. The note's files are copied, not moved: until
    there is a result, a later attempt may still go on from them.
    """
    found = read_note(place) if result.status in _ENDED else None
    if found is None:
        return result
    try:
        trim(place, found)
        for name, source in found.files.items():
            _copy(place.path / source, place.path / name)
    except OSError as error:
        raise WorkspaceError(f"Cannot write {place.path}: {error.strerror or error}.") from error
    changes: dict[str, Any] = {name: getattr(found, name) for name in _TAKEN}
    return result.model_copy(update={**changes, "model_size": total_size(place.models)})


def trim(place: TrialDirectory, found: Completed) -> None:
    """Delete the models that do not count: those that were completed but not noted."""
    if place.models.exists():
        for file in place.models.iterdir():
            if file.name not in found.models:
                file.unlink()


def discard(place: TrialDirectory) -> None:
    """Delete the notes of a trial that has its result; its models are another matter."""
    with suppress(OSError):
        place.completed.unlink(missing_ok=True)
        for file in _files(place):
            file.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    """Copy a whole file or nothing."""
    draft = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        shutil.copyfile(source, draft)
        os.replace(draft, target)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def _files(place: TrialDirectory) -> list[Path]:
    return [Path(entry) for entry in os.scandir(place.path) if entry.name.startswith(PREFIX)]
