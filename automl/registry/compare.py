"""Is a new model better than the champion? Only numbers measured on the same rows can say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from automl.registry import tags
from automl.registry.candidate import Candidate

__all__ = ["Verdict", "compare"]


@dataclass(frozen=True)
class Verdict:
    """Whether the champion gives way, and the reason as a clause."""

    better: bool
    reason: str


def compare(candidate: Candidate, version: str, champion: Mapping[str, str]) -> Verdict:
    """Compare a candidate with the champion.

    Args:
        candidate: the new model.
        version: the champion's version, for the sentence.
        champion: the tags of the champion's version.
    """
    if champion.get(tags.VERIFIED) != "true":
        return Verdict(False, f"version {version} was not registered by automl, so nothing says which is better")
    if champion.get(tags.METRIC) != candidate.metric:
        return Verdict(False, f"version {version} was chosen by {champion.get(tags.METRIC)}, not by {candidate.metric}")
    if not candidate.split_plan or champion.get(tags.SPLIT_PLAN) != candidate.split_plan:
        return Verdict(False, f"version {version} was measured on another split of the data")
    theirs = _number(champion.get(tags.VALUE))
    if candidate.value is None or candidate.value != candidate.value:
        return Verdict(False, f"it has no {candidate.metric}")
    if theirs is None:
        return Verdict(True, f"version {version} has no {candidate.metric}")
    ours = candidate.value
    better = ours > theirs if candidate.maximize else ours < theirs
    beats = "beats" if better else "does not beat"
    return Verdict(better, f"{candidate.metric} {ours:.6g} {beats} version {version}'s {theirs:.6g} on the same split")


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "nan")
    except ValueError:
        return None
    return None if value != value else value
