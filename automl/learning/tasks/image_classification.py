"""Classification of pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from automl.errors import ConfigError
from automl.learning.tasks.classification import Classification

if TYPE_CHECKING:
    from automl.learning.data.options import DataOptions
    from automl.learning.data.reading.context import Reading
    from automl.learning.data.table import Table
    from automl.learning.validation.options import ValidationOptions

__all__ = ["TASK", "ImageClassification"]

_FEW = 500
"""Pictures up to which each is validated once: a fifth of so few would say little."""
_ENOUGH = 2_500
"""Pictures that a holdout needs at most: they tell an accuracy of 99% to 0.2 points, and others are better learned
from."""
_SHARE = 0.2
_PIXELS_PER_SECOND = 1.5e6
"""Those that a core trains on, of the smallest nets of the space: a third to three times as many have been seen."""
_LARGEST = 1_600
"""Pixels of a picture, as nets see it: larger ones are made smaller first."""


class ImageClassification(Classification):
    """Classification where rows are pictures.

    The default metric is the accuracy, whatever the number of classes: what image classifiers are compared by.
    """

    name = "image_classification"
    space_name = "image_classification"
    packages = ("pillow",)

    @property
    def scored_as(self) -> str:
        return "classification"

    def default_metric(self, n_classes: int | None) -> str:
        return "accuracy"

    def of_data(self, source: Any, options: DataOptions) -> str:
        return self.name

    def load(
        self,
        source: Any,
        options: DataOptions,
        *,
        columns: Mapping[str, str] | None = None,
        drop: Sequence[str] = (),
        fold_column: str | None = None,
        reading: Reading | None = None,
    ) -> Table:
        """Read pictures, and their labels. See `automl.learning.data.images.load.load_images`.

        Raises:
            ConfigError: the kind of a column is declared, or one is dropped: there is only the picture.
            DataError: they cannot be read, or nothing can be learned from them.
        """
        from automl.learning.data.images.load import load_images

        if columns or drop:
            key = "columns" if columns else "drop"
            raise ConfigError(
                "pictures have no columns; leave it out, or use task: classification for a table.",
                key=f"features.{key}",
            )
        return load_images(source, options, fold_column=fold_column, reading=reading)

    def load_like(
        self,
        source: Any,
        options: DataOptions,
        like: Table,
        *,
        what: str = "data",
        reading: Reading | None = None,
    ) -> Table:
        """See `automl.learning.data.images.load.load_images_like`."""
        from automl.learning.data.images.load import load_images_like

        return load_images_like(source, options, like, what=what, reading=reading)

    def core_seconds(self, table: Table) -> float:
        height, width = table.X.shape[1:3]
        return float(table.n_rows * min(height * width, _LARGEST) / _PIXELS_PER_SECOND)

    def validation(self, options: ValidationOptions, table: Table) -> ValidationOptions:
        """A single holdout of a fifth, and of no more than about 2,500 pictures; five folds up to 500 pictures."""
        was_chosen = options.model_dump(exclude_none=True) != {"strategy": "auto"}
        if was_chosen or table.group is not None or table.time is not None:
            return options
        if table.n_rows <= _FEW:
            return options.model_copy(update={"strategy": "kfold"})
        return options.model_copy(update={"strategy": "holdout", "fraction": min(_SHARE, _ENOUGH / table.n_rows)})


TASK = ImageClassification()
