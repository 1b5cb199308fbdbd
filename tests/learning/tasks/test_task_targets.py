from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl.errors import ConfigError, DataError
from automl.learning.data.guardrails import Verdict
from automl.learning.metrics.registry import get_metric
from automl.learning.tasks.base import Target
from automl.learning.tasks.registry import get_task, task_names

CLASSIFICATION, REGRESSION = get_task("classification"), get_task("regression")


def texts(*values: Any) -> np.ndarray:
    return np.array(values, dtype=object)


def test_tasks_are_found_by_name() -> None:
    assert {"classification", "regression"} <= set(task_names())
    assert get_task("classification") is CLASSIFICATION


@pytest.mark.parametrize("wrong", ["classificaton", "base", "registry", "a b"])
def test_an_unknown_task_is_refused(wrong: str) -> None:
    with pytest.raises(ConfigError, match="there is no task"):
        get_task(wrong)


@pytest.mark.parametrize("task", [CLASSIFICATION, REGRESSION])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_default_metric_exists(task: Any, n_classes: int) -> None:
    classes = n_classes if task is CLASSIFICATION else None
    assert get_metric(task.default_metric(classes), task.name, classes)


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        (texts("no", "yes", "no", "maybe"), ["maybe", "no", "yes"]),
        (np.array(["b", "a", "b"]), ["a", "b"]),
        (np.array([3, 1, 3]), [1, 3]),
        (np.array([3.0, 1.0, 3.0]), [1.0, 3.0]),
        (np.array([True, False, True]), [False, True]),
        (texts(True, False, True), [False, True]),
        (texts(10, 9, 10), [9, 10]),
    ],
)
def test_labels_keep_their_type_in_sorted_order(y: np.ndarray, classes: list[Any]) -> None:
    target = CLASSIFICATION.prepare(y)
    assert target.classes is not None
    assert target.classes.tolist() == classes
    assert [type(label) for label in target.classes.tolist()] == [type(label) for label in classes]
    assert target.values.dtype == np.int64
    np.testing.assert_array_equal(target.classes[target.values], y)


@pytest.mark.parametrize(
    ("y", "label", "code"),
    [
        (texts("no", "yes", "no"), None, 1),
        (texts("no", "yes", "no"), "no", 0),
        (texts("no", "yes", "no"), True, 1),  # YAML reads a bare yes as True
        (texts("N", "Y", "N"), False, 0),
        (np.array([0, 1, 0]), 0, 0),
        (np.array([0, 1, 0]), "0", 0),
        (np.array([True, False, True]), False, 0),
    ],
)
def test_the_positive_label_is_found(y: np.ndarray, label: Any, code: int) -> None:
    assert CLASSIFICATION.prepare(y, positive_label=label).positive == code


def test_a_positive_label_that_is_not_there_lists_those_that_are() -> None:
    with pytest.raises(DataError, match="'oui' is not in the target 'churned': it holds 'no' and 'yes'"):
        CLASSIFICATION.prepare(texts("no", "yes", "no"), name="churned", positive_label="oui")


def test_a_positive_label_needs_two_classes() -> None:
    with pytest.raises(DataError, match="needs two classes"):
        CLASSIFICATION.prepare(texts("a", "b", "c", "a"), positive_label="a")


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.array([]), "holds no value"),
        (texts("a", "a"), "single class, 'a'"),
        (np.full(4, np.nan), "4 missing labels"),
        (texts("a", None, "b", "a"), "1 missing labels"),
        (np.array([0.5, 1.25, 3.0]), "continuous.*task: regression"),
        (np.array([1.0, np.inf, 1.0]), "infinite"),
        (np.array(["2024-01-01", "2024-01-02"], dtype="datetime64[D]"), "dates"),
        (np.arange(100), "separate class for each of its 100 rows.*task: regression"),
        (texts("a", 1, "a"), "mixes types"),
    ],
)
def test_what_cannot_be_classified_is_refused(y: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        CLASSIFICATION.prepare(y)


@pytest.mark.parametrize("y", [np.array([1, 2, 5]), np.array([1.5, 2, 5]), texts("1.5", "2", "5"), texts(1, 2.5, 5)])
def test_values_are_floats(y: np.ndarray) -> None:
    target = REGRESSION.prepare(y)
    assert target.values.dtype == np.float64
    assert target.values.tolist() == [float(value) for value in y]
    assert target.classes is None


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.array([]), "holds no value"),
        (texts("1", "low"), "'low', which is not a number: use task: classification"),
        (np.array([True, False]), "task: classification"),
        (texts(True, False), "task: classification"),
        (np.full(3, np.nan), "3 missing values"),
        (np.array([1.0, np.inf]), "1 infinite .*row 1"),
        (np.array([1.0, 1e200]), "absurdly large"),
        (np.array([2.0, 2.0]), "same value 2 in every row"),
        (np.array(["2024-01-01", "2024-01-02"], dtype="datetime64[D]"), "dates"),
    ],
)
def test_what_is_no_quantity_is_refused(y: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        REGRESSION.prepare(y)


def test_a_positive_label_in_a_regression_is_refused() -> None:
    with pytest.raises(DataError, match="positive label"):
        REGRESSION.prepare(np.array([1.0, 2.0]), positive_label=1)


def verdicts(task: Any, target: Target) -> dict[str, Verdict]:
    return {guardrail.name: guardrail.verdict for guardrail in task.guardrails(target)}


def test_more_rows_come_in_the_terms_of_the_target() -> None:
    labels = CLASSIFICATION.prepare(texts("no", "yes", "no"))
    assert CLASSIFICATION.more(texts("yes", "no"), labels).tolist() == [1, 0]
    whole = CLASSIFICATION.prepare(np.array([3, 1, 3]))
    assert CLASSIFICATION.more(np.array([1.0, 3.0]), whole).tolist() == [0, 1]
    with pytest.raises(DataError, match="the training rows do not: 'maybe'"):
        CLASSIFICATION.more(texts("yes", "maybe"), labels)


def test_more_values_may_all_be_the_same_but_must_be_numbers() -> None:
    target = REGRESSION.prepare(np.array([1, 2, 5]))
    assert REGRESSION.more(texts("2", 2), target).tolist() == [2.0, 2.0]
    with pytest.raises(DataError, match="'x', which is not a number"):
        REGRESSION.more(texts("x"), target)


def test_imbalance_is_alerted() -> None:
    even = CLASSIFICATION.prepare(np.array([0, 1] * 50))
    uneven = CLASSIFICATION.prepare(np.array([0] * 95 + [1] * 5))
    assert verdicts(CLASSIFICATION, even) == {"class_balance": Verdict.PASSED}
    assert verdicts(CLASSIFICATION, uneven) == {"class_balance": Verdict.ALERTED}
    assert "5 rows" in CLASSIFICATION.guardrails(uneven)[0].message


def test_many_small_classes_are_alerted() -> None:
    target = CLASSIFICATION.prepare(np.repeat(np.arange(80), 2))
    assert verdicts(CLASSIFICATION, target)["number_of_classes"] is Verdict.ALERTED


def test_a_regression_on_what_looks_like_classes_is_alerted() -> None:
    assert verdicts(REGRESSION, Target(np.arange(300.0) % 3)) == {"target_values": Verdict.ALERTED}
    assert verdicts(REGRESSION, Target(np.arange(300.0))) == {"target_values": Verdict.PASSED}
