"""The checks of the data, and what was done about their findings: as data, for people and reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from automl.learning.data.kinds import Column, ColumnKind
from automl.learning.data.names import some

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Finding", "Guardrail", "Verdict", "findings_as_guardrails", "noted_in", "table_guardrails"]

MOSTLY_MISSING = 0.5
"""Share of missing values from which a column deserves a look."""
MANY_CATEGORIES = 100
"""More categories than this are hard to learn from: each is seen in few rows."""


class Verdict(StrEnum):
    """`PASSED`: nothing found. `DONE`: found and dealt with. `ALERTED`: found, and yours to judge."""

    PASSED = "passed"
    DONE = "done"
    ALERTED = "alerted"


@dataclass(frozen=True)
class Guardrail:
    """One check and its outcome.

    Attributes:
        name: of the check, such as ``missing_values``.
        verdict: how it came out.
        message: one sentence.
        columns: all columns it is about.
    """

    name: str
    verdict: Verdict
    message: str
    columns: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "verdict": str(self.verdict), "message": self.message, "columns": list(self.columns)}


def noted_in(part: str, guardrails: Sequence[Guardrail]) -> tuple[Guardrail, ...]:
    """Return what was found in rows beside those to train on, with the name of their `part` in each message."""
    found = (guardrail for guardrail in guardrails if guardrail.verdict is not Verdict.PASSED)
    return tuple(replace(guardrail, message=f"{part}: {guardrail.message}") for guardrail in found)


@dataclass(frozen=True)
class Finding:
    """Something that reading a column brought to light."""

    check: str
    column: str
    detail: str = ""


_SENTENCES: dict[str, tuple[Verdict, str, str]] = {
    "non_finite": (Verdict.DONE, "Infinite values are treated as missing in {}.", "All numbers are finite."),
    "mixed_types": (
        Verdict.DONE,
        "Numbers and text are mixed, so all values are read as text, in {}.",
        "No column mixes numbers and text.",
    ),
    "mostly_numbers": (
        Verdict.ALERTED,
        "Nearly all values are numbers, so correct the others or declare the column numeric; read as text: {}.",
        "",
    ),
    "text_numbers": (Verdict.DONE, "Text that holds numbers is read as numbers in {}.", ""),
    "text_dates": (Verdict.DONE, "Text that holds dates is read as dates in {}.", ""),
    "unreadable": (Verdict.ALERTED, "Values that do not fit the column's kind are treated as missing in {}.", ""),
    "unsupported_columns": (
        Verdict.DONE,
        "Columns whose cells hold lists, dictionaries or other objects are left out: {}.",
        "Every column can be used.",
    ),
    "duplicate_names": (
        Verdict.ALERTED,
        "Several columns share a name; the later ones got a number after it: {}.",
        "",
    ),
}


def findings_as_guardrails(findings: Sequence[Finding]) -> tuple[Guardrail, ...]:
    """One guardrail per check: what was found, or that it passed (for the checks that are worth a line then)."""
    numbers = {finding.column for finding in findings if finding.check == "text_numbers"}
    findings = [
        f for f in findings if f.check != "mixed_types" or f.column not in numbers
    ]  # '1' beside 1 is not a mixture
    guardrails = []
    for check, (verdict, sentence, passed) in _SENTENCES.items():
        found = {finding.column: finding.detail for finding in findings if finding.check == check}
        if found:
            names = [f"{name} ({detail})" if detail else name for name, detail in found.items()]
            guardrails.append(Guardrail(check, verdict, sentence.format(some(names)), tuple(found)))
        elif passed:
            guardrails.append(Guardrail(check, Verdict.PASSED, passed))
    return tuple(guardrails)


def table_guardrails(
    columns: Sequence[Column], n_rows: int, row_hashes: np.ndarray | None = None
) -> tuple[Guardrail, ...]:
    """Checks over one table.

    Args:
        columns: of the features.
        n_rows: rows of the table.
        row_hashes: (n_rows,) uint64 over all values of each row; None leaves the check for duplicates out.
    """
    checks = [
        _missing_values(columns, n_rows),
        _left_out(columns, ColumnKind.CONSTANT, "constant_columns", "hold one value only", "No column is constant."),
        _left_out(
            columns, ColumnKind.IDENTIFIER, "identifier_columns", "only name the rows", "No column only names the rows."
        ),
        _high_cardinality(columns),
    ]
    if row_hashes is not None:
        checks.append(_duplicate_rows(row_hashes))
    return tuple(checks)


def _missing_values(columns: Sequence[Column], n_rows: int) -> Guardrail:
    affected = [column for column in columns if column.missing and column.kind is not ColumnKind.CONSTANT]
    if not affected:
        return Guardrail("missing_values", Verdict.PASSED, "No value is missing.")
    names = tuple(column.name for column in affected)
    cells = sum(column.missing for column in affected)
    mostly = [column.name for column in affected if column.missing > MOSTLY_MISSING * n_rows]
    message = f"{cells:,} values are missing in {some(names)}; they are filled in within each fold."
    if mostly:
        return Guardrail(
            "missing_values", Verdict.ALERTED, f"{message} More than half is missing in {some(mostly)}.", names
        )
    return Guardrail("missing_values", Verdict.DONE, message, names)


def _left_out(columns: Sequence[Column], kind: ColumnKind, check: str, what: str, passed: str) -> Guardrail:
    names = tuple(column.name for column in columns if column.kind is kind)
    if not names:
        return Guardrail(check, Verdict.PASSED, passed)
    return Guardrail(check, Verdict.DONE, f"Columns that {what} are not used: {some(names)}.", names)


def _high_cardinality(columns: Sequence[Column]) -> Guardrail:
    many = [c for c in columns if c.kind is ColumnKind.CATEGORICAL and c.unique > MANY_CATEGORIES]
    if not many:
        return Guardrail("high_cardinality", Verdict.PASSED, f"No column has more than {MANY_CATEGORIES} categories.")
    described = [f"{column.name} ({column.unique:,})" for column in many]
    return Guardrail(
        "high_cardinality",
        Verdict.ALERTED,
        f"Many categories, each in few rows: {some(described)}.",
        tuple(column.name for column in many),
    )


def _duplicate_rows(row_hashes: np.ndarray) -> Guardrail:
    import numpy as np

    repeated = row_hashes.size - np.unique(row_hashes).size
    if not repeated:
        return Guardrail("duplicate_rows", Verdict.PASSED, "No row occurs twice.")
    message = f"{repeated:,} of {row_hashes.size:,} rows repeat an earlier one; check that they are not copies."
    return Guardrail("duplicate_rows", Verdict.ALERTED, message)
