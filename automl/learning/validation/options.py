"""The options that a user may write about validation."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, WithJsonSchema, model_validator

from automl.options import Options

__all__ = ["Strategy", "ValidationOptions"]

Strategy = Literal["auto", "kfold", "holdout", "group", "time", "predefined"]

_UNDERSTOOD: dict[str, tuple[str, ...]] = {
    "kfold": ("folds", "repeats"),
    "holdout": ("fraction",),
    "group": ("folds",),
    "time": ("folds",),
    "predefined": ("source", "fold"),
}
_SETTINGS = ("folds", "repeats", "fraction", "source", "fold")


class ValidationOptions(Options):
    """The scoring of trials: which rows are trained on, and which are held back.

    With ``auto`` the data decides: a group column gives ``group``, a time column ``time``, `source` or `fold`
    ``predefined``; else five folds, three times over up to 1,000 rows, once up to 20,000, and above a holdout.
    """

    strategy: Strategy = "auto"
    folds: int | None = Field(default=None, ge=2, le=1000, description="default 5")
    repeats: int | None = Field(default=None, ge=1, le=1000, description="default 1; auto: 3 up to 1,000 rows")
    fraction: float | None = Field(default=None, gt=0, lt=1, description="of the rows, held out; default 0.2")
    source: Annotated[Any, WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "null"}]})] = Field(
        default=None, description="predefined: a path or URL of rows to score on, never trained on"
    )
    fold: str | None = Field(
        default=None, description="predefined: column whose values name folds; -1, 'train' or nothing: never held out"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = [name for name in _SETTINGS if getattr(self, name) is not None]
        if self.strategy == "auto":
            owners = [kind for kind in ("kfold", "holdout", "predefined") if set(given) & set(_UNDERSTOOD[kind])]
            if len(owners) > 1:
                raise ValueError(f"{' and '.join(given)} exclude one another; keep one, or set strategy")
        for name in given:
            if self.strategy != "auto" and name not in _UNDERSTOOD[self.strategy]:
                fitting = " or ".join(kind for kind, names in _UNDERSTOOD.items() if name in names)
                raise ValueError(f"{name} means nothing for strategy {self.strategy}; it belongs to {fitting}")
        if self.strategy == "predefined" and not given:
            raise ValueError("strategy predefined needs source (a table of validation rows) or fold (a column)")
        if self.source is not None and self.fold is not None:
            raise ValueError("source and fold exclude one another; keep one")
        return self
