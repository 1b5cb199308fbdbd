"""The whole job on Iris through the default executor: accuracy, time to the first trial, and the budget.

`nested_accuracy` is the honest one: outer folds that no search has seen. `ratio_first_trial` compares the time from the
process's start to the first completed trial with what a bare script needs for imports and the same cross-validation.

    python benchmarks/iris.py [--quick] [--json FILE]
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from form import Figure, arguments, machine, publish

BARE = """
import time, psutil
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
X, y = load_iris(return_X_y=True, as_frame=True)
scores = []
for train, valid in RepeatedStratifiedKFold(n_splits=5, n_repeats=3, random_state=0).split(X, y):
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(X.iloc[train], y.iloc[train])
    scores.append(accuracy_score(y.iloc[valid], model.predict(X.iloc[valid])))
print(time.time() - psutil.Process().create_time())
"""

EXPERIMENT = """
experiment: iris
task: classification
data: iris
metric: accuracy
limits: {{time_budget: {budget}, max_trials: {trials}}}
"""


def bare() -> float:
    """Seconds of the bare script, from its process's start."""
    done = subprocess.run([sys.executable, "-c", BARE], capture_output=True, text=True, check=True)
    return float(done.stdout)


def whole_job(budget: float, trials: int) -> dict[str, float]:
    """One search in its own process, as the command line runs it."""
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "iris.yaml"
        file.write_text(EXPERIMENT.format(budget=budget, trials=trials))
        command = [sys.executable, "-m", "automl", "run", str(file), "--workspace", place, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        summary = json.loads(done.stdout)
        records = Path(place).glob("iris/*/trials/*/trial.json")
        ended = [json.loads(record.read_text()) for record in records]
    return {
        "best": summary["winner"]["value"],
        "wall": summary["seconds"],
        "first": min(record["elapsed"] for record in ended),
        "trials": len(ended),
        "registered": summary["registered"] is not None,
    }


def nested(outer: int, budget: float, trials: int) -> float:
    """Mean accuracy on outer folds, each predicted by a search over the rest."""
    from sklearn.datasets import load_iris
    from sklearn.model_selection import StratifiedKFold

    from automl import AutoMLClassifier

    X, y = load_iris(return_X_y=True, as_frame=True)
    accuracies = []
    for train, test in StratifiedKFold(outer, shuffle=True, random_state=0).split(X, y):
        model = AutoMLClassifier(metric="accuracy", time_budget=budget, max_trials=trials, random_state=0)
        model.fit(X.iloc[train], y.iloc[train])
        accuracies.append(float((model.predict(X.iloc[test]) == y.iloc[test].to_numpy()).mean()))
    return statistics.fmean(accuracies)


def main() -> None:
    options = arguments(__doc__ or "").parse_args()
    budget, trials = (20.0, 40) if options.quick else (60.0, 10_000)
    pairs = [(bare(), whole_job(20.0, 1)["first"]) for _ in range(1 if options.quick else 5)]
    job = whole_job(budget, trials)
    ratio = statistics.median(first / alone for alone, first in pairs)
    inner = nested(3 if options.quick else 5, budget / 2, 20 if options.quick else 100)
    overrun = job["wall"] - budget
    figures = [
        Figure("best_cv_accuracy", job["best"], ">= 0.97", job["best"] >= 0.97),
        Figure("nested_accuracy", inner, ">= 0.95", inner >= 0.95),
        Figure("seconds_to_first_trial", statistics.median(first for _, first in pairs)),
        Figure("seconds_bare", statistics.median(alone for alone, _ in pairs)),
        Figure("ratio_first_trial", ratio, "<= 1.5", ratio <= 1.5),
        Figure("wall_s", job["wall"]),
        Figure("overrun_s", overrun, f"<= {max(0.5, 0.02 * budget):g}", overrun <= max(0.5, 0.02 * budget)),
        Figure("trials", job["trials"]),
        Figure("registered", float(job["registered"]), "1", bool(job["registered"])),
    ]
    about = {
        "what": f"time_budget {budget:g} s, <= {trials:,} trials, seed 0; first trial: median of {len(pairs)} pairs",
        "machine": machine(["scikit-learn", "ray", "optuna", "mlflow"]),
    }
    publish("Iris", figures, about=about, file=options.json)


if __name__ == "__main__":
    main()
