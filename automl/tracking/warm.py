"""Pay the price of a first registration before it counts."""

from __future__ import annotations

import importlib
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from automl.tracking.flavor import predict_saved, save_model
from automl.tracking.store import quiet

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["warm_up"]


def warm_up(client: MlflowClient, scratch: Path, imports: Sequence[str] = ()) -> float:
    """Import what registration needs, open the registry, and rehearse on a constant model. Nothing is registered.

    Args:
        client: of the store that will be registered in.
        scratch: a folder that is swept if this is killed.
        imports: modules that the models need. One that is missing is skipped: loading the model will say so.

    Returns:
        Seconds that a rehearsal takes when everything is warm: what a registration takes at least.
    """
    with quiet():
        client.search_registered_models(max_results=1)
        for module in imports:
            with suppress(Exception):  # importing runs any code
                importlib.import_module(module)
    _rehearse(scratch)
    return _rehearse(scratch)


def _rehearse(scratch: Path) -> float:
    import pandas as pd
    from sklearn.dummy import DummyClassifier

    began = time.monotonic()
    example = pd.DataFrame({"a": [0.0, 1.0], "b": ["x", "y"]})
    model = DummyClassifier().fit(example, ["p", "q"])
    folder = scratch / "rehearsal"
    try:
        predictions = model.predict(example)
        save_model(model, folder, example=example, predictions=predictions, packages={})
        predict_saved(folder, example)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return time.monotonic() - began
