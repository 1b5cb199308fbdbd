from __future__ import annotations

from dataclasses import replace

import pytest

from automl.engine.trial.objective import Objective
from automl.registry.candidate import Score
from automl.registry.compare import compare
from automl.registry.options import RegistryOptions

CHAMPION = Score(Objective("rmse", maximize=False), value=2.0, split_plan="s")


@pytest.mark.parametrize(
    ("value", "better"), [(1.0, True), (2.0, False), (3.0, False), (float("nan"), False), (None, False)]
)
def test_smaller_is_better_for_an_error(value: float | None, better: bool) -> None:
    assert compare(replace(CHAMPION, value=value), "4", CHAMPION).better is better


def test_a_champion_without_a_value_gives_way() -> None:
    assert compare(replace(CHAMPION, value=9.0), "4", replace(CHAMPION, value=None)).better


@pytest.mark.parametrize(
    "champion", [replace(CHAMPION, objective=Objective("mae", maximize=False)), replace(CHAMPION, split_plan="t"), None]
)
def test_only_like_is_compared_with_like(champion: Score | None) -> None:
    verdict = compare(replace(CHAMPION, value=0.0), "4", champion)
    assert not verdict.better
    assert "version 4" in verdict.reason


PART = replace(CHAMPION, share=0.25, extent="validated on 1 of 4 folds")


def test_a_part_of_a_model_never_takes_the_place_of_a_whole_one() -> None:
    verdict = compare(replace(PART, value=0.0), "4", CHAMPION)
    assert (verdict.better, verdict.reason) == (False, "it is validated on 1 of 4 folds")


def test_a_part_of_a_model_gives_way_to_a_whole_one() -> None:
    verdict = compare(replace(CHAMPION, value=9.0), "4", PART)
    assert (verdict.better, verdict.reason) == (True, "version 4 is validated on 1 of 4 folds")


def test_equal_parts_are_compared_by_their_value() -> None:
    assert compare(replace(PART, value=1.0), "4", PART).better
    assert not compare(replace(PART, value=3.0), "4", PART).better


@pytest.mark.parametrize(
    "wrong", [{"name": "a/b"}, {"name": "a:b"}, {"tags": {"automl.x": 1}}, {"promote": "maybe"}, {"alias": "x"}]
)
def test_options_that_mlflow_would_refuse_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        RegistryOptions.model_validate(wrong)
