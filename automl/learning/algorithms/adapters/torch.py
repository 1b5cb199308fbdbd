"""Nets: classes of `torch.nn.Module`, trained by automl's own loop."""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from automl.client import Run
from automl.errors import SpaceError
from automl.learning.algorithms.arguments import NUMBER, Argument, each, words
from automl.learning.algorithms.base import Learner, TrainingData
from automl.learning.algorithms.progress import Checkpoints, Progress

__all__ = ["ESTIMATORS", "NetLearner", "arguments", "learner_class"]

_NETS = "automl.learning.algorithms.nets"
ESTIMATORS = {
    f"{_NETS}.conv": ("ConvNet",),
    f"{_NETS}.fast": ("FastNet",),
    f"{_NETS}.resnet": ("ResNet",),
    f"{_NETS}.resnet9": ("ResNet9",),
    f"{_NETS}.small": ("SmallNet",),
}

_ARGUMENTS: dict[str, Argument] = {
    **each("optimizer", words("sgd", "adamw", "muon")),
    **each("device", Argument(pattern=re.compile(r"auto|cpu|mps|cuda(?::[0-9]{1,2})?"))),
    **each("precision", words("auto", "float32", "bfloat16", "float16")),
    **each("flip width", words("auto")),
    **each("epochs batch_size lr momentum weight_decay warm_up label_smoothing clip ema translate cutout", NUMBER),
    **each("seconds deterministic random_state depth dropout growth scale", NUMBER),
}
"""Of the training, and of the constructors of automl's own nets."""


def arguments(estimator: str) -> dict[str, Argument]:
    return _ARGUMENTS


def learner_class(estimator: type) -> type[Learner]:
    return NetLearner


class NetLearner(Learner):
    """A module with its training.

    A parameter that `automl.learning.algorithms.nets.classifier.NetClassifier` has is one of the training; the others
    are arguments of the module's constructor.
    """

    reports = True

    def _fit(self, data: TrainingData, progress: Progress | None) -> None:
        if self.n_classes is None:
            raise SpaceError(f"{self.estimator.__name__} is a net, and nets are trained for classification alone.")
        if data.X.ndim != 4:
            raise SpaceError(f"{self.estimator.__name__} is a net, which takes pictures: write 'view: pixels' for it.")
        import torch

        torch.set_num_threads(self.threads)
        self.model = self._classifier()
        run = Run.get_context()
        self.model.fit(
            data.X,
            data.y,
            data.weight,
            valid=data.valid,
            progress=None if progress is None else _Inside(progress, self._outside),
            log=None if run.number is None else lambda name, value, epoch: run.log(name, value, step=epoch),
        )
        self.timed = self.model.is_timed_

    def _predict(self, X: np.ndarray) -> np.ndarray:
        return np.asarray(self.model.predict_proba(X))

    def check_names(self) -> None:
        from automl.learning.algorithms.nets.net import GIVEN

        training, accepted = _training(), inspect.signature(self.estimator).parameters.values()
        module = {parameter.name for parameter in accepted} - {*GIVEN}
        takes_any = any(parameter.kind is parameter.VAR_KEYWORD for parameter in accepted)
        for name in self.params.keys() - training:
            if name in GIVEN:
                raise SpaceError(f"{self.estimator.__name__} is given {name} by the pictures: leave it out.", key=name)
            if name not in module and not takes_any:
                near = difflib.get_close_matches(name, module | training, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ", and its training has none."
                raise SpaceError(f"{self.estimator.__name__} has no parameter {name!r}{hint}")

    def _classifier(self) -> Any:
        """The untrained classifier."""
        from automl.learning.algorithms.nets.classifier import NetClassifier

        training = _training()
        own = {name: value for name, value in self.params.items() if name not in training}
        settings = {name: value for name, value in self.params.items() if name in training}
        return NetClassifier(self.estimator, own, **{"random_state": self.seed, **settings})


def _training() -> frozenset[str]:
    """The parameters of a net's training."""
    from automl.learning.algorithms.nets.classifier import NetClassifier

    return frozenset(inspect.signature(NetClassifier).parameters) - {"module", "module_params"}


class _Inside:
    """The driver's `Progress` as a classifier sees it, which knows only the classes of its training rows."""

    def __init__(self, progress: Progress, outside: Callable[[np.ndarray], np.ndarray]) -> None:
        self._progress, self._outside = progress, outside

    @property
    def wanted(self) -> bool:
        return self._progress.wanted

    @property
    def seconds_left(self) -> float:
        return self._progress.seconds_left

    @property
    def anytime(self) -> bool:
        return self._progress.anytime

    @property
    def fidelity(self) -> float:
        return self._progress.fidelity

    @property
    def predictions(self) -> float:
        return self._progress.predictions

    @property
    def checkpoints(self) -> Checkpoints | None:
        return self._progress.checkpoints

    def should_stop(self) -> bool:
        return self._progress.should_stop()

    def report(self, fraction: float, predict: Callable[[], np.ndarray]) -> None:
        self._progress.report(fraction, lambda: self._outside(predict()))
