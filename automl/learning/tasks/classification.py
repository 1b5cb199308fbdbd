"""Classification of rows into two or more classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from automl.errors import DataError
from automl.learning.data.names import some
from automl.learning.tasks.base import Target, Task

if TYPE_CHECKING:
    from automl.learning.data.guardrails import Guardrail
    from automl.learning.data.options import DataOptions

__all__ = ["TASK", "Classification"]

_IMBALANCED = 0.2
"""A smallest class below this share of the largest is worth a word."""
_MANY = 50
"""More classes than this, on few rows each, look like a number that was meant to be predicted."""
_ROWS_PER_CLASS = 5

_YES = frozenset({"yes", "y", "true", "t", "on"})
_NO = frozenset({"no", "n", "false", "f", "off"})


class Classification(Task):
    name = "classification"
    space_name = "tabular_classification"
    stratify = True

    def of_data(self, source: Any, options: DataOptions) -> str:
        from automl.learning.data.images.detect import holds_images

        return "image_classification" if holds_images(source, options) else self.name

    def default_metric(self, n_classes: int | None) -> str:
        return "roc_auc" if n_classes == 2 else "log_loss"

    def prepare(self, y: np.ndarray, *, name: str = "target", positive_label: Any = None) -> Target:
        import pandas as pd

        _refuse_numbers(y, name)
        try:
            codes, classes = pd.factorize(y, sort=True)
            classes = np.sort(_narrowed(np.asarray(classes)))  # raises for the mixed types that factorize lets pass
        except TypeError:
            raise DataError(
                f"The target {name!r} mixes types that cannot be sorted, such as numbers and text: make all of it text."
            ) from None
        if (codes < 0).any():
            raise DataError(f"The target {name!r} has {int((codes < 0).sum())} missing labels.")
        if len(classes) == 1:
            raise DataError(
                f"The target {name!r} holds a single class, {_plain(classes[0])!r}: there is nothing to tell apart."
            )
        if len(classes) == len(y):
            raise DataError(
                f"The target {name!r} has a separate class for each of its {len(y)} rows: nothing can be learned."
                f"{' If it is a quantity, use task: regression.' if y.dtype.kind in 'iuf' else ''}"
            )
        positive = 1 if positive_label is None else _find(positive_label, classes, name)
        return Target(codes.astype(np.int64), classes, positive)

    def more(self, y: np.ndarray, target: Target, *, name: str = "target") -> np.ndarray:
        assert target.classes is not None
        codes = {_plain(label): code for code, label in enumerate(target.classes)}
        unknown = sorted({str(label) for label in y if _plain(label) not in codes})
        if unknown:
            raise DataError(
                f"The target {name!r} holds classes that the training rows do not: {some([repr(u) for u in unknown])}. "
                "Correct these rows, or leave them out."
            )
        return np.array([codes[_plain(label)] for label in y], dtype=np.int64)

    def guardrails(self, target: Target) -> tuple[Guardrail, ...]:
        from automl.learning.data.guardrails import Guardrail, Verdict

        assert target.classes is not None
        counts = np.bincount(target.values, minlength=len(target.classes))
        least, most = int(counts.argmin()), int(counts.argmax())
        if counts[least] == counts[most]:
            text = f"{len(counts)} classes of {counts[most]} rows each"
        else:
            text = (
                f"{len(counts)} classes; the smallest, {_plain(target.classes[least])!r}, has {counts[least]} rows, "
                f"the largest, {_plain(target.classes[most])!r}, {counts[most]}"
            )
        if counts[least] < _IMBALANCED * counts[most]:
            balance = Guardrail(
                "class_balance",
                Verdict.ALERTED,
                f"{text}. Accuracy will look good without it: prefer balanced_accuracy, roc_auc or average_precision.",
            )
        else:
            balance = Guardrail("class_balance", Verdict.PASSED, f"{text}.")
        if len(counts) <= _MANY or len(target.values) >= _ROWS_PER_CLASS * len(counts):
            return (balance,)
        advice = "If it is a quantity, use task: regression."
        few = f"{len(counts)} classes share {len(target.values)} rows. {advice}"
        return balance, Guardrail("number_of_classes", Verdict.ALERTED, few)


def _refuse_numbers(y: np.ndarray, name: str) -> None:
    """Refuse what cannot be a class label.

    Raises:
        DataError: values are missing, infinite, fractions or dates; or there are none.
    """
    if len(y) == 0:
        raise DataError(f"The target {name!r} holds no value.")
    if y.dtype.kind in "mM":
        raise DataError(f"The target {name!r} holds dates or durations, which are not classes.")
    if y.dtype.kind != "f":
        return
    if np.isnan(y).any():
        raise DataError(f"The target {name!r} has {int(np.isnan(y).sum())} missing labels.")
    if np.isinf(y).any():
        raise DataError(f"The target {name!r} holds infinite values, which are not classes.")
    if (y != np.floor(y)).any():
        example = float(y[np.argmax(y != np.floor(y))])
        raise DataError(
            f"The target {name!r} is continuous, not a label: it holds {example:g}. Use task: regression, or turn it "
            "into text if its values are classes."
        )


def _narrowed(classes: np.ndarray) -> np.ndarray:
    """Integers and booleans that came as objects, with their own dtype."""
    from pandas.api.types import infer_dtype

    dtype = {"integer": np.int64, "boolean": np.bool_}.get(infer_dtype(classes, skipna=False))
    return classes if dtype is None else classes.astype(dtype)


def _find(label: Any, classes: np.ndarray, name: str) -> int:
    """The code of the positive label. YAML reads a bare ``yes`` as True, so this matches the class "yes", too."""
    if len(classes) != 2:
        raise DataError(f"A positive label needs two classes; the target {name!r} has {len(classes)}.")
    plain = [_plain(value) for value in classes]
    exact = [code for code, value in enumerate(plain) if type(value) is type(label) and value == label]
    same_text = [code for code, value in enumerate(plain) if str(value) == str(label)]
    words = _YES if label is True else _NO if label is False else frozenset()
    by_word = [code for code, value in enumerate(plain) if str(value).lower() in words]
    for found in (exact, same_text, by_word):
        if len(found) == 1:
            return found[0]
    raise DataError(
        f"The positive label {label!r} is not in the target {name!r}: it holds {plain[0]!r} and {plain[1]!r}."
    )


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


TASK = Classification()
