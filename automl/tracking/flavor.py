"""A fitted estimator as a folder that MLflow can load.

The format is MLflow's scikit-learn flavour with cloudpickle: `mlflow.pyfunc.load_model` finds a model that predicts
labels, and `mlflow.sklearn.load_model` the estimator itself with `predict_proba` and `classes_`. The alternatives:
skops, the default, refuses LightGBM's types; a pyfunc python_model hides the estimator in a wrapper.
Requirements are stated, not inferred: inferring them takes 4 s and a subprocess.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.errors import RegistryError
from automl.redact import one_line
from automl.tracking.store import quiet

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from mlflow.models import ModelSignature
    from mlflow.types.schema import Schema

__all__ = ["predict_saved", "save_model", "signature_of"]

log = logging.getLogger("automl")


def signature_of(example: pd.DataFrame | np.ndarray, predictions: np.ndarray) -> ModelSignature:
    """Describe what goes in, and the type of the labels that come out.

    Of a table these are named columns with the types of the example. A column whose dtype MLflow would refuse at
    prediction time (category, time zones, durations, mixed objects) is declared as of any type. Every column is
    required: the model needs them all, missing values or not. Pictures are one array of any number of them, of any
    size: the model brings them to its own.
    """
    import numpy as np
    from mlflow.models import ModelSignature, infer_signature

    outputs = infer_signature(model_output=predictions).outputs
    inputs = _pictures_of(example) if isinstance(example, np.ndarray) else _columns_of(example)
    return ModelSignature(inputs=inputs, outputs=outputs)


def _pictures_of(example: np.ndarray) -> Schema:
    from mlflow.types.schema import Schema, TensorSpec

    return Schema([TensorSpec(example.dtype, (-1, -1, -1, example.shape[3]))])


def _columns_of(example: pd.DataFrame) -> Schema:
    from mlflow.models import infer_signature
    from mlflow.types.schema import AnyType, ColSpec, DataType, Schema

    def column(name: str) -> ColSpec:
        if _plain(example[name]):
            found = infer_signature(example[[name]]).inputs.inputs[0].type
            if isinstance(found, DataType):
                return ColSpec(found, name)
        return ColSpec(AnyType(), name)  # type: ignore[no-untyped-call]

    return Schema([column(str(name)) for name in example.columns])


def _plain(values: pd.Series) -> bool:
    import pandas as pd

    if isinstance(values.dtype, pd.CategoricalDtype | pd.DatetimeTZDtype) or values.dtype.kind == "m":
        return False
    return values.dtype != object or all(isinstance(value, str | None) for value in values)


def save_model(
    estimator: Any,
    folder: Path,
    *,
    example: pd.DataFrame | np.ndarray,
    predictions: np.ndarray,
    packages: Mapping[str, str],
) -> None:
    """Write `estimator` as an MLflow model to `folder`, which must not exist.

    Args:
        packages: version by distribution, of what loading it needs.

    Raises:
        RegistryError: it cannot be pickled, or the disk is full.
    """
    with quiet():
        import cloudpickle
        import mlflow.sklearn

        pins = {"cloudpickle": cloudpickle.__version__, **packages}
        stated = {
            "serialization_format": mlflow.sklearn.SERIALIZATION_FORMAT_CLOUDPICKLE,
            "signature": signature_of(example, predictions),
            "pip_requirements": [f"{name}=={_public(version)}" for name, version in sorted(pins.items())],
        }
        try:
            _write(estimator, folder, example, stated)
        except Exception as error:  # pickling raises anything
            raise RegistryError(f"Cannot save the model: {one_line(error)}.") from error


def _write(estimator: Any, folder: Path, example: pd.DataFrame | np.ndarray, stated: Mapping[str, Any]) -> None:
    import mlflow.sklearn

    try:
        mlflow.sklearn.save_model(estimator, str(folder), input_example=example, **stated)
    except (TypeError, ValueError) as error:  # durations and the like have no JSON
        shutil.rmtree(folder, ignore_errors=True)
        mlflow.sklearn.save_model(estimator, str(folder), **stated)
        log.info("the registered model has no input example: %s", one_line(error))


def _public(version: str) -> str:
    """A version without its local part: ``2.13.0+cpu`` is on no index, 2.13.0 is."""
    return version.partition("+")[0]


def predict_saved(folder: Path, example: pd.DataFrame | np.ndarray) -> np.ndarray:
    """Return what the model saved in `folder` predicts when MLflow loads it, as any user of the registry would."""
    with quiet():
        import mlflow.pyfunc
        import numpy as np

        return np.asarray(mlflow.pyfunc.load_model(str(folder), suppress_warnings=True).predict(example))
