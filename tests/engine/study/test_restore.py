"""What a cut session has left is judged as it would have been: over a limit on models, it is nobody's rival."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from optuna.trial import FixedTrial

from automl.engine.plugins.component_options import ComponentOptions
from automl.engine.pruners.base import is_rival
from automl.engine.pruners.registry import make_pruner
from automl.engine.space.space import SearchSpace
from automl.engine.stopping.model_limits import ModelLimits
from automl.engine.study.history import History
from automl.engine.study.recover import recover_lost_trials
from automl.engine.study.restore import restore
from automl.engine.trial.contract import Status, TrialResult
from automl.engine.trial.objective import Objective
from automl.engine.trial.records import write_result
from automl.engine.workspace.atomic import write_json
from automl.engine.workspace.layout import ExperimentDirectory, Workspace

SPACE = SearchSpace.model_validate({"algorithms": {"a": {"params": {"x": {"type": "float", "low": 0.0, "high": 1.0}}}}})
LIMITS = ModelLimits(model_size=100)
SIZES = (50, 500)
"""Bytes of the models of two trials: the second is over the limit."""


@pytest.fixture
def directory(workspace: Path) -> ExperimentDirectory:
    return Workspace(workspace).create_experiment("flowers")


@pytest.fixture
def history(directory: ExperimentDirectory) -> Iterator[History]:
    pruner = make_pruner(ComponentOptions(name="median"))
    with closing(History(directory.journal, objective=Objective("score"), pruner=pruner)) as opened:
        yield opened


def leave(directory: ExperimentDirectory, number: int, size: int) -> None:
    """Leave the files of a trial that has ended."""
    place = directory.trial(number)
    place.path.mkdir(parents=True)
    write_json(place.params, {"number": number, "algorithm": "a", "params": {"x": 0.5}})
    ended = TrialResult(number=number, algorithm="a", status=Status.COMPLETED, value=0.9, model_size=size)
    write_result(place, ended)


def in_journal(history: History, directory: ExperimentDirectory) -> None:
    """The driver was killed between trial.json and the journal's commit."""
    for _ in SIZES:
        trial = FixedTrial(SPACE.algorithms["a"].encode({"x": 0.5}, "a"))
        SPACE.algorithms["a"].ask(trial, "a")
        history.add("a", trial.params, trial.distributions, elapsed=1.0)
    restore(history, directory, LIMITS.allow)


def lost(history: History, directory: ExperimentDirectory) -> None:
    """The journal has never heard of the trials."""
    assert recover_lost_trials(history, directory, SPACE, LIMITS.allow) == len(SIZES)


@pytest.mark.parametrize("cut", [in_journal, lost])
def test_a_trial_over_a_limit_is_no_rival_after_a_cut(
    history: History, directory: ExperimentDirectory, cut: Callable[[History, ExperimentDirectory], None]
) -> None:
    for number, size in enumerate(SIZES):
        leave(directory, number, size)
    cut(history, directory)
    assert [is_rival(trial) for trial in history._trials()] == [True, False]
