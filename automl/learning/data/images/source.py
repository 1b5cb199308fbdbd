"""The result of every reader of images: labelled pictures, and the dataset's own test part if it has one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from automl.learning.data.guardrails import Guardrail
from automl.learning.data.reading.context import Reading

if TYPE_CHECKING:
    import pandas as pd

    from automl.learning.data.images.encoded import Encoded
    from automl.learning.data.images.images import Images

__all__ = ["ImageSource", "Labelled", "Wanted"]


@dataclass(frozen=True)
class Wanted:
    """The request to a reader.

    Attributes:
        target: the column or array of labels that the user names.
        columns: others that have a role.
        contents: sha256 of the content of files that are known, by name; others are not checked.
        white: its value in arrays, where other pictures have determined it.
        reading: the circumstances.
    """

    target: str | None = None
    columns: tuple[str, ...] = ()
    contents: Mapping[str, str] = field(default_factory=dict)
    white: int | None = None
    reading: Reading = field(default_factory=Reading)


@dataclass(frozen=True, eq=False)
class Labelled:
    """n pictures, and what is known about each.

    Attributes:
        pictures: decoded, or not yet.
        labels: (n,) one label per picture.
        beside: (n, k) other columns, for roles such as the weight; None without any.
    """

    pictures: Images | Encoded
    labels: pd.Series
    beside: pd.DataFrame | None = None

    def __len__(self) -> int:
        return len(self.pictures)


@dataclass(frozen=True, eq=False)
class ImageSource:
    """A dataset of images as it is in its source.

    Attributes:
        name: of the dataset.
        train: pictures to learn from.
        test: pictures that are only scored, where the dataset sets some apart.
        target: what the labels are called.
        guardrails: what was noticed while reading.
        white: its value in the array that they came in, where the array's type leaves that open.
    """

    name: str
    train: Labelled
    test: Labelled | None = None
    target: str = "label"
    guardrails: tuple[Guardrail, ...] = field(default=())
    white: int | None = None
