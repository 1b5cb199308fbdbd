"""Text tables in every dialect, Parquet, and files that are neither."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl.errors import DataError
from automl.learning.data.delimited import sniff
from automl.learning.data.files import read_file, stem
from automl.learning.data.guardrails import Verdict

HEADER = "x,c,y\n"
ROWS = "".join(f"{i}.5,{'ab'[i % 2]},{i % 2}\n" for i in range(10))
EXPECTED = pd.DataFrame({"x": [i + 0.5 for i in range(10)], "c": list("ab") * 5, "y": [0, 1] * 5})


@pytest.fixture
def write(tmp_path: Path):
    def write(name: str, content: str | bytes) -> str:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


TEXT = (HEADER + ROWS).encode()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("t.csv", TEXT, id="commas"),
        pytest.param("t.tsv", TEXT.replace(b",", b"\t"), id="tabs"),
        pytest.param("t.txt", TEXT.replace(b",", b"|"), id="bars"),
        pytest.param("t.csv", TEXT.replace(b",", b";").replace(b".", b","), id="semicolons-and-decimal-commas"),
        pytest.param("t.csv", TEXT.replace(b",", b", ").replace(b"\n", b"\r\n"), id="blanks-and-crlf"),
        pytest.param("t.csv", TEXT.decode().encode("utf-8-sig"), id="byte-order-mark"),
        pytest.param("t.csv", TEXT.decode().encode("utf-16"), id="utf-16"),
        pytest.param("t.csv", TEXT.replace(b"\n", b",\n").replace(b"y,\n", b"y\n", 1), id="a-delimiter-too-many"),
        pytest.param("t", TEXT, id="no-ending"),
        pytest.param("t.csv.gz", gzip.compress(TEXT), id="gzip"),
        pytest.param("t.csv.bz2", bz2.compress(TEXT), id="bzip2"),
        pytest.param("t.csv.xz", lzma.compress(TEXT), id="xz"),
    ],
)
def test_a_text_table_is_read_however_it_is_written(write, name: str, content: bytes) -> None:
    table = read_file(write(name, content))
    pd.testing.assert_frame_equal(table.frame, EXPECTED)
    assert not [g for g in table.guardrails if g.verdict is not Verdict.PASSED]


@pytest.mark.parametrize("name", ["t.parquet", "t.pq", "without_ending"])
def test_parquet_is_read(tmp_path: Path, name: str) -> None:
    EXPECTED.to_parquet(tmp_path / name)
    pd.testing.assert_frame_equal(read_file(str(tmp_path / name)).frame, EXPECTED)


def test_a_file_url_is_read(write) -> None:
    path = write("t.csv.gz", gzip.compress(TEXT))
    pd.testing.assert_frame_equal(read_file(f"file://{path}").frame, EXPECTED)
    with pytest.raises(DataError, match=r"There is no file .*other\.csv"):
        read_file(f"file://{path.replace('t.csv.gz', 'other.csv')}")


@pytest.mark.parametrize(("letter", "encoding"), [("é", "cp1252"), ("\x81", "latin-1")])
def test_other_encodings_are_read_and_said(write, letter: str, encoding: str) -> None:
    table = read_file(write("t.csv", (HEADER + ROWS.replace("a", letter)).encode("latin-1")))
    assert table.frame["c"][0] == letter
    alert = next(g for g in table.guardrails if g.name == "encoding")
    assert alert.verdict is Verdict.ALERTED
    assert encoding in alert.message


def test_names_that_occur_twice_are_told_apart_and_said(write) -> None:
    table = read_file(write("t.csv", "x,x,y\n" + ROWS))
    assert list(table.frame.columns) == ["x", "x.1", "y"]
    assert next(g for g in table.guardrails if g.name == "duplicate_names").columns == ("x",)


def test_row_names_without_a_header_are_left_out_and_said(write) -> None:
    rows = "".join(f"r{i},{line}\n" for i, line in enumerate(ROWS.splitlines()))
    table = read_file(write("t.csv", HEADER + rows))
    pd.testing.assert_frame_equal(table.frame, EXPECTED)
    assert "row_names" in {g.name for g in table.guardrails}


def test_a_header_of_numbers_is_doubted(write) -> None:
    table = read_file(write("t.csv", "5.1,3.5\n4.9,3.0\n4.7,3.2\n"))
    assert "line with the names missing" in next(g for g in table.guardrails if g.name == "header").message


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"", "is empty"),
        ("t.csv", b"\n \n", "is empty"),
        ("t.csv", b"\xef\xbb\xbf", "is empty"),
        ("t.csv", HEADER.encode(), "has a header and no rows"),
        ("t.csv", TEXT + b"1,2,3,4,5\n", "Expected 3 fields in line 12, saw 5"),
        ("t.csv", b"x,y\n" + 99 * b"1,0,\n" + b"1,0,7\n", "rows with more fields than the header has names"),
        ("t.csv", b"a,b\n1,2,3,4\n1,2,3,4\n", "more fields than the header"),
        ("t.csv", b"a\0b", "neither text nor Parquet"),
        ("t.xlsx", b"PK", "save the table as CSV or Parquet"),
        ("t.parquet", b"PAR1 is not enough", "as Parquet"),
        ("t.csv.gz", b"not compressed", "Cannot read"),
    ],
)
def test_files_that_hold_no_table_are_refused_in_a_sentence(write, name: str, content: bytes, message: str) -> None:
    path = write(name, content)
    with pytest.raises(DataError, match=message) as caught:
        read_file(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_gets_the_nearest_name(write, tmp_path: Path) -> None:
    write("churn.csv", TEXT)
    with pytest.raises(DataError, match=r"There is no file .*chrun\.csv\. Did you mean 'churn\.csv'\?"):
        read_file(str(tmp_path / "chrun.csv"))
    with pytest.raises(DataError, match=r"Did you mean 'iris'\? The datasets of the catalogue are"):
        read_file("irs")
    with pytest.raises(DataError, match="is a folder"):
        read_file(str(tmp_path))


def test_credentials_in_a_url_are_not_shown() -> None:
    with pytest.raises(DataError) as caught:
        read_file("nosuchprotocol://user:secret@host/x.csv?token=abc")
    assert "secret" not in str(caught.value)
    assert "token" not in str(caught.value)


@pytest.mark.parametrize(
    ("location", "name"),
    [("/a/churn.csv", "churn"), ("s3://b/churn.csv.gz?v=1", "churn"), ("a.b.parquet", "a.b"), ("plain", "plain")],
)
def test_the_stem_names_the_table(location: str, name: str) -> None:
    assert stem(location) == name


@given(
    width=st.integers(2, 6),
    rows=st.integers(2, 12),
    delimiter=st.sampled_from(",;\t|"),
    cells=st.lists(st.sampled_from(["1", "2.5", "word", "", "two words"]), min_size=6, max_size=6),
)
def test_the_delimiter_that_wrote_a_table_is_found(width: int, rows: int, delimiter: str, cells: list[str]) -> None:
    header = delimiter.join(f"c{i}" for i in range(width))
    body = "".join(delimiter.join(["7", *cells[: width - 1]]) + "\n" for _ in range(rows))
    assert sniff(f"{header}\n{body}").delimiter == delimiter
