"""The parts that the image benchmarks share: a search and a hand-tuned net on the same pictures, for the same time.

Each participant runs in its own process, trains on the training part alone, and is handed the test pictures
without their labels, once, when it has reached its end. Our clock runs from the call of `fit` to its return, so that
imports, reading, decoding, the search and the registration count. The hand-tuned net has all of the seconds for its
steps: its imports and its reading are not held against it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from form import arguments, machine, publish
from image_figures import ImageBenchmark, Run, figures, plot
from image_sets import read_pictures

__all__ = ["ImageBenchmark", "main"]

HERE = Path(__file__).parent
PATIENCE = 300.0
"""Seconds over the budget after which a run is ended."""

OURS = """
import json, sys, time
given = json.loads(sys.argv[1])
import automl
began = time.monotonic()
result = automl.fit(
    task="image_classification", data={"source": given["dataset"], "directory": given["data"]}, metric="accuracy",
    time_budget=given["budget"], seed=given["seed"], workspace=given["place"], name="pictures", progress=False,
    **given["settings"],
)
wall = time.monotonic() - began
import numpy as np
predicted = result.predict(np.load(given["test"]))
np.save(given["predicted"], np.asarray(predicted).astype(np.int64))
about = f"{result.best.algorithm}, validation {result.best.value:.4f}"
"""
BY_HAND = """
import json, os, sys, time
given = json.loads(sys.argv[1])
# Threads that spin while they wait for each other are many times slower where others use the cores, too.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
sys.path.insert(0, given["here"])
import numpy as np
from image_sets import Pictures
from reference_nets import RECIPES
from reference_training import train, train_tutorial
training = Pictures.load(given["train"])
"""
REFERENCE = """
began = time.monotonic()
trained = train(
    RECIPES[given["dataset"]], training, seconds=given["budget"], device=given["device"], seed=given["seed"]
)
wall = time.monotonic() - began
np.save(given["predicted"], trained.predict(np.load(given["test"])))
about = f"{trained.epochs:.1f} epochs, {trained.epochs * len(training.labels) / wall:,.0f} images/s"
"""
TUTORIAL = """
began = time.monotonic()
predict = train_tutorial(training, seed=given["seed"])
wall = time.monotonic() - began
np.save(given["predicted"], predict(np.load(given["test"])))
about = "2 epochs"
"""
ANSWER = """
with open(given["answer"], "w") as file:
    json.dump({"wall": wall, "about": about}, file)
