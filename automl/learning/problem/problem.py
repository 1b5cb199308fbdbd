"""A problem of learning: rows, a target, and estimators that are fitted on folds of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from automl.deadline import Deadline
from automl.engine.search.inputs import Inputs
from automl.engine.search.problem import Artifact, Problem
from automl.engine.space.devices import devices_of
from automl.engine.space.load import Exclusion
from automl.engine.space.space import SearchSpace
from automl.engine.trial.contract import TrialContext, TrialResult
from automl.engine.trial.objective import Objective
from automl.engine.trial.steps import Steps
from automl.engine.workspace.layout import ExperimentDirectory
from automl.learning.data.guardrails import Guardrail
from automl.learning.data.reading.context import Reading
from automl.learning.data.table import Table
from automl.learning.metrics.base import Metric
from automl.learning.metrics.registry import metric_from_options
from automl.learning.problem import files, prepare
from automl.learning.problem.artifact import artifact_of
from automl.learning.problem.declared import Declared
from automl.learning.problem.describe import describe
from automl.learning.problem.evaluate import preload_model, score_test, seconds_to_test
from automl.learning.problem.inputs import LearningInputs
from automl.learning.tasks.base import Target, Task
from automl.learning.tasks.registry import get_task
from automl.learning.training.cross_validation import LearnerWork, warm_imports
from automl.learning.training.fold_steps import fold_steps
from automl.learning.validation.folds import SplitPlan
from automl.learning.validation.guardrails import split_guardrails
from automl.learning.validation.plan import make_plan
from automl.start import check_start

__all__ = ["LearningProblem"]


@dataclass(frozen=True)
class LearningProblem(Problem):
    """Everything about an experiment that its trials depend on.

    Attributes:
        kind: the task, which prepares the target.
        table: all rows that are trained on or validated with.
        target: the prepared target of these rows.
        plan: the rows of every fold.
        metrics: all that are logged; the first is the primary one.
        guardrails: what was found out about the data.
        test_values: of the rows of ``table.test``, in the terms of `target`; None without any.
        from_memory: the data cannot be read again, since it came as objects, or from a URL of which credentials or a
            query are not kept: a resumed session needs a copy.
        trust: estimators may be of any class.
    """

    reads: ClassVar[frozenset[str]] = frozenset({"data", "metric", "validation", "features"})
    imports: ClassVar[tuple[str, ...]] = ("automl.learning.ensemble.bag",)

    task: str
    space: SearchSpace
    objectives: tuple[Objective, ...]
    exclusions: tuple[Exclusion, ...]
    steps: Steps | None
    kind: Task
    table: Table
    target: Target
    plan: SplitPlan
    metrics: tuple[Metric, ...]
    guardrails: tuple[Guardrail, ...]
    test_values: np.ndarray | None = None
    from_memory: bool = False
    trust: bool = False

    @property
    def primary(self) -> Metric:
        return self.metrics[0]

    # Before there is one

    @classmethod
    def inputs(
        cls,
        *,
        directory: ExperimentDirectory | None = None,
        data: Any = None,
        metrics: Mapping[str, Callable[..., float]] | None = None,
        trust: bool = False,
        progress: bool = True,
    ) -> LearningInputs:
        saved = files.saved_data(directory) if directory is not None and data is None else None
        return LearningInputs(data=data, saved=saved, metrics=metrics, trust=trust, progress=progress)

    @classmethod
    def resolve(cls, config: Declared, inputs: Inputs | None = None) -> str:
        """Name of the task that it is on its data: ``classification`` of pictures has its own.

        The data is looked at, not read.
        """
        given = inputs.data if isinstance(inputs, LearningInputs) else None
        source = config.data.source if given is None else given
        return config.task if source is None else get_task(config.task).of_data(source, config.data)

    @classmethod
    def name_for(cls, config: Declared, inputs: Inputs) -> str:
        """The name of its data."""
        assert isinstance(inputs, LearningInputs)
        return prepare.default_name(config, inputs)

    @classmethod
    def check(cls, config: Declared, *, trust: bool) -> None:
        task = get_task(config.task)
        for option in config.metric:
            metric_from_options(option, task.scored_as)
        prepare.declared_space(config, task, trust)

    @classmethod
    def prepare(cls, config: Declared, inputs: LearningInputs, deadline: Deadline | None = None) -> Self:
        task = get_task(config.task)
        space = prepare.declared_space(config, task, inputs.trust)
        table, plan, valid_rows = prepare.read_data(config, inputs, task, Reading(deadline, progress=inputs.progress))
        _in_time(deadline)
        target = task.prepare(table.y, name=table.target, positive_label=config.data.positive_label)
        if plan is None:
            plan = _split(config, task, table, target, valid_rows)
        space, exclusions = prepare.usable_space(space, config, table)
        _in_time(deadline)
        metrics = prepare.metrics_for(config, inputs, task, target.n_classes)
        across = split_guardrails(
            plan, table.X, target.values, classification=target.classes is not None, group=table.group, time=table.time
        )
        return cls(
            task=task.name,
            space=space,
            objectives=tuple(metric.objective for metric in metrics[: max(1, len(config.metric))]),
            exclusions=exclusions,
            steps=fold_steps(len(plan.folds)),
            kind=task,
            table=table,
            target=target,
            plan=plan,
            metrics=metrics,
            guardrails=(*table.guardrails, *task.guardrails(target), *across),
            test_values=prepare.values_to_test(table, task, target),
            from_memory=inputs.from_memory or prepare.holds_credentials(config),
            trust=inputs.trust,
        )

    # On disk, and in words

    def save(self, directory: ExperimentDirectory) -> None:
        files.save_problem(self, directory)

    def as_recorded(self, directory: ExperimentDirectory) -> Self:
        return files.as_recorded(self, directory)

    def describe(self) -> dict[str, Any]:
        return describe(self)

    def record(self) -> dict[str, Any]:
        classes = self.target.classes
        return {
            "fingerprint": self.table.fingerprint,
            "split_plan": self.plan.hash,
            "validation": self.plan.description,
            "classes": None if classes is None else tuple(str(label) for label in classes),
            "guardrails": tuple(guardrail.as_json() for guardrail in self.guardrails),
        }

    @property
    def first_part(self) -> str:
        folds = len(self.plan.folds)
        return "its only fold" if folds == 1 else f"the first of its {folds} folds"

    @property
    def core_seconds(self) -> float:
        return self.kind.core_seconds(self.table)

    # Its trials

    def context(self, cache: Path, *, judged: bool, keep_models: bool = True) -> TrialContext:
        work = LearnerWork(
            X=self.table.X,
            target=self.target,
            columns=self.table.columns,
            plan=self.plan,
            algorithms=self.space.algorithms,
            primary=self.primary,
            metrics=self.metrics,
            weight=self.table.weight,
            trust=self.trust,
            cache=cache,
            first_look=judged,
            tested=0 if self.table.test is None else self.table.test.n_rows,
            keep_models=keep_models,
        )
        imports = warm_imports(self.space)
        return TrialContext(work, imports, devices_of(self.space.algorithms.values()))

    # What they leave

    def seconds_to_test(self, result: TrialResult) -> float | None:
        return seconds_to_test(self, result)

    def preload(self, models: Path) -> None:
        preload_model(models)

    def test(self, models: Path) -> dict[str, float]:
        return score_test(self, models)

    @classmethod
    def artifact(cls, config: Declared, directory: ExperimentDirectory, result: TrialResult) -> Artifact:
        return artifact_of(config, directory, result)

    @classmethod
    def load(cls, models: Path) -> Any:
        """Load a fitted scikit-learn estimator that takes the raw columns, or pictures."""
        from automl.learning.ensemble.bag import load_bag  # scikit-learn: not needed before the first trial

        return load_bag(models)


def _split(config: Declared, task: Task, table: Table, target: Target, valid_rows: np.ndarray | None) -> SplitPlan:
    return make_plan(
        config.validation if valid_rows is not None else task.validation(config.validation, table),
        y=target.values,
        n_rows=table.n_rows,
        stratify=task.stratify,
        group=table.group,
        time=table.time,
        fold_column=table.fold,
        valid_rows=valid_rows,
        seed=config.seed,
    )


def _in_time(deadline: Deadline | None) -> None:
    if deadline is not None:
        check_start(deadline)
