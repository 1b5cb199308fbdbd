"""The identity of data: the same for the same names, types, values and order, wherever they came from."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from automl.learning.data.form import form_of

if TYPE_CHECKING:
    import numpy as np

    from automl.learning.data.table import Features, Table

__all__ = ["fingerprint", "row_hashes"]


def fingerprint(table: Table, features: np.ndarray | None = None) -> str:
    """sha256 in hexadecimal over a table: features, target and roles.

    Args:
        table: whose own fingerprint and test part play no role.
        features: `row_hashes` of its X, if they are known already.
    """
    import pandas as pd

    digest = hashlib.sha256()
    digest.update(f"{table.n_rows}\x1d{form_of(table.X).layout(table.X)}\x1d{table.target}".encode())
    digest.update((row_hashes(table.X) if features is None else features).tobytes())
    for role, values in {"y": table.y, **table.roles()}.items():
        digest.update(f"\x1d{role}\x1e{values.dtype}".encode())
        digest.update(pd.util.hash_array(values).tobytes())
    return digest.hexdigest()


def row_hashes(X: Features) -> np.ndarray:
    """(n,) uint64: equal for equal rows or pictures, and with all but certainty different for different ones."""
    return form_of(X).hashes(X)
