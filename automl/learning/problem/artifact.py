"""From a trial to a model that can be registered."""

from __future__ import annotations

from pathlib import Path

from automl.engine.search.problem import Artifact
from automl.engine.space.load import load_space
from automl.engine.trial.contract import TrialResult
from automl.engine.workspace.layout import ExperimentDirectory
from automl.errors import RegistryError
from automl.learning.problem.declared import Declared
from automl.learning.problem.files import EXAMPLE
from automl.learning.tasks.registry import get_task
from automl.packages import distribution_of, installed

__all__ = ["artifact_of"]

_ALWAYS = ("automl-search", "numpy", "pandas", "scikit-learn", "joblib", "cloudpickle", "pydantic", "threadpoolctl")


def artifact_of(config: Declared, directory: ExperimentDirectory, result: TrialResult) -> Artifact:
    """The fold models of a trial.

    Raises:
        RegistryError: the example rows of the experiment are gone.
    """
    algorithm = load_space(config.search.space, task=config.task).algorithms[result.algorithm]
    trial = directory.trial(result.number)
    return Artifact(
        models=trial.models,
        check=trial.check,
        example=find_example(directory),
        framework=distribution_of(algorithm.package or "automl-search"),
        packages=installed((*_ALWAYS, *get_task(config.task).packages, *map(distribution_of, algorithm.needs))),
        modules=tuple({(algorithm.estimator or "").partition(".")[0]} - {""}),
    )


def find_example(directory: ExperimentDirectory) -> Path:
    """The example rows of an experiment.

    Raises:
        RegistryError: they are gone.
    """
    found = sorted(directory.data.glob(f"{EXAMPLE}.*"))
    if not found:
        raise RegistryError(f"{directory.data} holds no example rows, so a model cannot be checked and registered.")
    return found[0]
