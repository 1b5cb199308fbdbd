"""The time that a search saves in finding its best model when hopeless trials are stopped early.

For each table and seed two searches of the same budget run side by side, each with half of the machine: what else the
machine does hits both. One lets every trial run to its end, the other has the default pruner. Both try the
same configurations in the same order (the portfolio, then random ones): nothing but the pruning differs; with
``--sampler auto`` each learns from what it has seen, and a share says as much about their luck. Scores are those of
cross-validation, no test rows are touched.

`share_TABLE` is the median over seeds of the seconds that the pruned search needed to reach the other's final best
score, as a share of the seconds that the other needed. A score that was not reached counts as reached a whole budget
late, a share above 1. The pruner was chosen on adult, california_housing, cpu_act, magic_telescope, nursery,
nyc_taxis_fare, optdigits and sick: the tables here are all others of up to 5,000 rows, on which a short budget reaches
well beyond the portfolio.

    python benchmarks/pruning.py --data DIR [--quick] [--json FILE] [--state FILE]

DIR holds ``tabular/index.yaml``. With --state, pairs that have ended are written there and not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from form import Figure, arguments, machine, publish

TABLES = (
    "abalone",
    "auto_imports_price",
    "blood_transfusion",
    "car",
    "credit_approval",
    "credit_g",
    "dermatology",
    "energy_efficiency",
    "glass",
    "insurance",
    "kc1",
    "segment",
    "vehicle",
)
QUICK_TABLES = ("blood_transfusion", "insurance")
GOAL = 0.6


@dataclass(frozen=True)
class Search:
    """The result of one search.

    Attributes:
        climb: (seconds on the experiment's clock, score) whenever the best score rose; larger is better.
        worked: seconds of work of all trials.
        saved: what the search estimates that pruning has saved, in seconds of work.
    """

    table: str
    seed: int
    pruner: str
    sampler: str
    budget: float
    climb: tuple[tuple[float, float], ...]
    trials: int
    pruned: int
    worked: float
    saved: float

    @property
    def best(self) -> float:
        return self.climb[-1][1]

    def reaches(self, score: float) -> float | None:
        """Seconds until the best score was at least `score`."""
        return next((seconds for seconds, best in self.climb if best >= score), None)


Pair = tuple[Search, Search]
"""Without a pruner, and with the default one."""


def search(folder: Path, table: Mapping[str, Any], pruner: str, *, seed: int, options: argparse.Namespace) -> Search:
    """One search in its own process, as the command line runs it."""
    with tempfile.TemporaryDirectory() as place:
        declared = {
            "experiment": table["name"],
            "task": "regression" if table["task"] == "regression" else "classification",
            "data": {"source": str(folder / table["file"]), "target": table["target"]},
            "limits": {"time_budget": options.budget},
            "search": {"sampler": options.sampler} | ({} if pruner == "default" else {"pruner": pruner}),
            "compute": {"executor": "process", "max_workers": options.workers},
            "registry": None,
            "tracking": None,
            "seed": seed,
        }
        file = Path(place) / "experiment.yaml"
        file.write_text(yaml.safe_dump(declared))
        command = [sys.executable, "-m", "automl", "run", str(file), "--workspace", place, "--json"]
        summary = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        records = (Path(place) / table["name"]).glob("*/trials/*/trial.json")
        trials = [json.loads(record.read_text()) for record in records]
    sign = 1.0 if summary["maximize"] else -1.0
    climb: list[tuple[float, float]] = []
    for trial in sorted(trials, key=lambda trial: trial["elapsed"]):
        if trial["status"] == "COMPLETED" and (not climb or sign * trial["value"] > climb[-1][1]):
            climb.append((trial["elapsed"], sign * trial["value"]))
    return Search(
        table=table["name"],
        seed=seed,
        pruner=pruner,
        sampler=options.sampler,
        budget=options.budget,
        climb=tuple(climb),
        trials=len(trials),
        pruned=sum(trial["status"] == "PRUNED" for trial in trials),
        worked=sum(trial["seconds"] for trial in trials),
        saved=(summary["pruning"] or {}).get("seconds", 0.0),
    )


def share(whole: Search, pruned: Search) -> float:
    """Time of the pruned search to the other's best score, by the time of the other."""
    reached = pruned.reaches(whole.best)
    seconds = whole.reaches(whole.best)
    assert seconds is not None
    return (reached if reached is not None else pruned.budget + seconds) / seconds


class Kept:
    """Pairs that have ended, in a file of one JSON array a line."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        lines = file.read_text().splitlines() if file is not None and file.exists() else []
        self._pairs = [(_read(whole), _read(pruned)) for whole, pruned in map(json.loads, lines)]

    def get(self, *wanted: Any) -> Pair | None:
        """The pair of this table, seed, sampler and budget."""
        return next((p for p in self._pairs if (p[0].table, p[0].seed, p[0].sampler, p[0].budget) == wanted), None)

    def keep(self, pair: Pair) -> None:
        if self._file is not None:
            with self._file.open("a") as file:
                file.write(json.dumps([asdict(search) for search in pair]) + "\n")


def _read(found: dict[str, Any]) -> Search:
    return Search(**{**found, "climb": tuple((seconds, score) for seconds, score in found["climb"])})


def measure(tables: Sequence[Mapping[str, Any]], options: argparse.Namespace, folder: Path) -> dict[str, list[Pair]]:
    """Pairs of searches by table: without a pruner, and with the default one."""
    kept = Kept(options.state)
    pairs: dict[str, list[Pair]] = {table["name"]: [] for table in tables}
    for seed in range(options.seeds):
        for table in tables:
            pair = kept.get(table["name"], seed, options.sampler, options.budget)
            if pair is None:
                begin = partial(search, folder, table, seed=seed, options=options)
                with ThreadPoolExecutor(2) as pool:
                    whole, pruned = pool.map(begin, ("none", "default"))
                pair = whole, pruned
                kept.keep(pair)
            pairs[table["name"]].append(pair)
            print(f"{table['name']}, seed {seed}: share {share(*pair):.2f}", file=sys.stderr, flush=True)
    return pairs


def figures_of(pairs: Mapping[str, Sequence[Pair]]) -> list[Figure]:
    shares = {name: statistics.median(share(*pair) for pair in found) for name, found in pairs.items()}
    good = sum(value <= GOAL for value in shares.values())
    everything = [pair for found in pairs.values() for pair in found]
    return [
        Figure("tables_at_60", good, ">= 3", good >= 3 if len(pairs) >= 3 else None),
        Figure("tables", len(pairs)),
        *(Figure(f"share_{name}", value, f"<= {GOAL:g}", value <= GOAL) for name, value in shares.items()),
        Figure("share_median", statistics.median(share(*pair) for pair in everything)),
        Figure("reached", sum(b.reaches(a.best) is not None for a, b in everything) / len(everything)),
        Figure("better_or_equal_end", sum(b.best >= a.best for a, b in everything) / len(everything)),
        Figure("pruned", sum(b.pruned for _, b in everything) / sum(b.trials for _, b in everything)),
        Figure("ratio_of_trials", sum(b.trials for _, b in everything) / sum(a.trials for a, _ in everything)),
        Figure("saved_by_estimate", statistics.median(b.saved / (b.saved + b.worked) for _, b in everything)),
    ]


def main() -> None:
    parser = arguments(__doc__ or "", data=True)
    parser.add_argument("--budget", type=float, default=120.0, help="seconds of each search")
    parser.add_argument("--seeds", type=int, default=1, help="how many")
    parser.add_argument("--sampler", default="random", help="of both searches")
    parser.add_argument("--tables", nargs="+", default=list(TABLES), help="names in the index")
    parser.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 2) // 2), help="of each search")
    parser.add_argument("--state", type=Path, help="a file to continue from; it is written as searches end")
    options = parser.parse_args()
    if options.data is None:
        parser.error("--data is needed: the folder that holds tabular/index.yaml")
    if options.quick:
        options.budget, options.seeds, options.tables = 40.0, 1, list(QUICK_TABLES)
    folder = options.data / "tabular"
    index = {table["name"]: table for table in yaml.safe_load((folder / "index.yaml").read_text())}
    unknown = [name for name in options.tables if name not in index]
    if unknown:
        parser.error(f"there is no table {unknown[0]!r}; choose from {', '.join(index)}")
    pairs = measure([index[name] for name in options.tables], options, folder)
    about = {
        "what": f"{options.budget:g} s a search, {options.workers} worker(s) each, sampler {options.sampler}, "
        f"seeds 0 to {options.seeds - 1}; "
        "share: median over seeds",
        "machine": machine(["scikit-learn", "lightgbm", "xgboost-cpu", "catboost", "optuna"]),
    }
    publish("Pruning", figures_of(pairs), about=about, file=options.json)


if __name__ == "__main__":
    main()
