"""Tasks that plugins bring, and what is said of those that cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import automl
from automl import api
from automl.config.tasks import other_tasks, problem_class
from automl.errors import ConfigError
from automl.learning.problem.problem import LearningProblem

MODULE = """
from automl.engine.search.problem import Problem
from automl.engine.trial.objective import Objective
from automl.testing.function_problem import FunctionProblem

class Line(FunctionProblem):
    metric = Objective("loss", maximize=False)

    @staticmethod
    def function(params, share):
        return abs(params["x"])

class NoProblem: ...
class Unfinished(Problem): ...
"""
ENTRY_POINTS = """
[automl.problems]
line = some_tasks:Line
regression = some_tasks:Line
gone = some_tasks_that_are_gone:Line
empty = some_tasks:Nothing
other = some_tasks:NoProblem
unfinished = some_tasks:Unfinished
"""
SEARCH = {"space": {"x": {"type": "float", "low": -1.0, "high": 1.0}}}


@pytest.fixture(scope="module", autouse=True)
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    place = tmp_path_factory.mktemp("tasks")
    information = place / "some-1.0.dist-info"
    information.mkdir()
    (place / "some_tasks.py").write_text(MODULE)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: some\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(ENTRY_POINTS)
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(place)
        yield


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ("gone", r"'gone' of some_tasks_that_are_gone:Line cannot be imported: No module named"),
        ("empty", r"'empty' of some_tasks:Nothing cannot be imported: .* has no attribute 'Nothing'"),
        ("other", r"'other' of some_tasks:NoProblem is not a Problem"),
        ("unfinished", r"'unfinished' of some_tasks:Unfinished cannot be searched: it lacks artifact, check, context"),
    ],
)
def test_a_task_that_cannot_be_used_is_refused_with_file_and_line(tmp_path: Path, task: str, said: str) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(f"experiment: toy\ntask: {task}\n")
    with pytest.raises(ConfigError, match=rf"wrong\.yaml:2: task: {said}"):
        api.validate(file)


def test_a_plugin_takes_no_task_from_learning() -> None:
    assert "regression" not in other_tasks()
    assert problem_class("regression") is LearningProblem


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"data": ([[1.0]], [1.0])}, "data"),
        ({"data": {"source": None, "weight": [1.0]}}, "data"),
        ({"data": None, "validation": {"source": ([[1.0]], [1.0])}}, "validation"),
        ({"data": None, "metric": max}, "metric"),
    ],
)
def test_objects_that_a_task_does_not_take_are_refused(tmp_path: Path, given: dict[str, Any], key: str) -> None:
    with pytest.raises(ConfigError, match=f"^{key}: this task takes no objects"):
        automl.fit("line", search=SEARCH, compute={"executor": "inline"}, workspace=tmp_path, progress=False, **given)


def test_a_task_that_is_no_text_is_one_mistake_among_others(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("task: [line]\n")
    with pytest.raises(ConfigError, match=r"wrong\.yaml:1: task: expected a text, found a list"):
        api.validate(file)
