"""The training of the hand-tuned nets: with the whole machine, for exactly the seconds that they are given.

The numbers in `reference_nets.RECIPES` were chosen with it, on 5,000 rows held out of the training part:

    python benchmarks/reference_training.py mnist --data DIR --seconds 60 [--set peak=0.1 shift=1 ...]

On a machine with others at work, OMP_WAIT_POLICY=passive and --epochs in place of --seconds make it bearable.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from image_sets import Pictures, read_pictures
from reference_nets import RECIPES, Augmentation, Recipe, tutorial_net
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Trained", "train", "train_tutorial"]


class Rows:
    """Pictures on the device, normalised and changed a batch at a time."""

    def __init__(self, pictures: Pictures, device: torch.device, *, margin: int) -> None:
        pixels = torch.from_numpy(np.ascontiguousarray(pictures.pixels))
        values = pixels[:10_000].float()
        self.mean = values.mean((0, 1, 2)).to(device)
        self.spread = values.std((0, 1, 2)).to(device)
        self.height, self.width = pixels.shape[1:3]
        self.margin = margin
        self.labels = torch.from_numpy(pictures.labels).to(device)
        self._padded = functional.pad(pixels.to(device), (0, 0, margin, margin, margin, margin))

    def __len__(self) -> int:
        return len(self.labels)

    def view(self, rows: Tensor, down: int, right: int, *, flip: bool) -> Tensor:
        """All `rows` with the same shift."""
        change = torch.full_like(rows, self.margin)
        return self._take(rows, change + down, change + right, torch.full_like(rows, flip, dtype=torch.bool))

    def changed(self, rows: Tensor, by: Augmentation) -> Tensor:
        """`rows`, each with its own random changes."""
        down, right = (torch.randint(-by.shift, by.shift + 1, rows.shape, device=rows.device) for _ in range(2))
        flip = torch.rand(rows.shape, device=rows.device) < 0.5 * by.flip
        x = self._take(rows, down + self.margin, right + self.margin, flip)
        if by.rotate or by.zoom:
            x = _turned(x, by)
        return _cut(x, by.cutout) if by.cutout else x

    def _take(self, rows: Tensor, top: Tensor, left: Tensor, flip: Tensor) -> Tensor:
        """Float (n, c, h, w), in channels_last order as it comes from pixels in NHWC."""
        across = torch.arange(self.width, device=rows.device)
        columns = left[:, None] + torch.where(flip[:, None], across.flip(0), across)
        lines = top[:, None] + torch.arange(self.height, device=rows.device)
        pixels = self._padded[rows[:, None, None], lines[:, :, None], columns[:, None, :]]
        return ((pixels.float() - self.mean) / self.spread).permute(0, 3, 1, 2)


def _turned(x: Tensor, by: Augmentation) -> Tensor:
    n = len(x)
    angle = math.radians(by.rotate) * (2 * torch.rand(n, device=x.device) - 1)
    size = 1 + by.zoom * (2 * torch.rand(n, device=x.device) - 1)
    cos, sin, zero = size * angle.cos(), size * angle.sin(), torch.zeros_like(angle)
    matrix = torch.stack([torch.stack([cos, -sin, zero], 1), torch.stack([sin, cos, zero], 1)], 1)
    grid = functional.affine_grid(matrix, list(x.shape), align_corners=False)
    return functional.grid_sample(x, grid, padding_mode="border", align_corners=False)


def _cut(x: Tensor, side: int) -> Tensor:
    n, _, height, width = x.shape

    def inside(length: int) -> Tensor:
        start = torch.randint(-(side // 2), length - side // 2, (n, 1), device=x.device)
        place = torch.arange(length, device=x.device)
        return (place >= start) & (place < start + side)

    hole = inside(height)[:, :, None] & inside(width)[:, None, :]
    return x.masked_fill(hole[:, None], 0.0)


@dataclass(frozen=True)
class Trained:
    """A net that has had its seconds.

    Attributes:
        epochs: times that it has seen each row.
        bf16: whether it was trained in half precision.
    """

    net: nn.Module
    recipe: Recipe
    rows: Rows
    epochs: float
    bf16: bool

    @torch.inference_mode()
    def predict(self, pixels: np.ndarray) -> np.ndarray:
        """Class codes, shape (n,), of pixels uint8 (n, h, w, c)."""
        device = self.rows.labels.device
        given = Rows(Pictures(pixels, np.zeros(len(pixels), dtype=np.int64)), device, margin=self.rows.margin)
        given.mean, given.spread = self.rows.mean, self.rows.spread
        found = []
        for batch in torch.arange(len(pixels), device=device).split(1000):
            flips = (False, True) if self.recipe.augmentation.flip else (False,)
            views = (given.view(batch, *shift, flip=flip) for shift in self.recipe.views for flip in flips)
            with torch.autocast(device.type, torch.bfloat16, enabled=self.bf16):
                found.append(sum(self.net(view).float().softmax(1) for view in views).argmax(1))  # type: ignore[union-attr]
        return torch.cat(found).cpu().numpy()


def train(
    recipe: Recipe,
    pictures: Pictures,
    *,
    seconds: float = math.inf,
    epochs: float = math.inf,
    device: str = "cpu",
    seed: int = 0,
) -> Trained:
    """Train for exactly `seconds`, from the call on, or for `epochs`, which take what they take."""
    began = time.monotonic()
    torch.manual_seed(seed)
    torch.set_flush_denormal(True)
    on = torch.device(device)
    margin = max([recipe.augmentation.shift, *(abs(pixels) for view in recipe.views for pixels in view)])
    rows = Rows(pictures, on, margin=margin)
    net, batch = _net_and_batch(recipe, rows, on)
    bf16 = _pays_in_bf16(net, recipe, rows, batch)
    optimizer = _optimizer(net, recipe)
    schedule = _OneCycle(recipe, optimizer, batch)
    seen = 0.0
    for drawn in _batches(len(rows), batch, on):
        done = max((time.monotonic() - began) / seconds, seen / epochs)
        if done >= 1.0:
            break
        schedule.at(done)
        _step(net, optimizer, rows, drawn, recipe, bf16=bf16)
        seen += batch / len(rows)
    net.eval()
    return Trained(net, recipe, rows, seen, bf16)


def _net_and_batch(recipe: Recipe, rows: Rows, device: torch.device) -> tuple[nn.Module, int]:
    gpu = device.type != "cpu"
    classes = int(rows.labels.max()) + 1
    net = recipe.net(recipe.width[gpu], len(rows.mean), classes)
    return net.to(device, memory_format=torch.channels_last), recipe.batch[gpu]  # type: ignore[call-overload]


def _optimizer(net: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Only weights decay: on scales and biases decay would change nothing but the learning rate."""
    weights = [p for p in net.parameters() if p.requires_grad and p.ndim > 1]
    others = [p for p in net.parameters() if p.requires_grad and p.ndim <= 1]
    groups = [{"params": weights, "weight_decay": recipe.decay}, {"params": others}]
    return torch.optim.SGD(groups, lr=0.0, momentum=recipe.momentum, nesterov=True)


