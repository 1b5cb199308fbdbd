"""Tables that are there without a file: name -> table with a column ``target``.

Datasets of images have their own catalogue, `automl.learning.data.images.catalogue`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CATALOGUE", "TARGET", "in_catalogue", "load_dataset"]

TARGET = "target"
"""Name of the target column of every dataset here."""

_IRIS_COLUMNS = ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)")


def _iris() -> pd.DataFrame:
    """Iris, straight from the file that scikit-learn brings along.

    Importing ``sklearn.datasets`` costs more than twice as much as pandas, and Iris is what a first look at automl
    loads: the driver should have it while its workers still import.
    """
    spec = find_spec("sklearn")
    bundled = Path(spec.origin).parent / "datasets" / "data" / "iris.csv" if spec and spec.origin else None
    if bundled is None or not bundled.is_file():
        return _scikit_learn("iris")
    import pandas as pd

    with bundled.open(encoding="utf-8") as file:
        classes = file.readline().strip().split(",")[2:]  # rows, columns, and the classes' names
        frame = pd.read_csv(file, names=[*_IRIS_COLUMNS, TARGET])
    frame[TARGET] = frame[TARGET].map(dict(enumerate(classes)))
    return frame


def _scikit_learn(name: str) -> pd.DataFrame:
    """A dataset of scikit-learn's with classes by their names, where they have any."""
    import sklearn.datasets

    options = {"scaled": False} if name == "diabetes" else {}  # the columns in their own units
    bunch: Any = getattr(sklearn.datasets, f"load_{name}")(as_frame=True, **options)
    frame: pd.DataFrame = bunch.frame
    classes = getattr(bunch, "target_names", None)
    if classes is not None and isinstance(classes[0], str):
        frame[TARGET] = frame[TARGET].map(dict(enumerate(map(str, classes))))
    return frame


CATALOGUE: dict[str, Callable[[], pd.DataFrame]] = {
    "iris": _iris,
    "digits": lambda: _scikit_learn("digits"),
    "wine": lambda: _scikit_learn("wine"),
    "breast_cancer": lambda: _scikit_learn("breast_cancer"),
    "diabetes": lambda: _scikit_learn("diabetes"),
}


def in_catalogue(source: object) -> bool:
    """True if `source` is the name of a table, and so not a path."""
    return isinstance(source, str) and source in CATALOGUE


def load_dataset(name: str) -> pd.DataFrame:
    """The table of a dataset; its target is the column `TARGET`."""
    return CATALOGUE[name]()
