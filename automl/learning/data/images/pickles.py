"""Pickles of plain arrays and lists, and of nothing else: what else one names is neither imported nor run."""

from __future__ import annotations

import io
import pickle
from typing import Any

from automl.errors import DataError

__all__ = ["load_plain"]

_ALLOWED = {("numpy", "ndarray"), ("numpy", "dtype")}
_RECONSTRUCT = {"numpy.core.multiarray", "numpy._core.multiarray"}


class _Plain(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        import numpy as np

        if (module, name) in _ALLOWED:
            return getattr(np, name)
        if module in _RECONSTRUCT and name == "_reconstruct":
            return np.empty(0).__reduce__()[0]
        if (module, name) == ("_codecs", "encode"):  # how bytes are written for Python 2
            return lambda text, _: text.encode("latin1")
        raise pickle.UnpicklingError(f"it names {module}.{name}")


def load_plain(content: bytes, shown: str) -> Any:
    """Return what a pickle of lists, dictionaries, numbers, bytes and NumPy arrays holds.

    Args:
        content: of the file; text of Python 2 comes back as bytes.
        shown: the file, for messages.

    Raises:
        DataError: it is not a pickle, or one that would import or run something.
    """
    try:
        return _Plain(io.BytesIO(content), encoding="bytes").load()
    except pickle.UnpicklingError as error:
        raise DataError(f"{shown} is refused: a pickle may hold plain arrays only, and {error}.") from None
    except Exception as error:  # a damaged pickle raises what it likes
        raise DataError(f"{shown} is not a readable pickle: {type(error).__name__}.") from error
