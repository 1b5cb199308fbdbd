"""Population based training of learners, from a YAML file to a result: parts of the work are shares of the rows."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from automl import api
from automl.engine.plugins.component_options import ComponentOptions
from automl.engine.samplers.registry import make_sampler
from automl.engine.workspace.layout import ExperimentDirectory
from automl.experiment.results.leaderboard import read_trials

EXPERIMENT = {
    "task": "classification",
    "data": "iris",
    "metric": "log_loss",
    "limits": {"max_trials": 9},
    "search": {
        "sampler": {"name": "pbt", "options": {"population": 3, "generations": 3}},
        "algorithms": {"allow": ["lda", "naive_bayes"]},
        "portfolio": False,
    },
    "compute": {"executor": "process", "max_workers": 1},
    "tracking": None,
    "registry": None,
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "experiment.yaml"
    path.write_text(yaml.safe_dump({**EXPERIMENT, "workspace": str(tmp_path)}))
    return path


def test_the_best_has_done_the_whole_work_and_the_search_can_be_extended(file: Path) -> None:
    api.validate(file)
    result = api.run(file, progress=False)
    trials = read_trials(ExperimentDirectory(Path(result.directory)))
    assert [trial.fidelity for trial in trials] == [1 / 3] * 3 + [2 / 3] * 3 + [1.0] * 3
    older = [trial for trial in trials if trial.parent is not None]
    assert [trial.number for trial in older] == [*range(3, 9)]
    assert all(trials[trial.parent].fidelity == pytest.approx(trial.fidelity - 1 / 3) for trial in older)
    assert result.best.number >= 6
    board = result.leaderboard()
    assert set(board.dropna(subset="rank")["trial"]) <= {6, 7, 8}
    assert list(board.set_index("trial").loc[[0, 3, 6], "progress"]) == [1 / 3, 2 / 3, 1.0]

    longer = api.resume(result.directory, max_trials=10, progress=False)
    assert read_trials(ExperimentDirectory(Path(longer.directory)))[9].fidelity == 1 / 3  # a fresh population


def test_a_short_name_has_the_defaults(file: Path) -> None:
    search = {**EXPERIMENT["search"], "sampler": "pbt"}  # type: ignore[dict-item]
    file.write_text(yaml.safe_dump({**EXPERIMENT, "search": search}))
    assert api.plan(file)["sampler"] == "pbt"
    settings = make_sampler(ComponentOptions(name="pbt")).settings.model_dump()
    assert settings == {
        "population": 10, "generations": 5, "quantile": 0.2, "resample_probability": 0.25, "perturb": (0.8, 1.2)
    }  # fmt: skip
