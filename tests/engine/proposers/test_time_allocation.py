"""How a search's seconds are shared among fits that last as long as they are given."""

from __future__ import annotations

import json
import math

import pytest

from automl.engine.proposers.time_allocation import TimeAllocation
from automl.engine.trial.stage import Stage


def test_a_short_search_compares_nothing_and_waits_a_while_for_a_quick_model() -> None:
    plan = TimeAllocation().of(60.0)
    assert plan.seconds is None
    assert plan.final_training == 45.0


@pytest.mark.parametrize("whole", [240.0, 600.0, 3_600.0, 86_400.0])
def test_every_slot_of_a_longer_one_compares_three_configurations(whole: float) -> None:
    plan = TimeAllocation().of(whole)
    assert plan.seconds is not None
    assert whole - plan.final_training >= 3 * plan.seconds
    assert plan.final_training > whole / 2


def test_an_allotment_is_never_too_short_to_tell_anything() -> None:
    assert TimeAllocation(explores_from=30.0).of(60.0).seconds == TimeAllocation().least


def test_nothing_is_compared_by_a_glance_at_the_data() -> None:
    whole = 900.0
    enough = TimeAllocation().part * whole / TimeAllocation().epochs
    assert TimeAllocation().of(whole, epoch=0.9 * enough).seconds is not None
    assert TimeAllocation().of(whole, epoch=1.1 * enough).seconds is None


@pytest.mark.parametrize(
    "stage", [Stage.final_training(), Stage(seconds=15.0), Stage(until=17.5), Stage(alone=True), Stage()]
)
def test_a_stage_comes_back_from_its_record(stage: Stage) -> None:
    assert Stage.read(json.loads(json.dumps(stage.as_json()))) == stage


def test_a_search_without_stages_has_none() -> None:
    assert Stage.read(None) is None


def test_an_exploring_fit_may_be_late_and_not_for_ever() -> None:
    assert 15.0 < Stage(seconds=15.0).timeout < 60.0
    assert Stage.final_training().timeout == Stage(until=3.0).timeout == math.inf


def test_what_has_to_be_over_before_the_final_training_has_until_then() -> None:
    assert Stage(until=30.0).left(12.0) == 18.0
    assert Stage(until=30.0).left(31.0) == 0.0
    assert Stage(seconds=15.0).left(1e6) == math.inf
