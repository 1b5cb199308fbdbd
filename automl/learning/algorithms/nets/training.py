"""The training loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch.nn import functional

from automl.learning.algorithms.base import LearnerError
from automl.learning.algorithms.nets.augment import mirror_rows
from automl.learning.algorithms.nets.ema import WeightAverage
from automl.learning.algorithms.nets.schedule import Course, one_cycle
from automl.learning.algorithms.nets.thread_tuner import ThreadTuner

if TYPE_CHECKING:
    from torch import Tensor

    from automl.learning.algorithms.nets.device import Hardware
    from automl.learning.algorithms.nets.net import Net
    from automl.learning.algorithms.nets.pictures import Pictures
    from automl.learning.algorithms.nets.recipe import Recipe

__all__ = ["Epoch", "Observer", "Training"]

_LOOK = 16
"""Steps on a GPU between two looks at the loss: each one waits until the GPU has caught up."""


class Epoch:
    """Sums over the steps of an epoch, kept on the device."""

    def __init__(self, number: int) -> None:
        self.number, self.rows, self.first_step = number, 0, 0
        self.losses: list[Tensor] = []
        self.correct: list[Tensor] = []

    def add(self, loss: Tensor, correct: Tensor, rows: int) -> None:
        self.losses.append(loss)
        self.correct.append(correct)
        self.rows += rows

    @property
    def loss(self) -> float:
        return float(torch.stack(self.losses).mean())

    @property
    def accuracy(self) -> float:
        """Share of right answers for the pictures as they were trained on, by the weights at the time."""
        return float(torch.stack(self.correct).sum()) / self.rows


class Observer(Protocol):
    """An object that is told how a training goes."""

    def should_stop(self) -> bool:
        """True: end here. Asked before each step but the first."""

    def after_step(self, training: Training, *, ends_epoch: bool) -> None: ...

    def after_epoch(self, training: Training, epoch: Epoch) -> None:
        """Also after the part of an epoch with which a training ends."""


class Training:
    """A net on its way from ``course.start`` to ``course.end``.

    All random numbers follow from the seed and the number of the epoch: one that continues from the end of an epoch
    does so as if it had never stopped.

    Args:
        forward: gives the net's scores, faster than the net itself; None for the net.
        adapts: use as many threads as are fastest at present, where the time is limited.

    Attributes:
        step: steps done, counted from progress 0.
        progress: in [0, 1].
        average: whose net predicts.
        pieces: into how many parts a batch is cut to fit into the GPU's memory; their gradients are summed.
        pace: seconds per step, of late.
        is_timed: True once the clock, and not the number of steps, has led the schedule or ended it.
    """

    def __init__(
        self,
        net: Net,
        pictures: Pictures,
        recipe: Recipe,
        course: Course,
        hardware: Hardware,
        *,
        seed: int,
        forward: Callable[..., Any] | None = None,
        adapts: bool = True,
    ) -> None:
        self.net, self.pictures, self.recipe, self.course, self.hardware = net, pictures, recipe, course, hardware
        self.seed = seed
        self.forward = net if forward is None else forward
        self.batch_size = min(recipe.batch_size, len(pictures))
        self.steps_per_epoch = pictures.batches(self.batch_size)
        self.average = WeightAverage(net, recipe.ema)
        self.optimizer = recipe.make_optimizer(net)
        self.scaler = torch.amp.GradScaler(hardware.device.type, enabled=hardware.scales)
        self.step, self.pieces, self.pace, self.is_timed = course.first_step, 1, 0.0, False
        # Sums of other parts round otherwise: where the clock has no say, a training repeats bit by bit.
        adapts = adapts and not hardware.is_cuda and math.isfinite(course.seconds)
        self._crew = ThreadTuner(torch.get_num_threads()) if adapts else None
        self._epoch = Epoch(0)
        self.began = time.monotonic()

    @property
    def used(self) -> float:
        return time.monotonic() - self.began

    @property
    def epochs(self) -> float:
        """Epochs done since `course.start`."""
        return (self.step - self.course.first_step) / self.steps_per_epoch

    @property
    def progress(self) -> float:
        return self.course.end if self.is_complete else self.course.progress(self.step, self.used)

    @property
    def is_complete(self) -> bool:
        return not self.course.goes_on(self.step, self.used, self.pace)

    def run(self, observer: Observer) -> None:
        """Train to the end, or until `observer` wants no more. At least one step is done.

        Raises:
            LearnerError: the loss is no longer finite.
            MemoryError: not even two pictures at a time fit into the GPU's memory.
        """
        going = True
        while going:
            epoch = self._epoch = Epoch(self.step // self.steps_per_epoch)
            self.net.train()
            for rows, batch in self._batches(epoch.number):
                self._one_step(epoch, rows, batch)
                ends_epoch = self.step % self.steps_per_epoch == 0
                observer.after_step(self, ends_epoch=ends_epoch)
                going = not self.is_complete and not observer.should_stop()
                if not going or ends_epoch:
                    break
            self.is_timed = self.is_timed or (self.is_complete and self.step < self.course.last_step)
            self.check()
            observer.after_epoch(self, epoch)

    def _batches(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """The rest of the batches of an epoch: rows, and the augmented pictures there."""
        torch.manual_seed(self._seed(epoch))  # dropout's numbers
        home, n = self.pictures.home, len(self.pictures)
        generator = torch.Generator(home).manual_seed(self._seed(epoch))
        order = torch.randperm(n, generator=generator, device=home)
        fixed = torch.Generator(home).manual_seed(self.seed)
        mirrored = mirror_rows(n, epoch, fixed) if self.recipe.flip else None
        for at in range(self.step % self.steps_per_epoch, self.steps_per_epoch):
            rows = order[at * self.batch_size : (at + 1) * self.batch_size]
            yield rows, self.pictures.batch(rows, mirrored, generator)

    def _seed(self, epoch: int) -> int:
        return (self.seed * 1_000_003 + epoch) % 2**63

    def _one_step(self, epoch: Epoch, rows: Tensor, batch: Tensor) -> None:
        began = self.used
        middle = self.course.progress(self.step + 0.5, began + self.pace / 2)
        self.is_timed = self.is_timed or self.course.is_led_by_clock(self.step + 0.5, began + self.pace / 2)
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.lr * one_cycle(middle, warm_up=self.recipe.warm_up)
        loss, correct = self._gradients(batch, *self.pictures.targets_of(rows))
        if self.recipe.clip is not None:
            self.scaler.unscale_(self.optimizer)
            torch.nn.utils.clip_grad_norm_(self.net.parameters(), self.recipe.clip)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.average.update()
        self.step += 1
        epoch.add(loss, correct, len(rows))
        if not self.hardware.is_cuda or self.step % _LOOK == 0:
            self.check()
        took = self.used - began
        if self._crew is not None:
            self._crew.after_step(took)
            if self._crew.size != torch.get_num_threads():
                torch.set_num_threads(self._crew.size)
        self._learn_pace(took)

    def _learn_pace(self, took: float) -> None:
        """The first step prepares kernels, too, and says little about the next ones."""
        match self.step - self.course.first_step:
            case 1:
                self.pace = took / 2
            case 2:
                self.pace = took
            case _:
                self.pace = 0.8 * self.pace + 0.2 * took

    def _gradients(self, batch: Tensor, target: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        """Fill the gradients; the mean loss, and how many are right."""
        while True:
            self.optimizer.zero_grad(set_to_none=True)
            try:
                return self._sum_of_pieces(batch, target, weight)
            except torch.OutOfMemoryError as error:
                if len(batch) // (self.pieces * 2) < 2:
                    raise MemoryError(f"The GPU's memory does not hold the net and two pictures: {error}") from None
            self.pieces *= 2
            if self.hardware.is_cuda:
                torch.cuda.empty_cache()

    def _sum_of_pieces(self, batch: Tensor, target: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
        total, correct = torch.zeros((), device=batch.device), torch.zeros((), device=batch.device)
        pieces = self.pieces
        weights = [None] * pieces if weight is None else weight.tensor_split(pieces)
        for part, truth, w in zip(batch.tensor_split(pieces), target.tensor_split(pieces), weights, strict=True):
            with self.hardware.autocast():
                scores = self.forward(part)
            each = functional.cross_entropy(
                scores.float(), truth, label_smoothing=self.recipe.label_smoothing, reduction="none"
            )
            loss = (each if w is None else each * w).sum() / len(batch)
            self.scaler.scale(loss).backward()
            total += loss.detach()
            correct += (scores.detach().argmax(dim=1) == truth).sum()
        return total, correct

    def check(self) -> None:
        """Look at the losses since the last look.

        Raises:
            LearnerError: one of them is not finite; it names the step.
        """
        epoch = self._epoch
        fresh = epoch.losses[epoch.first_step :]
        if not fresh:
            return
        values = torch.stack(fresh).tolist()
        for at, value in enumerate(values):
            if not math.isfinite(value):
                step = self.step - len(values) + at + 1
                raise LearnerError(
                    f"The loss is {value} in epoch {epoch.number + 1}, step {step}: a smaller learning rate than "
                    f"{self.recipe.lr:g} may help."
                )
        epoch.first_step = len(epoch.losses)
