from __future__ import annotations

import pytest

from automl.registry import tags
from automl.registry.candidate import Candidate
from automl.registry.compare import compare
from automl.registry.options import RegistryOptions

CHAMPION = {tags.VERIFIED: "true", tags.METRIC: "rmse", tags.SPLIT_PLAN: "s", tags.VALUE: "2.0"}


def candidate(value: float | None, **fields: object) -> Candidate:
    given = {"name": "m", "directory": "/w/e/1", "model": "m", "example": "x", "metric": "rmse", "split_plan": "s"}
    return Candidate.model_validate({**given, "maximize": False, "value": value, **fields})


@pytest.mark.parametrize(
    ("value", "better"), [(1.0, True), (2.0, False), (3.0, False), (float("nan"), False), (None, False)]
)
def test_smaller_is_better_for_an_error(value: float | None, better: bool) -> None:
    assert compare(candidate(value), "4", CHAMPION).better is better


def test_a_champion_without_a_value_gives_way() -> None:
    assert compare(candidate(9.0), "4", {**CHAMPION, tags.VALUE: ""}).better


@pytest.mark.parametrize("unlike", [{tags.METRIC: "mae"}, {tags.SPLIT_PLAN: "t"}, {tags.VERIFIED: ""}])
def test_only_like_is_compared_with_like(unlike: dict[str, str]) -> None:
    verdict = compare(candidate(0.0), "4", {**CHAMPION, **unlike})
    assert not verdict.better
    assert "version 4" in verdict.reason


@pytest.mark.parametrize(
    "wrong", [{"name": "a/b"}, {"name": "a:b"}, {"tags": {"automl.x": 1}}, {"promote": "maybe"}, {"alias": "x"}]
)
def test_options_that_mlflow_would_refuse_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        RegistryOptions.model_validate(wrong)
