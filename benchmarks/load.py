"""A check that a search on a busy machine keeps both promises: its time budget, and a registered model at its end.

Each run is a command, `automl run`, in an empty workspace, while four loops keep the machine busy; its clock runs from
the start of its process to its end. The tables are one of the catalogue and two that are made here; the pictures are
MNIST's. A budget may be exceeded by max(0.5 s, 2%).

The full benchmark makes 20 runs in about 20 minutes: with --runs FILE each is kept as it ends, and the same command
continues where it was cut off.

    python benchmarks/load.py --data DIR [--quick] [--loops N] [--runs FILE] [--json FILE]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from busy import busy
from form import Figure, arguments, machine, publish

LOOPS = 4
PICTURES = "mnist"
PLAN = (("breast_cancer", 30, 3), ("few_rows", 30, 3), ("many_rows", 30, 3),
        ("breast_cancer", 60, 2), ("few_rows", 60, 2), ("many_rows", 60, 2), (PICTURES, 60, 5))  # fmt: skip
QUICK_PLAN = (("few_rows", 30, 1), (PICTURES, 60, 1))
"""The data to search, seconds, and how often, each time with another seed."""
MADE = {"few_rows": 900, "many_rows": 100_000}
PATIENCE = 300.0
"""Seconds over the budget after which a run is ended and counts with what it has."""
FINISHER = 120.0
"""Seconds for a registration that was left to a separate process."""

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""An installation has compiled modules."""


@dataclass(frozen=True)
class Run:
    """One command.

    Attributes:
        wall: seconds until its process had ended.
        model: it ended with one.
        part: of less than a whole trial.
        at_once: the model was registered when the command ended.
        registered: it was a moment later, at least.
        said: what it said last, where it has no model.
    """

    data: str
    budget: int
    seed: int
    wall: float
    model: bool
    part: bool
    at_once: bool
    registered: bool
    said: str = ""

    @property
    def key(self) -> tuple[str, int, int]:
        return self.data, self.budget, self.seed

    @property
    def overrun(self) -> float:
        return self.wall - self.budget

    @property
    def over_tolerance(self) -> bool:
        return self.overrun > max(0.5, 0.02 * self.budget)

    def __str__(self) -> str:
        model = "no model" if not self.model else "part of a model" if self.part else "model"
        registered = "registered" if self.at_once else "registered later" if self.registered else "not registered"
        over = "  OVER" if self.over_tolerance else ""
        return f"{self.data:15}{self.budget:4} s  seed {self.seed}  {self.wall:6.2f} s  {model:16}{registered}{over}"


def make_table(name: str, place: Path) -> Path:
    """Two classes that a few of 20 columns tell apart, and noise; a tenth of two columns missing."""
    rows = MADE[name]
    rng = np.random.default_rng(0)
    X = rng.normal(size=(rows, 20))
    y = X[:, 0] + X[:, 1] * X[:, 2] + 0.5 * np.sin(3 * X[:, 3]) + rng.normal(size=rows) > 0
    X[:, 4:6][rng.random((rows, 2)) < 0.1] = np.nan
    header = ",".join([*(f"x{column}" for column in range(20)), "y"])
    file = place / f"{name}.csv"
    np.savetxt(file, np.column_stack([X, y]), fmt=["%.6g"] * 20 + ["%d"], delimiter=",", header=header, comments="")
    return file


def declared(data: str, budget: int, seed: int, tables: dict[str, Path], pictures: Path) -> dict[str, Any]:
    """The experiment file of a run."""
    source: dict[str, Any] = {"source": data}
    if data in tables:
        source = {"source": str(tables[data]), "target": "y"}
    elif data == PICTURES:
        source["directory"] = str(pictures)
    task = "image_classification" if data == PICTURES else "classification"
    return {"experiment": "load", "task": task, "data": source, "limits": {"time_budget": budget}, "seed": seed}


