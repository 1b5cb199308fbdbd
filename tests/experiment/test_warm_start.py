"""An experiment that begins with the best trials of an earlier one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import automl
from automl import api
from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import ConfigError
from automl.experiment.result import Result
from automl.experiment.results.leaderboard import read_trials

PAIR = ["lda", "naive_bayes"]


def fit(workspace: Path, **search: Any) -> Result:
    trials = search.pop("trials", 4)
    return automl.fit(
        "classification",
        "iris",
        metric=search.pop("metric", "accuracy"),
        max_trials=trials,
        search={"algorithms": {"allow": PAIR}, "portfolio": False, "sampler": "random", "pruner": "none", **search},
        workspace=str(workspace),
        compute={"executor": "inline"},
        tracking=None,
        registry=None,
        progress=False,
    )


def written(result: Result, number: int) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((result.directory / "trials" / f"{number:05d}" / "params.json").read_text())
    return value


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return fit(tmp_path_factory.mktemp("workspace"), trials=8)


@pytest.fixture
def workspace(earlier: Result) -> Path:
    return Path(earlier.directory).parents[1]


def ranked(earlier: Result) -> list[int]:
    """Numbers of the earlier trials in the order in which they should run again."""
    board = earlier.leaderboard().dropna(subset="rank")
    first = board.drop_duplicates("algorithm")["trial"].tolist()
    return [*first, *(number for number in board["trial"] if number not in first)]


def test_the_best_of_each_algorithm_runs_first_and_then_the_others(earlier: Result, workspace: Path) -> None:
    result = fit(workspace, warm_start=earlier.directory, trials=10)
    again = [number for number in range(10) if "warm_start" in written(result, number)["notes"]]
    assert again == list(range(8))
    name = f"iris/{Path(earlier.directory).name}"
    for number, before in enumerate(ranked(earlier)):
        now, then = written(result, number), written(earlier, before)
        assert (now["algorithm"], now["params"]) == (then["algorithm"], then["params"])
        assert now["notes"] == {"warm_start": f"{name}/{before}"}
    assert all(trial.parent is None for trial in read_trials(ExperimentDirectory(Path(result.directory))))


def test_the_direction_that_counts_is_the_earlier_ones(tmp_path: Path) -> None:
    losses = fit(tmp_path, metric="log_loss")
    best = losses.best.number
    result = fit(tmp_path, warm_start=losses.directory, metric="accuracy", trials=1)
    assert written(result, 0)["params"] == written(losses, best)["params"]


def test_an_experiment_that_was_cut_is_as_good(tmp_path: Path) -> None:
    losses = fit(tmp_path, metric="log_loss")
    (losses.directory / "result.json").unlink()
    result = fit(tmp_path, warm_start=losses.directory, trials=1)
    assert written(result, 0)["params"] == written(losses, losses.best.number)["params"]


def test_a_name_in_the_workspace_is_enough_and_becomes_a_directory(earlier: Result, workspace: Path) -> None:
    result = fit(workspace, warm_start=f"iris/{Path(earlier.directory).name}", trials=1)
    assert f"warm_start: {earlier.directory}" in (result.directory / "experiment.yaml").read_text()


def test_what_the_new_space_lacks_is_left_out_with_one_line(earlier: Result, workspace: Path) -> None:
    result = fit(workspace, warm_start=earlier.directory, trials=2, algorithms={"allow": ["naive_bayes"]})
    assert {written(result, number)["algorithm"] for number in (0, 1)} == {"naive_bayes"}
    log = ExperimentDirectory(Path(result.directory)).log.read_text()
    assert log.count("warm start: lda left out, which this search space does not have") == 1


def test_a_resumed_search_goes_on_with_what_is_left_though_the_earlier_one_is_gone(
    earlier: Result, workspace: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "iris" / Path(earlier.directory).name
    shutil.copytree(earlier.directory, copy)
    whole = fit(workspace, warm_start=earlier.directory, trials=10)
    cut = fit(tmp_path, warm_start=copy, trials=3)
    shutil.rmtree(copy)
    resumed = api.resume(cut.directory, max_trials=10, progress=False)
    params = [[written(result, number)["params"] for number in range(10)] for result in (whole, resumed)]
    assert params[0] == params[1]


def test_a_relative_path_is_relative_to_the_file(earlier: Result, workspace: Path, tmp_path: Path) -> None:
    shutil.copytree(earlier.directory, tmp_path / "before")
    file = tmp_path / "experiment.yaml"
    file.write_text("task: classification\ndata: iris\nsearch: {warm_start: before}\n")
    assert api.validate(file).search.warm_start == str(tmp_path / "before")
    assert api.plan(file)["warm start"] == str(tmp_path / "before")


@pytest.mark.parametrize("call", [api.validate, api.plan, api.run])
def test_an_experiment_that_there_is_not_is_a_mistake_with_its_line(call: Any, tmp_path: Path) -> None:
    file = tmp_path / "experiment.yaml"
    file.write_text(f"task: classification\ndata: iris\nworkspace: {tmp_path}\nsearch:\n  warm_start: none\n")
    with pytest.raises(ConfigError, match=r"yaml:5: search.warm_start: cannot start from none: There is no experiment"):
        call(file)
    assert not (tmp_path / "iris").exists()


def test_an_experiment_of_another_task_is_refused(earlier: Result, tmp_path: Path) -> None:
    search = {"warm_start": earlier.directory}
    with pytest.raises(
        ConfigError, match=r"search.warm_start: .* of the task classification, and this one .*regression"
    ):
        automl.fit("regression", "diabetes", max_trials=1, search=search, workspace=str(tmp_path), progress=False)


def test_an_experiment_without_a_completed_trial_is_refused(earlier: Result, tmp_path: Path) -> None:
    empty = tmp_path / "iris" / "empty"
    shutil.copytree(earlier.directory, empty)
    shutil.rmtree(empty / "trials")
    with pytest.raises(ConfigError, match=r"search.warm_start: no trial of .*empty has completed"):
        fit(tmp_path, warm_start=empty)
