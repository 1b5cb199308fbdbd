"""A new model against the champion: only numbers measured on the same rows can say which is better."""

from __future__ import annotations

from dataclasses import dataclass

from automl.registry.candidate import Score

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True)
class Comparison:
    """The verdict on whether the champion gives way, and the reason as a clause."""

    better: bool
    reason: str


def compare(ours: Score, version: str, champion: Score | None) -> Comparison:
    """Compare a model with the champion.

    Args:
        ours: the new model's.
        version: the champion's version, for the sentence.
        champion: the champion's; None for one that automl has not registered.
    """
    if champion is None:
        return Comparison(False, f"version {version} was not registered by automl, so nothing says which is better")
    metric = ours.objective.name
    if champion.objective.name != ours.objective.name:
        return Comparison(False, f"version {version} was chosen by {champion.objective.name}, not by {metric}")
    if not ours.split_plan or champion.split_plan != ours.split_plan:
        return Comparison(False, f"version {version} was measured on another split of the data")
    if ours.share != champion.share:
        words = f"it is {ours.extent}" if ours.share < champion.share else f"version {version} is {champion.extent}"
        return Comparison(ours.share > champion.share, words)
    value, theirs = _number(ours.value), _number(champion.value)
    if value is None:
        return Comparison(False, f"it has no {metric}")
    if theirs is None:
        return Comparison(True, f"version {version} has no {metric}")
    better = ours.objective.better(value, theirs)
    beats = "beats" if better else "does not beat"
    return Comparison(better, f"{metric} {value:.6g} {beats} version {version}'s {theirs:.6g} on the same split")


def _number(value: float | None) -> float | None:
    return None if value is None or value != value else value
