"""What is left of a trial's limits when it has waited for a worker."""

from __future__ import annotations

from automl.engine.trial.contract import TrialLimits


def test_the_end_of_the_search_does_not_wait() -> None:
    assert TrialLimits(seconds=30.0, left=30.0).after(5.0).seconds == 25.0
    assert TrialLimits(seconds=30.0, left=30.0).after(31.0).seconds == 0.0


def test_a_trials_own_timeout_begins_with_the_trial() -> None:
    assert TrialLimits(seconds=10.0, left=30.0).after(5.0).seconds == 10.0
    assert TrialLimits(seconds=10.0).after(5.0) == TrialLimits(seconds=10.0)
    assert TrialLimits().after(5.0) == TrialLimits()


def test_what_is_allotted_ends_with_the_search() -> None:
    assert TrialLimits(seconds=30.0, allotted=30.0, left=30.0).after(5.0).allotted == 25.0
    assert TrialLimits(seconds=37.5, allotted=15.0, left=300.0).after(5.0).allotted == 15.0
