"""Algorithms with their hyperparameters, and the configurations that are tried first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, field_validator, model_validator

from automl.engine.space.parameter import json_text
from automl.engine.space.parameter_space import ParameterSpace, nearest
from automl.engine.workspace.atomic import FORMAT_VERSION
from automl.errors import SpaceError
from automl.options import Options
from automl.validation_errors import problem_at

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import BaseTrial

__all__ = ["AlgorithmSpace", "ParameterSpace", "PortfolioEntry", "SearchSpace", "check_version"]


def check_version(version: int) -> None:
    """Refuse a file of a newer automl.

    Raises:
        ValueError: `version` is above the one that is read here.
    """
    if version > FORMAT_VERSION:
        raise ValueError(f"{version} is newer than this automl, which reads up to {FORMAT_VERSION}")


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    for name, value in values.items():
        try:
            json_text(value)
        except ValueError as error:
            raise problem_at((name,), str(error)) from None
    return values


class AlgorithmSpace(Options):
    """An algorithm: what does its work, with which data and resources, and the ranges of its hyperparameters."""

    estimator: str | None = Field(
        default=None, description="import path of a scikit-learn style class; null: a plugin with the algorithm's name"
    )
    view: str | dict[str, Any] = Field(
        default="numeric",
        description="of a table, numeric: imputed, one-hot, scaled; native: missing and category codes kept. Of "
        "pictures, numeric: flattened; hog: histograms of oriented gradients; patches: responses to random patches; "
        "pixels: as they are, for nets; or a plugin's. With parameters: a mapping of its name and of these",
    )
    cost: float = Field(default=1.0, gt=0, description="seconds per row, relative to a logistic regression")
    fixed: dict[str, Any] = Field(default={}, description="arguments of the estimator that are not searched over")
    params: ParameterSpace = ParameterSpace({})
    requires: str | None = Field(default=None, description="module that must be there, if the path does not say")
    anytime: bool = Field(
        default=False, description="its fit lasts as long as it is given: the search allots seconds to it"
    )
    inherited: tuple[str, ...] = Field(
        default=(),
        description="parameters that keep their values where a trial continues from another's state, which they shape",
    )
    gpu: bool = Field(default=False, description="it computes on a GPU where there is one; else it is given none")
    max_rows: int | None = Field(default=None, gt=0, description="left out on larger tables")

    @field_validator("estimator")
    @classmethod
    def _check_path(cls, path: str | None) -> str | None:
        parts = (path or "a.B").split(".")
        if len(parts) < 2 or not all(part.isidentifier() for part in parts):
            raise ValueError(f"{path!r} is not an import path; write package.module.Class")
        return path

    @field_validator("view")
    @classmethod
    def _check_view(cls, view: str | dict[str, Any]) -> str | dict[str, Any]:
        if isinstance(view, str):
            return view
        if not isinstance(view.get("name"), str):
            raise problem_at(("name",), "is needed: the name of a view")
        return _plain(view)

    @field_validator("fixed")
    @classmethod
    def _check_fixed(cls, fixed: dict[str, Any]) -> dict[str, Any]:
        return _plain(fixed)

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name in self.fixed:
            if name in self.params:
                raise problem_at(("fixed", name), "is searched over, too: keep it in one of fixed and params")
        for index, name in enumerate(self.inherited):
            if name not in self.params:
                reason = f"there is no parameter {name!r}{nearest(name, list(self.params))}"
                raise problem_at(("inherited", index), reason)
        return self

    @property
    def needs(self) -> tuple[str, ...]:
        """The top-level modules that must be there."""
        path = self.requires or self.estimator
        return (path.split(".")[0],) if path else ()

    @property
    def package(self) -> str | None:
        """The top-level module of the library that fits it."""
        return self.needs[-1] if self.needs else None

    def ask(self, trial: BaseTrial, prefix: str) -> dict[str, Any]:
        """Real values for a configuration asked of `trial`. See `ParameterSpace.ask`."""
        return self.params.ask(trial, prefix)

    def distributions(self, prefix: str) -> dict[str, BaseDistribution]:
        """Optuna's distributions of the unconditional parameters."""
        return self.params.distributions(prefix)

    def encode(self, params: Mapping[str, Any], prefix: str) -> dict[str, Any]:
        """Return what Optuna stores for `params`. See `ParameterSpace.encode`.

        Raises:
            SpaceError: they are not in this space.
        """
        return self.params.encode(params, prefix)

    def complete(self, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """`params` with defaults filled in. See `ParameterSpace.complete`."""
        return self.params.complete(params)

    def size(self) -> int | None:
        return self.params.size()

    def configurations(self) -> Iterator[dict[str, Any]]:
        return self.params.configurations()


class PortfolioEntry(Options):
    """A configuration that is tried before any sampler has data; what `params` leaves out has its default."""

    algorithm: str
    params: dict[str, Any] = Field(default={})


class SearchSpace(Options):
    """Everything that a search may try, and what it tries first."""

    format_version: int = FORMAT_VERSION
    algorithms: dict[str, AlgorithmSpace] = Field(min_length=1)
    portfolio: tuple[PortfolioEntry, ...] = ()

    @field_validator("format_version")
    @classmethod
    def _check_version(cls, version: int) -> int:
        check_version(version)
        return version

    @model_validator(mode="after")
    def _check_portfolio(self) -> Self:
        for index, entry in enumerate(self.portfolio):
            if entry.algorithm not in self.algorithms:
                reason = f"there is no algorithm {entry.algorithm!r}{nearest(entry.algorithm, self.algorithms)}"
                raise problem_at(("portfolio", index, "algorithm"), reason)
            try:
                self.configuration(entry)
            except SpaceError as error:
                raise problem_at(("portfolio", index, "params", str(error.key)), error.message) from None
        return self

    def configuration(self, entry: PortfolioEntry) -> dict[str, Any]:
        """The complete real values of a portfolio's entry.

        Raises:
            SpaceError: they are not in the algorithm's space.
        """
        space = self.algorithms[entry.algorithm]
        params = space.complete(entry.params)
        space.encode(params, "")
        return {name: space.params[name].canonical(value) for name, value in params.items()}

    def only(self, names: Collection[str]) -> SearchSpace:
        """The space with the algorithms in `names` alone, in this space's order."""
        return self.model_copy(
            update={
                "algorithms": {name: space for name, space in self.algorithms.items() if name in names},
                "portfolio": tuple(entry for entry in self.portfolio if entry.algorithm in names),
            }
        )

    def restrict(self, allow: Collection[str] | None = None, block: Collection[str] | None = None) -> SearchSpace:
        """The space with the algorithms of `allow` (default: all) that are not in `block`.

        Raises:
            SpaceError: a name is unknown, or no algorithm is left.
        """
        for key, names in (("search.algorithms.allow", allow), ("search.algorithms.block", block)):
            for name in names or ():
                if name not in self.algorithms:
                    reason = f"there is no algorithm {name!r} in the search space{nearest(name, self.algorithms)}"
                    raise SpaceError(reason, key=key)
        names = [n for n in self.algorithms if (allow is None or n in allow) and n not in (block or ())]
        if not names:
            raise SpaceError("no algorithm is left: allow more, or block fewer", key="search.algorithms")
        return self.only(names)
