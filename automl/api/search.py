"""`fit`, `run`, `validate`, `plan`: build a configuration and hand it over."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Hashable, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Never

from automl.deadline import Deadline
from automl.engine.workspace.layout import Workspace
from automl.errors import AutomlError, ConfigError, NoModelError

if TYPE_CHECKING:
    from automl.config.schema import ExperimentConfig
    from automl.engine.execution.base import Executor
    from automl.engine.execution.options import ComputeOptions
    from automl.engine.search.inputs import Inputs
    from automl.engine.search.options import LimitsOptions, SearchOptions
    from automl.engine.workspace.options import RetentionOptions
    from automl.experiment.result import Result
    from automl.experiment.watchdog import Watchdog
    from automl.learning.features.options import FeatureOptions
    from automl.learning.validation.options import ValidationOptions
    from automl.registry.options import RegistryOptions
    from automl.tracking.options import TrackingOptions

__all__ = ["MetricLike", "fit", "override", "plan", "run", "validate"]

MetricLike = str | Callable[..., float] | Mapping[str, Any]


def fit(
    task: str,
    data: Any,
    *,
    target: Hashable | None = None,
    metric: MetricLike | list[MetricLike] | None = None,
    time_budget: float | str | None = None,
    max_trials: int | None = None,
    seed: int = 0,
    name: str | None = None,
    trust: bool = False,
    progress: bool = True,
    validation: ValidationOptions | Mapping[str, Any] | None = None,
    limits: LimitsOptions | Mapping[str, Any] | None = None,
    search: SearchOptions | Mapping[str, Any] | None = None,
    features: FeatureOptions | Mapping[str, Any] | None = None,
    compute: ComputeOptions | Mapping[str, Any] | None = None,
    registry: RegistryOptions | Mapping[str, Any] | Literal["auto"] | None = "auto",
    tracking: TrackingOptions | Mapping[str, Any] | Literal["auto"] | None = "auto",
    retention: RetentionOptions | Mapping[str, Any] | None = None,
    workspace: str | os.PathLike[str] | None = None,
    **unknown: Never,
) -> Result:
    """Search for the best model and register it.

    The groups, from `validation` to `retention`, are those of an experiment file, each an options object or a mapping
    of its keys.

    Args:
        task: "classification", "regression" or "image_classification"; classification of pictures is the latter.
        data: a built-in dataset's name, a table (pandas, polars, Arrow), (X, y), or a path or URL of CSV or Parquet.
            Pictures: a folder with a subfolder per class, a table or Parquet with a column of pictures, or (X, y) with
            X of shape (n, height, width, channels), (n, channels, height, width) or (n, height, width).
            Or a mapping of ``source``, which is one of these, and ``test``, ``weight``, ``group``, ``time``,
            ``positive_label``, ``directory``, as in an experiment file.
        target: the column to predict, for a table.
        metric: what to optimise: a name, or a function ``(y_true, y_pred) -> float``, which is maximised unless it is
            given as ``{"name": function, "goal": "minimize"}``; of several the first decides.
        time_budget: seconds for everything, or a text such as "10m".
        max_trials: how many trials at most. Without any limit the search stops when nothing improves any longer.
        seed: everything random derives from it.
        name: of the experiment and of the registered model; by default the data's.
        trust: let a search space name any class, and set any argument of it.
        progress: show what goes on.
        validation: how the data is split; also ``source``, a table of validation rows.
        limits: when the search ends, beside `time_budget` and `max_trials`, and what one trial and its model may cost.
        search: space, algorithms, sampler, pruner, warm start, how the winner is picked.
        features: kinds of columns, columns to drop.
        compute: where trials run, and with how much of it.
        registry: under which name the best model is registered, and when it becomes the champion; None: nowhere;
            "auto": under the experiment's.
        tracking: the MLflow store that runs are mirrored to; None: none; "auto": one in the workspace.
        retention: whose models are kept.
        workspace: the folder where everything is kept; by default $AUTOML_HOME, or ``./automl_runs``.
        **unknown: nothing; whatever is misspelt ends here, and is answered with what it may have meant.

    Returns:
        The result: `model`, `predict`, `leaderboard()`, `registered_model`, ...

    Raises:
        ConfigError: an argument cannot be used. Says which, and what instead.
        DataError: nothing can be learned from the data.
        NoModelError: no trial completed; carries the causes.

    Example:
        A search of one trial, in this process; without `max_trials` and the groups it is a real one.

        >>> result = automl.fit(
        ...     "classification", "iris", max_trials=1, search={"algorithms": {"allow": ["lda"]}},
        ...     compute={"executor": "inline"}, registry=None, tracking=None, progress=False,
        ... )
        >>> result.predict([[5.1, 3.5, 1.4, 0.2]])
        array(['setosa'], dtype=object)
    """
    started = time.monotonic()
    from automl.config.arguments import arguments_of
    from automl.config.reader import build_config
    from automl.config.tasks import problem_class

    groups = {
        "validation": validation, "limits": limits, "search": search, "features": features, "compute": compute,
        "retention": retention, "workspace": None if workspace is None else os.fspath(workspace),
    }  # fmt: skip
    given: dict[str, Any] = {name: group for name, group in groups.items() if group is not None}
    given |= {name: group for name, group in (("registry", registry), ("tracking", tracking)) if group != "auto"}
    arguments = arguments_of(
        task, data, target=target, metric=metric, time_budget=time_budget, max_trials=max_trials, seed=seed, name=name,
        groups={**given, **unknown},
    )  # fmt: skip
    config = build_config(arguments.values)
    return _new(
        config,
        lambda: problem_class(config.task).inputs(
            data=arguments.data,
            roles=arguments.roles,
            validation=arguments.validation,
            metrics=arguments.metrics,
            trust=trust,
            progress=progress,
        ),
        progress=progress,
        started=started,
    )


def run(
    file: str | Path,
    *,
    workspace: str | Path | None = None,
    time_budget: float | str | None = None,
    max_trials: int | None = None,
    trust: bool = False,
    progress: bool = True,
    started: float | None = None,
    last_words: Callable[[Result], None] | None = None,
) -> Result:
    """Run the experiment that a YAML file declares.

    Args:
        file: the experiment.
        workspace: where everything is kept; by default the file's, $AUTOML_HOME, or ``./automl_runs``.
        time_budget: overrides the file's ``limits.time_budget``.
        max_trials: overrides the file's ``limits.max_trials``.
        trust: let the file name any class and argument, and hosts beyond this machine.
        progress: show what goes on.
        started: reading of `time.monotonic()` from which the budget counts; default: now.
        last_words: for a process that belongs to no one else, such as the command line's. Where the budget is over, and
            something keeps this function from returning, it prints what there is, and then the process ends.

    Raises:
        ConfigError: something in the file cannot be used. Says where, and what instead.
        DataError: nothing can be learned from the data.
        NoModelError: no trial completed; carries the causes.

    Example:
        >>> result = automl.run("iris.yaml", progress=False)
        >>> result.stopped_because
        'max_trials: 1 trials were run'
    """
    begin = time.monotonic() if started is None else started
    from automl.config.addresses import check_addresses
    from automl.config.reader import read_config
    from automl.config.tasks import problem_class

    config, document = read_config(file)
    config = override(config, workspace, time_budget, max_trials)
    try:
        check_addresses(config, trust=trust)
        return _new(
            config,
            lambda: problem_class(config.task).inputs(trust=trust, progress=progress),
            progress=progress,
            started=begin,
            last_words=last_words,
        )
    except ConfigError as error:
        raise document.place(error) from None


def validate(file: str | Path, *, trust: bool = False) -> ExperimentConfig:
    """Check an experiment file, and the search space that it names, without reading data or running anything.

    Raises:
        ConfigError: something in it is wrong. Says where, and what instead.

    Example:
        >>> automl.validate("iris.yaml").limits.max_trials
        1
    """
    from automl.config.addresses import check_addresses
    from automl.config.reader import read_config
    from automl.config.tasks import problem_class
    from automl.experiment.assembly import resolve

    config, document = read_config(file)
    try:
        check_addresses(config, trust=trust)
        config = resolve(config)
        problem_class(config.task).check(config, trust=trust)
    except ConfigError as error:
        raise document.place(error) from None
    return config


def plan(file: str | Path, *, trust: bool = False) -> dict[str, Any]:
    """Describe what `run` would do: the data as understood, the split, algorithms in and out, the space, the budget.

    Nothing is trained and nothing is written.

    Returns:
        Plain data, as ``automl plan --json`` prints it.

    Raises:
        ConfigError: something in the file cannot be used. Says where, and what instead.
        DataError: nothing can be learned from the data.
        TimeBudgetError: reading the data takes longer than the search may last.

    Example:
        >>> described = automl.plan("iris.yaml")
        >>> described["experiment"], described["task"]
        ('iris', 'classification')
    """
    from automl.config.addresses import check_addresses
    from automl.config.reader import read_config
    from automl.config.tasks import problem_class
    from automl.experiment.assembly import check_gpus, resolve
    from automl.experiment.problem.describe import describe_plan

    config, document = read_config(file)
    try:
        check_addresses(config, trust=trust)
        config = resolve(config)
        kind = problem_class(config.task)
        inputs = kind.inputs(trust=trust)
        if config.experiment is None:
            config = config.model_copy(update={"experiment": kind.name_for(config, inputs)})
        # What takes longer to read than the search may last could not be searched either.
        problem = kind.prepare(config, inputs, Deadline.after(config.limits.time_budget))
        check_gpus(config, problem.space)
        return describe_plan(config, problem)
    except ConfigError as error:
        raise document.place(error) from None


def _new(
    config: ExperimentConfig,
    inputs: Callable[[], Inputs],
    *,
    progress: bool,
    started: float,
    last_words: Callable[[Result], None] | None = None,
) -> Result:
    from automl.experiment.prestart import begin_executor
    from automl.experiment.watchdog import Watchdog
    from automl.start import check_start

    deadline = Deadline.after(config.limits.time_budget, started=started)
    watchdog = Watchdog(deadline, last_words)
    watchdog.says(partial(check_start, deadline))
    check_start(deadline)
    with closing(begin_executor(config, deadline)) as executor:
        return _begin(config, inputs, executor, deadline, watchdog, progress=progress)


def _begin(
    config: ExperimentConfig,
    inputs: Callable[[], Inputs],
    executor: Executor,
    deadline: Deadline,
    watchdog: Watchdog,
    *,
    progress: bool,
) -> Result:
    from automl.config.addresses import note_addresses
    from automl.config.tasks import problem_class
    from automl.display.view import make_progress
    from automl.experiment.assembly import resolve
    from automl.experiment.session import run_session

    given = inputs()  # not before a worker is on its way: it takes imports
    config = resolve(config, given)
    name = config.experiment or problem_class(config.task).name_for(config, given)
    directory = Workspace.find(config.workspace).create_experiment(name)
    config = config.model_copy(update={"experiment": name, "workspace": str(directory.workspace.root)})
    try:
        note_addresses(config, directory)
        view = make_progress(progress, title=name)
        return run_session(config, given, directory, executor, deadline=deadline, watchdog=watchdog, view=view)
    except AutomlError as error:
        if not isinstance(error, NoModelError) and not directory.trial_numbers():
            directory.remove()  # nothing began, so there is nothing to look at
        raise


def override(
    config: ExperimentConfig,
    workspace: str | Path | None,
    time_budget: float | str | None,
    max_trials: int | None,
) -> ExperimentConfig:
    """Return the configuration with what a caller has said in addition."""
    from automl.config.override import with_limits

    config = with_limits(config, time_budget=time_budget, max_trials=max_trials)
    if workspace is None:
        return config
    return config.model_copy(update={"workspace": str(Path(workspace).absolute())})
