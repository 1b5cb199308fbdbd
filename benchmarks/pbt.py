"""Population based training of a small net beside random search for the same time.

Both train the tutorial's small net on a subset of CIFAR10, searching learning rate, momentum, weight decay, label
smoothing and batch size. A member of the population is trained in parts, between which the worst continue from copies
of the best; a trial of random search trains as many epochs at one go. Random search has one trial per member, and then
more until it has taken as long; it counts what had ended when the population's search did. Nothing is pruned.
`pbt_accuracy` and `random_accuracy` are the best on the same validation rows, as many as there are to train on: so many
that the choice of the best flatters neither. The test part is not touched.

    python benchmarks/pbt.py --data DIR [--seeds N] [--population N] [--epochs N] [--quick] [--json FILE]

DIR holds the folder ``cifar10``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from dataclasses import dataclass
from typing import Any

import numpy as np
from form import Figure, arguments, machine, publish
from image_sets import Pictures, read_pictures

GENERATIONS = 4
MORE = 2
"""Trials of random search per member: enough to last longer than the population, whose parts cost something extra."""


def space(epochs: int) -> dict[str, Any]:
    """One net, and what is searched of its training."""
    return {
        "algorithms": {
            "small": {
                "estimator": "automl.learning.algorithms.nets.small.SmallNet",
                "requires": "torch",
                "view": "pixels",
                "anytime": True,
                "fixed": {"epochs": epochs},
                "params": {
                    "lr": {"type": "float", "low": 1e-4, "high": 1.0, "log": True, "default": 0.03},
                    "momentum": {"type": "float", "low": 0.0, "high": 0.98, "default": 0.9},
                    "weight_decay": {"type": "float", "low": 1e-6, "high": 1e-1, "log": True, "default": 5e-4},
                    "label_smoothing": {"type": "float", "low": 0.0, "high": 0.4, "default": 0.1},
                    "batch_size": {"type": "int", "low": 16, "high": 512, "log": True, "default": 64},
                },
            }
        }
    }


@dataclass(frozen=True)
class Search:
    """The result of one search: (seconds on its clock, accuracy) of each whole training, in the order of their ends."""

    trials: tuple[tuple[float, float], ...]

    @property
    def seconds(self) -> float:
        return self.trials[-1][0]

    def best(self, until: float) -> float:
        """The best accuracy of the trainings that had ended by then."""
        return max((accuracy for seconds, accuracy in self.trials if seconds <= until), default=0.0)


def search(pictures: Pictures, how: dict[str, Any], trials: int, *, epochs: int, seed: int) -> Search:
    import automl

    with tempfile.TemporaryDirectory(prefix="pbt-") as place:
        result = automl.fit(
            "image_classification",
            (pictures.pixels, pictures.labels),
            metric="accuracy",
            max_trials=trials,
            validation={"strategy": "holdout", "fraction": 0.5},
            search={"space": space(epochs), "pruner": "none", "portfolio": False, **how},
            compute={"executor": "process"},
            workspace=place,
            registry=None,
            tracking=None,
            seed=seed,
            progress=False,
        )
        records = [json.loads(file.read_text()) for file in result.directory.glob("trials/*/trial.json")]
    whole = [record for record in records if record["status"] == "COMPLETED" and record["fidelity"] == 1.0]
    return Search(tuple(sorted((record["elapsed"], record["value"]) for record in whole)))


def measure(pictures: Pictures, options: argparse.Namespace, seed: int) -> tuple[Search, Search]:
    """(population based, random) with the same seed: the same rows, the same first configurations."""
    members = {"population": options.population, "generations": GENERATIONS}
    population = {"sampler": {"name": "pbt", "options": members}}
    count = options.population
    return (
        search(pictures, population, count * GENERATIONS, epochs=options.epochs, seed=seed),
        search(pictures, {"sampler": "random"}, count * MORE, epochs=options.epochs, seed=seed),
    )


def main() -> None:
    parser = arguments(__doc__ or "", data=True)
    parser.add_argument("--seeds", type=int, default=3, help="how many: 0, 1, ...")
    parser.add_argument("--population", type=int, default=8, help="members")
    parser.add_argument("--epochs", type=int, default=12, help="of each whole training")
    parser.add_argument("--rows", type=int, default=10_000, help="pictures, half of which validate")
    options = parser.parse_args()
    if options.data is None:
        parser.error("--data DIR is needed: the folder that holds cifar10/")
    if options.quick:
        options.seeds, options.population, options.epochs, options.rows = 1, 4, 4, 4_000
    everything = read_pictures(options.data / "cifar10", "train")
    _, pictures = everything.split(options.rows, seed=0)
    pairs = []
    for seed in range(options.seeds):
        pairs.append(measure(pictures, options, seed))
        pbt, random = pairs[-1]
        print(f"seed {seed}: {pbt.best(pbt.seconds):.4f}, random {random.best(pbt.seconds):.4f}", flush=True)
    ours = [pbt.best(pbt.seconds) for pbt, _ in pairs]
    others = [random.best(pbt.seconds) for pbt, random in pairs]
    error = np.sqrt(0.25 * 2 / options.rows)  # of one accuracy, at most
    figures = [
        Figure("pbt_accuracy", statistics.fmean(ours)),
        Figure("random_accuracy", statistics.fmean(others)),
        Figure("gain", statistics.fmean(ours) - statistics.fmean(others), "> 0", sum(ours) > sum(others)),
        Figure("pbt_s", statistics.fmean(pbt.seconds for pbt, _ in pairs)),
        Figure("random_trials", statistics.fmean(sum(s <= p.seconds for s, _ in r.trials) for p, r in pairs)),
    ]
    about = {
        "what": f"{options.population} members, {GENERATIONS} generations, {options.epochs} epochs, "
        f"{options.rows // 2:,} rows to train on and as many to validate (standard error {error:.3f}), "
        f"seeds 0 to {options.seeds - 1}",
        "machine": machine(["torch", "optuna"]),
    }
    publish("Population based training", figures, about=about, file=options.json)


if __name__ == "__main__":
    main()
