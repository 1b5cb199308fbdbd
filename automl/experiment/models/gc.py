"""The parts of a workspace that can be deleted: models that nothing needs, spent checkpoints, caches, remains of kills.

Records, logs, outputs, predictions and data stay, and so does everything of an experiment that runs.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from automl.config.reader import read_config
from automl.engine.samplers.registry import make_sampler
from automl.engine.workspace.atomic import leftovers
from automl.engine.workspace.layout import ExperimentDirectory, Workspace
from automl.engine.workspace.lock import is_held, is_locked, locked
from automl.errors import AutomlError, WorkspaceError
from automl.experiment.models.retention import best_trials, is_folder, is_spare, remove
from automl.experiment.results.leaderboard import read_trials
from automl.experiment.results.summary import Summary
from automl.registry.list import registered_trials
from automl.registry.places import all_models

__all__ = ["Garbage", "GarbageKind", "LeftAlone", "collect", "find_garbage"]

log = logging.getLogger("automl")

_ABANDONED = 3600.0
"""Seconds without a change after which a temporary file no longer has a writer."""


class GarbageKind(StrEnum):
    MODELS = "models"
    CHECKPOINT = "checkpoint"
    CACHE = "cache"
    SPOOL = "output of a killed worker"
    TEMPORARY = "temporary"


@dataclass(frozen=True)
class Garbage:
    """Something that can go.

    Attributes:
        experiment: ``name/id``.
        kind: what it is.
        path: a file or a folder.
        size: bytes, with everything in it.
        trial: number of the trial that it belongs to; None if it is the experiment's.
    """

    experiment: str
    kind: GarbageKind
    path: Path
    size: int
    trial: int | None = None


@dataclass(frozen=True)
class LeftAlone:
    """An experiment, ``name/id``, of which nothing, or no model, may go at present, and why."""

    experiment: str
    reason: str


def find_garbage(workspace: Workspace, *, keep: int | None = None) -> tuple[list[Garbage], list[LeftAlone]]:
    """All that can go, experiment by experiment. Nothing is changed.

    The models of a trial can go if its experiment has finished, it is not among the best `keep`, it is not the winner
    and no registered model comes from it; its checkpoint, if it has ended and no other trial will continue from it.

    Args:
        keep: how many of the best keep their models; by default what each experiment's ``retention.models`` says.

    Raises:
        WorkspaceError: `keep` is negative.
    """
    return _go_through(workspace, keep, delete=False)


def collect(workspace: Workspace, *, keep: int | None = None) -> tuple[list[Garbage], list[LeftAlone]]:
    """Delete what `find_garbage` finds, and return what was deleted. Each experiment is locked meanwhile.

    Raises:
        WorkspaceError: `keep` is negative, or something cannot be deleted.
    """
    return _go_through(workspace, keep, delete=True)


def _go_through(workspace: Workspace, keep: int | None, *, delete: bool) -> tuple[list[Garbage], list[LeftAlone]]:
    if keep is not None and keep < 0:
        raise WorkspaceError(f"keep is {keep}, and a number of trials cannot be negative.")
    found = [_remove_if(delete, item) for item in _in_registry(workspace)]
    left: list[LeftAlone] = []
    for directory in workspace.experiments():
        try:
            directory.check()
            directory.trial_numbers()
        except AutomlError as error:
            left.append(LeftAlone(directory.key, str(error)))
            continue
        if is_locked(directory):
            left.append(LeftAlone(directory.key, "it is running"))
            continue
        if not delete:
            found += _of(directory, keep, left)
            continue
        with locked(directory):
            found += [_remove_if(delete, item) for item in _of(directory, keep, left)]
    return found, left


def _remove_if(delete: bool, item: Garbage) -> Garbage:
    try:
        if delete:
            remove(item.path)
        return item
    except OSError as error:
        raise WorkspaceError(f"Cannot delete {error.filename}: {error.strerror or error}.") from error


def _in_registry(workspace: Workspace) -> Iterator[Garbage]:
    """Find what killed registrations have left."""
    for model in all_models(workspace):
        for path in model.abandoned():
            yield Garbage(f"registry/{model.path.name}", GarbageKind.TEMPORARY, path, _size(path))


def _of(directory: ExperimentDirectory, keep: int | None, left: list[LeftAlone]) -> list[Garbage]:
    found = [*_caches(directory), *_leftovers(directory)]
    try:
        return [*_models(directory, keep), *_checkpoints(directory), *found]
    except AutomlError as error:
        left.append(LeftAlone(directory.key, f"its models are kept: {error}"))
        return found


def _models(directory: ExperimentDirectory, keep: int | None) -> list[Garbage]:
    """Find the models that can go.

    Raises:
        AutomlError: the result or the registry cannot be read, so it is unknown what is needed.
    """
    summary = Summary.read(directory)
    if summary is None:
        return []
    if keep is None:
        keep = read_config(directory.config)[0].retention.models
    if keep is None:
        return []
    results = read_trials(directory)
    needed = () if summary.winner is None else summary.winner.trials
    kept = {*best_trials(results, keep, summary.objective), *needed}
    spare = [r.number for r in results if r.number not in kept and is_folder(directory.trial(r.number).models)]
    if not spare:
        return []
    kept |= {trial for key, trial in registered_trials(directory.workspace) if key == directory.key}
    return [
        _garbage(directory, GarbageKind.MODELS, directory.trial(number).models, trial=number)
        for number in spare
        if number not in kept
    ]


def _checkpoints(directory: ExperimentDirectory) -> list[Garbage]:
    """Find the checkpoints that a killed search had no time to delete.

    Raises:
        AutomlError: its sampler cannot be known.
    """
    results = [r for r in read_trials(directory) if is_folder(directory.trial(r.number).checkpoint)]
    if not results:
        return []
    config, _ = read_config(directory.config)
    if config.retention.models is None:
        return []
    continues = make_sampler(config.search.sampler).continues
    return [
        _garbage(directory, GarbageKind.CHECKPOINT, directory.trial(r.number).checkpoint, trial=r.number)
        for r in results
        if is_spare(r, continues=continues)
    ]


def _caches(directory: ExperimentDirectory) -> Iterator[Garbage]:
    if is_folder(directory.cache) and any(directory.cache.iterdir()):
        yield _garbage(directory, GarbageKind.CACHE, directory.cache)


def _leftovers(directory: ExperimentDirectory) -> Iterator[Garbage]:
    """Spools of dead workers, and temporary files. Logs and outputs are not searched."""
    for path in sorted(directory.trials.glob(".stdout-*")):
        yield _garbage(directory, GarbageKind.SPOOL, path)
    folders = (directory.path, directory.data, directory.control, directory.trials)
    for folder in folders:
        yield from (_garbage(directory, GarbageKind.TEMPORARY, path) for path in _abandoned(folder))
    if is_folder(directory.mirror_scratch) and not is_held(directory.mirror_lock):
        yield _garbage(directory, GarbageKind.TEMPORARY, directory.mirror_scratch)
    for number in directory.trial_numbers():
        place = directory.trial(number).path
        yield from (_garbage(directory, GarbageKind.TEMPORARY, path, trial=number) for path in _abandoned(place))


def _abandoned(folder: Path) -> list[Path]:
    if not is_folder(folder):
        return []
    before = time.time() - _ABANDONED
    return [path for path in leftovers(folder) if path.lstat().st_mtime < before]


def _garbage(directory: ExperimentDirectory, kind: GarbageKind, path: Path, *, trial: int | None = None) -> Garbage:
    return Garbage(directory.key, kind, path, _size(path), trial)


def _size(path: Path) -> int:
    if not is_folder(path):
        return path.lstat().st_size
    return sum(os.lstat(os.path.join(root, name)).st_size for root, _, names in os.walk(path) for name in names)
