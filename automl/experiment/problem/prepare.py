"""From a configuration to a problem that can be searched: data, task, split plan, metrics, space."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from automl.config.schema import ExperimentConfig
from automl.deadline import Deadline
from automl.engine.space.load import Exclusion, available, load_space
from automl.engine.space.space import SearchSpace
from automl.engine.trial.objective import Objective
from automl.errors import ConfigError, DataError, SpaceError
from automl.experiment.problem.inputs import Inputs
from automl.learning.algorithms.trust import check_estimators, check_trust
from automl.learning.data.append import append_rows
from automl.learning.data.guardrails import Guardrail
from automl.learning.data.reading.context import Reading
from automl.learning.data.table import Table
from automl.learning.features.views import check_view, find_view_mistakes
from automl.learning.metrics.base import Metric
from automl.learning.metrics.options import MetricOptions
from automl.learning.metrics.registry import get_metric, metric_from_callable, metrics_of
from automl.learning.tasks.base import Target, Task
from automl.learning.tasks.registry import get_task
from automl.learning.validation.folds import SplitPlan
from automl.learning.validation.guardrails import split_guardrails
from automl.learning.validation.plan import make_plan
from automl.redact import redact_text
from automl.start import check_start

__all__ = ["Problem", "default_name", "prepare"]


@dataclass(frozen=True)
class Problem:
    """Everything about an experiment that its trials depend on.

    Attributes:
        table: all rows that are trained on or validated with.
        target: the prepared target of these rows.
        test_values: of the rows of ``table.test``, in the terms of `target`; None without any.
        metrics: all that are logged; the first is the primary one.
        space: what is searched: only what can run here.
        exclusions: algorithms that were left out, and why.
        from_memory: the data cannot be read again, since it came as objects, or from a URL of which credentials or a
            query are not kept: a resumed session needs a copy.
    """

    table: Table
    task: Task
    target: Target
    plan: SplitPlan
    metrics: tuple[Metric, ...]
    space: SearchSpace
    exclusions: tuple[Exclusion, ...]
    guardrails: tuple[Guardrail, ...]
    test_values: np.ndarray | None = None
    from_memory: bool = False

    @property
    def primary(self) -> Metric:
        return self.metrics[0]

    @property
    def objective(self) -> Objective:
        """The primary metric, as the engine knows it."""
        return self.primary.objective


def default_name(config: ExperimentConfig, inputs: Inputs) -> str:
    """A name for an experiment that has none: that of its data."""
    source = config.data.source
    if inputs.data is not None or not isinstance(source, str):
        return config.task
    stem = Path(redact_text(source)).name.split(".")[0]
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")
    return name[:100] or config.task


def prepare(config: ExperimentConfig, inputs: Inputs, deadline: Deadline | None = None) -> Problem:
    """Understand the data and decide what to search.

    Args:
        deadline: the clock of the search that waits for it; None if it has something to deliver in any case.

    Raises:
        TimeBudgetError: the time is over.
        AutomlError: the data, the metric, the validation or the space cannot be used. Says which, and what instead.
    """
    task = get_task(config.task)
    space = _declared_space(config, task, inputs.trust)
    table, plan, valid_rows = _data(config, inputs, task, Reading(deadline, progress=inputs.progress))
    _in_time(deadline)
    target = task.prepare(table.y, name=table.target, positive_label=config.data.positive_label)
    if plan is None:
        plan = make_plan(
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
    space, exclusions = _usable_space(space, config, table)
    _in_time(deadline)
    across = split_guardrails(
        plan, table.X, target.values, classification=target.classes is not None, group=table.group, time=table.time
    )
    return Problem(
        table=table,
        task=task,
        target=target,
        plan=plan,
        metrics=_metrics(config, inputs, task, target.n_classes),
        space=space,
        exclusions=exclusions,
        guardrails=(*table.guardrails, *task.guardrails(target), *across),
        test_values=_test_values(table, task, target),
        from_memory=inputs.from_memory or _holds_credentials(config),
    )


def _in_time(deadline: Deadline | None) -> None:
    if deadline is not None:
        check_start(deadline)


def _data(
    config: ExperimentConfig, inputs: Inputs, task: Task, reading: Reading
) -> tuple[Table, SplitPlan | None, np.ndarray | None]:
    """All rows that are trained on or validated with; how they are split, or the positions of those to validate with.

    Raises:
        DataError: they cannot be read, or nothing can be learned from them.
    """
    if inputs.saved is not None:
        return *inputs.saved, None
    source = inputs.data if inputs.data is not None else config.data.source
    if source is None:
        raise ConfigError("no data: name a file, a URL or a built-in dataset.", key="data.source")
    options = config.data.model_copy(update=dict(inputs.roles))
    table = task.load(
        source,
        options,
        columns=config.features.columns,
        drop=config.features.drop,
        fold_column=config.validation.fold,
        reading=reading,
    )
    given = inputs.validation if inputs.validation is not None else config.validation.source
    if given is None:
        return table, None, None
    more = task.load_like(given, options, table, what="validation data", reading=reading)
    return append_rows(table, more), None, np.arange(table.n_rows, table.n_rows + more.n_rows)


def _holds_credentials(config: ExperimentConfig) -> bool:
    """Tell whether data is at a URL that experiment.yaml cannot repeat, since it keeps no credentials and no query."""
    sources = (config.data.source, config.data.test, config.validation.source)
    return any(isinstance(source, str) and redact_text(source) != source for source in sources)


def _test_values(table: Table, task: Task, target: Target) -> np.ndarray | None:
    """The target of the test rows, before the search: after it, a mistake in them would come too late."""
    if table.test is None:
        return None
    try:
        return task.more(table.test.y, target, name=table.target)
    except DataError as error:
        raise DataError(f"The test data cannot be used. {error}") from error


def _declared_space(config: ExperimentConfig, task: Task, trust: bool) -> SearchSpace:
    """Return what is to be searched. What is not trusted is refused before anything is imported or read."""
    wanted = config.search.algorithms
    space = load_space(config.search.space, task=task.name, check=find_view_mistakes)
    space = space.restrict(allow=wanted.allow, block=wanted.block)
    if config.search.space is not None:
        check_trust(space, trust=trust)
        check_estimators(space, trust=trust)
    return space if config.search.portfolio else space.model_copy(update={"portfolio": ()})


def _usable_space(
    space: SearchSpace, config: ExperimentConfig, table: Table
) -> tuple[SearchSpace, tuple[Exclusion, ...]]:
    """Return the part of it that can be searched here."""
    wanted = config.search.algorithms
    space, exclusions = available(space, asked=wanted.allow or (), n_rows=table.n_rows)
    if config.search.space is not None:
        _check_views(space, table)
    return space, exclusions


def _check_views(space: SearchSpace, table: Table) -> None:
    """Refuse an algorithm that asks for a view that these rows do not have, before a trial does.

    Raises:
        SpaceError: with the key.
    """
    for name, algorithm in space.algorithms.items():
        try:
            check_view(algorithm.view, table.columns)
        except SpaceError as error:
            raise SpaceError(error.message, key=f"search.space.algorithms.{name}.{error.key}") from None


def _metrics(config: ExperimentConfig, inputs: Inputs, task: Task, n_classes: int | None) -> tuple[Metric, ...]:
    """The metrics asked for, the first of which decides, then all others of the task."""
    asked = [_metric(option, inputs, task, n_classes) for option in config.metric]
    if not asked:
        asked = [get_metric(task.default_metric(n_classes), task.scored_as, n_classes)]
    names = {metric.name for metric in asked}
    others = (metric for metric in metrics_of(task.scored_as, n_classes) if metric.name not in names)
    return (*asked, *others)


def _metric(option: MetricOptions, inputs: Inputs, task: Task, n_classes: int | None) -> Metric:
    function = (inputs.metrics or {}).get(option.name)
    if function is None:
        metric = get_metric(option.name, task.scored_as, n_classes)
        goal = None if option.goal is None else option.goal == "maximize"
        if goal is not None and goal != metric.maximize:
            raise ConfigError(f"{option.name} is to be {'max' if metric.maximize else 'min'}imized.", key="metric.goal")
        return metric
    return replace(
        metric_from_callable(function, name=option.name, maximize=option.goal != "minimize"),
        tasks=frozenset({task.scored_as}),
    )
