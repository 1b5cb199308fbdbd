"""Seconds until the first trial has ended, with byte code and without.

`compiled` runs as an installation does whose libraries were compiled. The others run where
PYTHONDONTWRITEBYTECODE is set and the libraries have no byte code: `none` as Python leaves it, which compiles in every
process; `cached` with the cache that automl keeps for its processes, once a first run has filled it.

    python benchmarks/startup.py [--quick] [--json FILE]
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from form import Figure, arguments, machine, publish

EXPERIMENT = """
experiment: iris
task: classification
data: iris
metric: accuracy
limits: {max_trials: 1}
"""


def run(place: Path, environment: dict[str, str]) -> dict[str, float]:
    """Seconds of one run of the command line, by what they are until."""
    with tempfile.TemporaryDirectory(dir=place) as workspace:
        file = Path(workspace) / "iris.yaml"
        file.write_text(EXPERIMENT)
        command = [sys.executable, "-m", "automl", "run", str(file), "--workspace", workspace, "--json"]
        began = time.monotonic()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        wall = time.monotonic() - began
        phases = {phase["name"]: phase["spent"] for phase in json.loads(done.stdout)["phases"]}
        (record,) = Path(workspace).glob("iris/*/trials/*/trial.json")
        first = json.loads(record.read_text())["elapsed"]
    return {"start": phases["start"], "first_trial": first, "whole": wall}


def environments(place: Path) -> dict[str, dict[str, str]]:
    """Return what the processes find, by name. Where a prefix is set Python looks for byte code there alone."""
    hidden = ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
    plain = {name: value for name, value in os.environ.items() if name not in hidden}
    nowhere = {**plain, "PYTHONPYCACHEPREFIX": str(place / "nowhere"), "PYTHONDONTWRITEBYTECODE": "1"}
    kept = {**plain, "PYTHONPYCACHEPREFIX": str(place / "kept")}
    return {"compiled": plain, "none": nowhere, "cached": kept}


def main() -> None:
    parser = arguments(__doc__.split("\n")[0])
    options = parser.parse_args()
    repeats = 1 if options.quick else 5
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        kinds = environments(place)
        for name in ("compiled", "cached"):  # fills what they find afterwards
            run(place, kinds[name])
        runs = {name: [] for name in kinds}
        for _ in range(repeats):
            for name, environment in kinds.items():
                runs[name].append(run(place, environment))
    figures = [
        Figure(f"{until}_s_{name}", statistics.median(each[until] for each in found))
        for until in ("start", "first_trial", "whole")
        for name, found in runs.items()
    ]
    ratios = [
        Figure(
            f"ratio_first_trial_{name}",
            statistics.median(
                b["first_trial"] / a["first_trial"] for a, b in zip(runs["compiled"], found, strict=True)
            ),
        )
        for name, found in runs.items()
        if name != "compiled"
    ]
    publish(
        "Start-up, with byte code and without",
        [*figures, *ratios],
        about={"machine": machine(["automl-search", "pandas", "scikit-learn", "mlflow"]), "repeats": str(repeats)},
        file=options.json,
    )


if __name__ == "__main__":
    main()
