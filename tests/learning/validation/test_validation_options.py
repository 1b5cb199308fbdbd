"""Clashes between options of validation are refused with what to write instead."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from automl.learning.validation.options import ValidationOptions


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"strategy": "holdout", "folds": 5}, "folds means nothing for strategy holdout; it belongs to kfold or group"),
        ({"strategy": "group", "repeats": 2}, "repeats means nothing for strategy group; it belongs to kfold"),
        ({"strategy": "kfold", "fraction": 0.2}, "fraction means nothing for strategy kfold; it belongs to holdout"),
        ({"strategy": "time", "repeats": 3}, "repeats means nothing for strategy time"),
        ({"strategy": "predefined"}, "needs source .* or fold"),
        ({"strategy": "predefined", "source": "v.csv", "fold": "f"}, "source and fold exclude one another"),
        ({"folds": 5, "fraction": 0.2}, "folds and fraction exclude one another"),
        ({"repeats": 2, "fold": "f"}, "repeats and fold exclude one another"),
        ({"folds": 1}, "greater than or equal to 2"),
        ({"fraction": 1.0}, "less than 1"),
        ({"strategy": "kfolds"}, "'auto', 'kfold'"),
        ({"fold_count": 5}, "Extra inputs"),
    ],
)
def test_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        ValidationOptions(**options)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"folds": 5, "repeats": 2},
        {"fraction": 0.3},
        {"source": "valid.csv"},
        {"strategy": "predefined", "fold": "part"},
        {"strategy": "group", "folds": 3},
    ],
)
def test_accepted(options: dict[str, Any]) -> None:
    ValidationOptions(**options)
