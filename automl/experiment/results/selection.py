"""The choice of the completed trial that wins, and the reason for it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from automl.display.figures import latency, score, size
from automl.engine.search.options import PickRule
from automl.engine.trial.contract import TrialResult
from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import NoModelError
from automl.experiment.results.objectives import Objectives

__all__ = ["RULES", "Pick", "nothing_within_limits", "pick_partial", "pick_winner"]

_SAME_LATENCY = 1.1
"""Latencies are measured beside other work: a model that is slower by less than a tenth does not count as slower."""
_WORTH_SAYING = 1.5


@dataclass(frozen=True)
class Pick:
    """The winner; `why` is a sentence where it is not simply the best score of all, and empty where it is."""

    result: TrialResult
    why: str = ""


def pick_winner(best: TrialResult, completed: Sequence[TrialResult], objectives: Objectives) -> Pick:
    """The winner by the experiment's rule.

    Args:
        best: the best score within the limits, as the search has found it.
        completed: all completed trials of full fidelity, `best` and those over a limit among them.
        objectives: metric, limits and rule.
    """
    allowed = [result for result in completed if objectives.limits.allow(result)]
    picked = RULES[objectives.pick](best, allowed, objectives)
    said = (picked.why, _passed_over(best, completed, objectives))
    return Pick(picked.result, " ".join(sentence for sentence in said if sentence))


def pick_partial(result: TrialResult) -> Pick:
    """Pick the trial that has left a part of a model, where none is whole."""
    return Pick(result, f"No trial reached its end in time: this one's model is {result.extent}.")


def _best(best: TrialResult, allowed: Sequence[TrialResult], objectives: Objectives) -> Pick:
    return Pick(best)


def _one_standard_error(best: TrialResult, allowed: Sequence[TrialResult], objectives: Objectives) -> Pick:
    """The cheapest model whose score is within one standard error of the best score.

    The 1-SE rule of Breiman, Friedman, Olshen and Stone, Classification and Regression Trees (1984), section 3.4.3,
    with the cost of a prediction in place of a tree's size: least latency, then least size, then best score. The
    standard error is that of the best trial's mean over folds (standard deviation with ddof 1, divided by the root of
    their number); folds of repeated cross-validation overlap, so it is a yardstick and not an interval.
    """
    if len(best.fold_scores) < 2:
        return Pick(best, "The standard error of a single fold is unknown, so the best score was picked.")
    assert best.value is not None
    error = statistics.stdev(best.fold_scores) / math.sqrt(len(best.fold_scores))
    close = [result for result in allowed if result.value is not None and abs(result.value - best.value) <= error]
    least = min(map(_latency, close), default=math.inf)
    fast = [result for result in close if _latency(result) <= least * _SAME_LATENCY]
    cheapest = min(
        fast or [best],
        key=lambda result: (
            result.model_size,
            objectives.primary.loss(result.value or 0.0),
            _latency(result),
            result.number,
        ),
    )
    if cheapest.number == best.number:
        return Pick(best)
    return Pick(
        cheapest,
        f"Within one standard error ({error:.2g}) of the best score ({_named(best, objectives)})"
        f"{_cheaper(cheapest, best)}.",
    )


RULES: Mapping[PickRule, Callable[[TrialResult, Sequence[TrialResult], Objectives], Pick]] = MappingProxyType(
    {"best": _best, "one_standard_error": _one_standard_error}
)
"""Each picks among the trials within the limits, whose best score is the first argument's."""


def nothing_within_limits(
    completed: Sequence[TrialResult], objectives: Objectives, directory: ExperimentDirectory
) -> NoModelError:
    """Return the error where no completed trial may be chosen: which came nearest, and what can be done now."""
    limits, nearest = objectives.limits, []
    if limits.predict_time is not None:
        fastest = min(completed, key=_latency)
        nearest.append(f"predict_time {latency(limits.predict_time)}: the fastest is {_costs(fastest, objectives)}")
    if limits.model_size is not None:
        smallest = min(completed, key=lambda result: result.model_size)
        nearest.append(f"model_size {size(limits.model_size)}: the smallest is {_costs(smallest, objectives)}")
    place = directory.path
    return NoModelError(
        f"{len(completed)} trials completed, and none is within the limits on models. All are kept: "
        f"'automl models register {place} --trial N' registers one anyway; with other limits in its experiment.yaml "
        "'automl resume' picks again.",
        causes=tuple(nearest),
        directory=place,
    )


def _passed_over(best: TrialResult, completed: Sequence[TrialResult], objectives: Objectives) -> str:
    """The best score that a limit has excluded, if it beats what could be chosen."""
    limits = objectives.limits
    over = [result for result in completed if result.value is not None and not limits.allow(result)]
    if not over or best.value is None:
        return ""
    top = objectives.primary.best(over, key=lambda result: result.value or 0.0)
    if top.value is None or not objectives.primary.better(top.value, best.value):
        return ""
    found = {
        "predict_time": lambda: f"takes {_time(top)} for a row (limit {latency(limits.predict_time or 0)})",
        "model_size": lambda: f"has {size(top.model_size)} (limit {size(limits.model_size or 0)})",
    }
    why = " and ".join(found[name]() for name in limits.exceeded(top))
    return f"{_named(top, objectives, capital=True)} scored better, but {why}."


def _cheaper(cheap: TrialResult, dear: TrialResult) -> str:
    """Say what is gained: ``: 9.1 times as fast, 3.0 times smaller``."""
    gains = []
    if cheap.predict_latency and dear.predict_latency:
        times = dear.predict_latency / cheap.predict_latency
        gains += [f"{_times(times)} as fast"] if times >= _WORTH_SAYING else []
    if cheap.model_size and dear.model_size / cheap.model_size >= _WORTH_SAYING:
        gains.append(f"{_times(dear.model_size / cheap.model_size)} smaller")
    return f": {', '.join(gains)}" if gains else ""


def _times(factor: float) -> str:
    return f"{factor:.1f} times" if factor < 9.95 else f"{factor:.0f} times"


def _named(result: TrialResult, objectives: Objectives, *, capital: bool = False) -> str:
    trial = "Trial" if capital else "trial"
    return f"{trial} {result.number}, {result.algorithm}: {objectives.primary.name} = {score(result.value)}"


def _costs(result: TrialResult, objectives: Objectives) -> str:
    return f"{_named(result, objectives)}, {_time(result)} for a row, {size(result.model_size)}"


def _time(result: TrialResult) -> str:
    return "an unknown time" if result.predict_latency is None else latency(result.predict_latency)


def _latency(result: TrialResult) -> float:
    return math.inf if result.predict_latency is None else result.predict_latency
