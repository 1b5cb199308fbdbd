"""Distributions that are installed, and which of them brings a module."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version

__all__ = ["distribution_of", "installed"]

_DISTRIBUTIONS = {"sklearn": "scikit-learn", "xgboost": "xgboost-cpu"}


def distribution_of(package: str) -> str:
    """The distribution that brings a top-level module."""
    return _DISTRIBUTIONS.get(package, package)


def installed(distributions: Iterable[str]) -> dict[str, str]:
    """Versions of those that are installed."""
    versions = {name: _version(name) for name in distributions}
    return {name: found for name, found in versions.items() if found is not None}


@cache
def _version(distribution: str) -> str | None:
    """The version of what is installed; it is looked up once in a process, which goes on with what it has imported."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
