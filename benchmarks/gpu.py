"""The number of trials that a GPU gets through when 1, 2, 4 or 8 share it.

Each trial trains a small net on 10,000 pictures for a fixed number of epochs and scores it on 2,000 others; nothing is
searched: all trials are of one size. They run in worker processes with a share of one GPU each, as
`compute.gpus_per_trial` gives it to them. What the first trial of each worker costs more (imports, CUDA's context) is
paid before the clock starts. Utilisation and memory are those of the trials' records.

    python benchmarks/gpu.py [--quick] [--data DIR] [--json FILE]

Without --data the pictures are noise in the shape of MNIST's, which costs as much. Without a GPU one line says so.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import fmean

import numpy as np
from form import Figure, arguments, machine, publish
from image_sets import Pictures, read_pictures

from automl.client import Run
from automl.engine.execution.options import ComputeOptions
from automl.engine.execution.process import ProcessExecutor
from automl.engine.trial.contract import (
    Device,
    Outcome,
    Status,
    TrialContext,
    TrialResources,
    TrialResult,
    TrialSpec,
)
from automl.engine.trial.gpu import VISIBLE, visible_gpus

SHARING = (1, 2, 4, 8)
TRAINED, SCORED = 10_000, 2_000
EPOCHS = 10
ROUNDS = 3
"""Trials of each worker."""


@dataclass(frozen=True)
class Train:
    """A work whose trials train the same net from different seeds."""

    training: Pictures
    test: Pictures
    epochs: int
    metric: str = "accuracy"

    def __call__(self, spec: TrialSpec, run: Run) -> Outcome:
        from automl.learning.algorithms.nets.classifier import NetClassifier
        from automl.learning.algorithms.nets.conv import ConvNet

        model = NetClassifier(ConvNet, epochs=self.epochs, batch_size=256, random_state=spec.seed)
        model.fit(self.training.pixels, self.training.labels)
        return Outcome(value=float(np.mean(model.predict(self.test.pixels) == self.test.labels)))


def main() -> None:
    args = arguments(__doc__.splitlines()[0], data=True).parse_args()
    gpu = _gpu()
    if gpu is None:
        print("Skipped: there is no GPU here, or no torch.")
        return
    os.environ[VISIBLE] = visible_gpus()[0]
    epochs, rounds = (2, 1) if args.quick else (EPOCHS, ROUNDS)
    work = Train(*_pictures(args.data).split(SCORED, seed=0), epochs)
    figures = [figure for sharing in SHARING for figure in _measure(work, sharing, rounds)]
    about = {"machine": machine(("automl-search", "torch", "numpy")), "gpu": gpu, "seeds": "the trials' numbers"}
    publish("Trials that share a GPU", figures, about=about, file=args.json)


def _pictures(data: Path | None) -> Pictures:
    if data is not None:
        found = read_pictures(data / "mnist", "train")
        return Pictures(found.pixels[: TRAINED + SCORED], found.labels[: TRAINED + SCORED])
    draw, count = np.random.default_rng(0), TRAINED + SCORED
    return Pictures(draw.integers(0, 256, (count, 28, 28, 1), dtype=np.uint8), draw.integers(0, 10, count))


def _measure(work: Train, sharing: int, rounds: int) -> Sequence[Figure]:
    """Trials per minute with `sharing` trials at a time, their mean utilisation, and the most memory that one held."""
    options = ComputeOptions(executor="process", gpus_per_trial=1 / sharing, max_workers=sharing, min_workers=sharing)
    executor = ProcessExecutor(options)
    with tempfile.TemporaryDirectory(prefix="gpu-") as folder:
        try:
            executor.start(TrialContext(work, ("automl.learning.algorithms.nets.classifier",), frozenset({Device.GPU})))
            numbers = range(sharing * (1 + rounds))
            specs = [
                TrialSpec(
                    number, "cnn", {}, Path(folder) / str(number), number, resources=TrialResources(gpus=1 / sharing)
                )
                for number in numbers
            ]
            _run(executor, specs[:sharing])
            began = time.monotonic()
            results = _run(executor, specs[sharing:])
            minutes = (time.monotonic() - began) / 60
        finally:
            executor.close()
    busy = [result.gpu_utilization for result in results if result.gpu_utilization is not None]
    held = [result.gpu_memory for result in results if result.gpu_memory is not None]
    return [
        Figure(f"trials_per_minute_{sharing}", len(results) / minutes),
        Figure(f"utilization_{sharing}", fmean(busy) if busy else float("nan")),
        Figure(f"gpu_memory_mb_{sharing}", max(held, default=0) / 2**20),
    ]


def _run(executor: ProcessExecutor, specs: Iterable[TrialSpec]) -> list[TrialResult]:
    """The results of `specs`, as many at a time as may be in flight."""
    waiting, results, running = list(specs), list[TrialResult](), 0
    while waiting or running:
        while waiting and running < executor.slots:
            executor.submit(waiting.pop(0))
            running += 1
        ended = [event for event in executor.wait(1.0) if isinstance(event, TrialResult)]
        running -= len(ended)
        results += ended
    failed = [result.failure for result in results if result.status is not Status.COMPLETED]
    if failed:
        raise SystemExit(f"A trial failed: {failed[0]}")
    return results


def _gpu() -> str | None:
    """Return the name of the first GPU."""
    if find_spec("torch") is None:
        return None
    import torch

    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else None


if __name__ == "__main__":
    main()
