"""Text tables whose delimiter, encoding and decimal point are not declared."""

from __future__ import annotations

import codecs
import csv
import io
import re
import warnings
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from automl.errors import DataError
from automl.learning.data.guardrails import Guardrail, Verdict
from automl.learning.data.names import some

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Dialect", "read_delimited", "sniff"]

_DELIMITERS = (",", ";", "\t", "|")
_SNIFFED_ROWS = 50
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ENCODINGS = ("utf-8", "cp1252", "latin-1")
"""Tried in this order. The last one can read anything."""
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\v\a\x1b"))
"""Bytes that hardly occur in a text. Those that command a terminal do, and are shown when they are printed."""
_FEW = 0.01
"""A larger share of control characters is in no text."""
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_DECIMAL_POINT = re.compile(r"[+-]?\d+\.\d+")
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")


@dataclass(frozen=True)
class Dialect:
    """The form in which a text table is written.

    Attributes:
        delimiter: one character.
        decimal: ``.`` or ``,``.
        header: the fields of the first row.
        trailing: True if every row but the first ends with one delimiter too many.
    """

    delimiter: str
    decimal: str
    header: tuple[str, ...]
    trailing: bool


def sniff(text: str, delimiter: str | None = None) -> Dialect:
    """The dialect of a table from its beginning: the delimiter that cuts most rows into the same number of fields."""
    candidates = [(found, _rows(text, found)) for found in ((delimiter,) if delimiter else _DELIMITERS)]
    chosen, rows = max(candidates, key=lambda candidate: _fit(candidate[1]))
    if not rows:
        return Dialect(chosen, ".", (), False)
    header, body = rows[0], rows[1:]
    trailing = bool(body) and all(len(row) == len(header) + 1 and not row[-1].strip() for row in body)
    return Dialect(chosen, _decimal(body, chosen), tuple(name.strip() for name in header), trailing)


def _rows(text: str, delimiter: str) -> list[list[str]]:
    """The first whole rows. The last one may be cut, so it is left out if there are others."""
    rows = []
    with suppress(csv.Error):  # a field of more than 128 KB: with another delimiter it may be many
        for row in csv.reader(io.StringIO(text, newline=None), delimiter=delimiter, skipinitialspace=True):
            if any(field.strip() for field in row):
                rows.append(row)
            if len(rows) > _SNIFFED_ROWS:
                break
    return rows[:-1] if len(rows) > 2 else rows


def _fit(rows: list[list[str]]) -> tuple[float, int]:
    """Share of rows as wide as most are, and that width; one column only is not a fit."""
    if not rows:
        return 0.0, 0
    width, count = Counter(map(len, rows)).most_common(1)[0]
    return (count / len(rows), width) if width > 1 else (0.0, 0)


def _decimal(rows: list[list[str]], delimiter: str) -> str:
    fields = [field.strip() for row in rows for field in row]
    commas = sum(bool(_DECIMAL_COMMA.fullmatch(field)) for field in fields)
    points = sum(bool(_DECIMAL_POINT.fullmatch(field)) for field in fields)
    return "," if delimiter != "," and commas > points else "."


def read_delimited(
    content: BinaryIO, start: bytes, shown: str, *, delimiter: str | None = None
) -> tuple[pd.DataFrame, tuple[Guardrail, ...]]:
    """A text table, and what was noticed: encoding, repeated names, row names, a missing header.

    Args:
        content: to read from; from its start.
        start: its first bytes.
        shown: how messages call it.
        delimiter: if it is known.

    Raises:
        DataError: there are no rows, or the file is not a text table.
    """
    encodings = _candidate_encodings(start, shown)
    for encoding in encodings:
        try:
            dialect = sniff(codecs.getincrementaldecoder(encoding)().decode(start), delimiter)
            frame = _parse(content, dialect, encoding, shown)
        except UnicodeDecodeError:
            continue
        break
    else:
        raise DataError(f"Cannot read {shown}: it is not text in {encodings[0]}, as its first bytes say.")
    if frame.empty:
        raise DataError(f"The file {shown} has a header and no rows below it.")
    return _without_row_names(frame, [_about_encoding(encoding, shown), *_about_header(dialect, shown)])


def _candidate_encodings(start: bytes, shown: str) -> tuple[str, ...]:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if start.startswith(mark):
            return (encoding,)
    if b"\0" in start or len(start) - len(start.translate(None, _CONTROLS)) > _FEW * len(start):
        raise DataError(f"Cannot read {shown}: it is neither text nor Parquet. Save the table as CSV or Parquet.")
    return _ENCODINGS


def _parse(content: BinaryIO, dialect: Dialect, encoding: str, shown: str) -> pd.DataFrame:
    import pandas as pd

    content.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                content,
                sep=dialect.delimiter,
                decimal=dialect.decimal,
                encoding=encoding,
                skipinitialspace=True,
                low_memory=False,  # else a column's type may change from one chunk to the next
                index_col=False if dialect.trailing else None,
            )
    except pd.errors.ParserWarning:  # after a first part in which each row ends with a delimiter
        raise DataError(
            f"Cannot read {shown} as a text table: there are rows with more fields than the header has names."
        ) from None
    except pd.errors.EmptyDataError:
        raise DataError(f"The file {shown} is empty.") from None
    except UnicodeDecodeError:
        raise
    except (OSError, ValueError, OverflowError) as error:  # a ParserError is a ValueError
        reason = str(error).removeprefix("Error tokenizing data. C error: ").strip().rstrip(".")
        raise DataError(f"Cannot read {shown} as a text table: {reason}.") from error


def _about_encoding(encoding: str, shown: str) -> Guardrail:
    if encoding in _ENCODINGS[1:]:
        return Guardrail(
            "encoding",
            Verdict.ALERTED,
            f"{shown} is not UTF-8 and was read as {encoding}; check names and texts with accents.",
        )
    return Guardrail("encoding", Verdict.PASSED, f"The file is {encoding.removesuffix('-sig').upper()}.")


def _about_header(dialect: Dialect, shown: str) -> list[Guardrail]:
    repeated = tuple(name for name, count in Counter(filter(None, dialect.header)).items() if count > 1)
    found = []
    if repeated:
        message = f"Several columns share a name; the later ones got a number after it: {some(repeated)}."
        found.append(Guardrail("duplicate_names", Verdict.ALERTED, message, repeated))
    if dialect.header and all(_NUMBER.fullmatch(name) for name in dialect.header):
        message = f"All column names in {shown} are numbers: is the line with the names missing?"
        found.append(Guardrail("header", Verdict.ALERTED, message))
    return found


def _without_row_names(frame: pd.DataFrame, guardrails: list[Guardrail]) -> tuple[pd.DataFrame, tuple[Guardrail, ...]]:
    """A file whose header is one field shorter than its rows has names of rows in front, as R writes them."""
    import pandas as pd

    if isinstance(frame.index, pd.MultiIndex):
        raise DataError(
            f"The rows have {frame.index.nlevels} more fields than the header has names; name every column."
        )
    if not isinstance(frame.index, pd.RangeIndex):
        guardrails.append(
            Guardrail("row_names", Verdict.DONE, "The first field of each row has no column name and is left out.")
        )
        frame = frame.reset_index(drop=True)
    return frame, tuple(guardrails)
