"""The best configurations of an earlier experiment, tried again before anything else."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from automl.engine.proposers.fixed import FixedProposer
from automl.engine.space.parameter import BaseParameter
from automl.engine.space.space import AlgorithmSpace, SearchSpace
from automl.engine.study.proposal import Proposal

__all__ = ["EarlierTrial", "WarmStart", "fitted"]

log = logging.getLogger("automl")


@dataclass(frozen=True, slots=True)
class EarlierTrial:
    """A configuration that did well before.

    Attributes:
        params: real values by plain name.
        origin: where it comes from: ``name/id/number`` of an earlier experiment's trial.
    """

    algorithm: str
    params: Mapping[str, Any]
    origin: str


class WarmStart(FixedProposer):
    """Runs earlier trials again, as trials of this search: their scores then were not of this data and split.

    Algorithms that the space does not have are left out with one line in the log. A trial's notes say where its
    configuration comes from (`warm_start`).

    Args:
        trials: in the order in which they are to be tried.
    """

    def __init__(self, space: SearchSpace, trials: Iterable[EarlierTrial]) -> None:
        super().__init__(_fitting(space, tuple(trials)))


def _fitting(space: SearchSpace, trials: tuple[EarlierTrial, ...]) -> Iterator[Proposal]:
    """List each different configuration once: two may become one where the space has changed."""
    seen: list[Proposal] = []
    for trial in trials:
        algorithm = space.algorithms.get(trial.algorithm)
        if algorithm is None:
            continue
        notes = {"warm_start": trial.origin}
        proposal = Proposal.of(trial.algorithm, algorithm, fitted(algorithm, trial.params), notes=notes)
        if not any(proposal.same(other) for other in seen):
            seen.append(proposal)
            yield proposal
    gone = sorted({trial.algorithm for trial in trials} - space.algorithms.keys())
    if gone:
        log.info("warm start: %s left out, which this search space does not have", ", ".join(gone))


def fitted(space: AlgorithmSpace, params: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of `space` that is closest to `params`, which are those of another space.

    Values outside a range move to its end. A parameter that `params` lacks, or whose value is none of the choices, has
    its default, else the middle of its range or the first choice; those that `space` lacks are dropped.
    """

    def choose(name: str, parameter: BaseParameter) -> Any:
        try:
            return parameter.nearest(params[name])
        except (KeyError, ValueError):
            return parameter.start

    return space.params.build(choose)
