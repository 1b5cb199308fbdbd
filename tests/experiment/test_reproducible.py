"""The same trials from the same declaration, however many run at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import automl
from automl.engine.workspace.atomic import read_json
from automl.engine.workspace.layout import ExperimentDirectory
from automl.experiment.results.leaderboard import read_trials

TRIALS = 8


def search(place: Path, sampler: str, executor: str, workers: int) -> list[tuple[Any, ...]]:
    """What was tried and what came out, by number."""
    file = place / f"{sampler}_{workers}.yaml"
    file.write_text(f"""
        experiment: flowers
        task: classification
        data: iris
        limits: {{max_trials: {TRIALS}}}
        validation: {{folds: 2, repeats: 1}}
        search:
          sampler: {sampler}
          pruner: none
          portfolio: false
          algorithms: {{allow: [logistic_regression, knn, decision_tree]}}
        compute: {{executor: {executor}, max_workers: {workers}}}
        registry: null
        tracking: null
    """)
    directory = ExperimentDirectory(
        automl.run(file, workspace=place / f"{sampler}_{workers}", progress=False).directory
    )
    return [
        (r.number, r.algorithm, read_json(directory.trial(r.number).params)["params"], r.seed, r.status, r.fold_scores)
        for r in read_trials(directory)
    ]


@pytest.mark.parametrize("sampler", ["random", "qmc"])
def test_a_sampler_that_does_not_learn_gives_the_same_trials_on_any_number_of_workers(
    tmp_path: Path, sampler: str
) -> None:
    alone = search(tmp_path, sampler, "inline", 1)
    assert len({str(params) for _, _, params, *_ in alone}) > TRIALS // 2  # they differ at all
    assert search(tmp_path, sampler, "process", 2) == alone