class _OneCycle:
    """The learning rate rises, then falls to zero at the end, both in straight lines."""

    def __init__(self, recipe: Recipe, optimizer: torch.optim.Optimizer, batch: int) -> None:
        self._optimizer, self._warmup = optimizer, recipe.warmup
        self._peak = recipe.peak * math.sqrt(batch / 128)

    def at(self, done: float) -> None:
        height = done / self._warmup if done < self._warmup else (1 - done) / (1 - self._warmup)
        for group in self._optimizer.param_groups:
            group["lr"] = self._peak * height


def _batches(n: int, size: int, device: torch.device) -> Iterator[Tensor]:
    while True:
        yield from torch.randperm(n, device=device)[: n - n % size].split(size)


def _step(
    net: nn.Module, optimizer: torch.optim.Optimizer, rows: Rows, batch: Tensor, recipe: Recipe, *, bf16: bool
) -> None:
    x = rows.changed(batch, recipe.augmentation)
    with torch.autocast(x.device.type, torch.bfloat16, enabled=bf16):
        scores = net(x)
    loss = functional.cross_entropy(scores.float(), rows.labels[batch], label_smoothing=recipe.smoothing)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def _pays_in_bf16(net: nn.Module, recipe: Recipe, rows: Rows, size: int) -> bool:
    """Tell whether steps are faster in half precision: tried out, since few CPUs have it."""
    if rows.labels.device.type != "cpu":
        return True
    optimizer = torch.optim.SGD(net.parameters(), lr=0.0)  # batch statistics of a few steps are soon forgotten
    spent = {}
    for bf16 in (False, True):
        batches = list(torch.randperm(len(rows))[: 4 * size].split(size))
        _step(net, optimizer, rows, batches[0], recipe, bf16=bf16)
        began = time.perf_counter()
        for batch in batches[1:]:
            _step(net, optimizer, rows, batch, recipe, bf16=bf16)
        spent[bf16] = time.perf_counter() - began
    return spent[True] < 0.9 * spent[False]


