"""The basis for the choices of the search on pictures: nets of the shipped space, each trained for several lengths
of time, and one long training beside several shorter ones whose probabilities are averaged.

All of it looks at 10,000 rows held out of the training part alone, with the space's defaults, except for what a net's
settings change, and all cores. A figure ``cifar10_200s_resnet9_16`` is the accuracy of resnet9 with a width of 16 after
200 s; ``..._x2`` that of two of them that had half of the time each.

    python benchmarks/horizon.py --data DIR [--dataset NAME] [--seconds S ...] [--together N ...] [--seed N] [--quick]
                                 [--nets NAME:WIDTH[:KEY=VALUE,...] ...] [--json FILE]

DIR holds one folder per dataset.
"""

from __future__ import annotations

import inspect
import math
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from form import Figure, arguments, machine, publish
from image_sets import Pictures, read_pictures

HELD = 10_000
NETS = ("resnet9:16", "resnet9:16:optimizer=sgd,lr=0.3", "fastnet:16")


@dataclass(frozen=True)
class Net:
    """One of the shipped space, with the space's defaults except for `changes`."""

    name: str
    width: int
    changes: Mapping[str, Any]

    @classmethod
    def parse(cls, text: str) -> Net:
        """From ``NAME:WIDTH``, or ``NAME:WIDTH:SETTING=VALUE,...``."""
        name, width, settings = [*text.split(":", 2), ""][:3]
        pairs = (setting.partition("=") for setting in settings.split(",") if setting)
        return cls(name, int(width), {key: yaml.safe_load(value) for key, _, value in pairs})

    def __str__(self) -> str:
        return "_".join([self.name, str(self.width), *(f"{key}_{value}" for key, value in self.changes.items())])


def train(net: Net, training: Pictures, held: Pictures, seconds: float, seed: int) -> tuple[Any, str]:
    """Probabilities of the held rows, and what there is to say about the training."""
    from automl.engine.space.load import load_space
    from automl.learning.algorithms.nets.classifier import NetClassifier
    from automl.learning.algorithms.trust import resolve_estimator

    space = load_space(None, task="image_classification").algorithms[net.name]
    defaults = {parameter: each.default for parameter, each in space.params.items()}
    given = {**defaults, **space.fixed, **net.changes, "width": net.width, "seconds": seconds, "random_state": seed}
    names = inspect.signature(NetClassifier).parameters
    own = {name: value for name, value in given.items() if name not in names}
    settings = {name: value for name, value in given.items() if name in names}
    model = NetClassifier(resolve_estimator(space.estimator, trust=False), own, **settings)
    began = time.monotonic()
    model.fit(training.pixels, training.labels)
    took = time.monotonic() - began
    speed = model.epochs_ * len(training.labels) / model.seconds_
    probabilities = model.predict_proba(held.pixels)
    return probabilities, f"{model.epochs_:.1f} epochs in {took:.1f} s, {speed:,.0f} images/s"


def main() -> None:
    parser = arguments(__doc__ or "", data=True)
    parser.add_argument("--dataset", choices=("cifar10", "mnist"), default="cifar10")
    parser.add_argument("--seconds", type=float, nargs="+", default=[20.0, 60.0, 200.0])
    parser.add_argument(
        "--nets",
        nargs="+",
        type=Net.parse,
        default=[Net.parse(net) for net in NETS],
        metavar="NAME:WIDTH[:KEY=VALUE,...]",
    )
    parser.add_argument("--together", type=int, nargs="+", default=[1], metavar="N", help="nets that share the time")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.data is None:
        parser.error(f"--data DIR is needed: the folder that holds {options.dataset}/")
    if options.quick:
        options.seconds, options.together = [5.0], [1, 2]
    import torch

    torch.set_num_threads(os.cpu_count() or 1)
    training, held = read_pictures(Path(options.data) / options.dataset, "train").split(HELD, seed=0)
    figures = []
    for seconds in options.seconds:
        for net in options.nets:
            for count in options.together:
                each = [train(net, training, held, seconds / count, options.seed + member) for member in range(count)]
                mean = np.mean([probabilities for probabilities, _ in each], axis=0)
                accuracy = float((mean.argmax(axis=1) == held.labels).mean())
                suffix = f"_x{count}" if count > 1 else ""
                figures.append(Figure(f"{options.dataset}_{seconds:g}s_{net}{suffix}", accuracy))
                print(f"{figures[-1].name}: {accuracy:.4f}; {each[0][1]}", flush=True)
    error = math.sqrt(figures[-1].value * (1 - figures[-1].value) / HELD)
    about = {
        "what": f"accuracy on {HELD:,} held-out training rows (standard error {error:.4f}), seed {options.seed}",
        "machine": machine(["torch"]),
    }
    publish("Nets by training time", figures, about=about, file=options.json)


if __name__ == "__main__":
    main()
