"""Two tables of the same columns as one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from automl.learning.data.fingerprint import fingerprint
from automl.learning.data.form import form_of
from automl.learning.data.guardrails import noted_in
from automl.learning.data.table import ROLES, Table

if TYPE_CHECKING:
    import numpy as np

__all__ = ["append_rows"]


def append_rows(table: Table, more: Table) -> Table:
    """`table` with the rows of `more` after its own, fingerprint included: for the user's own validation data.

    `more` has the same columns (`automl.learning.data.load.load_like`). A role that only one of them has is kept only
    if it is the weight (1 for the others). Test rows are those of `table`.
    """
    import numpy as np

    roles: dict[str, np.ndarray] = {}
    for role in ROLES:
        own, other = getattr(table, role), getattr(more, role)
        if own is not None and other is not None:
            roles[role] = np.concatenate([own, other])
        elif role == "weight" and (own is not None or other is not None):
            ones = [np.ones(part.n_rows) if w is None else w for part, w in ((table, own), (more, other))]
            roles[role] = np.concatenate(ones)
    X = form_of(table.X).concat(table.X, more.X)
    joined = replace(table, X=X, y=np.concatenate([table.y, more.y])).with_roles(roles)
    guardrails = (*table.guardrails, *noted_in("Validation data", more.guardrails))
    return replace(joined, fingerprint=fingerprint(joined), guardrails=guardrails)
