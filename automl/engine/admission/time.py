"""The test for whether a trial would end in time, learned from this very experiment."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from statistics import median
from typing import TYPE_CHECKING, Any

from automl.engine.admission.cost_model import CostModel
from automl.engine.trial.contract import Status, TrialResult

if TYPE_CHECKING:
    from automl.engine.space.space import AlgorithmSpace

__all__ = ["Admission"]

_REMEMBERED = 8
_MARGIN = 1.25
"""Trials of one algorithm differ; this much more than the slowest of the latest is allowed for."""
_SOME = 0.25
"""An algorithm is worth a look while this share of its latest trials would have ended in time."""
_FAIR_SHARE = 0.5
"""A fit that ends when its time does is worth its trial from this share of its full time on."""

_ENOUGH = 0.25
"""A pruned trial's whole time is told by this share of it; less gives a bound alone."""

_STOPPED = (Status.PRUNED, Status.TIMED_OUT, Status.CANCELLED)
"""Statuses of trials that would have needed longer."""


class Admission:
    """Predicts a trial's seconds: from its algorithm's latest trials, and from its parameters once enough are known.

    Args:
        algorithms: of the search space. Before one was tried, its declared cost beside the others' is assumed.
        allotted: algorithms whose fits last as long as the search gives them. A trial of theirs needs the time for what
            surrounds its fit, and no more.
    """

    def __init__(self, algorithms: Mapping[str, AlgorithmSpace], *, allotted: Collection[str] = ()) -> None:
        self._algorithms: dict[str, _Timed | _Allotted] = {
            name: _Allotted() if name in allotted else _Timed(space) for name, space in algorithms.items()
        }
        self._anytime = {name for name, space in algorithms.items() if space.anytime}
        self._fidelity: dict[int, float] = {}

    def observe(self, result: TrialResult, params: Mapping[str, Any]) -> None:
        """Note that a trial with `params` has ended."""
        self._fidelity[result.number] = result.fidelity
        if result.status is Status.COMPLETED or result.status in _STOPPED:
            self._algorithms[result.algorithm].observe(result, params, work=self._work(result))

    def _work(self, result: TrialResult) -> float:
        """Share of the full work that a trial did: of a training that continued its parent's, the rest."""
        done = self._fidelity.get(result.parent, 0.0) if result.parent is not None else 0.0
        goes_on = result.algorithm in self._anytime and done < result.fidelity
        return result.fidelity - done if goes_on else result.fidelity

    def predict(self, algorithm: str, params: Mapping[str, Any] | None = None) -> float | None:
        """Seconds that a whole trial is likely to need at most; None as long as nothing is known at all.

        Args:
            params: of this very configuration (real values by plain name); without them the answer is for a quick
                configuration of `algorithm`.
        """
        timed = self._algorithms[algorithm]
        predicted = timed.predict(params)
        if predicted is not None:
            return predicted
        units = [unit for other in self._algorithms.values() if (unit := other.unit) is not None]
        return median(units) * timed.cost if units else None

    def admits(
        self, algorithm: str, seconds_left: float, params: Mapping[str, Any] | None = None, *, fidelity: float = 1.0
    ) -> bool:
        """Tell whether a trial that does `fidelity` of the full work is likely to end within `seconds_left`."""
        if seconds_left <= 0:
            return False
        if seconds_left == float("inf"):
            return True
        predicted = self.predict(algorithm, params)
        return predicted is None or predicted * fidelity * self._algorithms[algorithm].share_needed <= seconds_left


class _Timed:
    """The time that an algorithm's trials have taken, at full fidelity."""

    def __init__(self, space: AlgorithmSpace) -> None:
        self.cost = space.cost
        self._model = CostModel(space)
        self._latest: deque[float] = deque(maxlen=_REMEMBERED)
        self._ends_in_time = False

    @property
    def unit(self) -> float | None:
        """Seconds of the slowest of the latest trials for one unit of declared cost, None before the first."""
        return max(self._latest) / self.cost if self._latest else None

    @property
    def share_needed(self) -> float:
        return _FAIR_SHARE if self._ends_in_time else 1.0

    def observe(self, result: TrialResult, params: Mapping[str, Any], *, work: float) -> None:
        cut = result.status is Status.COMPLETED and result.cut_short
        self._ends_in_time = self._ends_in_time or cut
        share = work
        exact = result.status is Status.COMPLETED and not cut
        if result.progress is not None and result.progress >= _ENOUGH and work == result.fidelity:
            share, exact = share * result.progress, True
        seconds = result.seconds / share
        if exact or result.status is not Status.PRUNED:
            self._latest.append(seconds)
        self._model.observe(params, seconds, exact=exact)

    def predict(self, params: Mapping[str, Any] | None) -> float | None:
        if params is not None and (predicted := self._model.predict(params)) is not None:
            return predicted.upper
        if not self._latest:
            return None
        known = sorted(self._latest)
        if params is None and len(known) == _REMEMBERED:
            return _MARGIN * known[int(_SOME * _REMEMBERED)]
        return _MARGIN * known[-1]


class _Allotted:
    """The time that an algorithm's trials have taken besides their fits."""

    cost, share_needed, unit = 1.0, 1.0, None

    def __init__(self) -> None:
        self._latest: deque[float] = deque(maxlen=_REMEMBERED)

    def observe(self, result: TrialResult, params: Mapping[str, Any], *, work: float) -> None:
        if result.status is Status.COMPLETED:
            self._latest.append(max(0.0, result.seconds - result.fit_seconds))

    def predict(self, params: Mapping[str, Any] | None) -> float:
        return _MARGIN * max(self._latest, default=0.0)
