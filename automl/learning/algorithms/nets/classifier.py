"""A net as a scikit-learn classifier."""

from __future__ import annotations

import io
import logging
import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from automl.errors import DataError, SpaceError
from automl.learning.algorithms.nets.callbacks import Log, TrainingCallbacks
from automl.learning.algorithms.nets.checkpoint import CheckpointFile, TrainingStart, find_start
from automl.learning.algorithms.nets.compiling import choose_forward
from automl.learning.algorithms.nets.device import Hardware, choose_hardware, is_here, settings
from automl.learning.algorithms.nets.flip_test import may_be_mirrored
from automl.learning.algorithms.nets.net import Net, make_net
from automl.learning.algorithms.nets.pictures import Pictures, as_tensor
from automl.learning.algorithms.nets.predicting import TestTimeAugmentation, predict, seconds_to_predict
from automl.learning.algorithms.nets.recipe import Recipe
from automl.learning.algorithms.nets.schedule import Course
from automl.learning.algorithms.nets.sizing import AUTO, sized
from automl.learning.algorithms.nets.training import Training
from automl.learning.algorithms.nets.training_budget import TrainingBudget

if TYPE_CHECKING:
    from torch import Tensor

    from automl.learning.algorithms.progress import Progress

__all__ = ["NetClassifier"]

logger = logging.getLogger("automl")

_FINDING_OUT = 0.03
"""Share of a fit's time that measuring its predictions may take."""
_SIDE = 32
"""Pictures of this side are moved by a pixel when they are predicted, larger ones by as much of their side."""


