"""An ordered mapping of hyperparameters, some of which exist only under conditions."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, ValuesView
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Self

from pydantic import PrivateAttr, RootModel, model_validator

from automl.engine.space.parameter import BaseParameter, Parameter, json_text
from automl.errors import SpaceError
from automl.validation_errors import problem_at

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import BaseTrial

__all__ = ["ParameterSpace", "nearest"]


def nearest(name: str, known: Mapping[str, Any] | list[str] | tuple[str, ...]) -> str:
    """``"; did you mean 'x'?"`` for the known name that is closest, else what is known."""
    close = get_close_matches(str(name), list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(known) or 'none'}"


def qualified(prefix: str, name: str) -> str:
    """The name under which Optuna knows a parameter: ``prefix.name``, or ``name`` without a prefix."""
    return f"{prefix}.{name}" if prefix else name


class ParameterSpace(RootModel[dict[str, Parameter]]):
    """{name: parameter}, in the order in which it was written.

    A parameter with `when` exists in a configuration only while every parameter that it names exists and has one of the
    listed values. Configurations are plain dicts of real values.

    >>> space = ParameterSpace.model_validate({
    ...     "kernel": {"type": "categorical", "choices": ["linear", "rbf"]},
    ...     "gamma": {"type": "categorical", "choices": [0.1, 1.0], "when": {"kernel": ["rbf"]}},
    ... })
    >>> space.size()
    3
    """

    model_config = {"frozen": True}
    root: dict[str, Parameter] = {}

    _order: tuple[str, ...] = PrivateAttr(default=())
    _conditions: dict[str, tuple[tuple[str, frozenset[str]], ...]] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _resolve(self) -> Self:
        self._order = self._sorted()
        for name in self._order:
            self._conditions[name] = tuple(
                (other, frozenset(self._listed(name, other, values))) for other, values in self.root[name].when.items()
            )
        return self

    def _sorted(self) -> tuple[str, ...]:
        """Names with every parent before its children, otherwise as written."""
        done: dict[str, None] = {}

        def visit(name: str, path: tuple[str, ...]) -> None:
            if name in path:
                circle = " -> ".join((*path[path.index(name) :], name))
                raise problem_at((path[-1], "when"), f"goes in a circle: {circle}")
            for other in self.root[name].when:
                if other not in self.root:
                    raise problem_at(
                        (name, "when"), f"names the unknown parameter {other!r}{nearest(other, self.root)}"
                    )
                if other not in done:
                    visit(other, (*path, name))
            done[name] = None

        for name in self.root:
            if name not in done:
                visit(name, ())
        return tuple(done)

    def _listed(self, name: str, other: str, values: tuple[Any, ...]) -> Iterator[str]:
        parent = self.root[other]
        if parent.cardinality() is None:
            raise problem_at((name, "when", other), "must name a parameter with countable values, not a continuous one")
        for value in values:
            try:
                yield json_text(parent.canonical(value))
            except ValueError as error:
                raise problem_at((name, "when", other), f"lists a value that {other} cannot have: {error}") from None

    # ---- a mapping

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]  # Pydantic iterates over its fields
        return iter(self.root)

    def __len__(self) -> int:
        return len(self.root)

    def __contains__(self, name: object) -> bool:
        return name in self.root

    def __getitem__(self, name: str) -> BaseParameter:
        return self.root[name]

    def keys(self) -> KeysView[str]:
        return self.root.keys()

    def values(self) -> ValuesView[BaseParameter]:
        return self.root.values()

    def items(self) -> ItemsView[str, BaseParameter]:
        return self.root.items()

    # ---- configurations

    def active(self, name: str, params: Mapping[str, Any]) -> bool:
        """Tell whether `name` exists beside the values in `params`, which must hold its parents."""
        return all(
            other in params and json_text(params[other]) in listed for other, listed in self._conditions.get(name, ())
        )

    def ask(self, trial: BaseTrial, prefix: str = "") -> dict[str, Any]:
        """Ask `trial` for a configuration, parents first; Optuna's names are ``prefix.name``."""
        params: dict[str, Any] = {}
        conditions, parameters = self._conditions, self.root  # Pydantic looks up private attributes slowly
        for name in self._order:
            if not conditions[name] or self.active(name, params):
                params[name] = parameters[name].suggest(trial, qualified(prefix, name))
        return params

    def build(self, choose: Callable[[str, BaseParameter], Any]) -> dict[str, Any]:
        """The configuration whose real values `choose(name, parameter)` gives, parents first.

        It is asked for the parameters that exist beside those before.
        """
        params: dict[str, Any] = {}
        for name in self._order:
            if self.active(name, params):
                params[name] = self.root[name].canonical(choose(name, self.root[name]))
        return params

    def distributions(self, prefix: str = "") -> dict[str, BaseDistribution]:
        """Optuna's distributions of the parameters that exist in every configuration."""
        return {qualified(prefix, name): p.distribution() for name, p in self.root.items() if not p.when}

    def encode(self, params: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
        """Return what Optuna stores for `params`, for ``study.enqueue_trial``; omitted parameters will be sampled.

        Raises:
            SpaceError: a name is unknown, a value outside its range, or a parameter does not exist beside the others.
        """
        for name in params:
            if name not in self.root:
                raise SpaceError(f"there is no such parameter{nearest(name, self.root)}", key=qualified(prefix, name))
        encoded: dict[str, Any] = {}
        real: dict[str, Any] = {}
        for name in self._order:
            if name not in params:
                continue
            key, parameter = qualified(prefix, name), self.root[name]
            if not self.active(name, real):
                wanted = " and ".join(
                    f"{other} is one of {', '.join(sorted(listed))}" for other, listed in self._conditions[name]
                )
                raise SpaceError(f"exists only when {wanted}", key=key)
            try:
                encoded[key] = parameter.encode(params[name])
            except ValueError as error:
                raise SpaceError(str(error), key=key) from None
            real[name] = parameter.decode(encoded[key])
        return encoded

    def complete(self, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """`params` with the defaults of the parameters that are missing and exist; those without a default stay out."""
        given, full, real = dict(params or {}), dict[str, Any](), dict[str, Any]()
        for name in self._order:
            parameter = self.root[name]
            if name in given:
                full[name] = given.pop(name)
                real[name] = parameter.canonical(full[name]) if parameter.contains(full[name]) else full[name]
            elif parameter.has_default and self.active(name, real):
                full[name] = real[name] = parameter.canonical(parameter.default)
        return {**full, **given}

    def size(self) -> int | None:
        """Return the number of configurations, None for infinitely many."""
        if any(parameter.cardinality() is None for parameter in self.root.values()):
            return None
        return math.prod(self._count(names, {}) for names in self._components())

    def _components(self) -> list[tuple[str, ...]]:
        """Groups of parameters that depend on one another, each parents first."""
        groups: list[list[str]] = []
        for name in self._order:
            linked = [group for group in groups if any(other in group for other in self.root[name].when)]
            groups = [group for group in groups if group not in linked]
            groups.append([*(member for group in linked for member in group), name])
        return [tuple(group) for group in groups]

    def _count(self, names: tuple[str, ...], params: dict[str, Any]) -> int:
        """Configurations of `names` beside `params`. Only values that some `when` lists are told apart."""
        if not names:
            return 1
        name, rest = names[0], names[1:]
        if not self.active(name, params):
            return self._count(rest, params)
        listed = set[str]().union(
            *(texts for pairs in self._conditions.values() for other, texts in pairs if other == name)
        )
        told = sum(self._count(rest, {**params, name: json.loads(text)}) for text in listed)
        unlisted = (self.root[name].cardinality() or 0) - len(listed)
        return told + (unlisted * self._count(rest, params) if unlisted else 0)  # left out: its children do not exist

    def configurations(self) -> Iterator[dict[str, Any]]:
        """All configurations, the last parameter varying fastest.

        Raises:
            SpaceError: there are infinitely many.
        """
        for name, parameter in self.root.items():
            if parameter.cardinality() is None:
                raise SpaceError("takes infinitely many values: a grid needs a step, or choices", key=name)
        return self._expand(self._order, {})

    def _expand(self, names: tuple[str, ...], params: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if not names:
            yield dict(params)
        elif not self.active(names[0], params):
            yield from self._expand(names[1:], params)
        else:
            for value in self.root[names[0]].values():
                yield from self._expand(names[1:], {**params, names[0]: value})
