"""AutoML that keeps its time budget, survives kills, and leaves its best model registered.

Example:
    >>> import automl
    >>> result = automl.fit(task="classification", data="iris", time_budget="60s")  # doctest: +SKIP
    >>> result.predict([[5.1, 3.5, 1.4, 0.2]])
    array(['setosa'], dtype=object)

The public names are imported when they are first used: `import automl` alone costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # for editors and type checkers, which do not follow __getattr__
    from automl.api import fit, load_model, plan, resume, run, validate
    from automl.client import Run, TrialPruned
    from automl.config.schema import ExperimentConfig
    from automl.errors import AutomlError
    from automl.estimators import AutoMLClassifier, AutoMLRegressor
    from automl.experiment.result import Result

__all__ = [
    "AutoMLClassifier",
    "AutoMLRegressor",
    "AutomlError",
    "ExperimentConfig",
    "Result",
    "Run",
    "TrialPruned",
    "__version__",
    "fit",
    "load_model",
    "plan",
    "resume",
    "run",
    "validate",
]

__version__ = "0.1.0"

_HOME = {
    "AutoMLClassifier": "automl.estimators",
    "AutoMLRegressor": "automl.estimators",
    "AutomlError": "automl.errors",
    "ExperimentConfig": "automl.config.schema",
    "Result": "automl.experiment.result",
    "Run": "automl.client",
    "TrialPruned": "automl.client",
    "fit": "automl.api",
    "load_model": "automl.api",
    "plan": "automl.api",
    "resume": "automl.api",
    "run": "automl.api",
    "validate": "automl.api",
}
"""The module that each public name lives in."""


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'automl' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
