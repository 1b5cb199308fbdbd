"""Random kills, with SIGKILL: of the driver, of workers, of Ray's head, of the mirror, of everything at once.

They come before the first trial, during the search and during registration. After each the experiment continues by
itself or by ``automl resume``, and in the end its records, its journal, MLflow and the registry have to agree.

`kills_survived` are those after which it continued and reached its end, `trials_lost` valid trial.json files that the
journal was never told of, `trials_repeated` finished numbers that ran again, `models_broken` registered versions that
do not load.

    python benchmarks/faults.py [--quick] [--kills N] [--seed N] [--load N] [--keep FILE] [--json FILE]
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from busy import busy
from form import Figure, arguments, machine, publish

from automl.testing.chaos import ChaosResult, ChaosRun, draw_faults

EXECUTORS = ("process", "ray")
KILLS, QUICK_KILLS = 60, 8
FAULTS, QUICK_FAULTS = 10, 5  # of one experiment
EXPERIMENT = """
experiment: flowers
task: classification
data: iris
metric: accuracy
limits: {{max_trials: {trials}}}
search:
  algorithms: {{allow: [logistic_regression, lda, naive_bayes, decision_tree]}}
  portfolio: false
compute: {{executor: {executor}, max_workers: 2}}
"""


def endure(executor: str, count: int, seed: int) -> ChaosResult:
    """One experiment with `count` faults, and more trials than they wait for."""
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "flowers.yaml"
        file.write_text(EXPERIMENT.format(trials=4 * count + 4, executor=executor))
        return ChaosRun(file, Path(place) / "workspace", seed=seed).run(draw_faults(executor, count, seed))


def report(executor: str, seed: int, endured: ChaosResult) -> dict[str, Any]:
    """Return what counts of one experiment, ready for JSON."""
    found = endured.findings
    return {
        "executor": executor,
        "seed": seed,
        "kills": [f"{kill.fault.target}, {kill.fault.moment}" for kill in endured.kills],
        "survived": endured.survived,
        "lost": len(found.lost),
        "repeated": len(found.repeated),
        "broken": len(found.broken),
        "problems": list(found.problems),
    }


def campaign(kills: int, faults: int, seed: int, keep: Path | None) -> list[dict[str, Any]]:
    """Experiments, over both executors in turn, until enough kills were made. Those in `keep` are not done again."""
    known = [json.loads(line) for line in keep.read_text().splitlines()] if keep and keep.exists() else []
    reports: list[dict[str, Any]] = []
    while sum(len(done["kills"]) for done in reports) < kills or len(reports) < len(EXECUTORS):
        executor = EXECUTORS[len(reports) % len(EXECUTORS)]
        done = next((r for r in known if (r["seed"], r["executor"]) == (seed, executor)), None)
        if done is None:
            done = report(executor, seed, endure(executor, faults, seed))
            if keep is not None:
                with keep.open("a") as file:
                    file.write(json.dumps(done) + "\n")
        print(f"seed {seed}, {executor}: {len(done['kills'])} kills, {done['survived']} survived", file=sys.stderr)
        for problem in done["problems"]:
            print(f"  {problem}", file=sys.stderr)
        reports.append(done)
        seed += 1
    return reports


def main() -> None:
    parser = arguments(__doc__ or "")
    parser.add_argument("--kills", type=int, help=f"at least this many kills (default {KILLS}, quick {QUICK_KILLS})")
    parser.add_argument("--seed", type=int, default=0, help="of the first experiment; each further one has the next")
    parser.add_argument(
        "--load", type=int, default=0, metavar="N", help="beside N processes that keep the machine busy"
    )
    parser.add_argument("--keep", type=Path, help="write each experiment's outcome here; continue with what is there")
    given = parser.parse_args()
    kills = given.kills or (QUICK_KILLS if given.quick else KILLS)
    with busy(given.load):
        reports = campaign(kills, QUICK_FAULTS if given.quick else FAULTS, given.seed, given.keep)
    made = sum(len(done["kills"]) for done in reports)
    figures = [
        Figure("kills_made", made, f">= {kills}", made >= kills),
        Figure("kills_survived", survived := sum(done["survived"] for done in reports), "all", survived == made),
        *(
            Figure(name, count := sum(done[key] for done in reports), "0", count == 0)
            for name, key in (("trials_lost", "lost"), ("trials_repeated", "repeated"), ("models_broken", "broken"))
        ),
        Figure("other_problems", odd := sum(len(done["problems"]) for done in reports), "0", odd == 0),
    ]
    hit = Counter(kill for done in reports for kill in done["kills"])
    about = {
        "what": f"{len(reports)} experiments, executors process and ray, tracking and registry on, "
        f"seeds {given.seed} to {given.seed + len(reports) - 1}"
        f"{f', beside {given.load} busy loops' if given.load else ''}",
        "kills": "; ".join(f"{kill}: {count}" for kill, count in sorted(hit.items())),
        "machine": machine(["ray", "optuna", "mlflow"]),
    }
    publish("Random kills", figures, about=about, file=given.json)


if __name__ == "__main__":
    main()
