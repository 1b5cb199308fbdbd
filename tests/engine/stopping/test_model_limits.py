"""What is over a limit on models does not count as an improvement."""

from __future__ import annotations

from automl.engine.stopping.patience import Patience
from automl.engine.study.state import Finished, SearchState
from automl.engine.trial.contract import Status, TrialResult
from automl.engine.trial.objective import Objective


def test_patience_is_not_renewed_by_models_that_may_not_win() -> None:
    def ended(number: int, value: float, eligible: bool) -> SearchState:
        result = TrialResult(number=number, algorithm="a", status=Status.COMPLETED, value=value)
        new = (Finished(result, {}, eligible),)
        return SearchState(Objective("accuracy"), new=new, counts={Status.COMPLETED: number + 1})

    criterion = Patience(2, min_trials=1)
    assert criterion.check(ended(0, 0.5, True)) is None
    assert criterion.check(ended(1, 0.8, False)) is None
    assert criterion.check(ended(2, 0.9, False)) is not None