"""
SCRIPTS = {"ours": OURS, "random": OURS, "reference": BY_HAND + REFERENCE, "tutorial": BY_HAND + TUTORIAL}
NEEDS_TORCH = frozenset({"reference", "tutorial"})
RANDOM = {"search": {"sampler": "random", "pruner": "none", "portfolio": False, "final_training": False}}


@dataclass(frozen=True)
class Course:
    """The files that all participants are handed, and the labels that none is.

    Attributes:
        train: training pictures and labels, for those that do not read the data themselves.
        test: test pictures.
    """

    benchmark: ImageBenchmark
    data: Path
    place: Path
    train: Path
    test: Path
    truth: np.ndarray

    @classmethod
    def prepare(cls, benchmark: ImageBenchmark, data: Path, place: Path) -> Course:
        folder = data / benchmark.name
        train = read_pictures(folder, "train").save(place / "train.npz")
        test = read_pictures(folder, "test")
        np.save(place / "test.npy", test.pixels)
        return cls(benchmark, data.absolute(), place, train, place / "test.npy", test.labels)

    def run(self, who: str, *, seed: int, budget: float, device: str) -> Run:
        """One run in its own process, from an empty workspace."""
        with tempfile.TemporaryDirectory(prefix=f"{who}-", dir=self.place) as name:
            place = Path(name)
            given = {
                "dataset": self.benchmark.name,
                "data": str(self.data),
                "train": str(self.train),
                "test": str(self.test),
                "budget": budget,
                "seed": seed,
                "device": device,
                "here": str(HERE),
                "place": name,
                "settings": RANDOM if who == "random" else {},
                "predicted": str(place / "predicted.npy"),
                "answer": str(place / "answer.json"),
            }
            _call(SCRIPTS[who] + ANSWER, given, device, timeout=budget + PATIENCE if SCRIPTS[who] is OURS else None)
            accuracy = float((np.load(given["predicted"]) == self.truth).mean())
            records = [
                json.loads(path.read_text()) | {"reports": _reports(path.with_name("metrics.jsonl"))}
                for path in place.glob("pictures/*/trials/*/trial.json")
            ]
            answer = json.loads(Path(given["answer"]).read_text())
        return Run(
            who, seed, budget, device, accuracy,
            climb=_climb(records), trials=len(records), utilization=_utilization(records), **answer,
        )  # fmt: skip


def _call(script: str, given: dict[str, Any], device: str, *, timeout: float | None) -> None:
    """Run `script` to its end.

    Raises:
        SystemExit: it has failed, or has not ended in time; with the end of what it printed.
    """
    # Without compiled modules, which an installation has, imports alone would take seconds of the budget.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["AUTOML_CACHE_DIR"] = given["place"] + "/cache"  # no run finds what another has decoded
    if device == "cpu":  # where there is a GPU, a search gives it to its nets
        environment["CUDA_VISIBLE_DEVICES"] = ""
    log = Path(given["place"]) / "log.txt"
    command = [sys.executable, "-c", script, json.dumps(given)]
    with log.open("wb") as output:
        try:
            status: int | str = subprocess.run(
                command, cwd=given["place"], env=environment, stdout=output, stderr=output, timeout=timeout, check=False
            ).returncode
        except subprocess.TimeoutExpired:
            status = "too late"
    if status != 0:
        printed = log.read_text(encoding="utf-8", errors="replace").strip()[-3000:]
        raise SystemExit(f"A run of {given['budget']:g} s with seed {given['seed']} has failed ({status}):\n{printed}")


def _reports(file: Path) -> list[tuple[float, float]]:
    """(seconds since the epoch, validation accuracy) of a trial on its way."""
    lines = (json.loads(line) for line in file.read_text().splitlines()) if file.exists() else ()
    return [(line["time"], line["value"]) for line in lines if line["name"] == "accuracy"]


def _climb(records: Sequence[dict[str, Any]]) -> tuple[tuple[float, float], ...]:
    """Every report counts where it was made, and not where its trial ended: a final training lasts for long."""
    points: list[tuple[float, float]] = []
    for record in records:
        if record["status"] == "COMPLETED" and record.get("fidelity") in (None, 1.0):
            ended = datetime.fromisoformat(record["started_at"]).timestamp() + record["seconds"]
            points += [(record["elapsed"] - (ended - at), value) for at, value in record["reports"] if at < ended]
            points.append((record["elapsed"], record["value"]))
    climb: list[tuple[float, float]] = []
    for seconds, value in sorted(points):
        if not climb or value > climb[-1][1]:
            climb.append((seconds, value))
    return tuple(climb)


def _utilization(records: Sequence[dict[str, Any]]) -> float | None:
    used = [(r["seconds"], r["gpu_utilization"]) for r in records if r.get("gpu_utilization") is not None]
    seconds = sum(seconds for seconds, _ in used)
    return sum(seconds * share for seconds, share in used) / seconds if seconds else None


# The command line


def main(benchmark: ImageBenchmark, description: str) -> None:
    options = _options(description)
    if options.data is None:
        raise SystemExit(f"--data DIR is needed: the folder that holds {benchmark.name}/")
    if options.device == "cuda" and not _has_gpu():
        print(f"{benchmark.title} on a GPU is skipped: torch finds none here.")
        return
    budget = options.budget or (benchmark.quick if options.quick else benchmark.budget[options.device])
    seeds = options.seeds or (1 if options.quick else 3)
    wanted = list(_wanted(benchmark, seeds, quick=options.quick))
    keys = [(who, seed, budget, options.device) for who, seed in wanted]
    kept = {run.key: run for run in map(_read, _lines(options.runs))}
    runs = []
    with tempfile.TemporaryDirectory(prefix="images-") as place:
        course = Course.prepare(benchmark, options.data, Path(place))
        for who, seed, _, device in keys:
            run = kept.get((who, seed, budget, device))
            if run is None:
                run = course.run(who, seed=seed, budget=budget, device=device)
                _keep(options.runs, run)
            runs.append(run)
            print(run, flush=True)
    about = {
        "what": f"{budget:g} s, seeds 0 to {seeds - 1}, {options.device}; each search from an empty workspace",
        "machine": machine(["torch", "scikit-learn", "lightgbm", "ray", "optuna", "mlflow"]),
    }
    found = figures(runs, benchmark, len(course.truth))
    publish(benchmark.title, found, about=about, file=options.json)
    if options.json is not None or not options.quick:
        picture = options.json.with_suffix(".png") if options.json else HERE / "results" / f"{benchmark.name}.png"
        plot(runs, benchmark, picture)
        print(f"plot: {picture}")


def _options(description: str) -> argparse.Namespace:
    parser = arguments(description, data=True)
    parser.add_argument("--budget", type=float, help="seconds of each search, and of the reference")
    parser.add_argument("--seeds", type=int, help="how many: 0, 1, ...; by default 3")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--runs", type=Path, metavar="FILE", help="keep each run here; those in it are not repeated")
    return parser.parse_args()


def _wanted(benchmark: ImageBenchmark, seeds: int, *, quick: bool) -> Iterator[tuple[str, int]]:
    """Yield who runs with which seed, in this order."""
    torch = find_spec("torch") is not None
    if not torch:
        print("torch is not installed: the search has no nets, and there is no reference.")
    for seed in range(seeds):
        for who in ("ours", "reference", *(benchmark.beside if seed == 0 and not quick else ())):
            if torch or who not in NEEDS_TORCH:
                yield who, seed


def _has_gpu() -> bool:
    if find_spec("torch") is None:
        return False
    import torch

    return torch.cuda.is_available()


def _read(line: str) -> Run:
    found = json.loads(line)
    return Run(**{**found, "climb": tuple((seconds, best) for seconds, best in found["climb"])})


def _lines(file: Path | None) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file is not None and file.exists() else []


def _keep(file: Path | None, run: Run) -> None:
    if file is not None:
        with file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(asdict(run)) + "\n")
