"""The inputs and outputs of a registered model, in plain JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["signature_of"]

_KINDS = {bool: "boolean", int: "integer", float: "number", str: "text"}


def signature_of(
    example: pd.DataFrame | np.ndarray, predictions: Sequence[bool | int | float | str] | None
) -> dict[str, Any]:
    """Columns with their dtypes, or pictures with their channels; and of which type predictions are, where known.

    Every column is required, missing values or not. Pictures may be of any number and size: the model brings them to
    its own.
    """
    output = {"type": None if not predictions else _KINDS[type(predictions[0])]}
    import numpy as np

    if isinstance(example, np.ndarray):
        pictures = {"dtype": str(example.dtype), "shape": [None, None, None, int(example.shape[3])]}
        return {"inputs": {"pictures": pictures}, "output": output}
    columns = [{"name": str(name), "dtype": str(dtype)} for name, dtype in example.dtypes.items()]
    return {"inputs": {"columns": columns}, "output": output}
