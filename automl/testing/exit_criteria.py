"""The conformance suite of exit criteria.

Derive `ExitCriterionSuite`, name your criterion and the limits that ask for it, and describe a search that it ends.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError, create_model

from automl.engine.search.options import TrialLimitsOptions
from automl.engine.stopping.base import ExitCriterion
from automl.engine.stopping.registry import exit_criteria
from automl.engine.study.state import Finished, SearchState
from automl.engine.trial.contract import Failure, Status, TrialResult
from automl.engine.trial.objective import Objective
from automl.options import Options

__all__ = ["ExitCriterionSuite", "played"]

_DIRECTIONS = pytest.mark.parametrize("maximize", [True, False], ids=["maximize", "minimize"])


def played(ends: Sequence[float | Status], *, maximize: bool, **last: Any) -> list[SearchState]:
    """The states of a search, one for each trial that ends.

    Args:
        ends: of each trial, its score if it completed, else how it ended.
        last: fields of the last state, such as ``interrupts=1``.
    """
    states, counts, best = [], Counter[Status](), None
    for number, end in enumerate(ends):
        finished = _ended(number, end)
        counts[finished.result.status] += 1
        state = SearchState(
            Objective("score", maximize), number + 1, dict(counts), best, new=(finished,), elapsed=number + 1.0
        )
        value = finished.result.value
        if value is not None and (
            best is None or best.result.value is None or state.objective.better(value, best.result.value)
        ):
            best = finished
        states.append(replace(state, best=best))
    return [*states[:-1], replace(states[-1], **last)]


def _ended(number: int, end: float | Status) -> Finished:
    status, value = (end, None) if isinstance(end, Status) else (Status.COMPLETED, end)
    failure = Failure(kind="ValueError", message="no such thing") if status.is_failure else None
    result = TrialResult(number=number, algorithm="a", status=status, value=value, seconds=1.0, failure=failure)
    return Finished(result, {})


class ExitCriterionSuite:
    """The duties of an exit criterion.

    Attributes:
        criterion: the class.
        limits: keys below ``limits:`` that ask for it; empty if nothing has to.

    Example:
        >>> from automl.engine.stopping.max_trials import MaxTrials
        >>> class TestMaxTrials(ExitCriterionSuite):
        ...     criterion = MaxTrials
        ...     limits = {"max_trials": 3}
        ...
        ...     def states(self, maximize: bool) -> Sequence[SearchState]:
        ...         return played([0.1, Status.FAILED, 0.2], maximize=maximize)
        >>> TestMaxTrials().test_it_holds_at_the_last_state_and_says_why(maximize=True)
    """

    criterion: ClassVar[type[ExitCriterion]]
    limits: ClassVar[Mapping[str, Any]] = {}

    def states(self, maximize: bool) -> Sequence[SearchState]:
        """A search that it ends at the last state, and at none before."""
        raise NotImplementedError

    def make(self) -> ExitCriterion:
        """The criterion that `limits` declares."""
        made = self.criterion.from_limits(self.criterion.Limits(**self.limits))
        assert made is not None, f"{dict(self.limits)} does not ask for {self.criterion.__name__}"
        return made

    # --- when it holds

    @_DIRECTIONS
    def test_a_search_that_has_not_begun_goes_on(self, maximize: bool) -> None:
        assert self.make().check(SearchState(Objective("score", maximize))) is None

    def test_without_its_limits_a_search_goes_on(self) -> None:
        unasked = self.criterion.from_limits(self.criterion.Limits())
        assert unasked is None or unasked.check(SearchState(Objective("score"))) is None

    @_DIRECTIONS
    def test_it_holds_at_the_last_state_and_says_why(self, maximize: bool) -> None:
        *before, reason = self._reasons(self.states(maximize))
        assert before == [None] * len(before)
        assert isinstance(reason, str)
        assert reason.strip() == reason
        assert len(reason.split()) > 1  # a sentence for people, on one line
        assert "\n" not in reason

    @_DIRECTIONS
    def test_a_resumed_search_ends_where_the_uncut_one_does(self, maximize: bool) -> None:
        states = self.states(maximize)
        reason = self._reasons(states)[-1]
        for cut in range(1, len(states) + 1):
            earlier = states[:cut]
            first = replace(earlier[-1], new=tuple(finished for state in earlier for finished in state.new))
            resumed = self._reasons([first, *states[cut:]])
            assert resumed == [None] * (len(states) - cut) + [reason]

    @_DIRECTIONS
    def test_two_searches_do_not_know_of_each_other(self, maximize: bool) -> None:
        states = self.states(maximize)
        one, other = self.make(), self.make()
        for state in states[:-1]:
            assert one.check(state) is None
        assert other.check(SearchState(Objective("score", maximize))) is None
        assert self._reasons(states) == [None] * (len(states) - 1) + [one.check(states[-1])]

    def test_it_reads_no_clock_but_the_states(self, monkeypatch: pytest.MonkeyPatch) -> None:
        states, criterion = self.states(True), self.make()

        def clock() -> float:
            raise AssertionError("an exit criterion has no clock of its own: read state.elapsed and state.remaining")

        with monkeypatch.context() as patched:
            for name in ("time", "monotonic", "perf_counter", "process_time"):
                patched.setattr(time, name, clock)
            reasons = [criterion.check(state) for state in states]
        assert reasons[-1] is not None

    # --- what users write

    def test_its_limits_are_declared_with_types_defaults_and_descriptions(self) -> None:
        declared = self.criterion.Limits
        assert issubclass(declared, Options)
        declared()  # every key has a default
        keys = declared.model_json_schema().get("properties", {})
        assert [name for name, key in keys.items() if not key.get("description")] == []
        assert [name for name, key in keys.items() if not {"type", "anyOf", "enum", "$ref"} & set(key)] == []
        assert set(self.limits) <= set(keys)
        with pytest.raises(ValidationError):
            declared.model_validate({"no_such_key": 1})

    def test_its_limits_stand_beside_those_of_all_others(self) -> None:
        others: list[type[Options]] = [TrialLimitsOptions]
        others += [kind.Limits for kind in exit_criteria() if kind is not self.criterion]
        taken = {name for options in others for name in options.model_fields}
        assert set(self.criterion.Limits.model_fields).isdisjoint(taken)
        bases = [kind for kind in (*others, self.criterion.Limits) if kind is not Options]
        together: type[Options] = create_model("Together", __base__=tuple(bases))
        assert self.criterion.from_limits(together(**self.limits)) is not None

    def _reasons(self, states: Sequence[SearchState]) -> list[str | None]:
        criterion = self.make()
        return [criterion.check(state) for state in states]