def train_tutorial(pictures: Pictures, *, epochs: int = 2, seed: int = 0) -> Callable[[np.ndarray], np.ndarray]:
    """The tutorial's net, trained as in the tutorial: two epochs of SGD with batches of 4. Returns what predicts."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)  # four pictures leave nothing to share
    net = tutorial_net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.001, momentum=0.9)
    x, y = _plain(pictures.pixels), torch.from_numpy(pictures.labels)
    for _ in range(epochs):
        for batch in torch.randperm(len(y)).split(4):
            optimizer.zero_grad()
            functional.cross_entropy(net(x[batch]), y[batch]).backward()
            optimizer.step()
    return lambda pixels: net(_plain(pixels)).detach().argmax(1).numpy()


def _plain(pixels: np.ndarray) -> Tensor:
    """Values from -1 to 1, (n, c, h, w)."""
    return (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 127.5 - 1).contiguous()


# Tuning


def _setting(recipe: Recipe, text: str) -> Recipe:
    name, _, value = text.partition("=")
    inner = hasattr(recipe.augmentation, name)
    old = getattr(recipe.augmentation if inner else recipe, name)
    new = (int(value), old[1]) if isinstance(old, tuple) else type(old)(float(value))
    return (
        replace(recipe, augmentation=replace(recipe.augmentation, **{name: new}))
        if inner
        else replace(recipe, **{name: new})
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", choices=RECIPES)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds one subfolder per dataset")
    limit = parser.add_mutually_exclusive_group(required=True)
    limit.add_argument("--seconds", type=float, default=math.inf)
    limit.add_argument("--epochs", type=float, default=math.inf, help="instead, where the machine is busy")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="another value in the recipe")
    options = parser.parse_args()
    recipe = RECIPES[options.dataset]
    for text in options.set:
        recipe = _setting(recipe, text)
    training, held = read_pictures(options.data / options.dataset, "train").split(5000, seed=0)
    began = time.monotonic()
    length = {"seconds": options.seconds, "epochs": options.epochs}
    trained = train(recipe, training, **length, device=options.device, seed=options.seed)
    speed = trained.epochs * len(training.labels) / (time.monotonic() - began)
    accuracy = float((trained.predict(held.pixels) == held.labels).mean())
    print(f"{accuracy:.4f} after {trained.epochs:.2f} epochs, {speed:,.0f} images/s, bf16 {trained.bf16}: {recipe}")


if __name__ == "__main__":
    main()
