"""The state that a training can continue from: written after epochs, whole or not at all."""

from __future__ import annotations

import io
import logging
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from automl.engine.workspace.atomic import write_bytes
from automl.learning.algorithms.base import LearnerError

if TYPE_CHECKING:
    from automl.learning.algorithms.nets.training import Training
    from automl.learning.algorithms.progress import Checkpoints

__all__ = ["CheckpointFile", "TrainingStart", "find_start"]

logger = logging.getLogger("automl")

_NAME = "state.pt"
_SHARE = 20
"""Writing may take one part in so many of the time: where epochs are short, not every one is kept."""


class CheckpointFile:
    """The file in a fit's own folder.

    Args:
        folder: it is there.
        identity: of the fit, its settings and its data.
        start: what it began with.
        params: of the module: a width that was found holds for what continues from here.
    """

    def __init__(self, folder: Path, identity: str, start: TrainingStart, params: Mapping[str, Any]) -> None:
        self._path, self._identity, self._start = folder / _NAME, identity, start
        self._params = {name: value for name, value in params.items() if name == "width"}
        self._next = 0.0

    def write(self, training: Training, *, always: bool = False) -> None:
        """Keep the state of `training`, unless the last one was kept only just now."""
        began = time.monotonic()
        if began < self._next and not always:
            return
        is_over = training.progress >= 1  # nothing continues from there but with the average: the rest is two thirds
        state = {
            "identity": self._identity,
            "params": self._params,
            "progress": training.progress,
            "epochs": self._start.epochs + training.epochs,
            "seconds": self._start.seconds + training.used,
            "timed": self._start.is_timed or training.is_timed,
            "batch_size": training.batch_size,
            "pieces": training.pieces,
            "net": None if is_over else training.net.state_dict(),
            "average": training.average.net.state_dict(),
            "updates": training.average.updates,
            "optimizer": training.recipe.optimizer,
            "moments": {} if is_over else training.optimizer.state_dict()["state"],
            "scaler": training.scaler.state_dict(),
        }
        buffer = io.BytesIO()
        torch.save(state, buffer)
        try:
            write_bytes(self._path, buffer.getvalue())
        finally:
            now = time.monotonic()
            self._next = now + _SHARE * (now - began)


@dataclass(frozen=True, eq=False)
class TrainingStart:
    """The state that a training begins with.

    Attributes:
        own: folder for its own state; None for nowhere.
        state: that it continues from; None for none.
        progress: that `state` has reached, from which the schedule continues; 0 where it starts again.
        epochs: trained so far.
        seconds: of training that earlier attempts have used.
        is_finished: an earlier attempt has trained to the end.
        is_timed: the clock has decided how long that was.
    """

    own: Path | None = None
    state: dict[str, Any] | None = None
    progress: float = 0.0
    epochs: float = 0.0
    seconds: float = 0.0
    is_finished: bool = False
    is_timed: bool = False

    def apply(self, training: Training) -> None:
        """Put `training`, which has not begun, where it is to continue.

        Raises:
            LearnerError: the state is that of another net.
        """
        if self.state is None:
            return
        try:
            if self.progress > 0 or self.is_finished:
                _restore(training, self.state)
            else:
                training.net.load_state_dict(self.state["average"])
                training.average.net.load_state_dict(self.state["average"])
        except (RuntimeError, ValueError) as error:
            raise LearnerError(
                "The net cannot continue from its parent's weights: its shape is different. Name the parameters that "
                f"shape it in the algorithm's 'inherited', or put them under 'fixed': {_reason(error)}"
            ) from error


def find_start(places: Checkpoints | None, identity: str, *, end: float) -> TrainingStart:
    """Find where a fit begins that trains up to the progress `end`.

    A fit that was begun before continues from its own state. One whose parent has come less far continues from all
    of the parent's state; else from its weights alone, with its own schedule.

    Args:
        places: the folders; None if nothing is kept.
        identity: of the fit: an own state of another one is left alone.

    Raises:
        LearnerError: the parent has left no state, or one that cannot be read.
    """
    if places is None:
        return TrainingStart()
    own = _read_own(places.own, identity)
    if own is not None:
        is_finished = own["progress"] >= end
        progress = 0.0 if is_finished else own["progress"]
        return TrainingStart(places.own, own, progress, own["epochs"], own["seconds"], is_finished, own["timed"])
    if places.parent is None:
        return TrainingStart(places.own)
    parent = _read_parent(places.parent)
    progress = parent["progress"] if parent["progress"] < end else 0.0
    return TrainingStart(places.own, parent, progress, parent["epochs"], is_timed=parent["timed"])


def _read_own(folder: Path, identity: str) -> dict[str, Any] | None:
    try:
        state = _read(folder)
    except FileNotFoundError:
        return None
    except Exception as error:  # what a torn file makes torch raise has no common kind
        logger.warning("%s cannot be read, so the training starts again: %s", folder / _NAME, _reason(error))
        return None
    return state if state["identity"] == identity else None


def _read_parent(folder: Path) -> dict[str, Any]:
    try:
        return _read(folder)
    except Exception as error:
        raise LearnerError(f"The state {folder / _NAME} of its parent cannot be read: {_reason(error)}") from error


def _read(folder: Path) -> dict[str, Any]:
    state: dict[str, Any] = torch.load(folder / _NAME, map_location="cpu", weights_only=True)
    return state


def _restore(training: Training, state: dict[str, Any]) -> None:
    """Weights, their average and the optimizer's moments, with the training's own settings."""
    if state["net"] is not None:
        training.net.load_state_dict(state["net"])
    if training.recipe.ema > 0 or state["net"] is None:
        training.average.net.load_state_dict(state["average"])
    training.average.updates = state["updates"]
    if state["pieces"] > 1:  # of that one's batch: of this one's they are as large
        pieces = math.ceil(state["pieces"] * training.batch_size / state["batch_size"])
        training.pieces = min(pieces, max(1, training.batch_size // 2))
    if state["scaler"] and training.scaler.is_enabled():  # neither has one in other numbers
        training.scaler.load_state_dict(state["scaler"])
    if state["optimizer"] == training.recipe.optimizer:
        own = training.optimizer.state_dict()
        training.optimizer.load_state_dict({**own, "state": state["moments"]})


def _reason(error: Exception) -> str:
    """The last line of what torch says, which names what is wrong."""
    lines = str(error).strip().splitlines()
    return lines[-1].strip() if lines else type(error).__name__
