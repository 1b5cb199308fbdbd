"""A problem without data: a function, and a space in which its best value is searched for.

It shows, and tests, all that an experiment asks of a kind of problem; a search of it takes next to no time. Derive
`FunctionProblem`, and announce yours in the entry-point group ``automl.problems``, named after its task. In experiment
files of that task ``search.space`` is a mapping of parameters alone.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from automl.client import Run, TrialPruned
from automl.deadline import Deadline
from automl.engine.search.problem import Artifact, Problem
from automl.engine.space.load import Exclusion, load_parameters
from automl.engine.space.space import AlgorithmSpace, SearchSpace
from automl.engine.trial.contract import Outcome, Partial, TrialContext, TrialResult, TrialSpec
from automl.engine.trial.objective import Objective
from automl.engine.trial.partial import note
from automl.engine.trial.steps import Steps
from automl.engine.workspace.atomic import write_text
from automl.engine.workspace.layout import ExperimentDirectory, TrialDirectory
from automl.errors import SpaceError, WorkspaceError

__all__ = ["ALGORITHM", "FunctionProblem"]

ALGORITHM = "function"
"""Name of the only algorithm."""
_STEPS = Steps(4, part=1)
_MODEL = "configuration.json"


@dataclass(frozen=True)
class FunctionProblem(Problem):
    """A function whose best value is searched for.

    Attributes:
        metric: what the function returns.

    Example:
        >>> class Parabola(FunctionProblem):
        ...     metric = Objective("loss", maximize=False)
        ...
        ...     @staticmethod
        ...     def function(params: Mapping[str, Any], share: float) -> float:
        ...         return params["x"] ** 2 + (1 - share)
        >>> Parabola.function({"x": 3.0}, share=1.0)
        9.0
    """

    metric: ClassVar[Objective]

    task: str
    space: SearchSpace
    objectives: tuple[Objective, ...]
    exclusions: tuple[Exclusion, ...] = ()
    steps: Steps | None = _STEPS

    @staticmethod
    @abstractmethod
    def function(params: Mapping[str, Any], share: float) -> float:
        """The value of `params` when the `share` of the work, in (0, 1], is done; it is called for each quarter."""

    @classmethod
    def check(cls, config: Any, *, trust: bool) -> None:
        _space_of(config)

    @classmethod
    def prepare(cls, config: Any, inputs: Any, deadline: Deadline | None = None) -> Self:
        return cls(task=config.task, space=_space_of(config), objectives=(cls.metric,))

    @property
    def first_part(self) -> str:
        return f"the first of its {_STEPS.whole} parts"

    def context(self, cache: Path, *, judged: bool, keep_models: bool = True) -> TrialContext:
        return TrialContext(_Work(type(self), self.metric.name, keep_models))

    @classmethod
    def artifact(cls, config: Any, directory: ExperimentDirectory, result: TrialResult) -> Artifact | None:
        return None

    @classmethod
    def load(cls, models: Path) -> Any:
        """Load the configuration."""
        try:
            return json.loads((models / _MODEL).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise WorkspaceError(f"{models} holds no configuration: {error}.") from error


def _space_of(config: Any) -> SearchSpace:
    if config.search.space is None:
        raise SpaceError("is needed: the parameters of the function.", key="search.space")
    return SearchSpace(algorithms={ALGORITHM: AlgorithmSpace(params=load_parameters(config.search.space))})


@dataclass(frozen=True)
class _Work:
    """A trial: it calls the function for each part of its work, and leaves its configuration."""

    problem: type[FunctionProblem]
    metric: str
    keep_models: bool

    def __call__(self, spec: TrialSpec, run: Run) -> Outcome:
        place, value = TrialDirectory(spec.directory), 0.0
        if self.keep_models:
            place.models.mkdir(exist_ok=True)
            write_text(place.models / _MODEL, json.dumps(dict(spec.params)))
        for part in range(1, _STEPS.whole + 1):
            if run.should_stop:
                raise TrialPruned
            value = self.problem.function(spec.params, part / _STEPS.whole)
            run.log(self.metric, value, step=part)
            if spec.keep_partial and part < _STEPS.whole:
                done = Partial(share=_STEPS.share(part), extent=f"{part} of {_STEPS.whole} parts of the work")
                note(place, done, Outcome(value, {self.metric: value}), models=(_MODEL,))
        return Outcome(value, {self.metric: value})
