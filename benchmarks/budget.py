"""A check that a time budget is kept: 12 tables, each with 10, 30 and 60 s, beside FLAML and AutoGluon.

Each run is a separate process, and its clock runs from the call of `fit` to its return: after `import automl`, which
imports nothing else, so that our time holds the imports of libraries, the reading of the file and the registration;
after the peers' own imports and the reading of the file, which are not held against them. A budget may be exceeded by
max(0.5 s, 2%). All train on the same 80% of the rows for the same metric, accuracy or R2. The score on the other
20% is for information.

A peer lives in its own environment, whose interpreter is named by --flaml and --autogluon (or FLAML_PYTHON and
AUTOGLUON_PYTHON). The full benchmark takes more than an hour: with --runs FILE each run is kept as it ends, and the
same command continues where it was cut off.

    python benchmarks/budget.py --data DIR [--quick] [--flaml PYTHON] [--autogluon PYTHON] [--runs FILE] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from form import Figure, arguments, machine, publish

TABLES = (
    "blood_transfusion",  # binary, 748 rows, 4 numbers
    "credit_g",  # binary, 1,000 rows, mostly categories
    "sick",  # binary, 3,772 rows, 6% positive, a third of some columns missing
    "adult",  # binary, 48,842 rows, mixed, missing values
    "glass",  # 6 classes, 214 rows: fits of milliseconds
    "optdigits",  # 10 classes, 5,620 rows, 64 numbers
    "nursery",  # 5 classes, 12,960 rows, categories alone
    "letter",  # 26 classes, 20,000 rows: what is fitted per class costs 26 times
    "auto_imports_price",  # regression, 201 rows, 25 mixed columns, missing values
    "nyc_taxis_fare",  # regression, 6,433 rows, dates and places
    "california_housing",  # regression, 20,640 rows, 9 numbers
    "diamonds",  # regression, 53,940 rows: the largest
)
BUDGETS = (10, 30, 60)
QUICK_TABLES, QUICK_BUDGETS = ("credit_g", "california_housing"), (10,)
PATIENCE = 300.0
"""Seconds over the budget after which a run is ended and counts with what it has."""

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Without compiled modules, which an installation has, imports alone would take seconds of every budget."""


@dataclass(frozen=True)
class Player:
    """A participant, as Python code: what comes before the clock, the fit, and the predictions."""

    name: str
    before: str
    fit: str
    predict: str


OURS = Player(
    "ours",
    "import automl",
    """model = automl.fit(given["task"], given["train"], target=given["target"], metric=given["metric"],
                     time_budget=given["budget"], workspace=given["place"], name="budget", progress=False)""",
    "model.predict(features)",
)
FLAML = Player(
    "flaml",
    "import pandas; from flaml import AutoML; train = pandas.read_csv(given['train']); model = AutoML()",
    """model.fit(dataframe=train, label=given["target"], task=given["task"], metric=given["metric"],
            time_budget=given["budget"], seed=0, verbose=0, log_file_name="")""",
    "model.predict(features)",
)
AUTOGLUON = Player(
    "autogluon",
    """import pandas; from autogluon.tabular import TabularPredictor; train = pandas.read_csv(given['train'])
model = TabularPredictor(given["target"], eval_metric=given["metric"], path=given["place"] + "/model", verbosity=0)""",
    """model.fit(train, time_limit=given["budget"], presets="best_quality")""",
    "model.predict(features).to_numpy()",
)
SCRIPT = """
import json, sys, time, traceback
given = json.loads(sys.argv[1])
{before}
score = None
began = time.monotonic()
try:
    {fit}
    wall = time.monotonic() - began
except Exception:
    wall = time.monotonic() - began
    traceback.print_exc()
else:
    import pandas
    from sklearn.metrics import accuracy_score, r2_score
    test = pandas.read_csv(given["test"])
    truth, features = test[given["target"]].to_numpy(), test.drop(columns=given["target"])
    score = float((accuracy_score if given["metric"] == "accuracy" else r2_score)(truth, {predict}))
with open(given["answer"], "w") as file:
    json.dump({{"wall": wall, "score": score}}, file)
"""


@dataclass(frozen=True)
class Run:
    """One fit.

    Attributes:
        wall: seconds until it returned or raised; None if it did neither.
        score: on the test part, None without a model.
    """

    who: str
    table: str
    budget: int
    wall: float | None
    score: float | None

    @property
    def overrun(self) -> float:
        return (self.budget + PATIENCE if self.wall is None else self.wall) - self.budget

    @property
    def over_tolerance(self) -> bool:
        return self.overrun > max(0.5, 0.02 * self.budget)

    def __str__(self) -> str:
        wall = "failed" if self.wall is None else f"{self.wall:6.2f} s"
        score = "none" if self.score is None else f"{self.score:.4f}"
        return (
            f"{self.table:20}{self.budget:4} s  {self.who:10}{wall:10}{score:8}{'OVER' if self.over_tolerance else ''}"
        )


@dataclass(frozen=True)
class Table:
    """A table of the data folder, split once for all participants."""

    name: str
    target: str
    classification: bool
    train: Path
    test: Path

    @classmethod
    def split(cls, entry: dict[str, Any], folder: Path, place: Path) -> Table:
        import pandas as pd
        from sklearn.model_selection import train_test_split

        rows = pd.read_csv(folder / entry["file"])
        rows = rows[rows[entry["target"]].notna()]
        classification = entry["task"] != "regression"
        labels = rows[entry["target"]] if classification else None
        parts = train_test_split(rows, test_size=0.2, random_state=0, stratify=labels)
        files = [place / f"{entry['name']}_{part}.csv" for part in ("train", "test")]
        for part, file in zip(parts, files, strict=True):
            part.to_csv(file, index=False)
        return cls(entry["name"], entry["target"], classification, *files)