class NetClassifier(ClassifierMixin, BaseEstimator):
    """Trains a `torch.nn.Module` on pictures. Preprocessing belongs to the model: it takes them as bytes.

    Args:
        module: class of the net; it takes float32 (b, channels, height, width) and gives scores (b, n_classes).
        module_params: arguments of its constructor, beside in_channels, n_classes and image_size. A ``width`` of
            ``auto`` is found by `automl.learning.algorithms.nets.sizing`.
        epochs: at most so many; None: 20, or, where the fit is given a time to fill, as many as fit in.
        batch_size: pictures per step.
        optimizer: ``sgd`` (with Nesterov's momentum), ``adamw`` or ``muon``
            (`automl.learning.algorithms.nets.muon.Muon`).
        lr: peak of the one-cycle schedule. Muon's is the length of a filter's step: 0.02 to 0.05 is a good one.
        momentum: of SGD; the first beta of AdamW.
        weight_decay: of weights; biases and the parameters of normalisation have none.
        warm_up: share of the training in which the learning rate rises.
        label_smoothing: probability that is spread over all classes (Szegedy et al. 2016, arXiv:1512.00567, section 7).
        clip: largest norm of the gradient; None for any.
        ema: decay of the average of the weights that predicts; 0 for the last weights.
        flip: mirror pictures from left to right while training, and average over both sides when predicting; ``auto``:
            where the classes bear it (`automl.learning.algorithms.nets.flip_test.may_be_mirrored`).
        translate: share of the shorter side by which pictures are moved at most while training; with any, scores are
            averaged over three places when predicting, where there is time for it.
        cutout: side of the greyed-out square, as a share of the shorter side.
        seconds: that training may take, the schedule being fitted to them; None for any time.
        device: ``auto``, ``cpu``, ``cuda`` (``cuda:1``) or ``mps``.
        precision: ``auto``, ``float32``, ``bfloat16`` or ``float16``, of what training computes; weights are float32,
            and so are predictions.
        deterministic: allow only algorithms that give the same bits each time, and take no choice by the clock beside
            the length of the training. On a CPU all do, for one number of threads.
        random_state: seed of all random numbers.

    Attributes:
        classes_: shape (k,).
        image_shape_: (height, width, channels) of the pictures.
        device_: ``cpu``, ``cuda`` or ``mps``: where it was trained.
        module_params_: `module_params` with the width that was found.
        flip_: whether they were mirrored.
        views_: over which the scores of a picture are averaged.
        progress_: share of the schedule that was done: 1 after a whole training.
        epochs_: how many were trained, those of a parent and of earlier attempts among them.
        batch_size_: pictures that were computed at a time: fewer than `batch_size` where a GPU's memory was too small,
            the gradients of several being added up then.
        is_timed_: True if the clock decided how long the training was, or which views are averaged over: the same one
            again gives another model.
        seconds_: of training, those of earlier attempts among them.
    """

    def __init__(
        self,
        module: type,
        module_params: Mapping[str, Any] | None = None,
        *,
        epochs: int | None = None,
        batch_size: int = 128,
        optimizer: str = "sgd",
        lr: float = 0.1,
        momentum: float = 0.9,
        weight_decay: float = 5e-4,
        warm_up: float = 0.2,
        label_smoothing: float = 0.0,
        clip: float | None = 5.0,
        ema: float = 0.999,
        flip: bool | str = "auto",
        translate: float = 0.0,
        cutout: float = 0.0,
        seconds: float | None = None,
        device: str = "auto",
        precision: str = "auto",
        deterministic: bool = False,
        random_state: int = 0,
    ) -> None:
        self.module, self.module_params = module, module_params
        self.epochs, self.batch_size, self.seconds = epochs, batch_size, seconds
        self.optimizer, self.lr, self.momentum, self.weight_decay = optimizer, lr, momentum, weight_decay
        self.warm_up, self.label_smoothing, self.clip, self.ema = warm_up, label_smoothing, clip, ema
        self.flip, self.translate, self.cutout = flip, translate, cutout
        self.device, self.precision, self.deterministic = device, precision, deterministic
        self.random_state = random_state

    def fit(
        self,
        X: np.ndarray,
        y: np.ndarray,
        sample_weight: np.ndarray | None = None,
        *,
        valid: np.ndarray | None = None,
        progress: Progress | None = None,
        log: Log | None = None,
    ) -> Self:
        """Train on the pictures `X`.

        Args:
            X: uint8, shape (n, height, width, channels); may be read-only.
            y: labels, shape (n,).
            sample_weight: of each picture in the loss, shape (n,).
            valid: pictures of which `progress` sees the predictions.
            progress: told how far the fit is, asked whether to continue and how long it may take.
            log: takes loss and accuracy on the training pictures after each epoch.

        Raises:
            DataError: `X` holds no such pictures.
            SpaceError: a parameter is outside its range, or the module does not fit the pictures.
            LearnerError: the loss is no longer finite.
        """
        allowance = TrainingBudget.of(self.epochs, self.seconds, progress)
        pixels, waiting = _checked(X), None if valid is None else _checked(valid)
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.image_shape_ = (X.shape[1], X.shape[2], X.shape[3])
        self.flip_ = self._flips(pixels, codes)
        recipe = Recipe(**{name: getattr(self, name) for name in Recipe.__slots__} | {"flip": self.flip_})
        hardware = choose_hardware(self.device, self.precision)
        by_clock = allowance.fills and not self.deterministic
        end = 1.0 if progress is None else progress.fidelity
        identity = self._identity(len(codes))
        start = find_start(None if progress is None else progress.checkpoints, identity, end=end)
        with settings(hardware, seed=self.random_state, deterministic=self.deterministic):
            self.module_params_ = self._sized(start, pixels, codes, hardware, allowance)
            if log is not None and "width" in self.module_params_ and _is_open(self.module_params):
                log("width", self.module_params_["width"], 1)
            net = self._begun(pixels, hardware)
            augmentation = recipe.augmentation(*X.shape[1:3])
            pictures = Pictures(pixels, codes, sample_weight, augmentation, net.fill, hardware)
            views = self.views_ = TestTimeAugmentation(self.flip_, _shift(augmentation.translate, *X.shape[1:3]))
            if allowance.is_limited:
                most = _FINDING_OUT * allowance.seconds
                view = 0.0 if waiting is None else seconds_to_predict(net, waiting, hardware.exact, most=most)
                allowance, self.views_ = allowance.for_training(self.views_, view, deterministic=self.deterministic)
            forward = None
            if by_clock:
                forward = choose_forward(net, *pictures.sample(recipe.batch_size), hardware, allowance.seconds)
            steps = allowance.epochs * pictures.batches(recipe.batch_size)
            course = Course(steps, allowance.seconds, start.progress, end)
            training = Training(
                net, pictures, recipe, course, hardware,
                seed=self.random_state, forward=forward, adapts=by_clock,
            )  # fmt: skip
            start.apply(training)
            if not start.is_finished:
                file = None if start.own is None else CheckpointFile(start.own, identity, start, self.module_params_)
                scores = None if waiting is None else _scores_of(waiting, hardware)
                training.run(TrainingCallbacks(progress, log, file, scores, waiting))
        self._keep(training, start, is_timed=allowance.fills or self.views_ != views)
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Probabilities of `classes_`, float32, shape (n, k).

        Args:
            X: uint8, shape (n, height, width, channels), as in training.

        Raises:
            DataError: `X` holds no such pictures.
        """
        check_is_fitted(self, "net_")
        pixels = _checked(X, self.image_shape_)
        try:
            return predict(self.net_, pixels, self._hardware().exact, self.views_)
        except (RuntimeError, MemoryError) as error:  # also torch's own error of memory, and those of CUDA
            found = getattr(self, "_found", None)
            if found is not None and found.device.type == "cpu":
                raise
            logger.warning("The GPU cannot predict, so the CPU does: %s", str(error).partition("\n")[0])
        self.net_.to("cpu")
        self._found = choose_hardware("cpu", self.precision)
        return predict(self.net_, pixels, self._found.exact, self.views_)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """The most probable labels, shape (n,)."""
        labels: np.ndarray = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return labels

    def state_dict(self) -> dict[str, Tensor]:
        """The trained net's tensors by name, on the CPU.

        Those of the preprocessing are ``mean`` and ``scale``; those of the module begin with ``body.``.
        """
        check_is_fitted(self, "net_")
        return {name: tensor.detach().cpu() for name, tensor in self.net_.state_dict().items()}

    def __getstate__(self) -> dict[str, Any]:
        """Settings and tensors; no code, and nothing that is bound to a device."""
        state = {name: value for name, value in super().__getstate__().items() if name not in ("net_", "_found")}
        if hasattr(self, "net_"):
            buffer = io.BytesIO()
            torch.save(self.state_dict(), buffer)
            state["tensors"] = buffer.getvalue()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        tensors = state.pop("tensors", None)
        super().__setstate__(state)
        if tensors is not None:
            with torch.random.fork_rng(devices=[]):
                self.net_ = self._new_net()
            self.net_.load_state_dict(torch.load(io.BytesIO(tensors), map_location="cpu", weights_only=True))
            self.net_.to(memory_format=torch.channels_last)

    def _begun(self, pixels: Tensor, hardware: Hardware) -> Net:
        """The net before its first step, which knows the pictures' mean and spread."""
        torch.manual_seed(self.random_state)
        net = self._new_net()
        net.learn(pixels, self.random_state)
        net.to(hardware.device, memory_format=torch.channels_last)
        return net

    def _new_net(self) -> Net:
        return self._made(self.module_params_)

    def _made(self, params: Mapping[str, Any]) -> Net:
        return make_net(self.module, params, self.image_shape_, len(self.classes_))

    def _sized(
        self, start: TrainingStart, pixels: Tensor, codes: np.ndarray, hardware: Hardware, allowance: TrainingBudget
    ) -> dict[str, Any]:
        """Parameters of the module; what continues another training is as wide as that was."""
        given = dict(self.module_params or {})
        if start.state is not None and _is_open(given):
            rest = {name: value for name, value in given.items() if name != "width"}
            return rest | {name: value for name, value in start.state["params"].items() if name == "width"}
        size = min(self.batch_size, len(codes))
        batch, target = pixels[:size].to(hardware.device), torch.as_tensor(codes[:size]).to(hardware.device)
        return sized(
            self.module, given, self._made, batch, target, hardware,
            ends=allowance.ends if allowance.fills else math.inf, steps_per_epoch=max(1, len(codes) // size),
        )  # fmt: skip

    def _hardware(self) -> Hardware:
        """That of the fit, or of the machine where this model was loaded; the net is moved there.

        What was trained on a CPU predicts on one: a GPU may be in use by other work.
        """
        if not hasattr(self, "_found"):
            wanted = getattr(self, "device_", "auto") if self.device == "auto" else self.device
            self._found = choose_hardware(wanted if is_here(wanted) else "auto", self.precision)
            self.net_.to(self._found.device)
        return self._found

    def _flips(self, pixels: Tensor, codes: np.ndarray) -> bool:
        if isinstance(self.flip, str) and self.flip == "auto":
            return may_be_mirrored(pixels, codes, self.random_state)
        if not isinstance(self.flip, bool | np.bool_):
            raise SpaceError(f"flip is {self.flip!r}, and has to be true, false or auto.", key="flip")
        return bool(self.flip)

    def _keep(self, training: Training, start: TrainingStart, *, is_timed: bool) -> None:
        self.net_, self._found = training.average.net.eval(), training.hardware
        self.device_ = training.hardware.device.type
        self.progress_ = training.course.end if start.is_finished else training.progress
        self.epochs_ = start.epochs + training.epochs
        self.batch_size_ = training.batch_size // training.pieces
        self.is_timed_ = is_timed or training.is_timed or start.is_timed
        self.seconds_ = start.seconds + training.used

    def _identity(self, n: int) -> str:
        """The identity of a fit: what its checkpoint must have been written with."""
        params = {name: value for name, value in self.get_params(deep=False).items() if name != "seconds"}
        module = f"{self.module.__module__}.{self.module.__qualname__}"
        return repr((module, params | {"module": None}, self.image_shape_, self.classes_.tolist(), n))


def _is_open(module_params: Mapping[str, Any] | None) -> bool:
    return (module_params or {}).get("width") == AUTO


def _scores_of(pixels: Tensor, hardware: Hardware) -> Callable[[Training], np.ndarray]:
    """Probabilities of `pixels` by a training as it stands: of one side and in short numbers, enough to compare."""
    return lambda training: predict(training.average.net, pixels, hardware)


def _shift(translate: int, height: int, width: int) -> int:
    """Pixels by which pictures are moved when they are predicted, of nets that know moves of `translate` pixels."""
    return min(translate, max(1, round(min(height, width) / _SIDE)))


def _checked(X: np.ndarray, shape: tuple[int, int, int] | None = None) -> Tensor:
    """The pictures as a tensor.

    Raises:
        DataError: they are not bytes of shape (n, *shape).
    """
    if getattr(X, "dtype", None) != np.uint8 or X.ndim != 4 or (shape is not None and X.shape[1:] != shape):
        wanted = "(n, height, width, channels)" if shape is None else f"(n, {shape[0]}, {shape[1]}, {shape[2]})"
        found = f"{X.dtype} {X.shape}" if isinstance(X, np.ndarray) else type(X).__name__
        raise DataError(f"A net takes pictures as bytes, uint8 of shape {wanted}; these are {found}.")
    return as_tensor(X)
