"""Whatever a user calls data, as one frame and, if it came separately, its target."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from automl.errors import DataError
from automl.learning.data import catalogue
from automl.learning.data.files import read_file, stem
from automl.learning.data.frames import as_frame, as_series, first_name, is_sparse
from automl.learning.data.guardrails import Guardrail, Verdict
from automl.learning.data.images.locate import NAMES
from automl.learning.data.reading.context import Reading
from automl.learning.data.reading.protocols import is_url

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Source", "read_source"]


@dataclass(frozen=True)
class Source:
    """The data as it was read, untouched.

    Attributes:
        name: of the dataset, the file without its ending, or ``data``.
        frame: features, and the target unless it came separately.
        target: one value per row, if it came separately.
        target_name: the column that is the target unless the user names another; the name of a separate target.
        guardrails: what was noticed while reading.
    """

    name: str
    frame: pd.DataFrame
    target: pd.Series | None = None
    target_name: str | None = None
    guardrails: tuple[Guardrail, ...] = ()


def read_source(source: Any, reading: Reading | None = None) -> Source:
    """Read a catalogue name, a path, a URL, a table of any kind, (X, y), or a scikit-learn Bunch.

    Args:
        reading: its circumstances.

    Raises:
        DataError: it cannot be read, or holds nothing.
    """
    if source is None:
        raise DataError("There is no data: name a file, a dataset of the catalogue, or pass a table.")
    if isinstance(source, str) and source in NAMES:
        raise DataError(f"The dataset {source!r} holds images: write task: image_classification.")
    if catalogue.in_catalogue(source):
        return Source(source, catalogue.load_dataset(source), target_name=catalogue.TARGET)
    if isinstance(source, str | os.PathLike):
        return _from_file(os.fspath(source), reading)
    if isinstance(source, tuple):
        if len(source) != 2:
            raise DataError(f"A tuple of data is (X, y); this one has {len(source)} parts.")
        return _from_parts(*source)
    if isinstance(source, Mapping) and {"data", "target"} <= set(source):
        return _from_bunch(source)
    return _checked(Source("data", as_frame(source), guardrails=_about_sparse(source)))


def _from_file(location: str, reading: Reading | None) -> Source:
    if not location.strip():
        raise DataError("The data's path is empty: name a file, or a dataset of the catalogue.")
    table = read_file(location, reading)
    name = stem(location) if is_url(location) else stem(os.path.abspath(location))
    return _checked(Source(name, table.frame, guardrails=table.guardrails))


def _from_parts(X: Any, y: Any) -> Source:
    frame, target = as_frame(X), as_series(y, what="target")
    if len(frame) != len(target):
        raise DataError(f"X has {len(frame):,} rows and y has {len(target):,} values; they must be equally many.")
    return _checked(Source("data", frame, target, first_name(y) or "target", _about_sparse(X)))


def _from_bunch(bunch: Mapping[str, Any]) -> Source:
    """scikit-learn's datasets: data and target, with names where the data has none."""
    data, names = bunch["data"], bunch.get("feature_names")
    frame = as_frame(data)
    if names is not None and not hasattr(data, "columns") and len(names) == len(frame.columns):
        frame = frame.set_axis(list(names), axis=1)
    return _from_parts(frame, bunch["target"])


def _checked(source: Source) -> Source:
    if not len(source.frame.columns):
        raise DataError("The table has no columns.")
    if not len(source.frame):
        raise DataError("The table has no rows.")
    return source


def _about_sparse(value: Any) -> tuple[Guardrail, ...]:
    if not is_sparse(value):
        return ()
    message = f"The sparse matrix of {value.shape[0]:,} x {value.shape[1]:,} cells was written out."
    return (Guardrail("sparse", Verdict.DONE, message),)