def run(player: Player, python: str, table: Table, budget: int) -> Run:
    """One fit in its own process, from an empty folder."""
    with tempfile.TemporaryDirectory(prefix="budget-") as place:
        answer = Path(place) / "answer.json"
        given = {
            "task": "classification" if table.classification else "regression",
            "train": str(table.train),
            "test": str(table.test),
            "target": table.target,
            "metric": "accuracy" if table.classification else "r2",
            "budget": budget,
            "place": place,
            "answer": str(answer),
        }
        script = SCRIPT.format(before=player.before, fit=player.fit, predict=player.predict)
        log = Path(place) / "log.txt"
        with log.open("wb") as output:
            try:
                subprocess.run(
                    [python, "-c", script, json.dumps(given)],
                    cwd=place,
                    env=ENVIRONMENT,
                    stdout=output,
                    stderr=output,
                    timeout=budget + PATIENCE,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return Run(player.name, table.name, budget, None, None)
        given = json.loads(answer.read_text()) if answer.exists() else {"wall": None, "score": None}
        if given["score"] is None:
            print(f"{player.name} on {table.name}: {log.read_text(errors='replace').strip()[-500:]}", file=sys.stderr)
        return Run(player.name, table.name, budget, **given)


def players(options: argparse.Namespace) -> Iterator[tuple[Player, str]]:
    """All participants, each with its interpreter."""
    yield OURS, sys.executable
    if options.quick:
        return
    for player, python in ((FLAML, options.flaml), (AUTOGLUON, options.autogluon)):
        if python and Path(python).exists():
            yield player, python
        else:
            print(f"{player.name} is skipped: --{player.name} names no interpreter of an environment that has it")


def figures(runs: Sequence[Run], names: Sequence[str]) -> list[Figure]:
    found = []
    for name in names:
        own = [run for run in runs if run.who == name]
        prefix = "" if name == "ours" else f"{name}_"
        over = sum(run.over_tolerance for run in own)
        ours = name == "ours"
        found += [
            Figure(f"{prefix}worst_overrun_s", max(run.overrun for run in own)),
            Figure(f"{prefix}over_tolerance", over, *(("0", over == 0) if ours else ())),
            Figure(f"{prefix}runs", len(own)),
            Figure(f"{prefix}without_model", sum(run.score is None for run in own)),
        ]
        if len(names) > 1:
            found.append(Figure(f"{prefix}mean_rank", statistics.fmean(ranks(runs, name))))
    return found


def ranks(runs: Sequence[Run], name: str) -> Iterator[float]:
    """The rank of `name` by test score in each table and budget; no score is the last one."""
    for own in (run for run in runs if run.who == name):
        beside = [run for run in runs if (run.table, run.budget) == (own.table, own.budget) and run is not own]
        mine, others = (own.score or -1e9), [run.score or -1e9 for run in beside]
        yield 1 + sum(other > mine for other in others) + 0.5 * sum(other == mine for other in others)


def main() -> None:
    import yaml

    parser = arguments(__doc__ or "", data=True)
    for peer in ("flaml", "autogluon"):
        default = os.environ.get(f"{peer.upper()}_PYTHON")
        parser.add_argument(f"--{peer}", default=default, metavar="PYTHON", help="interpreter of its environment")
    parser.add_argument("--runs", type=Path, metavar="FILE", help="keep each run here; those in it are not repeated")
    parser.add_argument("--tables", nargs="+", metavar="NAME", help="other tables of the index")
    parser.add_argument("--budgets", nargs="+", type=int, metavar="SECONDS", help="other budgets")
    options = parser.parse_args()
    if options.data is None:
        parser.error("--data DIR: the folder that holds tabular/index.yaml")
    folder = options.data / "tabular"
    index = {entry["name"]: entry for entry in yaml.safe_load((folder / "index.yaml").read_text(encoding="utf-8"))}
    names = options.tables or (QUICK_TABLES if options.quick else TABLES)
    budgets = options.budgets or (QUICK_BUDGETS if options.quick else BUDGETS)
    playing = list(players(options))
    everybody = [player.name for player, _ in playing]
    kept = [Run(**json.loads(line)) for line in _lines(options.runs)]
    wanted = {(who, table, budget) for who in everybody for table in names for budget in budgets}
    runs = [run for run in kept if (run.who, run.table, run.budget) in wanted]
    done = {(run.who, run.table, run.budget) for run in runs}
    with tempfile.TemporaryDirectory(prefix="budget-") as place:
        for name in names:
            table = Table.split(index[name], folder, Path(place))
            for budget in budgets:
                for player, python in playing:
                    if (player.name, name, budget) not in done:
                        runs.append(run(player, python, table, budget))
                        print(runs[-1], flush=True)
                        _keep(options.runs, runs[-1])
    about = {
        "what": f"{len(names)} tables x {', '.join(map(str, budgets))} s, seed 0, 80% of the rows",
        "machine": machine(["scikit-learn", "lightgbm", "ray", "optuna", "mlflow"]),
    }
    publish("Time budgets", figures(runs, everybody), about=about, file=options.json)


def _lines(file: Path | None) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines() if file is not None and file.exists() else []


def _keep(file: Path | None, run: Run) -> None:
    if file is not None:
        with file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(asdict(run)) + "\n")


if __name__ == "__main__":
    main()
