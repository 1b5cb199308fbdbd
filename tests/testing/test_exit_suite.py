"""Every exit criterion keeps the contract, and the suite notices one that does not."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import pytest
from pydantic import Field

from automl.engine.stopping.base import ExitCriterion
from automl.engine.stopping.registry import exit_criteria
from automl.engine.study.state import SearchState
from automl.engine.trial.contract import Status
from automl.options import Options
from automl.testing.exit_criteria import ExitCriterionSuite, played


@dataclass(frozen=True)
class Case:
    """The limits that ask for a criterion, and a search that it ends.

    Attributes:
        falling: the ends where less is better; by default the mirrored ones.
    """

    limits: Mapping[str, Any]
    ends: Sequence[float | Status]
    last: Mapping[str, Any] = field(default_factory=dict)
    falling: Sequence[float | Status] | None = None


FAILED, TIMED_OUT, PRUNED = Status.FAILED, Status.TIMED_OUT, Status.PRUNED
CASES = {
    "Interrupt": Case({}, [0.1, 0.2], {"interrupts": 1}),
    "MaxFailures": Case({"max_failures_in_a_row": 3}, [FAILED, 0.1, FAILED, TIMED_OUT, FAILED]),
    "MaxTrials": Case({"max_trials": 3}, [0.1, 0.2, FAILED]),
    "Patience": Case({"patience": 3, "min_trials": 2}, [0.1, 0.5, 0.4, PRUNED, FAILED, 0.5]),
    "SpaceExhausted": Case({}, [0.1, 0.2], {"exhausted": True}),
    "TargetScore": Case({"target_score": 0.5}, [0.1, FAILED, 0.5], falling=[0.9, FAILED, 0.5]),
    "TimeBudget": Case({"time_budget": "60s"}, [0.1, 0.2], {"remaining": 0.0}),
}


class TestBuiltIn(ExitCriterionSuite):
    @pytest.fixture(autouse=True, params=exit_criteria(), ids=lambda kind: kind.__name__)
    def _chosen(self, request: pytest.FixtureRequest) -> None:
        self.case = CASES[request.param.__name__]
        self.criterion, self.limits = request.param, self.case.limits

    def states(self, maximize: bool) -> Sequence[SearchState]:
        mirrored = [end if isinstance(end, Status) else -end for end in self.case.ends]
        ends = self.case.ends if maximize else self.case.falling or mirrored
        return played(ends, maximize=maximize, **self.case.last)


class EveryMinute(ExitCriterion):
    """Breaks the contract: it reads the clock, counts calls, and names its key as another criterion does."""

    class Limits(Options):
        patience: int = Field(default=0, description="calls")

    def __init__(self, calls: int) -> None:
        self.calls, self.since = calls, time.monotonic()

    @classmethod
    def from_limits(cls, limits: Any) -> Self | None:
        return cls(limits.patience)

    def check(self, state: SearchState) -> str | None:
        self.calls -= 1
        late = time.monotonic() > self.since + 60
        return "patience: many calls\n" if late or self.calls == 0 else None


class _Suite(ExitCriterionSuite):
    criterion = EveryMinute
    limits = {"patience": 2}  # noqa: RUF012

    def states(self, maximize: bool) -> Sequence[SearchState]:
        return played([0.1, 0.2], maximize=maximize)


def test_a_criterion_that_breaks_the_contract_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    suite = _Suite()
    for broken in (
        suite.test_it_holds_at_the_last_state_and_says_why,
        suite.test_a_resumed_search_ends_where_the_uncut_one_does,
    ):
        with pytest.raises(AssertionError):
            broken(True)
    with pytest.raises(AssertionError, match="no clock of its own"):
        suite.test_it_reads_no_clock_but_the_states(monkeypatch)
    with pytest.raises(AssertionError):
        suite.test_its_limits_stand_beside_those_of_all_others()
