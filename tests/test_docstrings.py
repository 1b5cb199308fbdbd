"""The examples in docstrings run and say the truth, and everything public has one."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import automl
from automl import api
from automl.engine.execution.base import Executor
from automl.engine.pruners.base import Pruner
from automl.engine.samplers.base import Sampler
from automl.engine.search.problem import Problem
from automl.engine.stopping.base import ExitCriterion
from automl.engine.workspace.layout import ExperimentDirectory
from automl.experiment.models.registration import candidate_for
from automl.experiment.result import Result
from automl.learning.algorithms.base import Learner
from automl.learning.features.base import View
from automl.learning.metrics.base import Metric
from automl.learning.tasks.base import Task
from automl.registry.register import register
from automl.testing.algorithms import AlgorithmSuite
from automl.testing.chaos import ChaosRun
from automl.testing.executors import ExecutorSuite
from automl.testing.exit_criteria import ExitCriterionSuite
from automl.testing.function_problem import FunctionProblem
from automl.testing.pruners import PrunerSuite
from automl.testing.samplers import SamplerSuite

PACKAGE = Path(automl.__file__).parent
EXPERIMENT = """\
experiment: iris
task: classification
data: iris
search: {algorithms: {allow: [lda]}}
limits: {max_trials: 1}
compute: {executor: inline}
registry: null
tracking: null
"""
"""The file that examples call iris.yaml: one trial, in this process, of which MLflow is not told."""
PLUGIN_INTERFACES = (Executor, ExitCriterion, Learner, Metric, Problem, Pruner, Sampler, Task, View)
SUITES = (AlgorithmSuite, ChaosRun, ExecutorSuite, ExitCriterionSuite, FunctionProblem, PrunerSuite, SamplerSuite)
SKIPPED = {
    "automl": "a search of a minute; tests of the README run it for less",
    "automl.api.models.promote": "tells MLflow in the background",
    "automl.api.models.register": "tells MLflow in the background",
    "automl.api.runs.mirror_run": "starts MLflow",
    "automl.experiment.result.Result.register": "tells MLflow in the background",
    "automl.testing.chaos.ChaosRun": "kills an experiment",
}
"""Docstrings with a line that is not run, and why."""


def module_name(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def docstrings(node: ast.AST, name: str) -> Iterator[tuple[str, str, int]]:
    """(qualified name, docstring, its line) of a module and everything in it, methods and properties included."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
        text = ast.get_docstring(node)
        if text is not None:
            yield name, text, node.body[0].lineno
        for child in node.body:
            if isinstance(child, ast.ClassDef | ast.FunctionDef):
                yield from docstrings(child, f"{name}.{child.name}")


def examples() -> Iterator[tuple[str, Path, str, int]]:
    """(qualified name, file, docstring, line) of every docstring that holds an example."""
    for file in sorted(PACKAGE.rglob("*.py")):
        source = file.read_text(encoding="utf-8")
        if ">>>" in source:
            for name, text, line in docstrings(ast.parse(source), module_name(file)):
                if ">>>" in text:
                    yield name, file, text, line


EXAMPLES = {name: found for name, *found in examples()}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """The result of ``iris.yaml``, which lies beside the workspace ``automl_runs``, with its winner registered."""
    place = tmp_path_factory.mktemp("examples")
    (place / "iris.yaml").write_text(EXPERIMENT, encoding="utf-8")
    result = api.run(place / "iris.yaml", workspace=place / "automl_runs", progress=False)
    directory = ExperimentDirectory(result.directory)
    register(candidate_for(api.validate(directory.config), directory, result.summary, result.best))  # not in MLflow
    return result


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs_and_prints_what_it_says(name: str, result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    file, text, line = EXAMPLES[name]
    workspace = result.directory.parents[1]
    monkeypatch.chdir(workspace.parent)
    monkeypatch.setenv("AUTOML_HOME", str(workspace))
    shared = {"automl": automl, "result": Result.load(result.directory)}
    names = {**vars(importlib.import_module(module_name(file))), **shared}
    example = doctest.DocTestParser().get_doctest(text, names, name, str(file), line)
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    outcome = runner.run(example, out=said.append)
    assert outcome.failed == 0, "".join(said)


def test_what_is_not_run_is_listed_with_its_reason() -> None:
    skipping = {name for name, (_, text, _) in EXAMPLES.items() if "+SKIP" in text}
    assert skipping == set(SKIPPED)


def public() -> Iterator[tuple[str, Any]]:
    yield from ((f"automl.{name}", getattr(automl, name)) for name in automl.__all__ if name != "__version__")
    yield from ((f"automl.api.{name}", getattr(api, name)) for name in api.__all__)
    yield from ((thing.__qualname__, thing) for thing in (*PLUGIN_INTERFACES, *SUITES))
    members = {name: member for name, member in vars(automl.Result).items() if not name.startswith("_")}
    yield from ((f"automl.Result.{name}", member) for name, member in members.items())


PUBLIC = dict(public())


@pytest.mark.parametrize("name", PUBLIC)
def test_everything_public_has_an_example(name: str) -> None:
    assert ">>>" in (inspect.getdoc(PUBLIC[name]) or ""), f"{name} has no example in its docstring"
