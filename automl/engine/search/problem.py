"""The interface of what is searched. An experiment asks it, and knows nothing else of the work of its trials."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from automl.deadline import Deadline
from automl.engine.search.inputs import Inputs
from automl.engine.space.load import Exclusion
from automl.engine.space.space import SearchSpace
from automl.engine.trial.contract import TrialContext, TrialResult
from automl.engine.trial.objective import Objective
from automl.engine.trial.steps import Steps
from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import ConfigError

__all__ = ["Artifact", "Problem"]


@dataclass(frozen=True)
class Artifact:
    """A model that a trial has left on disk, with all that using it elsewhere needs.

    Attributes:
        models: the folder that holds it.
        check: the file with what it predicts for the example, if that was found out.
        example: the file with a few raw inputs.
        framework: the distribution that made it.
        packages: version of each distribution that loading it needs.
        modules: top-level modules that it is made with; those that no distribution brings have to travel with it.
    """

    models: Path
    check: Path
    example: Path
    framework: str
    packages: Mapping[str, str]
    modules: tuple[str, ...] = ()


class Problem(ABC):
    """One piece of work to be searched: its space, its objective, its trials, and what becomes of the best of them.

    `prepare` makes one of what an experiment declares; the other class methods answer what is asked before, or without
    that. A configuration is passed as it is: each kind of problem reads the options that are its own.

    Attributes:
        task: what users call it below ``task``.
        space: what is searched: only what can run here.
        objectives: the metrics that were asked for; the first decides.
        exclusions: algorithms that were left out, and why.
        steps: the steps at which a whole trial reports; None if trials do not say.
        reads: groups of a configuration that it reads, beside those that every experiment has. What is written in
            another is refused.
        imports: modules that using a model of it needs.

    Example:
        A whole one is `automl.testing.function_problem.FunctionProblem`: a function, and a space.

        >>> from automl.testing.function_problem import FunctionProblem
        >>> class Parabola(FunctionProblem):
        ...     metric = Objective("loss", maximize=False)
        ...
        ...     @staticmethod
        ...     def function(params, share):
        ...         return params["x"] ** 2 + (1 - share)
        >>> space = SearchSpace.model_validate({"algorithms": {"function": {"params": {"x": {
        ...     "type": "float", "low": -1.0, "high": 1.0}}}}})
        >>> Parabola("parabola", space, objectives=(Parabola.metric,)).objective
        Objective(name='loss', maximize=False)
    """

    task: str
    space: SearchSpace
    objectives: tuple[Objective, ...]
    exclusions: tuple[Exclusion, ...]
    steps: Steps | None
    reads: ClassVar[frozenset[str]] = frozenset()
    imports: ClassVar[tuple[str, ...]] = ()

    @property
    def objective(self) -> Objective:
        """The metric that decides."""
        return self.objectives[0]

    # Before there is one

    @classmethod
    def inputs(
        cls,
        *,
        directory: ExperimentDirectory | None = None,
        data: Any = None,
        roles: Mapping[str, Any] | None = None,
        validation: Any = None,
        metrics: Mapping[str, Callable[..., float]] | None = None,
        trust: bool = False,
        progress: bool = True,
    ) -> Inputs:
        """Gather what a configuration cannot say.

        Args:
            directory: of an experiment that is continued: what it has kept of objects from memory.
            data: objects of the caller's in place of that.
            roles: further ones, by their keys in the group ``data``.
            validation: one for ``validation.source``.
            metrics: functions of the caller's, by the name under which the configuration lists them.

        Raises:
            ConfigError: this kind of problem takes no such objects.
        """
        given = {"data": data is not None or bool(roles), "validation": validation is not None, "metric": bool(metrics)}
        for key in (key for key, is_given in given.items() if is_given):
            raise ConfigError("this task takes no objects", key=key)
        return Inputs(trust=trust, progress=progress)

    @classmethod
    def resolve(cls, config: Any, inputs: Inputs | None = None) -> str:
        """Name of the task that a declared one is on its data, told by their form alone. Here as it was declared."""
        task: str = config.task
        return task

    @classmethod
    def name_for(cls, config: Any, inputs: Inputs) -> str:
        """A name for an experiment that has none. Here the task's."""
        task: str = config.task
        return task

    @classmethod
    @abstractmethod
    def check(cls, config: Any, *, trust: bool) -> None:
        """Check what is declared, without reading data or running anything.

        Raises:
            ConfigError: something cannot be used; with the key.
        """

    @classmethod
    @abstractmethod
    def prepare(cls, config: Any, inputs: Any, deadline: Deadline | None = None) -> Self:
        """Make the problem that an experiment declares.

        Args:
            config: the experiment's configuration.
            inputs: what `inputs` has gathered.
            deadline: the clock of the search that waits for it; None if it has something to deliver in any case.

        Raises:
            TimeBudgetError: the time is over.
            AutomlError: something cannot be used. Says which, and what instead.
        """

    # On disk, and in words

    def save(self, directory: ExperimentDirectory) -> None:  # noqa: B027 - optional
        """Record what trials depend on, or check it against what an earlier session of the experiment recorded.

        Raises:
            DataError: it is not what the experiment began with.
        """

    def as_recorded(self, directory: ExperimentDirectory) -> Self:
        """The problem as the experiment's trials had it.

        Raises:
            DataError: it is not what the experiment began with.
            WorkspaceError: the record is not complete, or damaged.
        """
        return self

    def describe(self) -> dict[str, Any]:
        """Describe it as plain data, for ``automl plan``: what stands beside the space and the limits."""
        return {}

    def record(self) -> dict[str, Any]:
        """Return what result.json says of it: fields of that file."""
        return {}

    @property
    def first_part(self) -> str:
        """The part that a trial has to complete before anything of it can be kept, in words."""
        return "its work"

    @property
    def core_seconds(self) -> float:
        """Seconds, to within a factor of a few, that one core needs to show a trial all of the data, where trials last
        as long as they are given; 0 where that is unknown, or of no interest.
        """
        return 0.0

    # Its trials

    @abstractmethod
    def context(self, cache: Path, *, judged: bool, keep_models: bool = True) -> TrialContext:
        """Assemble what all trials share.

        Args:
            cache: a folder for what several trials need; it is emptied between sessions.
            judged: whether trials are compared with one another while they run.
            keep_models: whether trials leave their models.
        """

    # What they leave

    def seconds_to_test(self, result: TrialResult) -> float | None:
        """Estimate the time of `test` for what a trial has left; None if nothing is to be tested."""
        return None

    def preload(self, models: Path) -> None:  # noqa: B027 - optional
        """Import what loading models needs, in the background."""

    def test(self, models: Path) -> dict[str, float]:
        """Scores of a model on what no trial has seen, by metric. Asked once, of the winner, at the end."""
        return {}

    @classmethod
    @abstractmethod
    def artifact(cls, config: Any, directory: ExperimentDirectory, result: TrialResult) -> Artifact | None:
        """Turn what a finished trial has left into something that can be registered; None where that is nothing.

        Raises:
            RegistryError: a part of it is gone.
        """

    @classmethod
    @abstractmethod
    def load(cls, models: Path) -> Any:
        """Load a model back, as whoever uses it wants it.

        Raises:
            WorkspaceError: there is none, or it cannot be read.
        """
