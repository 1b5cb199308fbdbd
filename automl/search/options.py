"""What users write below ``search:`` and ``limits:``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field, create_model

from automl.options import Duration, Options, Size
from automl.search.exits.registry import exit_criteria
from automl.search.named import Named, NamedOptions

__all__ = ["AlgorithmFilter", "LimitsOptions", "SearchOptions", "TrialLimitsOptions"]


class AlgorithmFilter(Options):
    allow: tuple[str, ...] | None = Field(default=None, description="only these algorithms")
    block: tuple[str, ...] = Field(default=(), description="not these algorithms")


class SearchOptions(Options):
    space: str | dict[str, Any] | None = Field(
        default=None, description="a search space: a file, or the space itself; by default the task's own"
    )
    algorithms: AlgorithmFilter = AlgorithmFilter()
    sampler: Named = NamedOptions(name="auto")
    pruner: Named = NamedOptions(name="median")
    portfolio: bool = Field(default=True, description="try the space's portfolio of good configurations first")


class TrialLimitsOptions(Options):
    """Limits of a single trial; the rest of ``limits:`` belongs to the exit criteria."""

    trial_timeout: Duration | None = Field(default=None, description="seconds for one trial; it is killed after them")
    trial_memory: Size | None = Field(default=None, description="resident memory of one trial and its children")


if TYPE_CHECKING:
    LimitsOptions = Any
else:
    LimitsOptions = create_model(
        "LimitsOptions",
        __base__=(TrialLimitsOptions, *{c.Limits: None for c in exit_criteria() if c.Limits is not Options}),
        __doc__="When a trial, and when the experiment ends: assembled from what each exit criterion declares.",
    )
