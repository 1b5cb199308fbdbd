"""What stopping trials early is said to have saved."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from rich.console import Console

import automl
from automl.display.report import print_result
from automl.engine.trial.contract import Status, TrialResult
from automl.experiment.result import Result
from automl.experiment.results.pruning import Pruning, PruningTally


def tally(*trials: tuple[str, Status, float, float | None]) -> Pruning | None:
    counted = PruningTally()
    for number, (algorithm, status, seconds, progress) in enumerate(trials):
        fields: dict[str, Any] = {"seconds": seconds, "progress": progress}
        counted.add(TrialResult(number=number, algorithm=algorithm, status=status, value=0.5, **fields))
    return counted.pruning()


def test_nothing_is_said_where_nothing_was_stopped() -> None:
    assert tally(("svm", Status.COMPLETED, 10.0, None), ("svm", Status.FAILED, 1.0, None)) is None


def test_the_rest_of_the_work_is_what_was_saved() -> None:
    found = tally(
        ("svm", Status.COMPLETED, 10.0, None),
        ("svm", Status.PRUNED, 2.0, 0.25),
        ("svm", Status.TIMED_OUT, 3.0, None),
    )
    assert found == Pruning(stopped=1, trials=3, seconds=6.0)


def test_no_more_is_claimed_than_the_longest_trial_took() -> None:
    completed = ("svm", Status.COMPLETED, 10.0, None), ("forest", Status.COMPLETED, 40.0, None)
    own = tally(*completed, ("svm", Status.PRUNED, 1.0, 0.01))
    none_of_its_own = tally(*completed, ("knn", Status.PRUNED, 1.0, 0.01))
    slower_than_any = tally(*completed, ("svm", Status.PRUNED, 12.0, 0.5))
    assert [own.seconds, none_of_its_own.seconds, slower_than_any.seconds] == [9.0, 39.0, 0.0]


def test_nothing_is_claimed_for_a_trial_whose_progress_is_unknown() -> None:
    assert tally(("svm", Status.COMPLETED, 10.0, None), ("svm", Status.PRUNED, 2.0, None)).seconds == 0.0


@pytest.mark.parametrize(("seconds", "text"), [(12.3, "about 12 s of work saved"), (200, "about 3:20 of work saved")])
def test_it_is_one_line(seconds: float, text: str) -> None:
    assert str(Pruning(stopped=41, trials=120, seconds=seconds)) == f"41 of 120 trials stopped early, {text}"


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """Nearest neighbours in many folds: most numbers of neighbours are far too large, and seen to be early."""
    found: Result = automl.fit(
        "classification",
        "iris",
        max_trials=20,
        workspace=str(tmp_path_factory.mktemp("workspace")),
        search={
            "space": {
                "algorithms": {
                    "knn": {
                        "estimator": "sklearn.neighbors.KNeighborsClassifier",
                        "params": {"n_neighbors": {"type": "int", "low": 1, "high": 99}},
                    }
                }
            },
            "sampler": "random",
        },
        validation={"folds": 10},
        compute={"executor": "inline"},
        tracking=None,
        registry=None,
        progress=False,
    )
    return found


def test_a_pruned_trial_says_after_which_share_of_its_work_it_was_stopped(result: Result) -> None:
    trials = [json.loads(path.read_text()) for path in result.directory.glob("trials/*/trial.json")]
    shares = [trial["progress"] for trial in trials if trial["status"] == "PRUNED"]
    assert shares
    assert set(shares) <= {fold / 10 for fold in range(1, 10)}
    assert all(trial["progress"] is None for trial in trials if trial["status"] == "COMPLETED")


def test_an_experiment_says_what_pruning_has_saved(result: Result) -> None:
    pruning = result.summary.pruning
    assert pruning is not None
    assert pruning.stopped == result.summary.counts["PRUNED"]
    assert pruning.trials == 20
    assert pruning.seconds > 0
    assert f"{pruning.stopped} of 20 trials stopped early" in repr(result)
    assert Result.load(result.directory).summary.pruning == pruning


def test_it_is_printed_with_the_result(result: Result) -> None:
    console = Console(file=io.StringIO(), width=120)
    print_result(result, console=console)
    assert f"pruning  {result.summary.pruning}" in console.file.getvalue()