def run(experiment: dict[str, Any], data: str) -> Run:
    """One command, in its own workspace."""
    with tempfile.TemporaryDirectory(prefix="load-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        (place / "load.yaml").write_text(yaml.safe_dump(experiment), encoding="utf-8")
        budget = experiment["limits"]["time_budget"]
        log = place / "log.txt"
        began = time.monotonic()
        with log.open("wb") as output:
            command = [sys.executable, "-m", "automl", "run", "load.yaml", "--workspace", "runs", "--quiet"]
            session = subprocess.Popen(command, cwd=place, env=ENVIRONMENT, stdout=output, stderr=output)
            try:
                session.wait(budget + PATIENCE)
            except subprocess.TimeoutExpired:
                session.kill()
                session.wait()
        wall = time.monotonic() - began
        result = result_of(place)
        model, at_once = result.get("winner") is not None, registered(place)
        said = "" if model else log.read_text(errors="replace").strip()[-500:]
        return Run(
            data,
            budget,
            experiment["seed"],
            wall,
            model,
            is_part(place, result),
            at_once,
            at_once or later(place),
            said,
        )


def result_of(place: Path) -> dict[str, Any]:
    """The content of result.json; nothing where there is none."""
    found = sorted(place.glob("runs/load/*/result.json"))
    return dict(json.loads(found[0].read_text())) if found else {}


def is_part(place: Path, result: dict[str, Any]) -> bool:
    """Tell whether the winner's trial did not reach its end."""
    if result.get("winner") is None:
        return False
    (record,) = place.glob(f"runs/load/*/{result['winner']['files']}/trial.json")
    return json.loads(record.read_text())["status"] != "COMPLETED"


def registered(place: Path) -> bool:
    """Tell whether the model has a version, as the result says."""
    return result_of(place).get("registered") is not None


def later(place: Path) -> bool:
    """Tell whether it gets one from the process that the command has left it to."""
    ends = time.monotonic() + (FINISHER if result_of(place) else 0.0)
    while time.monotonic() < ends:
        if registered(place):
            return True
        time.sleep(1.0)
    return False


def runs_of(plan: Sequence[tuple[str, int, int]]) -> Iterator[tuple[str, int, int]]:
    """Data, budget and seed of each run."""
    for data, budget, times in plan:
        for seed in range(times):
            yield data, budget, seed


def figures(runs: Sequence[Run]) -> list[Figure]:
    models, versions = sum(run.model for run in runs), sum(run.registered for run in runs)
    over = sum(run.over_tolerance for run in runs)
    return [
        Figure("runs", len(runs)),
        Figure("models", models, "all", models == len(runs)),
        Figure("parts_of_models", sum(run.part for run in runs)),
        Figure("registered", versions, "all", versions == len(runs)),
        Figure("registered_at_once", sum(run.at_once for run in runs)),
        Figure("worst_overrun_s", max(run.overrun for run in runs)),
        Figure("over_tolerance", over, "0", over == 0),
    ]


def main() -> None:
    parser = arguments(__doc__ or "", data=True)
    parser.add_argument("--runs", type=Path, metavar="FILE", help="keep each run here; those in it are not repeated")
    parser.add_argument("--loops", type=int, default=LOOPS, help="processes that keep the machine busy (%(default)s)")
    options = parser.parse_args()
    if options.data is None:
        parser.error("--data DIR: the folder that holds mnist")
    wanted = list(runs_of(QUICK_PLAN if options.quick else PLAN))
    lines = options.runs.read_text(encoding="utf-8").splitlines() if options.runs and options.runs.exists() else []
    done = {kept.key: kept for kept in (Run(**json.loads(line)) for line in lines)}
    with tempfile.TemporaryDirectory(prefix="load-") as folder:
        tables = {name: make_table(name, Path(folder)) for name in MADE}
        with busy(options.loops):
            for data, budget, seed in wanted:
                if (data, budget, seed) in done:
                    continue
                made = run(declared(data, budget, seed, tables, options.data.absolute()), data)
                done[made.key] = made
                print(made, *([made.said] if made.said else []), sep="\n", flush=True)
                if options.runs is not None:
                    with options.runs.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(asdict(made)) + "\n")
    about = {
        "what": f"{len(wanted)} runs beside {options.loops} busy loops: "
        + ", ".join(
            f"{data} {budget} s" for data, budget in dict.fromkeys((data, budget) for data, budget, _ in wanted)
        ),
        "machine": machine(["scikit-learn", "lightgbm", "ray", "optuna", "mlflow"]),
    }
    publish("Busy machine", figures([done[key] for key in wanted]), about=about, file=options.json)


if __name__ == "__main__":
    main()
