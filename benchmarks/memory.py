"""The memory that a whole search holds: 200 trials on a table of 50,000 rows, through the default executor.

Every half a second the proportional set sizes (a page that n processes share counts one nth in each) of the driver, the
workers and their watchdogs are summed up; `total_peak_mb` is the largest sum. It may be 1.5 times the workers times the
peak of the largest single trial, plus the data. Ray's own processes and MLflow's are reported beside it.

The table is generated with seed 0, or with --data the diamonds of the data folder. Linux only.

    python benchmarks/memory.py [--quick] [--data DIR] [--rows N] [--trials N] [--json FILE]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
from form import Figure, arguments, machine, publish

WORKERS = 2
SECONDS = 0.5
MB = 2**20
SEARCH = """
import json, sys
import automl
given = json.loads(sys.argv[1])
automl.fit(given["task"], given["table"], target="target", max_trials=given["trials"], workspace=given["place"],
           name="memory", compute={"max_workers": given["workers"]}, progress=False)
"""


def generated(rows: int) -> pd.DataFrame:
    """A table of 16 numbers and 4 categories, some values missing, and two classes that depend on them."""
    draw = np.random.default_rng(0)
    numbers = draw.normal(size=(rows, 16))
    table = pd.DataFrame(numbers, columns=[f"n{i}" for i in range(16)])
    for i, levels in enumerate((2, 5, 20, 100)):
        codes = draw.integers(levels, size=rows)
        table[f"c{i}"] = [f"level{code}" for code in codes]
        numbers[:, 0] += 0.5 * np.sin(codes)
    score = numbers[:, 0] + numbers[:, 1] * numbers[:, 2] + draw.normal(scale=0.5, size=rows)
    table["target"] = np.where(score > 0, "yes", "no")
    table.loc[draw.random(rows) < 0.05, "n3"] = np.nan
    return table


def diamonds(folder: Path, rows: int) -> pd.DataFrame:
    table = pd.read_csv(folder / "tabular" / "diamonds.csv").rename(columns={"price": "target"})
    return table.sample(min(rows, len(table)), random_state=0)


def processes(driver: psutil.Process) -> Iterator[tuple[str, psutil.Process]]:
    """Yield the processes that belong to the search, each with its owner: 'ours', 'ray' or 'mlflow'."""
    below = driver.children(recursive=True)
    pids = {str(process.pid) for process in below}
    yield "ours", driver
    for process in below:
        command = " ".join(process.cmdline())
        if "automl.tracking.mirror" in command:
            yield "mlflow", process
        elif "automl.engine.execution.worker" in command or ("ray::" in command and "ray::IDLE" not in command):
            yield "ours", process
        else:
            yield "ray", process
    for process in psutil.process_iter():  # watchdogs have no parent
        try:
            command_line = process.cmdline()
        except psutil.Error:
            continue
        if "automl.engine.execution.watchdog" in command_line and not pids.isdisjoint(command_line):
            yield "ours", process


def sampled(driver: psutil.Process) -> Counter[str]:
    """Bytes by whose they are, as of now."""
    held: Counter[str] = Counter()
    try:
        for whose, process in processes(driver):
            held[whose] += process.memory_full_info().pss
    except psutil.Error:  # one has ended meanwhile: the next look is as good
        pass
    return held


def search(table: pd.DataFrame, trials: int) -> tuple[Counter[str], list[int]]:
    """The largest sums while a search ran in its own process; the peaks of its trials."""
    with tempfile.TemporaryDirectory(prefix="memory-") as place:
        file = Path(place) / "table.parquet"
        table.to_parquet(file)
        task = "classification" if table["target"].dtype.kind not in "fiu" else "regression"
        given = {"task": task, "table": str(file), "trials": trials, "place": place, "workers": WORKERS}
        child = subprocess.Popen([sys.executable, "-c", SEARCH, json.dumps(given)], cwd=place)
        driver, peaks = psutil.Process(child.pid), Counter[str]()
        while child.poll() is None:
            held = sampled(driver)
            peaks = Counter({whose: max(peaks[whose], held[whose]) for whose in ("ours", "ray", "mlflow")})
            time.sleep(SECONDS)
        if child.returncode:
            raise SystemExit("the search has failed")
        records = [json.loads(file.read_text()) for file in Path(place).glob("memory/*/trials/*/trial.json")]
    return peaks, [record["peak_memory"] for record in records if record["peak_memory"]]


def main() -> None:
    parser = arguments(__doc__ or "", data=True)
    parser.add_argument("--rows", type=int, help="of the table")
    parser.add_argument("--trials", type=int, help="of the search")
    options = parser.parse_args()
    if not os.path.exists("/proc/self/smaps_rollup"):
        raise SystemExit("This benchmark reads proportional set sizes, which this system does not report.")
    rows = options.rows or (5_000 if options.quick else 50_000)
    trials = options.trials or (20 if options.quick else 200)
    table = generated(rows) if options.data is None else diamonds(options.data, rows)
    data = int(table.memory_usage(deep=True).sum())
    held, peaks = search(table, trials)
    allowed = 1.5 * WORKERS * max(peaks) + data
    figures = [
        Figure("total_peak_mb", held["ours"] / MB),
        Figure("allowed_mb", allowed / MB),
        Figure("ratio", held["ours"] / allowed, "<= 1", held["ours"] <= allowed),
        Figure("largest_trial_mb", max(peaks) / MB),
        Figure("data_mb", data / MB),
        Figure("ray_mb", held["ray"] / MB),
        Figure("mlflow_mb", held["mlflow"] / MB),
    ]
    about = {
        "what": f"{trials} trials, {len(peaks)} of which have a recorded peak, {len(table):,} rows, {WORKERS} workers, "
        "seed 0",
        "machine": machine(["scikit-learn", "lightgbm", "ray", "optuna", "mlflow"]),
    }
    publish("Memory", figures, about=about, file=options.json)


if __name__ == "__main__":
    main()
