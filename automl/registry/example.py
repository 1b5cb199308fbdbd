"""A few raw rows or pictures: what a registered model is checked on, and shows what it takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from automl.errors import RegistryError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["read_example"]


def read_example(path: Path) -> pd.DataFrame | np.ndarray:
    """The rows that `automl.learning.data.example.write_example` wrote, pictures as uint8 (n, height, width, channels).

    Raises:
        RegistryError: they cannot be read.
    """
    import numpy as np
    import pandas as pd

    readers: dict[str, Callable[[Path], pd.DataFrame | np.ndarray]] = {
        ".parquet": pd.read_parquet,
        ".pkl": pd.read_pickle,
        ".npy": lambda path: np.load(path, allow_pickle=False),
    }
    try:
        return readers[path.suffix](path)
    except Exception as error:
        raise RegistryError(f"Cannot read the example rows in {path}: {error}.") from error
