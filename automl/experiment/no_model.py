"""The reasons why a search has left no model, and what to write instead."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from automl.deadline import Deadline
from automl.engine.study.state import SearchState
from automl.engine.trial.contract import Status, TrialResult
from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import NoModelError
from automl.experiment.results.leaderboard import read_trials

__all__ = ["no_model"]

_MOST_CAUSES = 5
_SAFELY = 2.0
"""Times what a trial has used up in vain, or what came before it: how far it was is unknown."""
_STEPS = ((60, 5), (300, 15), (math.inf, 60))
"""Up to the first number of seconds, budgets are advised in multiples of the second."""


def no_model(last: SearchState, directory: ExperimentDirectory, deadline: Deadline, *, first_part: str) -> NoModelError:
    """Explain why no trial has left a model: each cause once, most frequent first; how much time would have done.

    Args:
        last: the state of the search at its end.
        deadline: its clock.
        first_part: what a trial has to complete before anything of it can be kept, in words.
    """
    results = read_trials(directory)
    causes = [*_out_of_time(results, first_part), *_failures(results)][:_MOST_CAUSES]
    if not causes and last.counts:
        causes = [f"the trials ended {', '.join(f'{count} {of.value.lower()}' for of, count in last.counts.items())}"]
    if not last.counts and deadline.limited:
        causes = [f"the time ran out before the first trial could begin, after {last.elapsed:.1f} s"]
    clock = deadline.limited and (last.remaining <= 0 or last.out_of_time)
    return NoModelError(
        f"No trial completed, so there is no model. The search stopped because of {last.stopped_because}.",
        causes=tuple(causes),
        directory=directory.path,
        wants=_wanted(results, deadline) if clock else None,
    )


def _out_of_time(results: Sequence[TrialResult], first_part: str) -> Iterator[str]:
    """Describe the trials that the clock has ended."""
    for result in (result for result in results if result.status is Status.CANCELLED):
        if not result.worker:
            yield f"trial {result.number}, {result.algorithm}, was ended before a worker was ready for it"
            continue
        where = f"{result.extent}, and is over a limit on models" if result.is_partial else f"within {first_part}"
        yield f"trial {result.number}, {result.algorithm}, was ended after {result.seconds:.1f} s, {where}"


def _failures(results: Sequence[TrialResult]) -> Iterator[str]:
    failures = [r.failure for r in results if r.failure is not None and r.status is not Status.CANCELLED]
    reasons = Counter(f"{failure.kind}: {failure.message}" for failure in failures)
    for reason, count in reasons.most_common(_MOST_CAUSES):
        yield f"{reason} ({count} trials)" if count > 1 else reason


def _wanted(results: Sequence[TrialResult], deadline: Deadline) -> float:
    """Seconds of a budget in which a model is likely."""
    longest = max((result.seconds for result in results if result.status is Status.CANCELLED), default=0.0)
    seconds = max(deadline.budget, deadline.spent()) + _SAFELY * (longest or deadline.spent())
    step = next(step for most, step in _STEPS if seconds <= most)
    return float(step * math.ceil(seconds / step))
