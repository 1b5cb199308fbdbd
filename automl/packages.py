"""Distributions that are installed, and which of them brings a module."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

__all__ = ["distribution_of", "installed"]

_DISTRIBUTIONS = {"sklearn": "scikit-learn", "xgboost": "xgboost-cpu"}


def distribution_of(package: str) -> str:
    """The distribution that brings a top-level module."""
    return _DISTRIBUTIONS.get(package, package)


def installed(distributions: Iterable[str]) -> dict[str, str]:
    """Versions of those that are installed."""
    found = {}
    for name in distributions:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
