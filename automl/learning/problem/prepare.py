"""The parts of a learning problem: its data and split, its space, its metrics."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from automl.engine.space.load import Exclusion, available, load_space
from automl.engine.space.space import SearchSpace
from automl.errors import ConfigError, DataError, SpaceError
from automl.learning.algorithms.trust import check_estimators, check_trust
from automl.learning.data.append import append_rows
from automl.learning.data.reading.context import Reading
from automl.learning.data.table import Table
from automl.learning.features.views import check_view, find_view_mistakes
from automl.learning.metrics.base import Metric
from automl.learning.metrics.options import MetricOptions
from automl.learning.metrics.registry import get_metric, metric_from_callable, metric_from_options, metrics_of
from automl.learning.problem.declared import Declared
from automl.learning.problem.inputs import LearningInputs
from automl.learning.tasks.base import Target, Task
from automl.learning.validation.folds import SplitPlan
from automl.redact import redact_text

__all__ = [
    "declared_space",
    "default_name",
    "holds_credentials",
    "metrics_for",
    "read_data",
    "usable_space",
    "values_to_test",
]


def default_name(config: Declared, inputs: LearningInputs) -> str:
    """A name for an experiment that has none: that of its data."""
    source = config.data.source
    if inputs.data is not None or not isinstance(source, str):
        return config.task
    stem = Path(redact_text(source)).name.split(".")[0]
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")
    return name[:100] or config.task


def read_data(
    config: Declared, inputs: LearningInputs, task: Task, reading: Reading
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


def holds_credentials(config: Declared) -> bool:
    """Tell whether data is at a URL that experiment.yaml cannot repeat, since it keeps no credentials and no query."""
    sources = (config.data.source, config.data.test, config.validation.source)
    return any(isinstance(source, str) and redact_text(source) != source for source in sources)


def values_to_test(table: Table, task: Task, target: Target) -> np.ndarray | None:
    """The target of the test rows, before the search: after it, a mistake in them would come too late."""
    if table.test is None:
        return None
    try:
        return task.more(table.test.y, target, name=table.target)
    except DataError as error:
        raise DataError(f"The test data cannot be used. {error}") from error


def declared_space(config: Declared, task: Task, trust: bool) -> SearchSpace:
    """Return what is to be searched. What is not trusted is refused before anything is imported or read."""
    wanted = config.search.algorithms
    space = load_space(config.search.space, task=task.name, check=find_view_mistakes)
    space = space.restrict(allow=wanted.allow, block=wanted.block)
    if config.search.space is not None:
        check_trust(space, trust=trust)
        check_estimators(space, trust=trust)
    return space if config.search.portfolio else space.model_copy(update={"portfolio": ()})


def usable_space(space: SearchSpace, config: Declared, table: Table) -> tuple[SearchSpace, tuple[Exclusion, ...]]:
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


def metrics_for(config: Declared, inputs: LearningInputs, task: Task, n_classes: int | None) -> tuple[Metric, ...]:
    """The metrics asked for, the first of which decides, then all others of the task."""
    asked = [_metric(option, inputs, task, n_classes) for option in config.metric]
    if not asked:
        asked = [get_metric(task.default_metric(n_classes), task.scored_as, n_classes)]
    names = {metric.name for metric in asked}
    others = (metric for metric in metrics_of(task.scored_as, n_classes) if metric.name not in names)
    return (*asked, *others)


def _metric(option: MetricOptions, inputs: LearningInputs, task: Task, n_classes: int | None) -> Metric:
    function = (inputs.metrics or {}).get(option.name)
    if function is None:
        return metric_from_options(option, task.scored_as, n_classes)
    return replace(
        metric_from_callable(function, name=option.name, maximize=option.goal != "minimize"),
        tasks=frozenset({task.scored_as}),
    )
