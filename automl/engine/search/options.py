"""Options that users write below ``search:`` and ``limits:``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, create_model, model_validator

from automl.engine.plugins.component_options import Component, ComponentOptions
from automl.engine.stopping.registry import exit_criteria
from automl.options import Duration, Options, Size

if TYPE_CHECKING:
    from automl.engine.stopping.max_failures import MaxFailuresLimits
    from automl.engine.stopping.max_trials import MaxTrialsLimits
    from automl.engine.stopping.patience import PatienceLimits
    from automl.engine.stopping.target_score import TargetScoreLimits
    from automl.engine.stopping.time_budget import TimeBudgetLimits

__all__ = ["AlgorithmFilter", "LimitsOptions", "ModelLimitsOptions", "PickRule", "SearchOptions", "TrialLimitsOptions"]

PickRule = Literal["best", "one_standard_error"]
"""The rule that picks the winner from the trials within the limits."""


class AlgorithmFilter(Options):
    allow: tuple[str, ...] | None = Field(default=None, description="only these algorithms")
    block: tuple[str, ...] = Field(default=(), description="not these algorithms")


class SearchOptions(Options):
    space: str | dict[str, Any] | None = Field(
        default=None, description="a search space: a file, or the space itself; by default the task's own"
    )
    algorithms: AlgorithmFilter = AlgorithmFilter()
    sampler: Component = ComponentOptions(name="auto")
    pruner: Component = Field(
        default=ComponentOptions(name="racing"),
        description="what ends hopeless trials; where pick asks for more than the best score, the default is median",
    )
    warm_start: Annotated[
        str | None, BeforeValidator(lambda value: os.fspath(value) if isinstance(value, os.PathLike) else value)
    ] = Field(
        default=None,
        description="an earlier experiment (its directory, or name/id in the workspace) whose best trials run first",
    )
    portfolio: bool = Field(default=True, description="try the space's portfolio of good configurations first")
    final_training: bool = Field(
        default=True,
        description="keep the largest part of a time budget for one last training of the best net; false: all nets get "
        "equal allotments, to the end",
    )
    pick: PickRule = Field(
        default="best",
        description="the winner: the best score; or the cheapest model within one standard error of the best score",
    )

    @model_validator(mode="before")
    @classmethod
    def _keep_the_nearly_best(cls, given: Any) -> Any:
        """Racing ends what cannot become the best, so there would be little to pick from."""
        if isinstance(given, dict) and given.get("pick", "best") != "best":
            return {"pruner": "median", **given}
        return given


class TrialLimitsOptions(Options):
    """Limits of a single trial."""

    trial_timeout: Duration | None = Field(default=None, description="seconds for one trial; it is killed after them")
    trial_memory: Size | None = Field(default=None, description="resident memory of one trial and its children")


class ModelLimitsOptions(Options):
    """Limits of what may win."""

    predict_time: Duration | None = Field(
        default=None, description="seconds to predict one row; a slower model is kept, and never the best"
    )
    model_size: Size | None = Field(default=None, description="bytes; a larger model is kept, and never the best")


if TYPE_CHECKING:

    class LimitsOptions(
        TrialLimitsOptions,
        ModelLimitsOptions,
        MaxFailuresLimits,
        MaxTrialsLimits,
        PatienceLimits,
        TargetScoreLimits,
        TimeBudgetLimits,
    ):
        """The same as below, without what plugins bring: for type checkers and editors."""

else:
    LimitsOptions = create_model(
        "LimitsOptions",
        __base__=(
            TrialLimitsOptions,
            ModelLimitsOptions,
            *{c.Limits: None for c in exit_criteria() if c.Limits is not Options},
        ),
        __doc__="The limits of a trial and of the experiment: assembled from what each exit criterion declares.",
    )
